"""What a line of a log observed of its machine. Pure."""

from dataclasses import dataclass

from services.gateway.mtconnect.model import DataItem
from services.gateway.mtconnect.problems import Place
from services.gateway.mtconnect.vocabulary import Level


@dataclass(frozen=True, slots=True)
class Value:
    """A data item that has a role got this value, as the log writes it."""

    item: DataItem
    text: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """A data item was measured; ``number`` is in the unit in which its metric's name ends."""

    item: DataItem
    number: float


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a data item changed.

    Attributes:
        code: the native code; it may be empty.
        condition_id: distinguishes simultaneous conditions of a data item. It is the native code, unless a device model
            of version 2.3 or later lets a log write ``code:id``.
    """

    item: DataItem
    level: Level
    code: str
    condition_id: str
    text: str


Observation = Value | Measurement | Condition


@dataclass(frozen=True, slots=True)
class Line:
    """What one line reported of its machine.

    Attributes:
        at_us: its instant, in microseconds since the epoch, floored.
        place: where it stands.
        observations: in the order of the line.
        keys: what it named of this machine and was available, conditions with their codes.
        is_evidence: whether the machine was heard at ``at_us``. An old value that a connection begins with is none.
    """

    at_us: int
    place: Place
    observations: tuple[Observation, ...]
    keys: tuple[str, ...] = ()
    is_evidence: bool = True
