"""Both implementations of the accounts agree over arbitrary rows and registry versions."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.codes import Mode, State
from services.analytics.accounts import Accounted, CountRows, HourRanges, account
from services.analytics.figures import SUMS, WIDE
from services.analytics.held_time import add_times, open_time
from services.analytics.in_force import NO_PATTERN, StateRows, Versions
from services.analytics.shifts import cut_at_shifts, shifts_of
from services.analytics.verification.reference import Cohort, MachineVersion, Place, account_machine
from services.analytics.verification.shifts import Stretch
from services.core.times import FIRST_INSTANT_US, HOUR_US, LAST_INSTANT_US, SECOND_US

ORIGIN_US = 1_480_000_000_000_000 // HOUR_US * HOUR_US
HOURS = 5
END_US = ORIGIN_US + HOURS * HOUR_US
LONGEST_TTL_US = 2 * HOUR_US

instants = st.integers(-2 * HOUR_US, HOURS * HOUR_US).map(lambda us: ORIGIN_US + us)
round_instants = st.integers(-120, 60 * HOURS).map(lambda minute: ORIGIN_US + minute * 60 * SECOND_US)
anywhere = st.one_of(instants, round_instants)
state_rows = st.dictionaries(
    anywhere, st.tuples(st.sampled_from(list(State)), st.sampled_from(list(Mode))), max_size=25
)
count_rows = st.lists(
    st.tuples(anywhere, st.integers(0, 2**31 - 1), st.integers(0, 9), st.integers(0, 9), st.integers(0, 1)), max_size=8
)
PATTERN = (1, 1)
COHORTS: tuple[Cohort, ...] = (("KR-11", "C10"), ("KR-26", "C10"), (None, None))
"""The plain implementation identifies a cohort by its content, the other by its position here."""


@dataclass(frozen=True)
class Case:
    """One machine: rows, versions, and the instant up to which to account."""

    states: dict[int, tuple[State, Mode]]
    counts: list[tuple[int, int, int, int, int]]
    versions: list[MachineVersion]
    until_us: int
    shifts: list[Stretch]


@st.composite
def version_lists(draw: st.DrawFn) -> list[MachineVersion]:
    cuts = sorted(draw(st.sets(anywhere, max_size=3)))
    bounds = [FIRST_INSTANT_US, *cuts, LAST_INSTANT_US]
    first = draw(st.integers(0, 1)) if cuts else 0
    gap = draw(st.integers(1, 9))
    found = []
    for number, (start, end) in enumerate(list(pairwise(bounds))[first:]):
        if number == gap:
            continue
        in_use = draw(st.one_of(st.just((FIRST_INSTANT_US, LAST_INSTANT_US)), st.tuples(anywhere, anywhere)))
        ttl = draw(st.one_of(st.integers(SECOND_US, LONGEST_TTL_US), st.just(600 * SECOND_US)))
        cycle = draw(st.one_of(st.none(), st.integers(1, 86_400 * SECOND_US)))
        cohort = draw(st.sampled_from(COHORTS))
        pattern = draw(st.sampled_from([None, PATTERN]))
        found.append(MachineVersion(start, end, ttl, cycle, min(in_use), max(in_use), False, cohort, pattern))
    return found


@st.composite
def shift_lists(draw: st.DrawFn) -> list[Stretch]:
    edges = sorted(draw(st.sets(anywhere, max_size=9)))
    return list(zip(edges[::2], edges[1::2], strict=False))


cases = st.builds(Case, state_rows, count_rows, version_lists(), anywhere, shift_lists())


def columns(*lists: list[int]) -> "list[np.ndarray[tuple[int], np.dtype[np.int64]]]":
    return [np.array(values, np.int64) for values in lists]


def account_cases(cases: Sequence[Case]) -> Accounted:
    """Return the accounts in columns, machines numbered from 1; the first case gives the instant to account up to."""
    numbered = list(enumerate(cases, start=1))
    states = StateRows(
        *columns(
            [m for m, case in numbered for _ in case.states],
            [at for _, case in numbered for at in sorted(case.states)],
            [case.states[at][0] for _, case in numbered for at in sorted(case.states)],
            [case.states[at][1] for _, case in numbered for at in sorted(case.states)],
        )
    )
    rows = [(m, *row) for m, case in numbered for row in case.counts]
    counts = CountRows(*columns(*[[row[i] for row in rows] for i in range(6)]))
    known = [(m, version) for m, case in numbered for version in case.versions]
    versions = Versions(
        *columns(
            [m for m, _ in known],
            [v.effective_from_us for _, v in known],
            [v.effective_to_us for _, v in known],
            [v.state_ttl_us for _, v in known],
            [v.ideal_cycle_us or 0 for _, v in known],
            [v.in_use_from_us for _, v in known],
            [v.in_use_to_us for _, v in known],
            [COHORTS.index(v.cohort) for _, v in known],
            [NO_PATTERN if v.pattern is None else m for m, v in known],
            [0] * len(known),
        )
    )
    own = [(m, *shift) for m, case in numbered for shift in case.shifts]
    pattern, start, end = columns(*[[row[i] for row in own] for i in range(3)])
    shifts = shifts_of(pattern, start, end, (ORIGIN_US - LONGEST_TTL_US, END_US + LONGEST_TTL_US))
    machines = [m for m, _ in numbered]
    spans = HourRanges(*columns(machines, [ORIGIN_US] * len(machines), [END_US] * len(machines)))
    return account(states, counts, cut_at_shifts(versions, shifts), spans, cases[0].until_us)


def with_open_time(done: Accounted, until_us: int) -> dict[int, dict[Place, dict[str, int]]]:
    """Return figures by machine, hour and cohort: what is closed, and the part of open holds before an instant."""
    found: dict[int, dict[Place, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    closed = done.closed
    for machine, hour, cohort, sums, wide in zip(
        closed.machine.tolist(),
        closed.hour_us.tolist(),
        closed.cohort.tolist(),
        closed.sums.tolist(),
        closed.wide.tolist(),
        strict=True,
    ):
        found[machine][hour, COHORTS[cohort]] |= dict(zip((*SUMS, *WIDE), (*sums, *wide), strict=True))
    held = open_time(done.open, until_us)
    added = np.zeros((len(held.machine), len(SUMS)), np.int64)
    add_times(added, np.arange(len(held.machine)), held)
    for machine, start, cohort, sums in zip(
        held.machine.tolist(), held.start_us.tolist(), held.cohort.tolist(), added.tolist(), strict=True
    ):
        hour = start // HOUR_US * HOUR_US
        if ORIGIN_US <= hour < END_US:
            figures = found[machine][hour, COHORTS[cohort]]
            for name, amount in zip((*SUMS, *WIDE), (*sums, *[0] * len(WIDE)), strict=True):
                figures[name] += amount
    return {machine: {place: dict(figures) for place, figures in hours.items()} for machine, hours in found.items()}


def in_columns(*cases: Case) -> dict[int, dict[Place, dict[str, int]]]:
    """Return the figures in columns, by machine, hour and cohort; the first case gives the instant to account up to."""
    found = with_open_time(account_cases(cases), cases[0].until_us)
    return {machine: found.get(machine, {}) for machine in range(1, len(cases) + 1)}


def plainly(case: Case) -> dict[Place, dict[str, int]]:
    """Return the figures of the plain implementation, by hour and cohort."""
    done = account_machine(
        [(at, int(state), int(mode)) for at, (state, mode) in case.states.items()],
        case.counts,
        case.versions,
        case.until_us,
        FIRST_INSTANT_US,
        ORIGIN_US,
        END_US,
        case.shifts,
    )
    return {place: {name: figures[name] for name in (*SUMS, *WIDE)} for place, figures in done.items()}


@given(st.lists(cases, min_size=1, max_size=3))
def test_columns_and_plain_python_agree(fleet: list[Case]) -> None:
    until = fleet[0].until_us
    expected = {m: plainly(replace(case, until_us=until)) for m, case in enumerate(fleet, start=1)}
    assert in_columns(*fleet) == expected


@given(cases)
def test_no_hour_holds_more_than_an_hour(case: Case) -> None:
    by_hour: dict[int, int] = defaultdict(int)
    for (hour, _), figures in in_columns(case)[1].items():
        held = sum(figures[name] for name in SUMS[:7])
        assert held == figures["evidence_us"]
        by_hour[hour] += held
        assert 0 <= held <= by_hour[hour] <= HOUR_US
        by_mode = sum(figures[name] for name in SUMS if name.startswith("producing_") and name != "producing_us")
        assert by_mode <= figures["producing_us"]


@given(cases, st.integers(0, HOUR_US))
def test_open_holds_grow_as_a_recomputation_says(case: Case, later_us: int) -> None:
    """At any later instant of the running hour, unless a row or an instant that is known to lie ahead comes first."""
    hour_end_us = case.until_us // HOUR_US * HOUR_US + HOUR_US
    done = account_cases([case])
    until = min([case.until_us + later_us, hour_end_us, END_US, *done.ahead.at_us.tolist()])
    rows = [at for at in (*case.states, *(row[0] for row in case.counts)) if at >= case.until_us]
    until = min([until, *rows])
    assert with_open_time(done, until).get(1, {}) == plainly(replace(case, until_us=until))


@given(cases)
def test_the_state_that_holds_is_the_only_open_one(case: Case) -> None:
    found = account_cases([case]).open
    assert found.machine.tolist() in ([], [1])
    names = ("state", "mode", "with_cycle", "outside", "cohort", "from_us", "until_us")
    for state, mode, cycle, outside, cohort, from_us, until_us in zip(
        *(getattr(found, name).tolist() for name in names), strict=True
    ):
        before = max(at for at in case.states if at < case.until_us)
        (version,) = [v for v in case.versions if v.effective_from_us <= case.until_us < v.effective_to_us]
        edges = [edge for shift in case.shifts for edge in shift] if version.pattern else []
        is_outside = version.pattern is not None and not any(start <= case.until_us < end for start, end in case.shifts)
        sent, sent_mode = case.states[before]
        assert (state, mode) == (State.off_shift if is_outside and sent is State.idle else sent, sent_mode)
        assert (bool(cycle), COHORTS[cohort]) == (version.ideal_cycle_us is not None, version.cohort)
        assert bool(outside) == is_outside
        began = (before, version.effective_from_us, version.in_use_from_us, case.until_us // HOUR_US * HOUR_US)
        assert from_us == max([*began, *(edge for edge in edges if edge <= case.until_us)])
        ends = (before + version.state_ttl_us, version.effective_to_us, version.in_use_to_us)
        later = [at for at in (*case.states, *edges) if at > case.until_us]
        assert until_us == min([*ends, *later])
        assert until_us > case.until_us
        assert case.until_us not in case.states
