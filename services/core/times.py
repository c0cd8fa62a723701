"""Instants and Seoul's days as integers: microseconds since the Unix epoch, and nothing else, inside the services.

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
"""2000-01-01 00:00 in Seoul: where registry versions without a beginning begin."""
LAST_INSTANT_US = 253_402_214_400_000_000
"""9999-12-31 00:00 UTC: where registry versions without an end would end."""


def to_us(moment: dt.datetime) -> int:
    """Microseconds since the epoch of an aware datetime."""
    return (moment - EPOCH) // MICROSECOND


def from_us(us: int) -> dt.datetime:
    """The aware UTC datetime of microseconds since the epoch."""
    return EPOCH + dt.timedelta(microseconds=us)


def seoul_midnight_us(day: dt.date) -> int:
    """The instant at which a day begins in Seoul."""
    return (day - EPOCH_DATE).days * DAY_US - SEOUL_OFFSET_US


def seoul_day(us: int) -> dt.date:
    """The day that an instant falls on in Seoul."""
    return EPOCH_DATE + dt.timedelta(days=(us + SEOUL_OFFSET_US) // DAY_US)


def floor_to(us: int, step_us: int) -> int:
    """The last multiple of ``step_us`` at or before an instant (steps of a UTC hour are also Seoul's hours)."""
    return us - us % step_us


def ceil_to(us: int, step_us: int) -> int:
    """The first multiple of ``step_us`` at or after an instant."""
    return -(-us // step_us) * step_us


def rfc3339(us: int) -> str:
    """An instant as RFC 3339 in UTC, with microseconds only where there are some."""
    return from_us(us).isoformat().replace("+00:00", "Z")
