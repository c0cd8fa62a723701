"""The simulator's truth, compared with a walk through a machine's time second by second."""

import datetime as dt
from bisect import bisect_right
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.wire.codes import Mode, State
from services.core.times import HOUR_US, SECOND_US, seoul_day, seoul_midnight_us
from services.gateway.records import CountRow, StateRow
from services.simulator.machine_truth import DailyShift, RegisteredMachine, machine_truth, rows_in_force
from services.simulator.mishaps import Delivery

MIDNIGHT_US = seoul_midnight_us(dt.date(2024, 3, 4))
BEGIN_S, END_S = -300, 300
"""Seconds from a midnight in Seoul."""
SECONDS = st.integers(BEGIN_S, END_S)
SHIFT_BOUNDS = (st.integers(0, END_S) | st.integers(86_400 + BEGIN_S, 86_400)).map(lambda second: second * SECOND_US)
STATES = st.builds(
    lambda at_s, state, mode: StateRow("M01", us(at_s), state, mode),
    SECONDS,
    st.sampled_from([State.producing, State.faulted, State.idle, State.unknown, State.off_shift]),
    st.sampled_from(list(Mode)),
)
COUNTS = st.builds(
    lambda at_s, good, scrap, product: CountRow("M01", us(at_s), good, scrap, 1, product),
    SECONDS,
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from(["", "P"]),
)


def us(second: int) -> int:
    return MIDNIGHT_US + second * SECOND_US


def deliveries() -> "st.SearchStrategy[list[Delivery]]":
    """Rows in the order of arrival, many of the same identity."""
    one = st.builds(
        lambda row, revision, retracted: Delivery(0, row._replace(retracted=retracted and revision > 0), revision),
        STATES | COUNTS,
        st.integers(0, 2),
        st.booleans(),
    )
    return st.lists(one, max_size=25)


@settings(max_examples=200, deadline=None)
@given(deliveries())
def test_the_row_in_force_is_the_first_of_the_highest_revision(sent: list[Delivery]) -> None:
    kept = rows_in_force(sent).get("M01", [])
    assert [row.at_us for row in kept] == sorted(row.at_us for row in kept)
    for n, delivery in enumerate(sent):
        rivals = [other for other in sent if identity(other) == identity(delivery)]
        wins = delivery.revision == max(other.revision for other in rivals) and not any(
            identity(other) == identity(delivery) and other.revision == delivery.revision for other in sent[:n]
        )
        if wins:
            assert (delivery.row in kept) == (not delivery.row.retracted)
    assert len(kept) == len({(type(r), r.at_us, r.product if isinstance(r, CountRow) else "") for r in kept})


def identity(delivery: Delivery) -> tuple[object, ...]:
    row = delivery.row
    return type(row), row.at_us, row.product if isinstance(row, CountRow) else ""


@settings(max_examples=150, deadline=None)
@given(
    deliveries(),
    st.integers(1, 200),
    st.integers(BEGIN_S, 0),
    st.lists(SECONDS, max_size=2, unique=True),
    st.tuples(SECONDS, SECONDS).map(sorted),
    st.none() | st.builds(DailyShift, st.sampled_from([(6,), (0,), (0, 6)]), SHIFT_BOUNDS, SHIFT_BOUNDS),
)
def test_every_second_is_accounted_to_its_state_mode_cohort_and_day(
    sent: list[Delivery],
    ttl_s: int,
    in_use_from_s: int,
    changes_s: list[int],
    window: list[int],
    shift: DailyShift | None,
) -> None:
    begins = [-(10**9), *sorted(changes_s)]
    registered = RegisteredMachine(ttl_s * SECOND_US, None, us(in_use_from_s), [us(s) for s in begins], shift)
    # Rows before the time in use are not facts.
    sent = [delivery for delivery in sent if delivery.row.at_us >= us(in_use_from_s)]
    rows = rows_in_force(sent).get("M01", [])
    truth = machine_truth(registered, rows, us(window[0]), us(window[1]))
    states = {row.at_us: row for row in rows if isinstance(row, StateRow)}

    def held(second: int) -> StateRow | None:
        """Return the state that holds in the second that begins then."""
        for at_s in range(second, second - ttl_s, -1):
            if us(at_s) in states:
                return states[us(at_s)]
        return None

    def is_scheduled(second: int) -> bool:
        if shift is None:
            return True
        start_us, end_us = shift.on(seoul_day(us(second)))
        return start_us <= us(second) < end_us

    time: Counter[tuple[object, ...]] = Counter()
    scheduled: Counter[tuple[object, ...]] = Counter()
    days_with_evidence: set[dt.date] = set()
    failures: Counter[tuple[object, ...]] = Counter()
    for second in range(BEGIN_S - 1, END_S + ttl_s + 1):
        row = held(second)
        key = (bisect_right(begins, second) - 1, seoul_day(us(second)))
        inside = window[0] <= second < window[1]
        if row is not None and row.state is not State.unknown:
            days_with_evidence.add(key[1])
            if inside:
                is_off = row.state is State.idle and not is_scheduled(second)
                state: State = State.off_shift if is_off else row.state
                time[*key, state, row.mode if row.state is State.producing else None] += SECOND_US
                scheduled[key] += SECOND_US * is_scheduled(second)
        if row is not None and row.at_us == us(second) and row.state is State.faulted and inside:
            before = held(second - 1)
            if before is not None and before.state not in (State.unknown, State.faulted):
                failures[key] += 1
    pieces: Counter[tuple[object, ...]] = Counter()
    for made in rows:
        if isinstance(made, CountRow) and us(window[0]) <= made.at_us < us(window[1]):
            second = (made.at_us - MIDNIGHT_US) // SECOND_US
            pieces[bisect_right(begins, second) - 1, seoul_day(made.at_us)] += made.good + made.scrap + made.rework

    found: Counter[tuple[object, ...]] = Counter()
    for (cohort, day), account in truth.accounts.items():
        for state, length_us in account.state_us.items():
            if state is not State.producing:
                found[cohort, day, state, None] += length_us
        for mode, length_us in account.mode_us.items():
            found[cohort, day, State.producing, mode] += length_us
        assert sum(account.mode_us.values()) == account.state_us[State.producing]
    assert found == time
    assert Counter({p: a.scheduled_evidence_us for p, a in truth.accounts.items()}) == scheduled
    assert {p: a.failures for p, a in truth.accounts.items() if a.failures} == dict(failures)
    assert {p: a.pieces for p, a in truth.accounts.items() if a.count_rows} == dict(pieces)
    assert truth.counted_days == days_with_evidence & {
        seoul_day(row.at_us) for row in rows if isinstance(row, CountRow)
    }


def test_a_hold_over_midnight_is_evidence_of_both_days() -> None:
    registered = RegisteredMachine(2 * HOUR_US, None, us(-(10**6)), [us(-(10**6))])
    rows = (StateRow("M01", us(-3600), State.idle, Mode.unknown), CountRow("M01", us(1800), 1))
    truth = machine_truth(registered, rows, us(-7200), us(7200))
    assert {day: dict(account.state_us) for (_, day), account in truth.accounts.items()} == {
        dt.date(2024, 3, 3): {State.idle: HOUR_US},
        dt.date(2024, 3, 4): {State.idle: HOUR_US},
    }
    assert truth.counted_days == {dt.date(2024, 3, 4)}
