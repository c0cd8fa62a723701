"""Which items a page has, and into which parts it is cut, against all items of a small question."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from services.api.kpis.paging import PART, keys_in, page_of, parts_of
from services.api.kpis.questions import GroupBy, Question, Scope
from services.api.kpis.sums import Key
from services.api.kpis.windows import Buckets, Interval
from services.core.times import HOUR_US

START_US = 1_488_294_000_000_000
HOURS = 20
times_of_label = st.lists(st.integers(0, 2 * HOURS), unique=True, max_size=8).map(
    lambda edges: list(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)
"""When a label is in use, in half hours."""


def window(hours: int) -> Buckets:
    return Buckets(START_US, START_US + hours * HOUR_US, Interval.HOUR)


@given(st.lists(times_of_label, max_size=5), st.integers(-1, 6 * HOURS), st.integers(1, 40))
async def test_a_page_has_the_next_buckets_in_use(labels: list[list[tuple[int, int]]], place: int, most: int) -> None:
    buckets, half = window(HOURS), HOUR_US // 2
    times = [(f"l{n}", START_US + a * half, START_US + b * half) for n, own in enumerate(labels) for a, b in own]
    every = sorted(
        {(label, b.from_us) for label, start, end in times for b in buckets if start < b.to_us and end > b.from_us}
    )
    after = None if place < 0 else (f"l{place // HOURS}", START_US + place % HOURS * HOUR_US)
    expected = [key for key in every if after is None or key > after]
    assert await keys_in(times, buckets, after, most) == expected[:most]


@given(st.lists(st.integers(1, 3 * PART), min_size=1, max_size=6), st.integers(1, 4 * PART), st.integers(0, 3 * PART))
def test_parts_are_the_page_and_read_little_more(sizes: list[int], limit: int, skipped: int) -> None:
    """Every label is in use from the beginning, each for as many hours as its size."""
    buckets = window(3 * PART)
    keys = [(f"factory:F{n}", buckets.start_of(i)) for n, size in enumerate(sizes) for i in range(size)][skipped:]
    page = page_of(keys, limit)
    question = Question(Scope("nation"), GroupBy.FACTORY, Interval.HOUR, buckets, buckets.to_us)
    parts = list(parts_of(question, buckets, page))
    assert [key for part in parts for key in part.keys] == list(page.keys)
    assert (page.next_cursor is not None) == (len(keys) > limit)
    rows = 0
    for part in parts:
        asked, labels = part.question.buckets, part.question.only or ()
        assert len(asked) <= PART
        assert {key[0] for key in part.keys} == set(labels)
        assert {key[1] for key in part.keys} == {bucket.from_us for bucket in asked}
        for label in labels:
            last = buckets.start_of(sizes[int(label.removeprefix("factory:F"))] - 1)
            span = buckets.index_of(min(last, asked[-1].from_us)) - buckets.index_of(asked[0].from_us) + 1
            rows += max(span, 0)
    assert rows == len(page.keys)


def test_many_buckets_of_few_labels_are_no_part_of_many_labels() -> None:
    """The tail of one label, whole labels, and the head of another are read apart."""
    buckets = window(2 * PART)
    whole = [f"factory:F{n}" for n in range(1, 5)]
    keys: list[Key] = [("factory:F0", buckets.start_of(2 * PART - 1))]
    keys += [(label, buckets.start_of(i)) for label in whole for i in range(3)]
    keys += [("factory:F9", buckets.start_of(0))]
    question = Question(Scope("nation"), GroupBy.FACTORY, Interval.HOUR, buckets, buckets.to_us)
    parts = list(parts_of(question, buckets, page_of(keys, 100)))
    assert [part.question.only for part in parts] == [("factory:F0",), tuple(whole), ("factory:F9",)]
    assert [[k for k, _ in groupby(key[0] for key in part.keys)] for part in parts][1] == whole
