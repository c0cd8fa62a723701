"""Keeps the rows of days of receipt that are over, exact after every transaction.

After every commit, the rows of every factory and day before ``closed_before`` that has no mark equal a recomputation
from ``ingest_record`` and ``refused_record``; gaps are those of all days that are kept of a boot. Ingest commits a mark
with whatever it changes of a closed day, and asks which days are closed under a lock that closing waits for. Whoever
deletes a mark reads the records only afterwards, in a later statement of READ COMMITTED.
"""

import datetime as dt
import time
from collections.abc import Callable
from itertools import groupby
from typing import NamedTuple

import asyncpg

from services.analytics.quality import queries
from services.analytics.quality.sequences import Run, gaps_by_day
from services.core.database import Connection
from services.core.times import MINUTE_US, seoul_day

CLOSES_AFTER_US = 10 * MINUTE_US
"""How long after its end a day is closed: what ingest reads of it by then need not be computed twice."""
LOCK_WAIT = "SET LOCAL lock_timeout = '2s'"
"""Ingest's transactions are short; if one stands still, the next cycle tries again and ingest goes on meanwhile."""
DAYS_AT_ONCE = 100


class Boot(NamedTuple):
    """One run of a factory's gateway, within which sequence numbers count."""

    factory: int
    gateway_id: str
    boot_id: str


async def keep_quality(connection: Connection, now_us: int, stopping: Callable[[], bool], seconds: float) -> bool:
    """Close days that are over and compute what is marked, for about so many seconds.

    Returns:
        Whether something may be left.
    """
    deadline = time.monotonic() + seconds
    before = seoul_day(now_us - CLOSES_AFTER_US)
    while await close_day(connection, before):
        if stopping() or time.monotonic() > deadline:
            return True
    while await settle_days(connection):
        if stopping() or time.monotonic() > deadline:
            return True
    return False


async def close_day(connection: Connection, before: dt.date) -> bool:
    """Close the first day of receipt that is open, if it is before a day and ingest lets go in time.

    One at a time, since ingest waits meanwhile: after an upgrade, a year of days is open.

    Returns:
        Whether it closed one; then call it again.
    """
    closed_before: dt.date = await connection.fetchval(queries.STATE)
    if closed_before >= before:
        return False
    try:
        async with connection.transaction(isolation="read_committed"):
            await connection.execute(LOCK_WAIT)
            await connection.execute(queries.CLOSE_DAYS, closed_before + dt.timedelta(days=1))
    except asyncpg.LockNotAvailableError:
        return False
    return True


async def settle_days(connection: Connection) -> bool:
    """Compute some of the days that are marked; leaves them to another worker that is at it.

    Returns:
        Whether some may be left; then call it again.
    """
    async with connection.transaction(isolation="read_committed"):
        if await connection.fetchval(queries.LOCK_QUALITY) is None:
            return False
        marks = await connection.fetch(queries.TAKE_MARKS, DAYS_AT_ONCE)
        if not marks:
            return False
        days = [mark["day"] for mark in marks]
        wanted = ([mark["factory"] for mark in marks], days)
        bounds = (min(days), max(days) + dt.timedelta(days=1))
        await connection.execute(queries.DELETE_DAYS, *wanted)
        await connection.execute(queries.INSERT_DAYS, *wanted, *bounds)
        boots = await connection.fetch(queries.DELETE_BOOTS, *wanted)
        boots += await connection.fetch(queries.INSERT_BOOTS, *wanted, *bounds)
        await set_gaps(connection, sorted({Boot(*boot) for boot in boots}))
    return True


async def set_gaps(connection: Connection, boots: list[Boot]) -> None:
    """Compute the gaps of boots on all their days: a record of one day may close the gap of another."""
    if not boots:
        return
    found: list[tuple[int, str, str, dt.date, int, int]] = []
    columns = [list(column) for column in zip(*boots, strict=True)]
    rows = await connection.fetch(queries.RUNS_OF_BOOTS, *columns)
    for boot, own in groupby(rows, key=lambda row: Boot(row["factory"], row["gateway_id"], row["boot_id"])):
        days = gaps_by_day(Run(row["day"], row["first"], row["last"]) for row in own)
        found += [(*boot, day, gaps.gaps, gaps.lost) for day, gaps in days.items()]
    by_column = [list(column) for column in zip(*found, strict=True)] if found else [[] for _ in range(6)]
    await connection.execute(queries.SET_GAPS, *columns, *by_column)
