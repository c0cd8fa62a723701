"""Rows of a record as columns: parallel lists, one entry per row, in the record's order."""

from dataclasses import dataclass, field
from enum import StrEnum

from schemas.wire.codes import Mode, State
from schemas.wire.refusal import Refusal


class RowKind(StrEnum):
    """The three lists of a record, by their names on the wire."""

    states = "states"
    counts = "counts"
    readings = "readings"


@dataclass(slots=True)
class StateRows:
    """States; ``index`` is a row's position in the record's own list."""

    index: list[int] = field(default_factory=list)
    machine_id: list[str] = field(default_factory=list)
    at_us: list[int] = field(default_factory=list)
    state: list[State] = field(default_factory=list)
    mode: list[Mode] = field(default_factory=list)
    reason: list[str | None] = field(default_factory=list)
    retracted: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class CountRows:
    """Counts."""

    index: list[int] = field(default_factory=list)
    machine_id: list[str] = field(default_factory=list)
    at_us: list[int] = field(default_factory=list)
    product: list[str] = field(default_factory=list)
    good: list[int] = field(default_factory=list)
    scrap: list[int] = field(default_factory=list)
    rework: list[int] = field(default_factory=list)
    retracted: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class ReadingRows:
    """Readings."""

    index: list[int] = field(default_factory=list)
    machine_id: list[str] = field(default_factory=list)
    metric: list[str] = field(default_factory=list)
    at_us: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    retracted: list[bool] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is invalid by itself: its list, its position in it, and why."""

    kind: RowKind
    index: int
    refusal: Refusal
