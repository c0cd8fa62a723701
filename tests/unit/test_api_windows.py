"""Buckets of a window, on Seoul's boundaries."""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.kpis.windows import Bucket, Interval, buckets, floor, following
from services.core.times import FIRST_INSTANT_US, HOUR_US, seoul_day, seoul_midnight_us

instants = st.integers(FIRST_INSTANT_US, 4_000_000_000_000_000)


def seoul(year: int, month: int, day: int) -> int:
    return seoul_midnight_us(dt.date(year, month, day))


def test_months_begin_at_midnight_in_seoul() -> None:
    found = buckets(seoul(2016, 12, 1), seoul(2017, 3, 1), Interval.MONTH)
    assert list(found) == [
        Bucket(seoul(2016, 12, 1), seoul(2017, 1, 1)),
        Bucket(seoul(2017, 1, 1), seoul(2017, 2, 1)),
        Bucket(seoul(2017, 2, 1), seoul(2017, 3, 1)),
    ]


def test_total_is_one_bucket_on_whole_hours() -> None:
    start = seoul(2017, 3, 1) + 5 * HOUR_US
    assert list(buckets(start, start + HOUR_US, Interval.TOTAL)) == [Bucket(start, start + HOUR_US)]
    with pytest.raises(ValueError, match="boundary of interval total"):
        buckets(start + 1, start + HOUR_US, Interval.TOTAL)


def test_the_last_month_has_an_end() -> None:
    with pytest.raises(ValueError, match="nearest are 9999-11-30T15:00:00Z and 9999-12-31T15:00:00Z"):
        buckets(seoul(9999, 11, 1), seoul(9999, 12, 30), Interval.MONTH)


@given(instants, st.sampled_from(Interval))
def test_boundaries_enclose_every_instant(us: int, interval: Interval) -> None:
    before = floor(us, interval)
    after = following(before, interval)
    assert before <= us < after
    assert floor(before, interval) == before
    assert floor(after, interval) == after
    assert floor(after - 1, interval) == before
    if interval is Interval.MONTH:
        assert seoul_day(before).day == seoul_day(after).day == 1


@given(instants, st.integers(1, 60), st.sampled_from([Interval.HOUR, Interval.DAY, Interval.MONTH]))
def test_buckets_cover_the_window_without_gap(us: int, count: int, interval: Interval) -> None:
    start = end = floor(us, interval)
    for _ in range(count):
        end = following(end, interval)
    found = buckets(start, end, interval)
    assert len(found) == count
    assert found[0].from_us == start
    assert found[-1].to_us == end
    assert all(a.to_us == b.from_us for a, b in pairwise(found))


def test_an_end_within_the_last_month_is_refused_with_its_boundaries() -> None:
    """The refusal of an end within it names them, although no month follows."""
    with pytest.raises(ValueError, match="9999-11-30T15:00:00Z and 9999-12-31T15:00:00Z"):
        buckets(seoul(9999, 11, 1), seoul(9999, 12, 2), Interval.MONTH)


@given(instants, st.integers(1, 5000), st.sampled_from(Interval), st.data())
def test_buckets_are_computed_as_they_follow_each_other(
    us: int, hours: int, interval: Interval, data: st.DataObject
) -> None:
    start = floor(us, interval)
    end = floor(start + hours * HOUR_US, interval)
    if end == start:
        end = following(start, interval)
    found = buckets(start, end, interval)
    listed = list(found)
    assert len(listed) == len(found)
    assert (listed[-1], found[-len(listed)]) == (found[-1], listed[0])
    index = data.draw(st.integers(0, len(found) - 1))
    assert found.start_of(index) == listed[index].from_us
    inside = data.draw(st.integers(listed[index].from_us, listed[index].to_us - 1))
    assert found.index_of(inside) == index
    begun = found.until(inside)
    assert list(begun) == [Bucket(b.from_us, min(b.to_us, inside)) for b in listed if b.from_us < inside]


def test_a_window_of_millions_is_not_listed() -> None:
    found = buckets(seoul(2000, 1, 1), seoul(9000, 1, 1), Interval.HOUR)
    assert len(found) == (seoul(9000, 1, 1) - seoul(2000, 1, 1)) // HOUR_US
    assert found[-1].to_us == seoul(9000, 1, 1)
    assert len(found.until(0)) == 0
