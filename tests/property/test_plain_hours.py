"""Accounts of one hour of many plain machines at once equal those of the rules for any machine."""

from dataclasses import dataclass

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.wire.codes import Mode, State
from services.analytics.accounts import Accounted, CountRows, HourRanges, account
from services.analytics.figures import SUMS, WIDE
from services.analytics.held_time import OPEN_HOLD_COLUMNS
from services.analytics.in_force import NO_CYCLE, NO_PATTERN, StateRows, Versions
from services.analytics.plain_hours import LONGEST_TTL_US, PlainMachines, account_plain, keys_from, state_keys
from services.analytics.shifts import Shifts, cut_at_shifts, shifts_of
from services.core.times import FIRST_INSTANT_US, HOUR_US, LAST_INSTANT_US, SECOND_US

HOUR = 1_480_000_000_000_000 // HOUR_US * HOUR_US
END = HOUR + HOUR_US
FIRST_NUMBER = 40
"""The first machine's number, so that machines' numbers are not their places."""

edges = st.sampled_from([HOUR - LONGEST_TTL_US, HOUR - 1, HOUR, HOUR + 1, END - 1])
minutes = st.integers(-60, 59).map(lambda minute: HOUR + minute * 60 * SECOND_US)
state_instants = st.one_of(edges, minutes, st.integers(HOUR - LONGEST_TTL_US, END - 1))
count_instants = st.one_of(st.sampled_from([HOUR, HOUR + 1, END - 1]), st.integers(HOUR, END - 1))
until_instants = st.one_of(
    st.sampled_from([HOUR + 1, END - 1, END, END + 1, END + HOUR_US, END + 100 * HOUR_US]), st.integers(HOUR + 1, END)
)
pieces = st.one_of(st.integers(0, 9), st.just(2**31 - 1))
ttls = st.one_of(st.sampled_from([SECOND_US, 600 * SECOND_US, LONGEST_TTL_US]), st.integers(SECOND_US, LONGEST_TTL_US))
cycles = st.one_of(st.just(NO_CYCLE), st.just(86_400 * SECOND_US), st.integers(1, 10**7))


@dataclass(frozen=True)
class Machine:
    """A plain machine: what is registered, and its rows in force."""

    ttl_us: int
    cycle_us: int
    cohort: int
    pattern: int
    states: dict[int, tuple[State, Mode]]
    counts: list[tuple[int, int, int, int, int]]


machines = st.builds(
    Machine,
    ttls,
    cycles,
    st.integers(1, 3),
    st.integers(NO_PATTERN, 3),
    st.dictionaries(state_instants, st.tuples(st.sampled_from(list(State)), st.sampled_from(list(Mode))), max_size=12),
    st.lists(st.tuples(count_instants, pieces, pieces, pieces, st.integers(0, 1)), max_size=5),
)
fleets = st.lists(machines, min_size=1, max_size=5)
WINDOW = HOUR - LONGEST_TTL_US, END + LONGEST_TTL_US
bounds = st.one_of(st.sampled_from([WINDOW[0], HOUR, END, WINDOW[1]]), minutes, st.integers(*WINDOW))
patterns = st.lists(st.lists(bounds, max_size=8, unique=True).map(sorted), min_size=3, max_size=3)
"""Of each pattern, instants at which a shift begins and ends by turns."""
NO_SHIFTS: list[list[int]] = [[], [], []]


def shifts(edges: list[list[int]]) -> Shifts:
    rows = [(n, start, end) for n, own in enumerate(edges, 1) for start, end in zip(own[::2], own[1::2], strict=False)]
    pattern, start, end = (column([row[i] for row in rows]) for i in range(3))
    return shifts_of(pattern, start, end, WINDOW)


def column(values: "list[int]") -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(values, np.int64)


def count_rows(fleet: list[Machine], first: int) -> CountRows:
    rows = [(first + n, *row) for n, machine in enumerate(fleet) for row in machine.counts]
    return CountRows(*[column([row[i] for row in rows]) for i in range(6)])


def by_general_rules(fleet: list[Machine], edges: list[list[int]], until_us: int) -> Accounted:
    rows = [
        (FIRST_NUMBER + n, at, *machine.states[at]) for n, machine in enumerate(fleet) for at in sorted(machine.states)
    ]
    numbers = column([FIRST_NUMBER + n for n in range(len(fleet))])
    always = column([FIRST_INSTANT_US] * len(fleet)), column([LAST_INSTANT_US] * len(fleet))
    registered = [column([getattr(m, name) for m in fleet]) for name in ("ttl_us", "cycle_us", "cohort", "pattern")]
    ttl_us, cycle_us, cohort, pattern = registered
    versions = Versions(numbers, *always, ttl_us, cycle_us, *always, cohort, pattern, column([0] * len(fleet)))
    return account(
        StateRows(*[column([row[i] for row in rows]) for i in range(4)]),
        count_rows(fleet, FIRST_NUMBER),
        cut_at_shifts(versions, shifts(edges)),
        HourRanges(numbers, column([HOUR] * len(fleet)), column([END] * len(fleet))),
        until_us,
    )


def at_once(fleet: list[Machine], edges: list[list[int]], until_us: int, first: int) -> Accounted:
    """Return the same in one pass; ``first`` is the place of the first machine."""
    rows = [
        (first + n, at, state * len(Mode) + mode)
        for n, machine in enumerate(fleet)
        for at, (state, mode) in machine.states.items()
    ]
    plain = PlainMachines(
        HOUR,
        column([FIRST_NUMBER + n for n in range(len(fleet))]),
        *[column([getattr(m, name) for m in fleet]) for name in ("ttl_us", "cycle_us", "cohort", "pattern")],
    )
    place, at_us, code = (column([row[i] for row in reversed(rows)]) for i in range(3))
    keys = np.sort(state_keys(place, at_us, code, HOUR))
    return account_plain(keys, count_rows(fleet, first), plain, shifts(edges), first, until_us)


def hours(found: Accounted) -> dict[tuple[int, ...], dict[str, int]]:
    closed = found.closed
    keys = zip(closed.machine.tolist(), closed.hour_us.tolist(), closed.cohort.tolist(), strict=True)
    rows = zip(closed.sums.tolist(), closed.wide.tolist(), strict=True)
    named = [dict(zip((*SUMS, *WIDE), (*sums, *wide), strict=True)) for sums, wide in rows]
    return dict(zip(keys, named, strict=True))


def open_rows(found: Accounted) -> list[tuple[int, ...]]:
    return sorted(zip(*[getattr(found.open, name).tolist() for name in OPEN_HOLD_COLUMNS], strict=True))


EVERY_ROW = [(HOUR, 2**31 - 1, 2**31 - 1, 2**31 - 1, 1)] * 5


def ahead(found: Accounted) -> list[tuple[int, int]]:
    return sorted(zip(found.ahead.machine.tolist(), found.ahead.at_us.tolist(), strict=True))


@given(fleets, patterns, until_instants, st.integers(0, 7))
@example([Machine(SECOND_US, 86_400 * SECOND_US, 1, 0, {}, EVERY_ROW)], NO_SHIFTS, END, 0)
@example([Machine(LONGEST_TTL_US, 1, 1, 0, {HOUR: (State.producing, Mode.manual)}, [])] * 2, NO_SHIFTS, END, 3)
@example([Machine(LONGEST_TTL_US, 1, 1, 0, {HOUR - 1: (State.unknown, Mode.manual)}, [])], NO_SHIFTS, HOUR + 1, 0)
@example([Machine(SECOND_US, 1, 1, 0, {}, [])], NO_SHIFTS, HOUR + 1, 0)
@example(
    [Machine(LONGEST_TTL_US, 1, 1, 1, {HOUR + 1: (State.idle, Mode.manual)}, [])], [[HOUR + 9, END], [], []], END, 0
)
@example([Machine(LONGEST_TTL_US, 1, 1, 1, {HOUR + 1: (State.idle, Mode.manual)}, [])], [[HOUR, END]] * 3, END - 9, 0)
def test_one_pass_equals_the_rules_for_any_machine(
    fleet: list[Machine], edges: list[list[int]], until_us: int, first: int
) -> None:
    expected, found = by_general_rules(fleet, edges, until_us), at_once(fleet, edges, until_us, first)
    assert hours(found) == hours(expected)
    assert open_rows(found) == open_rows(expected)
    assert ahead(found) == ahead(expected)


def test_ideal_times_above_64_bits_are_exact() -> None:
    fleet = [Machine(SECOND_US, 86_400 * SECOND_US, 1, NO_PATTERN, {}, EVERY_ROW)]
    (figures,) = hours(at_once(fleet, NO_SHIFTS, END, 0)).values()
    assert figures["ideal_good_us"] == 5 * (2**31 - 1) * 86_400 * SECOND_US
    assert figures["ideal_pq_us"] == 3 * figures["ideal_good_us"] > 2**63


@given(st.lists(st.tuples(st.integers(0, 5), state_instants, st.integers(0, 31)), max_size=20), st.integers(0, 6))
def test_keys_are_sorted_by_machine_and_instant(rows: list[tuple[int, int, int]], place: int) -> None:
    places, at_us, code = (column([row[i] for row in rows]) for i in range(3))
    keys = np.sort(state_keys(places, at_us, code, HOUR))
    assert keys.tolist() == sorted(keys.tolist())
    assert int(np.searchsorted(keys, keys_from(place))) == sum(row[0] < place for row in rows)
