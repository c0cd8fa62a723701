"""Calendars in cells of a CSV file: ``mon-fri 08:00-20:00; sat 08:00-12:00``. Pure.

Parsed into the form that a PUT has, so that the same rules apply.
"""

import re
from typing import Any

from services.api.registry.calendars import WEEK, Weekday

NO_CALENDAR = "none"
NO_SHIFTS = "closed"
DATE_FIRST = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_weekly(cell: str) -> list[dict[str, Any]] | None:
    """Returns the field ``weekly`` of a PUT: None for ``none``, which ends a calendar; empty for ``closed``.

    Each part between semicolons has days (``mon``, ``mon-fri``, ``mon,wed,fri-sun``) and one or more shifts.

    Raises:
        ValueError: if the cell is neither.
    """
    text = cell.strip().lower()
    if text == NO_CALENDAR:
        return None
    if text == NO_SHIFTS:
        return []
    entries: list[dict[str, Any]] = []
    for part in parts_of(text):
        days, *shifts = part.split()
        if not shifts:
            raise ValueError(f"{part} has no shift; write days and shifts, as mon-fri 08:00-20:00; sat 08:00-12:00")
        entries += ({"days": parse_days(days), **parse_shift(shift)} for shift in shifts)
    return entries


def parse_exceptions(cell: str) -> list[dict[str, Any]]:
    """Returns the field ``exceptions`` of a PUT: ``2026-12-26; 2026-12-27 08:00-12:00``, where the first has no shifts.

    Raises:
        ValueError: if the cell is not that.
    """
    entries = []
    for part in parts_of(cell.strip()):
        day, *shifts = part.split()
        if not DATE_FIRST.fullmatch(day):
            raise ValueError("write days and their shifts, as 2026-12-26; 2026-12-27 08:00-12:00")
        entries.append({"date": day, "shifts": [parse_shift(shift) for shift in shifts]})
    return entries


def parts_of(text: str) -> list[str]:
    """Returns what is between semicolons; the last may be followed by one.

    Raises:
        ValueError: if nothing is between two of them.
    """
    parts = [part.strip() for part in text.removesuffix(";").split(";")]
    if not all(parts):
        raise ValueError("nothing is between two semicolons; remove one of them")
    return parts


def parse_shift(text: str) -> dict[str, str]:
    """Returns a shift as a PUT has it.

    Raises:
        ValueError: if it is not two times with a hyphen between them.
    """
    start, hyphen, end = text.partition("-")
    if not (start and hyphen and end):
        raise ValueError(f"{text} is no shift; write one as 08:00-20:00")
    return {"from": start, "to": end}


def parse_days(text: str) -> list[Weekday]:
    """Returns days that are separated by commas; two with a hyphen between them are a range, which may run over Sunday.

    Raises:
        ValueError: if a day is unknown.
    """
    days: list[Weekday] = []
    for part in text.split(","):
        first, hyphen, last = part.partition("-")
        start = position_of(first)
        count = (position_of(last) - start) % len(WEEK) + 1 if hyphen else 1
        days += (WEEK[(start + number) % len(WEEK)] for number in range(count))
    return days


def position_of(name: str) -> int:
    """Returns the position of a day in the week.

    Raises:
        ValueError: if the day is unknown.
    """
    if name not in WEEK:
        raise ValueError(f"there is no day {name!r}; the days are {', '.join(WEEK)}")
    return WEEK.index(Weekday(name))
