"""Windows and the buckets that an interval cuts them into. Pure.

A bucket is the same figure in whatever window it is asked for, so windows begin and end on the interval's boundaries.
"""

import calendar
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import overload

from services.core.times import DAY_US, HOUR_US, SEOUL_OFFSET_US, floor_to, rfc3339, seoul_day, seoul_midnight_us


class Interval(StrEnum):
    """How a window is cut; days and months are Seoul's."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


STEPS = {Interval.HOUR: HOUR_US, Interval.DAY: DAY_US}
"""How long buckets are that are all of one length."""


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


@dataclass(frozen=True, slots=True)
class Buckets(Sequence[Bucket]):
    """The buckets of a window, in order. Each is computed when it is asked for, since there may be a million.

    Attributes:
        from_us: on one of the interval's boundaries.
        to_us: where the last bucket ends, on a boundary or not.
    """

    from_us: int
    to_us: int
    interval: Interval

    def __len__(self) -> int:
        return self.index_of(self.to_us - 1) + 1 if self.from_us < self.to_us else 0

    @overload
    def __getitem__(self, index: int) -> Bucket: ...

    @overload
    def __getitem__(self, index: slice) -> "list[Bucket]": ...

    def __getitem__(self, index: "int | slice") -> "Bucket | list[Bucket]":
        count = len(self)
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(count))]
        if not -count <= index < count:
            raise IndexError(index)
        return self.starting_at(self.start_of(index % count))

    def __iter__(self) -> Iterator[Bucket]:
        start = self.from_us
        while start < self.to_us:
            bucket = self.starting_at(start)
            yield bucket
            start = bucket.to_us

    def starting_at(self, start_us: int) -> Bucket:
        """Return the bucket that begins at one of the interval's boundaries."""
        end_us = self.to_us if self.interval is Interval.TOTAL else following(start_us, self.interval)
        return Bucket(start_us, min(end_us, self.to_us))

    def index_of(self, us: int) -> int:
        """Return the index of the bucket that contains an instant of the window."""
        if self.interval is Interval.TOTAL:
            return 0
        if self.interval is Interval.MONTH:
            return month_number(seoul_day(us)) - month_number(seoul_day(self.from_us))
        return (us - self.from_us) // STEPS[self.interval]

    def start_of(self, index: int) -> int:
        """Return the instant at which a bucket begins."""
        if self.interval is Interval.TOTAL:
            return self.from_us
        if self.interval is Interval.MONTH:
            year, month = divmod(month_number(seoul_day(self.from_us)) + index, 12)
            return seoul_midnight_us(dt.date(year, month + 1, 1))
        return self.from_us + index * STEPS[self.interval]

    def until(self, us: int) -> "Buckets":
        """Return the buckets that begin before an instant; the last of them ends at it at the latest."""
        return Buckets(self.from_us, max(self.from_us, min(self.to_us, us)), self.interval)


def month_number(day: dt.date) -> int:
    """Return how many months lie between the beginning of the calendar and a day's."""
    return day.year * 12 + day.month - 1


def buckets(from_us: int, to_us: int, interval: Interval) -> Buckets:
    """Return the window's buckets, in order.

    Raises:
        ValueError: if the window is empty, or not on the interval's boundaries; then the nearest are named.
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
    return Buckets(from_us, to_us, interval)
