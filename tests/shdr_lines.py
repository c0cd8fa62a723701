"""Reads lines of adapters for tests, and describes what they report in short words."""

from services.gateway.mtconnect.dialects import MAZAK
from services.gateway.mtconnect.lines import LineReader
from services.gateway.mtconnect.model import DeviceModel
from services.gateway.mtconnect.observations import Condition, Measurement, Observation, Value
from services.gateway.mtconnect.problems import Problems

TIMESTAMP = "2024-03-04T08:00:00Z"


class Reading:
    """Lines read one after another; those without a timestamp get one."""

    def __init__(
        self, *texts: str, model: DeviceModel = MAZAK, names: tuple[str, ...] = (), native_units: bool = True
    ) -> None:
        self._problems = Problems()
        self.reader = LineReader(model, frozenset(names), self._problems, native_units=native_units)
        self.reader.begin_connection("log")
        read = [self.reader.read(text) for text in texts]
        self.reader.end_connection()
        self.lines = [line for line in read if line is not None]

    @property
    def observed(self) -> list[str]:
        """What all lines observed, as ``KEY=VALUE`` or ``KEY LEVEL CODE TEXT``."""
        return [describe(observation) for line in self.lines for observation in line.observations]

    @property
    def reported(self) -> list[str]:
        """Every problem as ``LINE:COLUMN KIND DETAIL``, by kind."""
        return [
            f"{str(place).removeprefix('log:')} {problem.kind.name} {detail}".strip()
            for problem in self._problems
            for place, detail in problem.first
        ]

    @property
    def tallied(self) -> tuple[int, int, int, int, int]:
        """The numbers of lines: all, not read, of assets, of protocol, of other devices."""
        tally = self.reader.tally
        return tally.lines, tally.unread, tally.assets, tally.protocol, tally.other


def fields(*texts: str, model: DeviceModel = MAZAK, names: tuple[str, ...] = (), native_units: bool = True) -> Reading:
    """Read lines of which only the fields are given; protocol messages as they are."""
    whole = (text if text.startswith("*") else f"{TIMESTAMP}|{text}" for text in texts)
    return Reading(*whole, model=model, names=names, native_units=native_units)


def describe(observation: Observation) -> str:
    label = observation.item.label
    match observation:
        case Value():
            return f"{label}={observation.text}"
        case Measurement():
            return f"{label}={observation.number:g}"
        case Condition():
            words = (label, observation.level.name, observation.code, observation.text)
            return " ".join(word for word in words if word)
