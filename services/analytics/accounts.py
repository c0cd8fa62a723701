"""Computes time accounts of machines by the hour from their rows. Pure, exact, in columns.

An instant s is held by the last state row at or before it, as long as s lies less than the TTL in force at s after the
row, and the machine is in use at s. All sums are integers. What counts toward which figure is declared in
``schemas/figures.json``; the rules are those of the wire contract (hold, evidence, failure) and of ISO 22400-2.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.figure_definitions import CountedRows, Pieces
from schemas.wire.codes import State
from services.analytics.figures import IDEAL_TIMES, PIECES, ROWS, SUMS, WIDE
from services.analytics.held_time import (
    Held,
    InstantsAhead,
    OpenHolds,
    accounted_state,
    add_times,
    closed_until,
    instants_ahead,
    open_holds,
)
from services.analytics.in_force import (
    FAR,
    NO_CYCLE,
    Holds,
    InForce,
    Ints,
    StateRows,
    Versions,
    holds,
    rows_in_use,
)
from services.core.times import HOUR_US

Objects = npt.NDArray[np.object_]

HOUR_BITS = 27
"""Hours since the epoch fit into this many bits until the year 17000; the bits above hold the machine."""


@dataclass(frozen=True, slots=True)
class CountRows:
    """Counts in force, in any order; ``signed`` is 1 if the record was signed, else 0."""

    machine: Ints
    at_us: Ints
    good: Ints
    scrap: Ints
    rework: Ints
    signed: Ints


@dataclass(frozen=True, slots=True)
class HourRanges:
    """Whole hours to account, sorted by machine and time, none touching another: [from, to) in microseconds."""

    machine: Ints
    from_us: Ints
    to_us: Ints


@dataclass(frozen=True, slots=True)
class Accounts:
    """One row for each machine, hour and cohort with any figure; ``sums`` has the columns SUMS, ``wide`` has WIDE.

    ``wide`` is of 64 bits where all its numbers fit, else of Python's own.
    """

    machine: Ints
    hour_us: Ints
    cohort: Ints
    sums: Ints
    wide: Ints | Objects


@dataclass(frozen=True, slots=True)
class Accounted:
    """What was closed before ``until_us``; what holds there; and from when on a state will hold that does not yet."""

    closed: Accounts
    open: OpenHolds
    ahead: InstantsAhead


def account(states: StateRows, counts: CountRows, versions: Versions, ranges: HourRanges, until_us: int) -> Accounted:
    """Return the accounts of all hours in the ranges, over instants before ``until_us``.

    The rows must reach back from each range by the machine's longest TTL. A state that may hold at ``until_us`` is
    open, for machines whose rows up to there are in a range: the time since the running hour began is then not in the
    accounts.
    """
    found = holds(states, versions)
    reached = np.isin(states.machine[found.row], ranges.machine[ranges.to_us >= until_us])
    held = hold(states, versions, found, until_us)
    seen = rows_in_use(states.machine, states.at_us, versions, until_us)
    failed = failures(states, versions, seen)
    made = rows_in_use(counts.machine, counts.at_us, versions, until_us)
    codes = np.concatenate(
        [
            hour_code(held.machine, held.start_us),
            hour_code(states.machine[seen.row], states.at_us[seen.row]),
            hour_code(counts.machine[made.row], counts.at_us[made.row]),
        ]
    )
    cohorts = np.concatenate([held.cohort, versions.cohort[seen.version], versions.cohort[made.version]])
    wanted = in_ranges(codes, ranges)
    hours, cohort, where = distinct_pairs(codes[wanted], cohorts[wanted])
    place = np.full(len(codes), -1, np.intp)
    place[wanted] = where
    hold_places, state_places, count_places = np.split(place, [len(held.machine), len(held.machine) + len(seen.row)])
    sums = np.zeros((len(hours), len(SUMS)), np.int64)
    wide = np.zeros((len(hours), len(WIDE)), object)
    add_times(sums, hold_places, held)
    rows = {
        CountedRows.STATES: state_places,
        CountedRows.FAILURES: state_places[failed[seen.row]],
        CountedRows.COUNTS: count_places,
        CountedRows.SIGNED_COUNTS: count_places[counts.signed[made.row] == 1],
    }
    for name, kind in ROWS.items():
        add(sums, name, rows[kind], 1)
    add_pieces(sums, count_places, counts, made)
    add_ideal_times(wide, count_places, counts, made, versions)
    return Accounted(
        Accounts(hours >> HOUR_BITS, (hours & (2**HOUR_BITS - 1)) * HOUR_US, cohort, sums, wide),
        open_holds(states, versions, found, until_us, reached),
        instants_ahead(states, found, until_us, reached),
    )


def hold(states: StateRows, versions: Versions, found: Holds, until_us: int) -> Held:
    """Return every row's closed hold, cut by versions, shifts, time in use, ``until_us`` and hours."""
    closed_us = closed_until(states, found, until_us)
    real = found.start_us < closed_us
    row, v, start, end = found.row[real], found.version[real], found.start_us[real], closed_us[real]
    hours = (end - 1) // HOUR_US - start // HOUR_US + 1
    piece = np.repeat(np.arange(len(row)), hours)
    nth = np.arange(len(piece)) - np.repeat(np.cumsum(hours) - hours, hours)
    hour = (start[piece] // HOUR_US + nth) * HOUR_US
    cut_start = np.maximum(start[piece], hour)
    cut_end = np.minimum(end[piece], hour + HOUR_US)
    source = row[piece]
    return Held(
        states.machine[source],
        cut_start,
        cut_end - cut_start,
        accounted_state(states.state[source], versions.outside[v[piece]]),
        states.mode[source],
        versions.cycle_us[v[piece]] != NO_CYCLE,
        versions.outside[v[piece]] == 1,
        versions.cohort[v[piece]],
    )


def failures(states: StateRows, versions: Versions, seen: InForce) -> npt.NDArray[np.bool_]:
    """Return whether each row is a failure: faulted, in use, and held just before by a known state that is not."""
    failed = np.zeros(len(states.at_us), bool)
    if len(states.at_us) < 2:
        return failed
    before = np.full(len(states.at_us), -FAR)
    before_state = np.zeros(len(states.at_us), np.int64)
    same = states.machine[1:] == states.machine[:-1]
    before[1:][same] = states.at_us[:-1][same]
    before_state[1:][same] = states.state[:-1][same]
    in_use = np.zeros(len(failed), bool)
    in_use[seen.row] = True
    candidate = np.flatnonzero(
        in_use & (states.state == State.faulted) & (before_state != State.unknown) & (before_state != State.faulted)
    )
    just_before = rows_in_use(states.machine[candidate], states.at_us[candidate] - 1, versions, int(FAR))
    row = candidate[just_before.row]
    failed[row] = states.at_us[row] - before[row] <= versions.ttl_us[just_before.version]
    return failed


def hour_code(machine: Ints, at_us: Ints) -> Ints:
    """Return machine and hour as one number."""
    return (machine << HOUR_BITS) | (at_us // HOUR_US)


def distinct_pairs(first: Ints, second: Ints) -> tuple[Ints, Ints, npt.NDArray[np.intp]]:
    """Return the distinct pairs of two columns, sorted, as columns; and the position of each row's pair among them."""
    firsts, nth = np.unique(first, return_inverse=True)
    seconds, rank = np.unique(second, return_inverse=True)
    keys, where = np.unique(nth * max(len(seconds), 1) + rank, return_inverse=True)
    return firsts[keys // max(len(seconds), 1)], seconds[keys % max(len(seconds), 1)], where


def in_ranges(codes: Ints, ranges: HourRanges) -> npt.NDArray[np.bool_]:
    """Return whether each machine and hour lies in a range."""
    if len(ranges.machine) == 0:
        return np.zeros(len(codes), bool)
    starts = hour_code(ranges.machine, ranges.from_us)
    ends = hour_code(ranges.machine, ranges.to_us)
    nth = np.searchsorted(starts, codes, "right") - 1
    return (nth >= 0) & (codes < ends[nth])


def add(sums: Ints, name: str, places: npt.NDArray[np.intp], amount: Ints | int) -> None:
    """Add amounts to a figure; a negative place lies outside the ranges."""
    wanted = places >= 0
    amounts = amount if isinstance(amount, int) else amount[wanted]
    np.add.at(sums[:, SUMS.index(name)], places[wanted], amounts)


def pieces_of(counts: CountRows, rule: Pieces) -> Ints:
    """Return each row's pieces of the kinds that a figure adds up."""
    found: Ints = np.sum([getattr(counts, kind) for kind in rule.of], axis=0)
    return found


def add_pieces(sums: Ints, places: npt.NDArray[np.intp], counts: CountRows, made: InForce) -> None:
    """Add pieces to the figures that count them."""
    for name, rule in PIECES.items():
        add(sums, name, places, pieces_of(counts, rule)[made.row])


def add_ideal_times(
    wide: Objects, places: npt.NDArray[np.intp], counts: CountRows, made: InForce, versions: Versions
) -> None:
    """Add pieces times the ideal cycle in force, as Python integers, since such a product may exceed 64 bits."""
    wanted = places >= 0
    place, row, version = places[wanted], made.row[wanted], made.version[wanted]
    # Pieces of the same hour and version are added up first, so that few wide products are needed.
    group, where = np.unique(place * (len(versions.machine) + 1) + version, return_inverse=True)
    hour, kind = np.divmod(group, len(versions.machine) + 1)
    cycle = versions.cycle_us[kind].astype(object)
    for name, rule in IDEAL_TIMES.items():
        pieces = np.zeros(len(group), np.int64)
        np.add.at(pieces, where, pieces_of(counts, rule)[row])
        np.add.at(wide[:, WIDE.index(name)], hour, cycle * pieces.astype(object))
