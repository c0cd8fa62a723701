"""The accounts in columns against the plain second implementation, over arbitrary rows and registry versions."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.codes import Mode, State
from services.analytics.accounts import SUMS, CountRows, Spans, StateRows, Versions, account
from services.analytics.verification.reference import MachineVersion, account_machine
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
count_rows = st.lists(st.tuples(anywhere, st.integers(0, 2**31 - 1), st.integers(0, 9), st.integers(0, 9)), max_size=8)


@dataclass(frozen=True)
class Case:
    """One machine: rows, versions, and until when time has been accounted."""

    states: dict[int, tuple[State, Mode]]
    counts: list[tuple[int, int, int, int]]
    versions: list[MachineVersion]
    until_us: int


@st.composite
def version_lists(draw: st.DrawFn) -> list[MachineVersion]:
    cuts = sorted(draw(st.sets(anywhere, max_size=3)))
    bounds = [FIRST_INSTANT_US, *cuts, LAST_INSTANT_US]
    first = draw(st.integers(0, 1)) if cuts else 0
    found = []
    for start, end in list(pairwise(bounds))[first:]:
        in_use = draw(st.one_of(st.just((FIRST_INSTANT_US, LAST_INSTANT_US)), st.tuples(anywhere, anywhere)))
        ttl = draw(st.one_of(st.integers(SECOND_US, LONGEST_TTL_US), st.just(600 * SECOND_US)))
        cycle = draw(st.one_of(st.none(), st.integers(1, 86_400 * SECOND_US)))
        found.append(MachineVersion(start, end, ttl, cycle, min(in_use), max(in_use)))
    return found


cases = st.builds(Case, state_rows, count_rows, version_lists(), anywhere)


def columns(*lists: list[int]) -> "list[np.ndarray[tuple[int], np.dtype[np.int64]]]":
    return [np.array(values, np.int64) for values in lists]


def in_columns(case: Case) -> dict[int, dict[str, int]]:
    """The figures of the implementation in columns, by hour."""
    at = sorted(case.states)
    n = len(at)
    states = StateRows(*columns([1] * n, at, [case.states[a][0] for a in at], [case.states[a][1] for a in at]))
    counts = CountRows(*columns([1] * len(case.counts), *[[row[i] for row in case.counts] for i in range(4)]))
    versions = Versions(
        *columns(
            [1] * len(case.versions),
            [v.effective_from_us for v in case.versions],
            [v.effective_to_us for v in case.versions],
            [v.state_ttl_us for v in case.versions],
            [v.ideal_cycle_us or 0 for v in case.versions],
            [v.in_use_from_us for v in case.versions],
            [v.in_use_to_us for v in case.versions],
        )
    )
    spans = Spans(*columns([1], [ORIGIN_US], [END_US]))
    done = account(states, counts, versions, spans, case.until_us)
    return {
        hour: {**dict(zip(SUMS, sums, strict=True)), "ideal_pq_us": pq, "ideal_good_us": good}
        for hour, sums, pq, good in zip(
            done.hour_us.tolist(),
            done.sums.tolist(),
            done.ideal_pq_us.tolist(),
            done.ideal_good_us.tolist(),
            strict=True,
        )
    }


def plainly(case: Case) -> dict[int, dict[str, int]]:
    """The figures of the plain implementation, by hour."""
    done = account_machine(
        [(at, int(state), int(mode)) for at, (state, mode) in case.states.items()],
        case.counts,
        case.versions,
        case.until_us,
        FIRST_INSTANT_US,
        ORIGIN_US,
        END_US,
    )
    names = [*SUMS, "ideal_pq_us", "ideal_good_us"]
    return {hour: {name: getattr(figures, name) for name in names} for hour, figures in done.items()}


@given(cases)
def test_columns_and_plain_python_agree(case: Case) -> None:
    assert in_columns(case) == plainly(case)


@given(cases)
def test_no_hour_holds_more_than_an_hour(case: Case) -> None:
    for figures in in_columns(case).values():
        held = sum(figures[name] for name in SUMS[:7])
        assert held == figures["evidence_us"]
        assert 0 <= held <= HOUR_US
        by_mode = sum(figures[name] for name in SUMS if name.startswith("producing_") and name != "producing_us")
        assert by_mode <= figures["producing_us"]
