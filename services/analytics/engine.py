"""Brings accounts up to date with facts and registry; they are exact after every transaction.

After every commit, the accounts of every machine without a mark equal a recomputation over the instants before
``accounted_until``. Two kinds of transaction keep it so:

- ``settle`` accounts one shard's marks before ``accounted_until`` and leaves that instant where it is;
- ``advance`` moves ``accounted_until`` on, and accounts every machine again whose accounts change as time passes.

A third, ``roll_up``, adds factories' sums up to those of cohorts, from a queue that the other two fill.

Each takes the advisory locks of its shards, then deletes the marks that it sees, and only then, in a later statement of
READ COMMITTED, reads the facts: a fact is committed together with its mark, so whoever deletes the mark reads the fact.
In the same transaction, a machine whose accounts will change as time passes is marked again at ``accounted_until``, and
what was not accounted of a mark is marked again.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import groupby

import asyncpg

from services.analytics import queries
from services.analytics.accounts import Accounts, HourRanges, account, held_beyond
from services.analytics.cohort_sums import Done, columns_of, roll_up_some
from services.analytics.dirty_hours import Mark, hours_to_account
from services.analytics.facts import Registered, read_facts, read_registry
from services.analytics.in_force import StateRows
from services.core.database import Connection
from services.core.times import DAY_US, HOUR_US, seoul_day, seoul_midnight_us

MARKS_AT_ONCE = 2000
HOURS_AT_ONCE = 10_000
"""Machine-hours in one transaction of ``settle``: half a million rows if machines assert their state every minute."""
MACHINES_AT_ONCE = 5000
"""In one step of ``advance``, which takes as many steps as needed; bounds the memory."""
LONGEST_STEP_US = HOUR_US
NO_BOUND = 2**31

Hours = set[tuple[int, int]]
"""Pairs of a machine and the instant at which an hour begins."""


async def start_accounting(connection: Connection, now_us: int) -> None:
    """Let accounts of an empty database begin at the present instant; no effect later."""
    await connection.execute(queries.START_ACCOUNTING, now_us)


async def shards_with_work(connection: Connection) -> list[int]:
    """Return the shards that have marks before ``accounted_until``."""
    until_us = await connection.fetchval(queries.ACCOUNTED_UNTIL)
    return [row["shard"] for row in await connection.fetch(queries.SHARDS_WITH_WORK, until_us)]


async def settle(connection: Connection, shard: int, done: Done | None = None) -> bool:
    """Account one shard's marks of the past, as many as fit into one transaction.

    Returns:
        Whether some may be left; then call it again.
    """
    async with connection.transaction(isolation="read_committed"):
        await connection.execute(queries.LOCK_SHARD, queries.LOCK_CLASS, shard)
        until_us = await connection.fetchval(queries.ACCOUNTED_UNTIL)
        marks = marks_of(await connection.fetch(queries.TAKE_PAST_MARKS, shard, until_us, MARKS_AT_ONCE))
        left_in_part = bool(marks) and await account_marks(connection, marks, until_us, HOURS_AT_ONCE, done)
    return left_in_part or len(marks) == MARKS_AT_ONCE


async def advance(connection: Connection, now_us: int, done: Done | None = None) -> int:
    """Move ``accounted_until`` towards the present, by an hour at most and never back.

    Returns:
        How far behind the present it is now, in microseconds.
    """
    async with connection.transaction(isolation="read_committed"):
        await connection.execute(queries.LOCK_ALL_SHARDS, queries.LOCK_CLASS, queries.SHARDS)
        until_us: int = await connection.fetchval(queries.ACCOUNTED_UNTIL)
        if now_us <= until_us:
            return 0
        next_us = min(now_us, until_us + LONGEST_STEP_US)
        for marks in by_machines(marks_of(await connection.fetch(queries.TAKE_DUE_MARKS, until_us, next_us))):
            await account_marks(connection, marks, next_us, NO_BOUND, done)
        await roll_up_some(connection, done)
        await connection.execute(queries.MOVE_ACCOUNTED_UNTIL, next_us)
    return now_us - next_us


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


async def account_marks(
    connection: Connection, marks: list[Mark], until_us: int, most_hours: int, done: Done | None
) -> bool:
    """Account about ``most_hours`` of the hours that the marks affect, and everything derived from them.

    Returns:
        Whether hours were left over, which are marked again.
    """
    registered = await read_registry(connection, sorted({mark.machine for mark in marks}))
    sealed_before_us = await connection.fetchval(queries.SEALED_BEFORE)
    work = hours_to_account(marks, registered.longest_ttl_us, sealed_before_us, until_us, most_hours)
    states, counts = await read_facts(connection, work.ranges, registered)
    accounts = account(states, counts, registered.versions, work.ranges, until_us)
    if done is not None:
        done.hours += len(accounts.machine)
    hours = await write_hours(connection, work.ranges, accounts)
    days = {(machine, seoul_day(hour)) for machine, hour in hours}
    await write_sums(connection, hours, days, registered)
    ahead = await marks_ahead(connection, marks, until_us)
    await mark_again(connection, [*work.left, *ahead, *marks_of_holds(states, registered, until_us)])
    return bool(work.left)


async def write_hours(connection: Connection, ranges: HourRanges, accounts: Accounts) -> Hours:
    """Replace the hours in the ranges.

    Returns:
        The hours that had an account before or have one now.
    """
    place = (ranges.machine.tolist(), ranges.from_us.tolist(), ranges.to_us.tolist())
    dropped = await connection.fetch(queries.DROP_HOURS, *place)
    keys = list(zip(accounts.machine.tolist(), accounts.hour_us.tolist(), accounts.cohort.tolist(), strict=True))
    rows = [
        (*key, *sums, *wide)
        for key, sums, wide in zip(keys, accounts.sums.tolist(), accounts.wide.tolist(), strict=True)
    ]
    if rows:
        await connection.copy_records_to_table("machine_hour", records=rows, columns=queries.HOUR_COLUMNS)
    return {(row["machine"], row["hour"]) for row in dropped} | {(machine, hour) for machine, hour, _ in keys}


async def write_sums(
    connection: Connection, hours: Hours, days: set[tuple[int, dt.date]], registered: Registered
) -> None:
    """Recompute machine days, and the factory hours and days to which the hours and days belong."""
    if not days:
        return
    machine_days = columns_of(sorted(days))
    before = counted_days(await connection.fetch(queries.DROP_DAYS, *machine_days))
    after = counted_days(await connection.fetch(queries.ADD_DAYS, *machine_days))
    factory = registered.factory
    factory_hours = {(factory[machine], hour) for machine, hour in hours}
    for machine, day in before ^ after:
        midnight = seoul_midnight_us(day)
        factory_hours |= {(factory[machine], hour) for hour in range(midnight, midnight + DAY_US, HOUR_US)}
    if factory_hours:
        places = columns_of(sorted(factory_hours))
        await connection.execute(queries.DROP_FACTORY_HOURS, *places)
        await connection.execute(queries.ADD_FACTORY_HOURS, *places)
    factory_days = columns_of(sorted({(factory[machine], day) for machine, day in days}))
    await connection.execute(queries.DROP_FACTORY_DAYS, *factory_days)
    await connection.execute(queries.ADD_FACTORY_DAYS, *factory_days)


def counted_days(rows: list[asyncpg.Record]) -> set[tuple[int, dt.date]]:
    """Return the machine-days that are counted."""
    return {(row["machine"], row["day"]) for row in rows if row["counted"]}


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


def marks_of_holds(states: StateRows, registered: Registered, until_us: int) -> list[Mark]:
    """Return a mark at ``until_us`` for every machine whose state may still hold there."""
    holding = held_beyond(states, registered.longest_ttl_of(states.machine), until_us)
    return [Mark(machine, until_us, until_us) for machine in holding.tolist()]


async def mark_again(connection: Connection, marks: list[Mark]) -> None:
    """Add marks, for another transaction."""
    if marks:
        columns = ([m.machine for m in marks], [m.from_us for m in marks], [m.to_us for m in marks])
        await connection.execute(queries.MARK_AGAIN, *columns)
