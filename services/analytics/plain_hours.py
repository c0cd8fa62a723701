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
from services.analytics.held_time import InstantsAhead, OpenHolds, kinds_counted
from services.analytics.in_force import NO_CYCLE, Ints
from services.core.times import HOUR_US, floor_to

LONGEST_TTL_US = HOUR_US
"""Machines whose states hold for longer are not plain: their rows would have to be read from too far back."""
AT_BITS = 37
CONDITION_BITS = 5
MODES = len(Mode)
KINDS = len(State) * MODES


@dataclass(frozen=True, slots=True)
class PlainMachines:
    """Plain machines in the hour from ``hour_us`` on, each with its TTL, ideal cycle (or NO_CYCLE) and cohort."""

    hour_us: int
    machine: Ints
    ttl_us: Ints
    cycle_us: Ints
    cohort: Ints

    def chosen(self, first: int, last: int) -> "PlainMachines":
        """Return the machines in places [first, last)."""
        own = slice(first, last)
        return PlainMachines(self.hour_us, self.machine[own], self.ttl_us[own], self.cycle_us[own], self.cohort[own])


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


def account_plain(keys: Ints, counts: CountRows, fleet: PlainMachines, first: int, until_us: int) -> Accounted:
    """Return the accounts of the fleet's hour, over instants before ``until_us``.

    Args:
        keys: state rows in [hour - LONGEST_TTL_US, hour + HOUR_US), sorted.
        counts: count rows in the hour; ``machine`` is a place.
        first: the place of the fleet's first machine.
    """
    count, start = len(fleet.machine), LONGEST_TTL_US
    end = start + HOUR_US
    until = min(until_us - (fleet.hour_us - LONGEST_TTL_US), end)
    rows = (keys >> (AT_BITS + CONDITION_BITS)) - first
    at = (keys >> CONDITION_BITS) & ((1 << AT_BITS) - 1)
    condition = keys & ((1 << CONDITION_BITS) - 1)
    state = condition // MODES
    ends = at + fleet.ttl_us[rows]
    same = rows[1:] == rows[:-1]
    np.minimum(ends[:-1], at[1:], out=ends[:-1], where=same)
    goes_on = (at < until) & (ends > until) & (state != State.unknown) & (until_us <= fleet.hour_us + HOUR_US)
    length = np.minimum(ends, until) - np.maximum(at, start)
    np.maximum(length, 0, out=length)
    if until < end:
        length[goes_on] = 0
    # Column by column, since all that follows takes columns.
    sums = np.zeros((count, len(SUMS)), np.int64, order="F")
    by_kind = np.bincount(rows * KINDS + condition, length, count * KINDS).reshape(count, KINDS)
    add_plain_times(sums, by_kind, fleet.cycle_us != NO_CYCLE)
    places = row_places(rows, at, state, ends, fleet, start, until)
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
    going = np.flatnonzero(goes_on)
    base_us = fleet.hour_us - LONGEST_TTL_US
    own = rows[going]
    still_open = OpenHolds(
        fleet.machine[own],
        fleet.cohort[own],
        state[going],
        condition[going] % MODES,
        (fleet.cycle_us[own] != NO_CYCLE).astype(np.int64),
        np.maximum(at[going] + base_us, floor_to(until_us, HOUR_US)),
        ends[going] + base_us,
    )
    return Accounted(closed, still_open, InstantsAhead(np.empty(0, np.int64), np.empty(0, np.int64)))


def add_plain_times(sums: Ints, by_kind: npt.NDArray[Any], has_cycle: npt.NDArray[np.bool_]) -> None:
    """Set the figures of held time. Floats are exact: all sums are whole numbers below 2^53."""
    names = list(TIMES)
    rules = np.zeros((KINDS, len(names)))
    for column, name in enumerate(names):
        rules[[kind // 2 for kind in kinds_counted(TIMES[name])], column] = 1
    rules[: MODES * (State.unknown + 1)] = 0
    found = by_kind @ rules
    for column, name in enumerate(names):
        amounts = found[:, column].astype(np.int64)
        sums[:, SUMS.index(name)] = np.where(has_cycle, amounts, 0) if TIMES[name].with_ideal_cycle else amounts


def row_places(
    rows: Ints, at: Ints, state: Ints, ends: Ints, fleet: PlainMachines, start: int, until: int
) -> dict[CountedRows, Ints]:
    """Return the places of the machines of all rows that are counted as states, and as failures."""
    inside = (at >= start) & (at < until)
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
