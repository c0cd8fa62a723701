"""The rows a gateway sends, one at a time, before they are batched into records."""

from dataclasses import dataclass

from schemas.wire.codes import Mode, State


@dataclass(frozen=True, slots=True)
class StateRow:
    """The machine has ``state`` from ``at_us`` (microseconds since the epoch) on."""

    machine_id: str
    at_us: int
    state: State
    mode: Mode
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CountRow:
    """Parts made since the machine's last count; ``at_us`` is the last one's completion."""

    machine_id: str
    at_us: int
    good: int
    scrap: int = 0
    rework: int = 0
    product: str = ""


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """A number measured at ``at_us``; the metric's name ends in its unit."""

    machine_id: str
    at_us: int
    metric: str
    value: float


Row = StateRow | CountRow | ReadingRow
