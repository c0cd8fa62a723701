"""Random calendars, in the form in which they are stored."""

import random
from typing import Any

from services.core.times import DAY_US, seoul_day

A_DAY = 1440


def random_calendar(source: random.Random, near_us: int) -> dict[str, Any]:
    """Return a calendar: shifts on some weekdays, with exceptions within three days of an instant."""
    weekly = {str(day): random_shifts(source) for day in range(7) if source.random() < 0.8}
    days = [seoul_day(near_us + n * DAY_US) for n in range(-3, 4)]
    exceptions = {str(day): random_shifts(source) for day in days if source.random() < 0.2}
    return {
        "weekly": {day: shifts for day, shifts in weekly.items() if shifts},
        "holidays": source.random() < 0.5,
        "exceptions": exceptions,
    }


def random_shifts(source: random.Random) -> list[list[int]]:
    """Return shifts of a day, which do not overlap; the last may end on the day after."""
    bounds = sorted(
        source.sample([*range(0, A_DAY + 1, 30), *source.sample(range(A_DAY), 9)], source.choice((0, 2, 2, 4)))
    )
    shifts = [[start, end] for start, end in zip(bounds[::2], bounds[1::2], strict=True) if start < end]
    if shifts and source.random() < 0.4:
        start = shifts[-1][0]
        shifts[-1] = [start, min(start + source.choice((60, 480, 720, A_DAY)), 2 * A_DAY - 1)]
    return [shift for shift in shifts if shift[0] < A_DAY]
