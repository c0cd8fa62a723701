"""Gaps by runs equal a naive search through single numbers, however the runs overlap."""

import datetime as dt
import random

from hypothesis import given
from hypothesis import strategies as st

from services.analytics.quality.sequences import Gaps, Run, gaps_by_day

MONDAY = dt.date(2026, 11, 23)

runs = st.builds(
    lambda day, first, length: Run(MONDAY + dt.timedelta(days=day), first, first + length),
    st.integers(0, 4),
    st.integers(0, 40),
    st.integers(0, 6),
)


def naive_gaps(received: list[Run]) -> dict[dt.date, Gaps]:
    """Look at every number between the lowest and the highest, one by one."""
    days = {
        number: min(run.day for run in received if run.first <= number <= run.last)
        for own in received
        for number in range(own.first, own.last + 1)
    }
    found: dict[dt.date, Gaps] = {}
    missing = 0
    for number in range(min(days, default=0), max(days, default=-1) + 1):
        if number not in days:
            missing += 1
        elif missing:
            known = found.get(days[number], Gaps())
            found[days[number]] = Gaps(known.gaps + 1, known.lost + missing)
            missing = 0
    return found


@given(st.lists(runs, max_size=12))
def test_gaps_are_those_of_single_numbers(received: list[Run]) -> None:
    assert gaps_by_day(received) == naive_gaps(received)


@given(st.lists(runs, min_size=1, max_size=8), st.randoms())
def test_neither_order_nor_repetition_matters(received: list[Run], chance: random.Random) -> None:
    again = received + [chance.choice(received) for _ in range(3)]
    chance.shuffle(again)
    assert gaps_by_day(again) == gaps_by_day(received)
