"""Works out when a factory's shifts are a second time, day by day, from its calendars and the holidays.

It uses neither the patterns that the registry keeps for the first implementation nor the function that reads them.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from services.analytics.verification import queries
from services.analytics.verification.days import DAY, MINUTE, day_of, midnight
from services.core.database import Connection

Stretch = tuple[int, int]
"""[start, end) in microseconds."""
Pattern = tuple[int, int]
"""The number of the calendar in force, and of that whose last shift may run in over midnight; 0 for none."""


@dataclass(frozen=True, slots=True)
class CalendarVersion:
    """A calendar in force for [from, to); ``content`` as it is stored, None for no calendar."""

    from_us: int
    to_us: int
    number: int
    content: Mapping[str, Any] | None

    def shifts_of(self, day: dt.date, holidays: frozenset[dt.date]) -> list[list[int]]:
        """Return the shifts that begin on a day, in minutes since its midnight."""
        if self.content is None:
            return []
        exceptional: list[list[int]] | None = self.content["exceptions"].get(day.isoformat())
        if exceptional is not None:
            return exceptional
        if self.content["holidays"] and day in holidays:
            return []
        weekly: list[list[int]] = self.content["weekly"].get(str(day.weekday()), [])
        return weekly

    @property
    def runs_over(self) -> bool:
        """Whether any shift ends on the day after it began."""
        if self.content is None:
            return False
        plans = (*self.content["weekly"].values(), *self.content["exceptions"].values())
        return any(end > 1440 for plan in plans for _, end in plan)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A factory's calendars in order of time, and the public holidays."""

    versions: Sequence[CalendarVersion]
    holidays: frozenset[dt.date]

    def at(self, us: int) -> CalendarVersion | None:
        """Return the version in force at an instant."""
        return next((version for version in self.versions if version.from_us <= us < version.to_us), None)

    def pattern(self, us: int) -> Pattern | None:
        """Return which calendars say when the shifts are at an instant; None where all time is scheduled."""
        version = self.at(us)
        if version is None or version.content is None:
            return None
        before = self.at(version.from_us - 1)
        is_first_day = us < version.from_us + DAY
        if is_first_day and (version.runs_over or (before is not None and before.runs_over)):
            return version.number, 0 if before is None or before.content is None else before.number
        return version.number, version.number

    def changes(self) -> set[int]:
        """Return the instants at which the pattern may change."""
        return {us for version in self.versions for us in (version.from_us, version.to_us, version.from_us + DAY)}

    def shifts(self, from_us: int, to_us: int) -> list[Stretch]:
        """Return all shifts that touch a window, in order; those that touch or overlap as one."""
        found: list[Stretch] = []
        day = day_of(from_us - DAY)
        while (start_us := midnight(day)) < to_us:
            version = self.at(start_us)
            if version is not None:
                plan = version.shifts_of(day, self.holidays)
                found += [(start_us + start * MINUTE, start_us + end * MINUTE) for start, end in plan]
            day += dt.timedelta(days=1)
        return united(found)


def united(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return stretches of time in order, those that touch or overlap as one."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


async def read_schedule(connection: Connection, factory: int) -> Schedule:
    """Return a factory's calendars and the holidays, as the registry has them now."""
    versions = [
        CalendarVersion(start, end, number or 0, None if content is None else msgspec.json.decode(content))
        for start, end, number, content in await connection.fetch(queries.CALENDARS, factory)
    ]
    if not versions:
        return Schedule((), frozenset())
    holidays = await connection.fetch(queries.HOLIDAYS)
    return Schedule(versions, frozenset(row["day"] for row in holidays))
