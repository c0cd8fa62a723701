"""The part counter, compared with a simpler statement of its rule."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.mtconnect import PartCounter

VALUES = st.one_of(st.integers(0, 20), st.integers(0, 2**31 - 1))
TOTALS = st.lists(st.one_of(VALUES, st.sampled_from(["UNAVAILABLE", "Unavailable"])), max_size=40)


def expected(totals: list[int | str]) -> int:
    """Return the sum of each total's increase over the one before it, if neither is UNAVAILABLE."""
    made = 0
    for before, total in pairwise(totals):
        if isinstance(before, int) and isinstance(total, int):
            made += total - before if total >= before else total
    return made


@given(TOTALS)
def test_the_counts_add_up(totals: list[int | str]) -> None:
    counter = PartCounter()
    made = [counter.count(str(total)) for total in totals]
    assert sum(count or 0 for count in made) == expected(totals)
    assert all(count is None or count >= 0 for count in made)


@given(TOTALS, st.integers(1, 3))
def test_repeats_change_nothing(totals: list[int | str], times: int) -> None:
    counter = PartCounter()
    made = [counter.count(str(total)) for total in totals for _ in range(times)]
    assert sum(count or 0 for count in made) == expected(totals)


@given(st.integers(0, 1000), st.lists(st.integers(0, 100), max_size=30))
def test_a_counter_that_only_rises_counts_its_whole_increase(start: int, steps: list[int]) -> None:
    counter = PartCounter()
    total, made = start, [counter.count(str(start))]
    for step in steps:
        total += step
        made.append(counter.count(f"{total}.000000"))
    assert sum(count or 0 for count in made) == total - start
