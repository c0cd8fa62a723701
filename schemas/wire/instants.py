"""Instants on the wire: RFC 3339 with an offset, or integer Unix milliseconds; inside, integer microseconds."""

import datetime as dt
import re

RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
FIRST_US = (dt.datetime(1, 1, 1, tzinfo=dt.UTC) - EPOCH) // MICROSECOND
LAST_US = (dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, dt.UTC) - EPOCH) // MICROSECOND


def parse_text(text: str) -> int | None:
    """Parse an RFC 3339 date-time into microseconds since the Unix epoch, floored; None if invalid or out of range."""
    match = RFC3339.fullmatch(text)
    if match is None:
        return None
    day, time, fraction, sign, hours, minutes = match.groups()
    try:
        moment = dt.datetime.fromisoformat(f"{day}T{time}+00:00")
    except ValueError:
        return None
    us = (moment - EPOCH) // MICROSECOND
    if fraction is not None:
        us += int(fraction[:6].ljust(6, "0"))
    if sign is not None:
        if int(hours) > 23 or int(minutes) > 59:
            return None
        offset = (int(hours) * 60 + int(minutes)) * 60_000_000
        us += offset if sign == "-" else -offset
    return us if FIRST_US <= us <= LAST_US else None


def parse_milliseconds(ms: int) -> int | None:
    """Convert Unix milliseconds to microseconds; None outside the years 1 to 9999."""
    us = ms * 1000
    return us if FIRST_US <= us <= LAST_US else None


def format_us(us: int) -> str:
    """Format as RFC 3339 in UTC with microseconds."""
    return (EPOCH + us * MICROSECOND).isoformat(timespec="microseconds")[:-6] + "Z"


def format_ms(us: int) -> int:
    """Convert to Unix milliseconds, floored: the other form of an instant on the wire, and the faster one to decode."""
    return us // 1000
