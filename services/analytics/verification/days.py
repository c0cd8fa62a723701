"""Days in Seoul, for the second implementation, which has its own calendar arithmetic. Instants are microseconds."""

import datetime as dt

MINUTE = 60_000_000
DAY = 1440 * MINUTE
SEOUL = 540 * MINUTE
"""Nine hours."""
EPOCH = dt.date(1970, 1, 1)


def day_of(instant_us: int) -> dt.date:
    """Return an instant's day in Seoul."""
    return EPOCH + dt.timedelta(days=(instant_us + SEOUL) // DAY)


def midnight(day: dt.date) -> int:
    """Return the instant at which a day begins in Seoul."""
    return (day - EPOCH).days * DAY - SEOUL
