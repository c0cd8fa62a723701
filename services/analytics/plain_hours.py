"""Accounts one hour of very many machines at once. Pure, exact, in columns.

Only for plain machines: one registry version, which is in force and in use from a TTL before the hour to a TTL after
it. Then a state row is one number (machine, instant, state and mode), a sort brings each machine's rows together, and
all time is counted by machine, state and mode in one pass. ``accounts.account`` has the rules for any machine; tests
hold the two equal.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.figure_definitions import CountedRows
from schemas.wire.codes import Mode, State
from services.analytics.accounts import Accounted, Accounts, CountRows, Objects, pieces_of
from services.analytics.figures import IDEAL_TIMES, PIECES, ROWS, SUMS, TIMES, WIDE
from services.analytics.held_time import InstantsAhead, OpenHolds, accounted_state, kind_of_time, kinds_counted
from services.analytics.in_force import FAR, NO_CYCLE, Ints
from services.analytics.shifts import Shifts
from services.core.times import HOUR_US, floor_to

LONGEST_TTL_US = HOUR_US
"""Machines whose states hold for longer are not plain: their rows would have to be read from too far back."""
AT_BITS = 37
CONDITION_BITS = 5
MODES = len(Mode)
KINDS = len(State) * MODES


@dataclass(frozen=True, slots=True)
class PlainMachines:
    """Plain machines in the hour from ``hour_us`` on: TTL, ideal cycle (or NO_CYCLE), cohort and pattern of shifts."""

    hour_us: int
    machine: Ints
    ttl_us: Ints
    cycle_us: Ints
    cohort: Ints
    pattern: Ints

    def chosen(self, first: int, last: int) -> "PlainMachines":
        """Return the machines in places [first, last)."""
        columns = (self.machine, self.ttl_us, self.cycle_us, self.cohort, self.pattern)
        return PlainMachines(self.hour_us, *[column[first:last] for column in columns])


def state_keys(place: Ints, at_us: Ints, condition: Ints, hour_us: int) -> Ints:
    """Return state rows as numbers: the machine's place, the instant, and ``condition``: state * 4 + mode."""
    keys = place << AT_BITS
    keys |= at_us - (hour_us - LONGEST_TTL_US)
    keys <<= CONDITION_BITS
    keys |= condition
    return keys


def keys_from(place: int) -> int:
    """Return the least key of the machine at a place."""
    return place << (AT_BITS + CONDITION_BITS)


@dataclass(frozen=True, slots=True)
class PlainHolds:
    """State rows of an hour in columns: the machine's place, state and mode, and from when to when each holds.

    Attributes:
        at, end: relative to LONGEST_TTL_US before the hour.
        goes_on: whether each holds at the instant up to which the hour is accounted.
    """

    row: Ints
    condition: Ints
    at: Ints
    end: Ints
    goes_on: npt.NDArray[np.bool_]

    @property
    def state(self) -> Ints:
        """The state of each, as sent."""
        return self.condition // MODES


def account_plain(
    keys: Ints, counts: CountRows, fleet: PlainMachines, shifts: Shifts, first: int, until_us: int
) -> Accounted:
    """Return the accounts of the fleet's hour, over instants before ``until_us``.

    Args:
        keys: state rows in [hour - LONGEST_TTL_US, hour + HOUR_US), sorted.
        counts: count rows in the hour; ``machine`` is a place.
        shifts: those of the fleet's patterns, from LONGEST_TTL_US before the hour to as much after it.
        first: the place of the fleet's first machine.
    """
    count = len(fleet.machine)
    until = min(until_us - (fleet.hour_us - LONGEST_TTL_US), LONGEST_TTL_US + HOUR_US)
    found = plain_holds(keys, fleet, first, until, is_running=until_us <= fleet.hour_us + HOUR_US)
    still_open = plain_open_holds(found, fleet, shifts, until_us)
    # Column by column, since all that follows takes columns.
    sums = np.zeros((count, len(SUMS)), np.int64, order="F")
    add_plain_times(sums, time_by_kind(found, fleet, shifts, until, still_open), fleet.cycle_us != NO_CYCLE)
    places = row_places(found, fleet, until)
    inside = (counts.at_us >= fleet.hour_us) & (counts.at_us < until_us)
    made = counts.machine[inside] - first
    places[CountedRows.COUNTS] = made
    places[CountedRows.SIGNED_COUNTS] = made[counts.signed[inside] == 1]
    for name, kind in ROWS.items():
        sums[:, SUMS.index(name)] = np.bincount(places[kind], minlength=count)
    for name, rule in PIECES.items():
        np.add.at(sums[:, SUMS.index(name)], made, pieces_of(counts, rule)[inside])
    wide = ideal_times(counts, inside, made, fleet.cycle_us)
    active = (sums != 0).any(axis=1)
    there = slice(None) if active.all() else active
    closed = Accounts(
        fleet.machine[there],
        np.full(int(active.sum()), fleet.hour_us),
        fleet.cohort[there],
        np.asfortranarray(sums[there]),
        wide[there],
    )
    return Accounted(closed, still_open, plain_instants_ahead(found, fleet, still_open, until_us))


def plain_holds(keys: Ints, fleet: PlainMachines, first: int, until: int, *, is_running: bool) -> PlainHolds:
    """Return the state rows in columns.

    Args:
        until: the instant up to which the hour is accounted, relative as those of the rows.
        is_running: whether nothing after the hour is accounted yet, so that what holds at its end goes on.
    """
    rows = (keys >> (AT_BITS + CONDITION_BITS)) - first
    at = (keys >> CONDITION_BITS) & ((1 << AT_BITS) - 1)
    condition = keys & ((1 << CONDITION_BITS) - 1)
    end = at + fleet.ttl_us[rows]
    same = rows[1:] == rows[:-1]
    np.minimum(end[:-1], at[1:], out=end[:-1], where=same)
    known = condition >= MODES * (State.unknown + 1)
    goes_on = (at < until) & (end > until) & known if is_running else np.zeros(len(rows), bool)
    return PlainHolds(rows, condition, at, end, goes_on)


def time_by_kind(
    found: PlainHolds, fleet: PlainMachines, shifts: Shifts, until: int, still_open: OpenHolds
) -> npt.NDArray[Any]:
    """Return closed time by machine, state and mode, within shifts first and then outside. A row is a machine's."""
    count, base_us = len(fleet.machine), fleet.hour_us - LONGEST_TTL_US
    start = np.maximum(found.at, LONGEST_TTL_US)
    end = np.minimum(found.end, until)
    end[found.goes_on] = still_open.from_us - base_us
    length = np.maximum(end - start, 0)
    place = found.row * KINDS + found.condition
    outside_us = time_outside(fleet, shifts, found.row, start + base_us, length)
    if outside_us is None:
        within = np.bincount(place, length, count * KINDS).reshape(count, KINDS)
        return np.hstack([within, np.zeros_like(within)])
    parts = [np.bincount(place, part, count * KINDS) for part in (length - outside_us, outside_us)]
    return np.hstack([part.reshape(count, KINDS) for part in parts])


def time_outside(fleet: PlainMachines, shifts: Shifts, row: Ints, start_us: Ints, length: Ints) -> Ints | None:
    """Return how much of each stretch of time of the hour is outside shifts; None if nothing is."""
    hour = np.full(len(fleet.machine), fleet.hour_us)
    end_us = fleet.hour_us + HOUR_US
    is_outside = shifts.outside(fleet.pattern, hour)
    is_cut = shifts.next_edges(fleet.pattern, hour, end_us) < end_us
    if not (is_outside.any() or is_cut.any()):
        return None
    outside: Ints = np.where(is_outside[row], length, 0)
    cut = np.flatnonzero(is_cut[row])
    if len(cut):
        pattern = fleet.pattern[row[cut]]
        outside[cut] = length[cut] - shifts.covered(pattern, start_us[cut], start_us[cut] + length[cut])
    return outside


def plain_open_holds(found: PlainHolds, fleet: PlainMachines, shifts: Shifts, until_us: int) -> OpenHolds:
    """Return what goes on at ``until_us``, each cut where a shift begins or ends."""
    going = np.flatnonzero(found.goes_on)
    base_us = fleet.hour_us - LONGEST_TTL_US
    own, condition = found.row[going], found.condition[going]
    pattern, at_until = fleet.pattern[own], np.full(len(going), until_us)
    outside = shifts.outside(pattern, at_until).astype(np.int64)
    running_us = floor_to(until_us, HOUR_US)
    end_us = found.end[going] + base_us
    return OpenHolds(
        fleet.machine[own],
        fleet.cohort[own],
        accounted_state(condition // MODES, outside),
        condition % MODES,
        (fleet.cycle_us[own] != NO_CYCLE).astype(np.int64),
        outside,
        np.maximum(found.at[going] + base_us, shifts.last_edges(pattern, at_until, running_us).clip(running_us)),
        np.minimum(end_us, shifts.next_edges(pattern, at_until, int(FAR))),
    )


def plain_instants_ahead(
    found: PlainHolds, fleet: PlainMachines, still_open: OpenHolds, until_us: int
) -> InstantsAhead:
    """Return where open holds end because a shift begins or ends, unless it is where the hour is closed."""
    ends = found.end[found.goes_on] + fleet.hour_us - LONGEST_TTL_US
    is_cut = (still_open.until_us < ends) & (still_open.until_us != floor_to(until_us, HOUR_US) + HOUR_US)
    return InstantsAhead(still_open.machine[is_cut], still_open.until_us[is_cut])


def add_plain_times(sums: Ints, by_kind: npt.NDArray[Any], has_cycle: npt.NDArray[np.bool_]) -> None:
    """Set the figures of held time. Floats are exact: all sums are whole numbers below 2^53."""
    state, mode = np.divmod(np.arange(KINDS), MODES)
    names = list(TIMES)
    rules = np.zeros((2 * KINDS, len(names)))
    for column, name in enumerate(names):
        for outside in (0, 1):
            kind = kind_of_time(accounted_state(state, np.full(KINDS, outside)), mode, 1, outside)
            counted = np.isin(kind, kinds_counted(TIMES[name])) & (state != State.unknown)
            rules[outside * KINDS : (outside + 1) * KINDS, column] = counted
    found = by_kind @ rules
    for column, name in enumerate(names):
        amounts = found[:, column].astype(np.int64)
        sums[:, SUMS.index(name)] = np.where(has_cycle, amounts, 0) if TIMES[name].with_ideal_cycle else amounts


def row_places(found: PlainHolds, fleet: PlainMachines, until: int) -> dict[CountedRows, Ints]:
    """Return the places of the machines of all rows that are counted as states, and as failures."""
    rows, at, state = found.row, found.at, found.state
    inside = (at >= LONGEST_TTL_US) & (at < until)
    faulted = np.flatnonzero(inside & (state == State.faulted))
    faulted = faulted[faulted > 0]
    before = faulted - 1
    failed = (rows[before] == rows[faulted]) & (state[before] != State.unknown) & (state[before] != State.faulted)
    failed &= at[faulted] - at[before] <= fleet.ttl_us[rows[faulted]]
    return {CountedRows.STATES: rows[inside], CountedRows.FAILURES: rows[faulted[failed]]}


def ideal_times(counts: CountRows, inside: npt.NDArray[np.bool_], made: Ints, cycle_us: Ints) -> Ints | Objects:
    """Return the figures of pieces times the ideal cycle; as Python integers if 64 bits may not hold them."""
    pieces = np.zeros((len(cycle_us), len(WIDE)), np.int64)
    for name, rule in IDEAL_TIMES.items():
        np.add.at(pieces[:, WIDE.index(name)], made, pieces_of(counts, rule)[inside])
    if pieces.size and int(pieces.max()) * int(cycle_us.max()) >= 2**63:
        exact: Objects = pieces.astype(object) * cycle_us.astype(object)[:, None]
        return exact
    found: Ints = pieces * cycle_us[:, None]
    return found
