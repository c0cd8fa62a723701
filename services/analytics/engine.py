"""Brings accounts up to date with facts and registry; they are exact after every transaction.

After every commit, the accounts of every machine without a mark equal a recomputation over the instants before
``accounted_until``: what is closed, and the part of its open hold before that instant. Two kinds of transaction keep
it so:

- ``settle`` accounts one shard's marks before ``accounted_until`` and leaves that instant where it is;
- ``advance`` moves ``accounted_until`` on, at most to the end of the hour, and accounts machines marked on the way.

A third, ``roll_up``, adds factories' sums up to those of cohorts, from a queue that the other two fill.

Each takes the advisory locks of its shards, then deletes the marks that it sees, and only then, in a later statement of
READ COMMITTED, reads the facts: a fact is committed together with its mark, so whoever deletes the mark reads the fact.
In the same transaction, a machine is marked again where a row or a version that lies ahead will change its account, and
what was not accounted of a mark is marked again.

As time passes, open holds grow by themselves. At the end of an hour the shards that hold anything are marked in that
hour, and ``accounted_until`` stays there until they have been accounted, which closes the hour: so all open time lies
in one hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import asyncpg
import numpy as np

from services.analytics import account_tables, queries
from services.analytics.accounts import HourRanges, account
from services.analytics.cohort_sums import Done, roll_up_some
from services.analytics.dirty_hours import LEAST_PIECE_US, Mark, hours_of_machines, hours_to_account
from services.analytics.facts import Registered, read_facts, read_registry, versions_within
from services.analytics.replacement import Replacement, replace_hours
from services.analytics.sums import NO_COHORT, MachineDays, day_at
from services.core.database import Connection
from services.core.times import DAY_US, HOUR_US, SEOUL_OFFSET_US, floor_to

MARKS_AT_ONCE = 2000
HOURS_AT_ONCE = 10_000
"""Machine-hours in one transaction of ``settle``: half a million rows if machines assert their state every minute."""
MACHINES_AT_ONCE = 5000
"""In one step of ``advance``, which takes as many steps as needed; bounds the memory."""
DUE_AT_ONCE = 50_000
"""With so many marks on the way, ``advance`` leaves them to be settled as those of the past: after hours without a
worker, a country's would otherwise be accounted in one transaction, for which every other worker waits."""
NO_BOUND = 2**31


async def start_accounting(connection: Connection, now_us: int) -> None:
    """Let accounts of an empty database begin at the present instant; no effect later."""
    await connection.execute(queries.START_ACCOUNTING, now_us)


async def shards_with_work(connection: Connection) -> list[int]:
    """Return the shards that have marks before ``accounted_until``, and on which no worker is at work."""
    until_us = await connection.fetchval(queries.ACCOUNTED_UNTIL)
    rows = await connection.fetch(queries.SHARDS_WITH_WORK, queries.LOCK_CLASS, until_us)
    return [row["shard"] for row in rows]


async def settle(connection: Connection, shard: int, done: Done | None = None) -> bool:
    """Account one shard's marks of the past, as many as fit into one transaction.

    A shard that another worker is at work on is left to it.

    Returns:
        Whether some may be left; then call it again.
    """
    try:
        async with connection.transaction(isolation="read_committed"):
            await connection.execute(queries.lock([shard], queries.SHORT_WAIT_MS))
            return await settle_some(connection, shard, done)
    except asyncpg.LockNotAvailableError:
        return False


async def settle_some(connection: Connection, shard: int, done: Done | None) -> bool:
    """Do as ``settle``, within the caller's transaction, which has the shard's lock."""
    state = await connection.fetchrow(queries.STATE, shard)
    if state is None:
        return False
    horizon = Horizon(state["accounted_until"], state["sealed_before"])
    if state["has_shard_hours"]:
        hour_us = await connection.fetchval(queries.TAKE_SHARD_HOUR, shard)
        await account_shard_hour(connection, shard, hour_us, horizon, done)
        return True
    marks = marks_of(await connection.fetch(queries.TAKE_PAST_MARKS, shard, horizon.until_us, MARKS_AT_ONCE))
    left_in_part = bool(marks) and await account_marks(connection, marks, horizon, HOURS_AT_ONCE, done)
    return left_in_part or len(marks) == MARKS_AT_ONCE


async def advance(connection: Connection, now_us: int, done: Done | None = None) -> int:
    """Move ``accounted_until`` towards the present: never back, nor beyond the hour, nor beyond one that is not closed.

    Waits for workers that are at work on a shard, though not long for one: it may stand still, and the other shards
    must not wait with it.

    Returns:
        How far behind the present it is now, in microseconds.
    """
    try:
        async with connection.transaction(isolation="read_committed"):
            await connection.execute(queries.LOCK_EVERYTHING)
            return await move_on(connection, now_us, done)
    except asyncpg.LockNotAvailableError:
        reached_us: int = await connection.fetchval(queries.ACCOUNTED_UNTIL)
        return max(0, now_us - reached_us)


async def move_on(connection: Connection, now_us: int, done: Done | None) -> int:
    """Do as ``advance``, within the caller's transaction, which has all locks."""
    until_us: int = await connection.fetchval(queries.ACCOUNTED_UNTIL)
    if now_us <= until_us:
        return 0
    if await connection.fetchval(queries.RUNNING_HOUR_IS_MARKED, floor_to(until_us - 1, HOUR_US)):
        return now_us - until_us
    next_us = min(now_us, floor_to(until_us, HOUR_US) + HOUR_US)
    horizon = Horizon(next_us, await connection.fetchval(queries.SEALED_BEFORE))
    if (until_us + SEOUL_OFFSET_US) % DAY_US == 0:
        await open_day(connection, until_us)
    if await connection.fetchval(queries.DUE_MARKS, until_us, next_us, DUE_AT_ONCE) < DUE_AT_ONCE:
        for marks in by_machines(marks_of(await connection.fetch(queries.TAKE_DUE_MARKS, until_us, next_us))):
            await account_marks(connection, marks, horizon, NO_BOUND, done)
    await connection.execute(queries.MOVE_ACCOUNTED_UNTIL, next_us)
    await roll_up_some(connection, done, passed_to_us=next_us)
    if next_us % HOUR_US == 0:
        await connection.execute(queries.MARK_SHARDS_THAT_HOLD, next_us - HOUR_US)
    return now_us - next_us


async def open_day(connection: Connection, midnight_us: int) -> None:
    """Give every machine that is held over midnight its day, which has evidence as soon as time passes."""
    holds = await account_tables.read_holds(connection)
    count = len(holds.factory)
    if count:
        day = np.full(count, day_at(midnight_us))
        none, all_held = np.zeros(count, bool), np.ones(count, bool)
        cohort = np.full(count, NO_COHORT)
        days = MachineDays(holds.factory, day, holds.open.machine, cohort, none, all_held, none)
        await account_tables.add_days(connection, days)


def marks_of(rows: list[asyncpg.Record]) -> list[Mark]:
    """Return the marks in rows of the database."""
    return [Mark(row["machine"], row["from_at"], row["to_at"]) for row in rows]


def by_machines(marks: list[Mark]) -> Iterator[list[Mark]]:
    """Yield marks sorted by machine in groups of at most MACHINES_AT_ONCE machines."""
    group: list[Mark] = []
    for number, (_, own) in enumerate(groupby(marks, key=lambda mark: mark.machine), start=1):
        group += own
        if number % MACHINES_AT_ONCE == 0:
            yield group
            group = []
    if group:
        yield group


@dataclass(frozen=True, slots=True)
class Horizon:
    """What is accounted: instants before ``until_us``, in hours that begin at ``sealed_before_us`` or later."""

    until_us: int
    sealed_before_us: int


async def account_marks(
    connection: Connection, marks: list[Mark], horizon: Horizon, most_hours: int, done: Done | None
) -> bool:
    """Account about ``most_hours`` of the hours that the marks affect, and everything derived from them.

    Returns:
        Whether hours were left over, which are marked again.
    """
    registered = await read_registry(connection, sorted({mark.machine for mark in marks}))
    narrowed = await narrow(connection, marks, horizon.sealed_before_us)
    ttls = registered.longest_ttl_us
    work = hours_to_account(narrowed, ttls, horizon.sealed_before_us, horizon.until_us, most_hours)
    ahead = await account_ranges(connection, work.ranges, registered, horizon.until_us, done)
    await mark_again(connection, [*work.left, *ahead, *await marks_ahead(connection, marks, horizon.until_us)])
    return bool(work.left)


async def narrow(connection: Connection, marks: list[Mark], sealed_before_us: int) -> list[Mark]:
    """Return the marks without the time in which their machines have no rows, if that may be long.

    A change in the registry may mark all time. Where there are no rows, there are no accounts either.
    """
    wide = {mark.machine for mark in marks if mark.to_us - mark.from_us > LEAST_PIECE_US}
    if not wide:
        return marks
    # A state row holds for a day at most, and what is sealed may still reach into the hours after.
    rows = await connection.fetch(queries.EXTENTS, list(wide), sealed_before_us - DAY_US)
    extents = {row["machine"]: (row["first"], row["last"]) for row in rows if row["first"] is not None}
    found = [mark for mark in marks if mark.machine not in wide]
    for mark in marks:
        if mark.machine in extents:
            first_us, last_us = extents[mark.machine]
            if mark.from_us <= last_us + DAY_US and mark.to_us >= first_us:
                found.append(Mark(mark.machine, max(mark.from_us, first_us), min(mark.to_us, last_us + DAY_US)))
    return found


async def account_shard_hour(
    connection: Connection, shard: int, hour_us: int, horizon: Horizon, done: Done | None
) -> None:
    """Account an hour of all machines of a shard."""
    machines = await connection.fetchval(queries.MACHINES_OF_SHARD, shard)
    if machines and horizon.sealed_before_us <= hour_us:
        registered = await read_registry(connection, machines)
        ranges = hours_of_machines(machines, hour_us, horizon.until_us)
        await mark_again(connection, await account_ranges(connection, ranges, registered, horizon.until_us, done))


async def account_ranges(
    connection: Connection, ranges: HourRanges, registered: Registered, until_us: int, done: Done | None
) -> list[Mark]:
    """Account hours, and everything derived from them.

    Returns:
        Marks for what is known to change ahead.
    """
    versions = await versions_within(connection, registered, ranges)
    states, counts = await read_facts(connection, ranges, registered)
    accounted = account(states, counts, versions, ranges, until_us)
    if done is not None:
        done.hours += len(accounted.closed.machine)
    await replace_hours(connection, Replacement(ranges, accounted, until_us, registered.factories))
    ahead = accounted.ahead
    return [Mark(machine, at, at) for machine, at in zip(ahead.machine.tolist(), ahead.at_us.tolist(), strict=True)]


async def marks_ahead(connection: Connection, marks: list[Mark], until_us: int) -> list[Mark]:
    """Return marks for the part of the given ones from ``until_us`` on, for machines that have a row there.

    A mark may be the only one for rows that lie ahead. But a mark of a change in the registry may reach to the end of
    time, and must not have its machine accounted again for ever. So the rows decide.
    """
    last: dict[int, int] = {}
    for mark in marks:
        if mark.to_us >= until_us:
            last[mark.machine] = max(mark.to_us, last.get(mark.machine, 0))
    if not last:
        return []
    first = await connection.fetch(queries.FIRST_AHEAD, list(last), list(last.values()), until_us)
    return [Mark(row["machine"], row["at"], last[row["machine"]]) for row in first]


async def mark_again(connection: Connection, marks: list[Mark]) -> None:
    """Add marks, for another transaction."""
    if marks:
        columns = ([m.machine for m in marks], [m.from_us for m in marks], [m.to_us for m in marks])
        await connection.execute(queries.MARK_AGAIN, *columns)
