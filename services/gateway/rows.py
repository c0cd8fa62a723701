"""The rows a gateway sends, one at a time, before they are batched into records.

Named tuples, as there are millions of them. A row sent as retracted withdraws the one of its identity; its content is
not sent.
"""

from typing import NamedTuple

from schemas.wire.codes import Mode, State


class StateRow(NamedTuple):
    """The machine has ``state`` from ``at_us`` (microseconds since the epoch) on."""

    machine_id: str
    at_us: int
    state: State
    mode: Mode
    reason: str | None = None
    retracted: bool = False


class CountRow(NamedTuple):
    """Parts made since the machine's last count; ``at_us`` is the last one's completion."""

    machine_id: str
    at_us: int
    good: int
    scrap: int = 0
    rework: int = 0
    product: str = ""
    retracted: bool = False


class ReadingRow(NamedTuple):
    """A number measured at ``at_us``; the metric's name ends in its unit."""

    machine_id: str
    at_us: int
    metric: str
    value: float
    retracted: bool = False


Row = StateRow | CountRow | ReadingRow
