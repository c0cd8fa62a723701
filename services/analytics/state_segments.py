"""Divides one machine's time into segments of one state each, in chronological order. Pure.

A state's hold is the accounts' own (``in_force.holds``), which are cut at hours while segments are not. So the segments
of an hour or a day add up to its account exactly.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.wire.codes import Mode, State
from services.analytics.in_force import NO_CYCLE, NO_PATTERN, Ints, StateRows, Versions, holds

NO_ROW = -1
MOVED = (State.idle, State.unknown)
"""What a calendar moves to ``off_shift`` outside its shifts."""


@dataclass(frozen=True, slots=True)
class StateFact:
    """One state of a machine in force."""

    at_us: int
    state: State
    mode: Mode
    reason: str | None


@dataclass(frozen=True, slots=True)
class UseVersion:
    """A machine's TTL and time in use as registered for [from, to). Everything in microseconds."""

    from_us: int
    to_us: int
    ttl_us: int
    in_use_from_us: int
    in_use_to_us: int


@dataclass(frozen=True, slots=True)
class Segment:
    """[from, to) in one state, mode and reason; ``unknown``, without mode and reason, while no state holds."""

    from_us: int
    to_us: int
    state: State
    mode: Mode
    reason: str | None


@dataclass(frozen=True, slots=True)
class Stretches:
    """Time by the row that holds it, NO_ROW where none does. No stretch is empty."""

    start_us: Ints
    end_us: Ints
    row: npt.NDArray[np.intp]


def segments(
    rows: Sequence[StateFact],
    versions: Sequence[UseVersion],
    from_us: int,
    to_us: int,
    outside: Sequence[tuple[int, int]] = (),
) -> list[Segment]:
    """Return a machine's whole time in use within [from, to), in order; time that no state holds is ``unknown``.

    Rows that repeat state, mode and reason make one segment, across registry versions, too. Outside shifts, ``idle``
    and ``unknown`` are ``off_shift``.

    Args:
        rows: sorted by instant, each instant once; with the last row before ``from_us`` if it may still hold there.
        versions: in order, not overlapping.
        outside: stretches [from, to) outside shifts, in order and apart.
    """
    states, known = in_columns(rows, versions)
    found = holds(states, known)
    held = cut(Stretches(found.start_us, found.end_us, found.row), from_us, to_us)
    pieces = np.maximum(known.from_us, known.in_use_from_us), np.minimum(known.to_us, known.in_use_to_us)
    in_use = cut(Stretches(*pieces, np.full(len(versions), NO_ROW)), from_us, to_us)
    whole = in_order(held, gaps(in_use, held))
    return merge(cut_at(whole, [edge for stretch in outside for edge in stretch]), rows, outside)


def in_columns(rows: Sequence[StateFact], versions: Sequence[UseVersion]) -> tuple[StateRows, Versions]:
    """Return one machine's rows and versions as columns."""

    def column(values: list[int]) -> Ints:
        return np.array(values, np.int64)

    states = StateRows(
        machine=column([0] * len(rows)),
        at_us=column([row.at_us for row in rows]),
        state=column([row.state for row in rows]),
        mode=column([row.mode for row in rows]),
    )
    known = Versions(
        machine=column([0] * len(versions)),
        from_us=column([version.from_us for version in versions]),
        to_us=column([version.to_us for version in versions]),
        ttl_us=column([version.ttl_us for version in versions]),
        cycle_us=column([NO_CYCLE] * len(versions)),
        in_use_from_us=column([version.in_use_from_us for version in versions]),
        in_use_to_us=column([version.in_use_to_us for version in versions]),
        cohort=column([0] * len(versions)),
        pattern=column([NO_PATTERN] * len(versions)),
        outside=column([0] * len(versions)),
    )
    return states, known


def cut(stretches: Stretches, from_us: int, to_us: int) -> Stretches:
    """Return the parts of the stretches in [from, to)."""
    start, end = np.maximum(stretches.start_us, from_us), np.minimum(stretches.end_us, to_us)
    real = start < end
    return Stretches(start[real], end[real], stretches.row[real])


def gaps(whole: Stretches, held: Stretches) -> Stretches:
    """Return the parts of the whole that are not held. Every held stretch must lie within one stretch of the whole."""
    # A gap begins where the whole begins or a hold ends, and ends where a hold begins or the whole ends. Beginnings and
    # ends alternate, so the nth beginning belongs to the nth end.
    start = np.sort(np.concatenate([whole.start_us, held.end_us]))
    end = np.sort(np.concatenate([whole.end_us, held.start_us]))
    real = start < end
    return Stretches(start[real], end[real], np.full(int(real.sum()), NO_ROW))


def in_order(one: Stretches, other: Stretches) -> Stretches:
    """Return stretches of both, which do not overlap, by time."""
    order = np.argsort(np.concatenate([one.start_us, other.start_us]))
    return Stretches(
        np.concatenate([one.start_us, other.start_us])[order],
        np.concatenate([one.end_us, other.end_us])[order],
        np.concatenate([one.row, other.row])[order],
    )


def cut_at(stretches: Stretches, edges: Sequence[int]) -> Stretches:
    """Return stretches, which are in order, cut at instants, which are in order."""
    instants = np.array(edges, np.int64)
    first = np.searchsorted(instants, stretches.start_us, "right")
    pieces = np.searchsorted(instants, stretches.end_us, "left") - first + 1
    nth = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    place = np.repeat(first, pieces) + nth
    start, end = np.repeat(stretches.start_us, pieces), np.repeat(stretches.end_us, pieces)
    begins, ends = nth > 0, nth < np.repeat(pieces, pieces) - 1
    start[begins], end[ends] = instants[place[begins] - 1], instants[place[ends]]
    return Stretches(start, end, np.repeat(stretches.row, pieces))


def merge(stretches: Stretches, rows: Sequence[StateFact], outside: Sequence[tuple[int, int]]) -> list[Segment]:
    """Return one segment for all adjacent stretches of the same state, mode and reason.

    Args:
        outside: stretches outside shifts; each of the others lies in one of them or in none.
    """
    found: list[Segment] = []
    begins = [start for start, _ in outside]
    for start, end, row in zip(
        stretches.start_us.tolist(), stretches.end_us.tolist(), stretches.row.tolist(), strict=True
    ):
        content = (State.unknown, Mode.unknown, None)
        if row != NO_ROW:
            content = rows[row].state, rows[row].mode, rows[row].reason
        nth = bisect_right(begins, start) - 1
        if content[0] in MOVED and nth >= 0 and start < outside[nth][1]:
            content = (State.off_shift, *content[1:])
        last = found[-1] if found else None
        if last is not None and last.to_us == start and (last.state, last.mode, last.reason) == content:
            start = found.pop().from_us
        found.append(Segment(start, end, *content))
    return found
