"""Windows and the buckets that an interval cuts them into. Pure.

A bucket is the same figure in whatever window it is asked for, so windows begin and end on the interval's boundaries.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.core.times import DAY_US, HOUR_US, SEOUL_OFFSET_US, floor_to, rfc3339, seoul_day, seoul_midnight_us

MOST_BUCKETS = 20_000


class Interval(StrEnum):
    """How a window is cut; days and months are Seoul's."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Bucket:
    """[from, to) in microseconds."""

    from_us: int
    to_us: int


def floor(us: int, interval: Interval) -> int:
    """Return the interval's last boundary at or before an instant."""
    if interval is Interval.MONTH:
        return seoul_midnight_us(seoul_day(us).replace(day=1))
    if interval is Interval.DAY:
        return floor_to(us + SEOUL_OFFSET_US, DAY_US) - SEOUL_OFFSET_US
    return floor_to(us, HOUR_US)


def following(boundary_us: int, interval: Interval) -> int:
    """Return the interval's boundary after one of its boundaries."""
    if interval is Interval.MONTH:
        first = seoul_day(boundary_us)
        return boundary_us + calendar.monthrange(first.year, first.month)[1] * DAY_US
    return boundary_us + (DAY_US if interval is Interval.DAY else HOUR_US)


def buckets(from_us: int, to_us: int, interval: Interval) -> list[Bucket]:
    """Return the window's buckets, in order.

    Raises:
        ValueError: if the window is empty, too long, or not on the interval's boundaries; then the nearest are named.
    """
    for name, us in (("from", from_us), ("to", to_us)):
        before = floor(us, interval)
        if before != us:
            after = following(before, interval)
            raise ValueError(
                f"{name} must lie on a boundary of interval {interval}; "
                f"the nearest are {rfc3339(before)} and {rfc3339(after)}"
            )
    if from_us >= to_us:
        raise ValueError("from must lie before to")
    if interval is Interval.TOTAL:
        return [Bucket(from_us, to_us)]
    found = []
    for bucket in steps(from_us, to_us, interval):
        found.append(bucket)
        if len(found) > MOST_BUCKETS:
            raise ValueError(f"ask for at most {MOST_BUCKETS} buckets at once; a longer interval has fewer")
    return found


def steps(from_us: int, to_us: int, interval: Interval) -> Iterator[Bucket]:
    """Yield the interval's buckets of a window, in order."""
    while from_us < to_us:
        after = following(from_us, interval)
        yield Bucket(from_us, after)
        from_us = after
