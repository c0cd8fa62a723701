"""A factory's calendar in canonical form: the shifts of each weekday, and days that are exceptions. Pure.

Times within a day are minutes since midnight in Seoul.
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

DAY_MIN = 1440
TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")


class Weekday(StrEnum):
    """A day of the week, from Monday."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WEEK = tuple(Weekday)


class Shift(NamedTuple):
    """When one shift is; ``to_min`` is above 1440 if it ends on the day after the one on which it begins."""

    from_min: int
    to_min: int

    @property
    def end_min(self) -> int:
        """The time at which it ends, whatever the day; 1440 for midnight."""
        return self.to_min if self.to_min <= DAY_MIN else self.to_min - DAY_MIN

    def __str__(self) -> str:
        return f"{clock_time(self.from_min)}-{clock_time(self.end_min)}"


Shifts = tuple[Shift, ...]


class ShiftedDays(NamedTuple):
    """One shift, and the days of the week that have it."""

    days: tuple[Weekday, ...]
    shift: Shift


@dataclass(frozen=True, slots=True)
class Plan:
    """When a factory works. Two plans are equal if, and only if, they are the same in every week and exception.

    Attributes:
        weekly: the shifts of each weekday, seven items from Monday.
        takes_holidays: public holidays have no shifts.
        exceptions: days whose shifts replace those of the week and of holidays, in order of time.
    """

    weekly: tuple[Shifts, ...]
    takes_holidays: bool
    exceptions: tuple[tuple[dt.date, Shifts], ...]

    def shifts_on(self, day: dt.date, *, is_holiday: bool) -> Shifts:
        """Returns the shifts that begin on a day."""
        exception = dict(self.exceptions).get(day)
        if exception is not None:
            return exception
        return () if is_holiday and self.takes_holidays else self.weekly[day.weekday()]

    def is_exception(self, day: dt.date) -> bool:
        """Whether a day is an exception."""
        return any(exception == day for exception, _ in self.exceptions)

    def by_shift(self) -> list[ShiftedDays]:
        """Returns the shifts of the week, each once with its days, in the order in which they first begin."""
        days: dict[Shift, list[Weekday]] = {}
        for weekday, shifts in zip(WEEK, self.weekly, strict=True):
            for shift in shifts:
                days.setdefault(shift, []).append(weekday)
        return [ShiftedDays(tuple(found), shift) for shift, found in days.items()]


def clock_time(minutes: int) -> str:
    """Returns a time as HH:MM."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def parse_time(text: object) -> int:
    """Returns the minutes of a time HH:MM, at most 24:00.

    Raises:
        ValueError: if it is not one.
    """
    found = TIME.fullmatch(text) if isinstance(text, str) else None
    minutes = DAY_MIN + 1 if found is None else 60 * int(found[1]) + int(found[2])
    if minutes > DAY_MIN:
        raise ValueError(
            "write a time as HH:MM, from 00:00 to 24:00; a shift lasts at most 24 hours, and one whose end is before "
            "its start ends on the next day"
        )
    return minutes


def parse_start(text: object) -> int:
    """Returns the minutes of the time at which a shift begins.

    Raises:
        ValueError: if it is not the time of a start.
    """
    minutes = parse_time(text)
    if minutes == DAY_MIN:
        raise ValueError("a shift from 24:00 begins on the next day; write 00:00 there")
    return minutes


def make_shift(from_min: int, end_min: int) -> Shift:
    """Returns the shift between two times; one whose end is before its start ends on the next day.

    Raises:
        ValueError: if it has no length.
    """
    if from_min == end_min:
        raise ValueError("a shift of no length; correct it, or write 00:00 to 24:00 for the whole day")
    return Shift(from_min, end_min if end_min > from_min else end_min + DAY_MIN)


def in_order(shifts: Iterable[Shift], day: str) -> Shifts:
    """Returns the shifts of a day in order of time. One may begin when another ends.

    Args:
        day: what an error calls the day.

    Raises:
        ValueError: if two overlap.
    """
    ordered = tuple(sorted(shifts))
    for shift, following in pairwise(ordered):
        if following.from_min < shift.to_min:
            raise ValueError(f"the shifts {shift} and {following} of {day} overlap; correct one of them")
    return ordered


def weekly_of(entries: Iterable[ShiftedDays]) -> tuple[Shifts, ...]:
    """Returns the shifts of each weekday.

    Raises:
        ValueError: if two shifts of a day overlap.
    """
    by_day: dict[Weekday, list[Shift]] = {day: [] for day in WEEK}
    for days, shift in entries:
        for day in days:
            by_day[day].append(shift)
    return tuple(in_order(by_day[day], day) for day in WEEK)


def exceptions_of(entries: Iterable[tuple[dt.date, Sequence[Shift]]]) -> tuple[tuple[dt.date, Shifts], ...]:
    """Returns exceptions in order of time.

    Raises:
        ValueError: if a day comes twice, or two shifts of a day overlap.
    """
    found: dict[dt.date, Shifts] = {}
    for day, shifts in entries:
        if day in found:
            raise ValueError(f"{day} is an exception twice; write all of its shifts in one")
        found[day] = in_order(shifts, day.isoformat())
    return tuple(sorted(found.items()))


def to_json(plan: Plan) -> str:
    """Returns the canonical JSON in which a plan is stored: equal plans have equal texts."""
    content = {
        "weekly": {str(number): shifts for number, shifts in enumerate(plan.weekly) if shifts},
        "holidays": plan.takes_holidays,
        "exceptions": {day.isoformat(): shifts for day, shifts in plan.exceptions},
    }
    return json.dumps(content)


def from_json(content: Mapping[str, Any]) -> Plan:
    """Returns the plan of stored JSON."""
    weekly, exceptions = content["weekly"], content["exceptions"]
    return Plan(
        tuple(shifts_of(weekly.get(str(number), ())) for number in range(len(WEEK))),
        content["holidays"],
        tuple((dt.date.fromisoformat(day), shifts_of(exceptions[day])) for day in sorted(exceptions)),
    )


def shifts_of(pairs: Iterable[Sequence[int]]) -> Shifts:
    """Returns stored pairs as shifts."""
    return tuple(Shift(*pair) for pair in pairs)


def days_of_year(year: int) -> Iterator[dt.date]:
    """Yields the days of a year."""
    first = dt.date(year, 1, 1)
    return (first + dt.timedelta(days=number) for number in range((dt.date(year, 12, 31) - first).days + 1))
