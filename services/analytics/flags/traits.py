"""Works out of a factory's facts and accounts what the plausibility rules look at, by machine and Seoul day. Pure.

Columns are arrays of whole numbers: microseconds, pieces, rows, days since the Unix epoch.
"""

from dataclasses import dataclass, fields
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from schemas.plausibility_rules import RULES, RuleId
from services.analytics.in_force import Ints, StateRows
from services.analytics.sums import beginnings, day_at, day_code, day_parts, in_order
from services.core.times import DAY_US, HOUR_US, SEOUL_OFFSET_US

LEAST_CHANGES = int(RULES[RuleId.replayed_day].thresholds["least_changes"])
LATE_US = int(RULES[RuleId.sent_in_bulk].thresholds["late_after_h"]) * HOUR_US
PRINT_BYTES = 16
HOURS_KEPT = 4
"""Hours of receipt that a machine's day names: one more than a rule allows in a month says all there is to say."""
NO_HOUR = -1
UNEVEN = -1


@dataclass(frozen=True, slots=True)
class CountFacts:
    """Counts in force, sorted by machine and instant."""

    machine: Ints
    at_us: Ints
    good: Ints
    scrap: Ints
    rework: Ints


@dataclass(frozen=True, slots=True)
class HourFacts:
    """Closed accounts of machines' hours, in any order; ``ideal_us`` is the ideal cycle times all pieces."""

    machine: Ints
    hour_us: Ints
    evidence_us: Ints
    scheduled_evidence_us: Ints
    producing_us: Ints
    pieces: Ints
    ideal_us: Ints


@dataclass(frozen=True, slots=True)
class Receipts:
    """Instant and receipt of every state and count in force, in any order."""

    machine: Ints
    at_us: Ints
    received_us: Ints


@dataclass(frozen=True, slots=True)
class Traits:
    """Machine-days with any row or account, sorted by machine and day.

    Attributes:
        changes: rows whose state or mode differs from the one before on the day, and counts with pieces.
        scheduled_us: time in use within shifts; all of it where no calendar is in force.
        scheduled_evidence_us: evidence within it.
        barren: 1 if there are pieces, and all lie in hours full of evidence in which nothing is produced, else 0.
        even_pieces: pieces of each count row if all have the same size and distance, else UNEVEN.
        even_us: the distance of these.
        ideal_us: the ideal cycle at each count, times its pieces.
        capacity: pieces that the highest capacity in force allows in 24 hours; 0: none is registered.
        late_rows: of ``rows``, those received more than a day after their instant.
        hour_1: with the others, distinct hours since the epoch in which late rows were received, NO_HOUR beyond.
    """

    machine: Ints
    day: Ints
    changes: Ints
    scheduled_us: Ints
    scheduled_evidence_us: Ints
    evidence_us: Ints
    producing_us: Ints
    state_rows: Ints
    count_rows: Ints
    pieces: Ints
    barren: Ints
    even_pieces: Ints
    even_us: Ints
    ideal_us: Ints
    capacity: Ints
    rows: Ints
    late_rows: Ints
    hour_1: Ints
    hour_2: Ints
    hour_3: Ints
    hour_4: Ints

    def chosen(self, rows: npt.NDArray[np.bool_]) -> "Traits":
        """Return some of the rows."""
        return Traits(*[getattr(self, name)[rows] for name in TRAITS])


TRAITS = tuple(field.name for field in fields(Traits))


@dataclass(frozen=True, slots=True)
class Prints:
    """Fingerprints of machine-days with at least LEAST_CHANGES changes; equal days have equal ones.

    At 128 bits two of a country's 10^9 machine-days differ and share one with a chance of 10^-21.
    """

    machine: Ints
    day: Ints
    changes: Ints
    digest: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes sorted by machine and instant; ``content`` is what they change to, a row of numbers each."""

    machine: Ints
    at_us: Ints
    content: Ints


def changes_of(states: StateRows, counts: CountFacts) -> Changes:
    """Return the changes: states other than the one before on the same Seoul day, and counts with pieces."""
    is_change = np.ones(len(states.machine), bool)
    same = states.machine[1:] == states.machine[:-1]
    same &= day_at(states.at_us[1:]) == day_at(states.at_us[:-1])
    same &= (states.state[1:] == states.state[:-1]) & (states.mode[1:] == states.mode[:-1])
    is_change[1:] = ~same
    made = counts.good + counts.scrap + counts.rework > 0
    of_states = [np.zeros(int(is_change.sum()), np.int64), states.state[is_change], states.mode[is_change]]
    of_counts = [np.ones(int(made.sum()), np.int64), counts.good[made], counts.scrap[made], counts.rework[made]]
    content = np.concatenate([np.stack([*of_states, of_states[0]], axis=1), np.stack(of_counts, axis=1)])
    machine = np.concatenate([states.machine[is_change], counts.machine[made]])
    at_us = np.concatenate([states.at_us[is_change], counts.at_us[made]])
    # Rows of one instant have no order of their own; their contents give them one.
    order = np.lexsort((*content.T[::-1], at_us, machine))
    return Changes(machine[order], at_us[order], content[order])


def prints_of(changes: Changes, least: int = LEAST_CHANGES) -> Prints:
    """Return the fingerprints of machine-days with enough changes: of their instants within the day, and contents."""
    day = day_at(changes.at_us)
    starts = beginnings(np.arange(len(day)), [changes.machine, day])
    sizes = np.diff(np.append(starts, len(day)))
    within = ((changes.at_us + SEOUL_OFFSET_US) % DAY_US)[:, None]
    hashed = np.ascontiguousarray(np.concatenate([within, changes.content], axis=1).astype("<i8"))
    enough = sizes >= least
    starts, sizes = starts[enough], sizes[enough]
    digest = tuple(
        blake2b(hashed[start : start + size].tobytes(), digest_size=PRINT_BYTES).digest()
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)
    )
    return Prints(changes.machine[starts], day[starts], sizes.astype(np.int64), digest)


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What the traits of some machine-days are worked out of; ``scheduled_us`` and ``capacity`` are by ``day_code``."""

    states: StateRows
    counts: CountFacts
    hours: HourFacts
    receipts: Receipts
    scheduled_us: dict[int, int]
    capacity: dict[int, int]


def traits_of(facts: DayFacts, changes: Changes) -> Traits:
    """Return the traits of all machine-days that the facts have anything of."""
    parts = (facts.states, facts.counts)
    code = np.unique(
        np.concatenate(
            [day_code(own.machine, day_at(own.at_us)) for own in parts]
            + [day_code(facts.hours.machine, day_at(facts.hours.hour_us))]
        )
    )
    machine, day = day_parts(code)
    hours, counts, late = facts.hours, facts.counts, late_receipts(facts.receipts)
    hour_place = place(code, hours.machine, hours.hour_us)
    count_place = place(code, counts.machine, counts.at_us)
    row_place = place(code, facts.receipts.machine, facts.receipts.at_us)
    made = counts.good + counts.scrap + counts.rework
    productive = (hours.pieces > 0) & ((hours.producing_us > 0) | (hours.evidence_us < HOUR_US))
    pieces = added(code, count_place, made)
    even_pieces, even_us = even_counts(code, count_place, counts.at_us, made)
    ones = np.ones(len(facts.receipts.machine), np.int64)
    return Traits(
        machine=machine,
        day=day,
        changes=added(code, place(code, changes.machine, changes.at_us), np.ones(len(changes.machine), np.int64)),
        scheduled_us=np.array([facts.scheduled_us.get(own, 0) for own in code.tolist()], np.int64),
        scheduled_evidence_us=added(code, hour_place, hours.scheduled_evidence_us),
        evidence_us=added(code, hour_place, hours.evidence_us),
        producing_us=added(code, hour_place, hours.producing_us),
        state_rows=added(
            code,
            place(code, facts.states.machine, facts.states.at_us),
            np.ones(len(facts.states.machine), np.int64),
        ),
        count_rows=added(code, count_place, np.ones(len(counts.machine), np.int64)),
        pieces=pieces,
        barren=((pieces > 0) & (added(code, hour_place, productive.astype(np.int64)) == 0)).astype(np.int64),
        even_pieces=even_pieces,
        even_us=even_us,
        ideal_us=added(code, hour_place, hours.ideal_us),
        capacity=np.array([facts.capacity.get(own, 0) for own in code.tolist()], np.int64),
        rows=added(code, row_place, ones),
        late_rows=added(code, row_place, late.astype(np.int64)),
        **hours_of_receipt(code, row_place[late], facts.receipts.received_us[late]),
    )


def late_receipts(receipts: Receipts) -> npt.NDArray[np.bool_]:
    """Return which rows came more than a day after their instant."""
    late: npt.NDArray[np.bool_] = receipts.received_us - receipts.at_us > LATE_US
    return late


def place(code: Ints, machine: Ints, at_us: Ints) -> npt.NDArray[np.intp]:
    """Return the position of each row's machine-day in ``code``."""
    return np.searchsorted(code, day_code(machine, day_at(at_us)))


def added(code: Ints, places: npt.NDArray[np.intp], values: Ints) -> Ints:
    """Return the sum of the values at each place."""
    total = np.zeros(len(code), np.int64)
    np.add.at(total, places, values)
    return total


def even_counts(code: Ints, places: npt.NDArray[np.intp], at_us: Ints, pieces: Ints) -> tuple[Ints, Ints]:
    """Return the size and the distance that all count rows of a machine-day share, UNEVEN where they do not.

    Args:
        places: positions in ``code``, in ascending order; instants ascend within each.
    """
    size, distance = np.full(len(code), UNEVEN), np.full(len(code), UNEVEN)
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    for start, end in zip(starts.tolist(), ends_of(starts, len(places)), strict=True):
        steps = np.diff(at_us[start:end])
        if len(steps) and (steps == steps[0]).all() and (pieces[start:end] == pieces[start]).all():
            size[places[start]], distance[places[start]] = pieces[start], steps[0]
    return size, distance


def ends_of(starts: npt.NDArray[np.intp], count: int) -> list[int]:
    """Return where each of the groups that begin at ``starts`` ends, among ``count`` rows."""
    return [*starts[1:].tolist(), count][: len(starts)]


def hours_of_receipt(code: Ints, places: npt.NDArray[np.intp], received_us: Ints) -> dict[str, Ints]:
    """Return the first HOURS_KEPT distinct hours of receipt at each place."""
    columns = np.full((HOURS_KEPT, len(code)), NO_HOUR)
    pairs = np.unique(np.stack([places, received_us // HOUR_US], axis=1), axis=0) if len(places) else np.empty((0, 2))
    starts = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
    number = np.arange(len(pairs)) - np.repeat(starts, np.diff(np.append(starts, len(pairs))))
    kept = number < HOURS_KEPT
    own = pairs[kept].astype(np.int64)
    columns[number[kept], own[:, 0]] = own[:, 1]
    return {f"hour_{n + 1}": column for n, column in enumerate(columns)}


def joined_traits(parts: list[Traits]) -> Traits:
    """Return several tables' rows as one, sorted by machine and day; no machine-day is in two."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in TRAITS}
    order = np.lexsort((columns["day"], columns["machine"]))
    return Traits(**{name: in_order(column, order) for name, column in columns.items()})
