"""Converts instants and Seoul's days. Inside the services an instant is an integer: microseconds since the Unix epoch.

Seoul has kept UTC+9 without daylight saving since October 1988, and Jejo accepts no instant before 2000, so a fixed
offset is exact.
"""

import datetime as dt

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US

SEOUL = dt.timezone(dt.timedelta(hours=9), "Asia/Seoul")
SEOUL_OFFSET_US = 9 * HOUR_US

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
EPOCH_DATE = dt.date(1970, 1, 1)
MICROSECOND = dt.timedelta(microseconds=1)

FIRST_INSTANT_US = 946_652_400_000_000
"""2000-01-01 00:00 in Seoul: the start of registry versions without an explicit start."""
LAST_INSTANT_US = 253_402_214_400_000_000
"""9999-12-31 00:00 UTC: the end of registry versions without an explicit end."""


def to_us(moment: dt.datetime) -> int:
    """Convert an aware datetime to microseconds since the epoch."""
    return (moment - EPOCH) // MICROSECOND


def from_us(us: int) -> dt.datetime:
    """Convert microseconds since the epoch to an aware UTC datetime."""
    return EPOCH + dt.timedelta(microseconds=us)


def seoul_midnight_us(day: dt.date) -> int:
    """Return the instant at which a day begins in Seoul, in microseconds since the epoch."""
    return (day - EPOCH_DATE).days * DAY_US - SEOUL_OFFSET_US


def seoul_day(us: int) -> dt.date:
    """Return the day in Seoul that an instant falls on."""
    return EPOCH_DATE + dt.timedelta(days=(us + SEOUL_OFFSET_US) // DAY_US)


def floor_to(us: int, step_us: int) -> int:
    """Round an instant down to a multiple of ``step_us``; hours in UTC are also hours in Seoul."""
    return us - us % step_us


def ceil_to(us: int, step_us: int) -> int:
    """Round an instant up to a multiple of ``step_us``."""
    return -(-us // step_us) * step_us


def rfc3339(us: int) -> str:
    """Format an instant as RFC 3339 in UTC, with microseconds only if they are not zero."""
    return from_us(us).isoformat().replace("+00:00", "Z")
