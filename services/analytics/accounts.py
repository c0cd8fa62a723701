"""Time accounts of machines by the hour, from their rows: pure, exact, in columns.

An instant s is held by the last state row at or before it, as long as s lies less than the TTL in force at s after the
row, and the machine is in use at s. All sums are integers of microseconds or pieces. Source of the rules: the
contract's definitions of a state's hold, of evidence and of failures; ISO 22400-2 for the names of the times.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.wire.codes import Mode, State
from services.analytics.in_force import (
    FAR,
    NO_CYCLE,
    InForce,
    Ints,
    StateRows,
    Versions,
    next_instants,
    pair_with_versions,
    rows_in_use,
)
from services.core.times import HOUR_US

Objects = npt.NDArray[np.object_]

HOUR_BITS = 27
"""An hour since the epoch fits in this many bits until the year 17000; (machine, hour) is one number above it."""


@dataclass(frozen=True, slots=True)
class CountRows:
    """Rows not retracted, in any order; ``signed`` is 1 where the record was, else 0."""

    machine: Ints
    at_us: Ints
    good: Ints
    scrap: Ints
    rework: Ints
    signed: Ints


@dataclass(frozen=True, slots=True)
class Spans:
    """Whole hours to account, sorted by machine and time, none touching another: [from, to) in microseconds."""

    machine: Ints
    from_us: Ints
    to_us: Ints


SUMS = (
    *("producing_us", "setup_us", "delayed_us", "faulted_us", "idle_us", "planned_stop_us", "off_shift_us"),
    *("producing_automatic_us", "producing_semi_automatic_us", "producing_manual_us"),
    *("evidence_us", "cycle_producing_us", "cycle_setup_us", "cycle_busy_us"),
    *("good", "scrap", "rework", "failures", "state_rows", "count_rows", "signed_count_rows"),
)
COLUMN = {name: n for n, name in enumerate(SUMS)}
MODE_COLUMN = {mode: COLUMN[f"producing_{mode.name}_us"] for mode in Mode if mode is not Mode.unknown}
BUSY = (State.producing, State.setup, State.delayed, State.faulted, State.idle)


@dataclass(frozen=True, slots=True)
class Accounts:
    """One row a machine, hour and cohort with any figure; ``sums`` has the columns SUMS; ideal times may be wide."""

    machine: Ints
    hour_us: Ints
    cohort: Ints
    sums: Ints
    ideal_pq_us: Objects
    ideal_good_us: Objects


def account(states: StateRows, counts: CountRows, versions: Versions, spans: Spans, until_us: int) -> Accounts:
    """The accounts of all hours in the spans, over instants before ``until_us``.

    The rows must reach back from each span by the machine's longest TTL.
    """
    held = hold(states, versions, until_us)
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
    wanted = in_spans(codes, spans)
    hours, cohort, where = distinct_pairs(codes[wanted], cohorts[wanted])
    place = np.full(len(codes), -1, np.intp)
    place[wanted] = where
    hold_places, state_places, count_places = np.split(place, [len(held.machine), len(held.machine) + len(seen.row)])
    sums = np.zeros((len(hours), len(SUMS)), np.int64)
    add_times(sums, hold_places, held)
    add_rows(sums, state_places, "state_rows")
    add_rows(sums, state_places[failed[seen.row]], "failures")
    ideal_pq, ideal_good = add_counts(sums, count_places, counts, made, versions)
    return Accounts(hours >> HOUR_BITS, (hours & (2**HOUR_BITS - 1)) * HOUR_US, cohort, sums, ideal_pq, ideal_good)


@dataclass(frozen=True, slots=True)
class Held:
    """Stretches of held time, each within one hour, one version and one row's hold."""

    machine: Ints
    start_us: Ints
    length_us: Ints
    state: Ints
    mode: Ints
    with_cycle: npt.NDArray[np.bool_]
    cohort: Ints


def hold(states: StateRows, versions: Versions, until_us: int) -> Held:
    """Cut every row's hold by versions, time in use, ``until_us`` and hours; an unknown state holds nothing."""
    pairs = pair_with_versions(states, versions)
    row, v = pairs.row, pairs.version
    at = states.at_us[row]
    start = np.maximum.reduce([at, versions.from_us[v], versions.in_use_from_us[v]])
    end = np.minimum.reduce(
        [next_instants(states)[row], at + versions.ttl_us[v], versions.to_us[v], versions.in_use_to_us[v]]
    )
    end = np.minimum(end, until_us)
    real = (start < end) & (states.state[row] != State.unknown)
    row, v, start, end = row[real], v[real], start[real], end[real]
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
        states.state[source],
        states.mode[source],
        versions.cycle_us[v[piece]] != NO_CYCLE,
        versions.cohort[v[piece]],
    )


def failures(states: StateRows, versions: Versions, seen: InForce) -> npt.NDArray[np.bool_]:
    """Whether each row is a failure: faulted, in use, and held just before by a state known and not faulted."""
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
    """Machine and hour as one number."""
    return (machine << HOUR_BITS) | (at_us // HOUR_US)


def distinct_pairs(first: Ints, second: Ints) -> tuple[Ints, Ints, npt.NDArray[np.intp]]:
    """The distinct pairs of two columns, sorted, as columns; and which of them each row is."""
    firsts, nth = np.unique(first, return_inverse=True)
    seconds, rank = np.unique(second, return_inverse=True)
    keys, where = np.unique(nth * max(len(seconds), 1) + rank, return_inverse=True)
    return firsts[keys // max(len(seconds), 1)], seconds[keys % max(len(seconds), 1)], where


def in_spans(codes: Ints, spans: Spans) -> npt.NDArray[np.bool_]:
    """Whether each machine and hour lies in a span."""
    if len(spans.machine) == 0:
        return np.zeros(len(codes), bool)
    starts = hour_code(spans.machine, spans.from_us)
    ends = hour_code(spans.machine, spans.to_us)
    nth = np.searchsorted(starts, codes, "right") - 1
    return (nth >= 0) & (codes < ends[nth])


def add_times(sums: Ints, places: npt.NDArray[np.intp], held: Held) -> None:
    """Add held time by state, by mode while producing, and while an ideal cycle is in force."""
    wanted = places >= 0
    place, length, state = places[wanted], held.length_us[wanted], held.state[wanted]
    mode, with_cycle = held.mode[wanted], held.with_cycle[wanted]
    columns = np.array([-1 if state is State.unknown else COLUMN[f"{state.name}_us"] for state in State])
    np.add.at(sums, (place, columns[state]), length)
    np.add.at(sums[:, COLUMN["evidence_us"]], place, length)
    producing = state == State.producing
    for known, column in MODE_COLUMN.items():
        chosen = producing & (mode == known)
        np.add.at(sums[:, column], place[chosen], length[chosen])
    chosen = producing & with_cycle
    np.add.at(sums[:, COLUMN["cycle_producing_us"]], place[chosen], length[chosen])
    chosen = (state == State.setup) & with_cycle
    np.add.at(sums[:, COLUMN["cycle_setup_us"]], place[chosen], length[chosen])
    chosen = np.isin(state, BUSY) & with_cycle
    np.add.at(sums[:, COLUMN["cycle_busy_us"]], place[chosen], length[chosen])


def add_rows(sums: Ints, places: npt.NDArray[np.intp], name: str) -> None:
    """Count rows."""
    np.add.at(sums[:, COLUMN[name]], places[places >= 0], 1)


def add_counts(
    sums: Ints, places: npt.NDArray[np.intp], counts: CountRows, made: InForce, versions: Versions
) -> tuple[Objects, Objects]:
    """Add pieces.

    Returns:
        Ideal time of all pieces and of the good ones, per key, as Python integers: a cycle times a count can be wide.
    """
    wanted = places >= 0
    place, row, version = places[wanted], made.row[wanted], made.version[wanted]
    for name in ("good", "scrap", "rework"):
        np.add.at(sums[:, COLUMN[name]], place, getattr(counts, name)[row])
    add_rows(sums, place, "count_rows")
    np.add.at(sums[:, COLUMN["signed_count_rows"]], place, counts.signed[row])
    # Pieces of the same hour and cycle first, so that the wide products are few.
    group, where = np.unique(place * (len(versions.machine) + 1) + version, return_inverse=True)
    hour, kind = np.divmod(group, len(versions.machine) + 1)
    all_pieces, good_pieces = np.zeros((2, len(group)), np.int64)
    np.add.at(all_pieces, where, counts.good[row] + counts.scrap[row] + counts.rework[row])
    np.add.at(good_pieces, where, counts.good[row])
    cycle = versions.cycle_us[kind].astype(object)
    ideal_pq, ideal_good = np.zeros((2, len(sums)), object)
    np.add.at(ideal_pq, hour, cycle * all_pieces.astype(object))
    np.add.at(ideal_good, hour, cycle * good_pieces.astype(object))
    return ideal_pq, ideal_good


def held_beyond(states: StateRows, longest_ttl_us: Ints, until_us: int) -> Ints:
    """Machines of which a state may still hold at ``until_us``.

    Args:
        longest_ttl_us: per row, the longest TTL of its machine.
    """
    ends = np.minimum(next_instants(states), states.at_us + longest_ttl_us)
    lasting = (states.state != State.unknown) & (states.at_us < until_us) & (ends > until_us)
    return np.unique(states.machine[lasting])
