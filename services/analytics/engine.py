"""Brings accounts up to date with facts and registry, in transactions that leave them exact at every commit.

At any commit, every account of a machine without a mark equals a recomputation over the instants before
``accounted_until``. Two kinds of transaction keep that true:

- ``settle`` accounts one shard's marks that lie before ``accounted_until``, which stays where it is;
- ``advance`` moves ``accounted_until`` on, accounting again every machine whose account the passing time changes.

Each takes the advisory locks of its shards, then deletes the marks that it sees, and only then, in a later statement of
READ COMMITTED, reads the facts: a fact is committed together with its mark, so whoever deleted the mark reads the fact.
A machine whose account will change as time passes is marked again at ``accounted_until``, in the same transaction.
"""

import datetime as dt
from dataclasses import dataclass, field

import asyncpg
import numpy as np

from services.analytics import queries
from services.analytics.accounts import Accounts, CountRows, Spans, StateRows, Versions, account, held_beyond
from services.analytics.spans import Mark, hours_to_account
from services.core.database import Connection
from services.core.times import DAY_US, HOUR_US, seoul_day, seoul_midnight_us

SHARDS = 64
LOCK_CLASS = 0x6A61
MARKS_AT_ONCE = 2000
LONGEST_STEP_US = HOUR_US
FURTHEST_ROW_US = DAY_US
"""No row lies further ahead than this: ingest refuses rows minutes after receipt. A mark that reaches further tells of
a change in the registry, which no instant to come needs to be told of: it will be accounted when it comes."""


@dataclass(frozen=True, slots=True)
class Registered:
    """The machines being accounted: versions, the longest TTL and the factory of each."""

    versions: Versions
    longest_ttl_us: dict[int, int]
    factory: dict[int, int]


@dataclass(slots=True)
class Touched:
    """What changed in machine_hour: (machine, hour in microseconds)."""

    hours: set[tuple[int, int]] = field(default_factory=set)


async def start_accounting(connection: Connection, now_us: int) -> None:
    """Begin an empty database's accounts at the present instant."""
    await connection.execute(queries.START_ACCOUNTING, now_us)


async def shards_with_work(connection: Connection) -> list[int]:
    """The shards that have marks before ``accounted_until``."""
    until_us = await connection.fetchval(queries.ACCOUNTED_UNTIL)
    return [row["shard"] for row in await connection.fetch(queries.SHARDS_WITH_WORK, until_us)]


async def settle(connection: Connection, shard: int) -> int:
    """Account one shard's marks that lie in the past.

    Returns:
        How many marks were taken; at most MARKS_AT_ONCE, so call again while there are.
    """
    async with connection.transaction(isolation="read_committed"):
        await connection.execute(queries.LOCK_SHARD, LOCK_CLASS, shard)
        until_us = await connection.fetchval(queries.ACCOUNTED_UNTIL)
        marks = marks_of(await connection.fetch(queries.TAKE_PAST_MARKS, shard, until_us, MARKS_AT_ONCE))
        await account_marks(connection, marks, until_us)
    return len(marks)


async def advance(connection: Connection, now_us: int) -> int:
    """Move ``accounted_until`` towards the present, by an hour at most, and never back.

    Returns:
        How far it is from the present now, in microseconds.
    """
    async with connection.transaction(isolation="read_committed"):
        await connection.execute(queries.LOCK_ALL_SHARDS, LOCK_CLASS, SHARDS)
        until_us: int = await connection.fetchval(queries.ACCOUNTED_UNTIL)
        if now_us <= until_us:
            return 0
        next_us = min(now_us, until_us + LONGEST_STEP_US)
        marks = marks_of(await connection.fetch(queries.TAKE_DUE_MARKS, until_us, next_us))
        await account_marks(connection, marks, next_us)
        await connection.execute(queries.MOVE_ACCOUNTED_UNTIL, next_us)
    return now_us - next_us


def marks_of(rows: list[asyncpg.Record]) -> list[Mark]:
    return [Mark(row["machine"], row["from_at"], row["to_at"]) for row in rows]


async def account_marks(connection: Connection, marks: list[Mark], until_us: int) -> None:
    """Account every hour that the marks reach, and all that is derived from those hours."""
    if not marks:
        return
    registered = await read_registry(connection, sorted({mark.machine for mark in marks}))
    sealed_before_us = await connection.fetchval(queries.SEALED_BEFORE)
    spans = hours_to_account(marks, registered.longest_ttl_us, sealed_before_us, until_us)
    states, counts = await read_facts(connection, spans, registered)
    accounts = account(states, counts, registered.versions, spans, until_us)
    touched = await write_hours(connection, spans, accounts)
    await write_sums(connection, touched, registered)
    await mark_again(connection, marks, states, counts, registered, until_us)


async def read_registry(connection: Connection, machines: list[int]) -> Registered:
    """Versions of some machines."""
    rows = await connection.fetch(queries.VERSIONS, machines)
    names = ("machine", "effective_from", "effective_to", "state_ttl_us", "cycle_us", "in_use_from", "in_use_to")
    versions = Versions(*[column(rows, name) for name in names])
    longest: dict[int, int] = {}
    for row in rows:
        longest[row["machine"]] = max(row["state_ttl_us"], longest.get(row["machine"], 0))
    return Registered(versions, longest, {row["machine"]: row["factory"] for row in rows})


async def read_facts(connection: Connection, spans: Spans, registered: Registered) -> tuple[StateRows, CountRows]:
    """The rows in the spans, and the states that may still hold at their beginning."""
    machines = spans.machine.tolist()
    ends = spans.to_us.tolist()
    reach = [registered.longest_ttl_us.get(machine, 0) for machine in machines]
    starts = [start - back for start, back in zip(spans.from_us.tolist(), reach, strict=True)]
    states = await connection.fetch(queries.STATES, machines, starts, ends)
    counts = await connection.fetch(queries.COUNTS, machines, spans.from_us.tolist(), ends)
    return (
        StateRows(*[column(states, name) for name in ("machine", "at", "state", "mode")]),
        CountRows(*[column(counts, name) for name in ("machine", "at", "good", "scrap", "rework")]),
    )


def column(rows: list[asyncpg.Record], name: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.fromiter((row[name] for row in rows), np.int64, len(rows))


async def write_hours(connection: Connection, spans: Spans, accounts: Accounts) -> Touched:
    """Replace the hours in the spans."""
    place = (spans.machine.tolist(), spans.from_us.tolist(), spans.to_us.tolist())
    dropped = await connection.fetch(queries.DROP_HOURS, *place)
    keys = list(zip(accounts.machine.tolist(), accounts.hour_us.tolist(), strict=True))
    rows = [
        (*key, *sums, pq, good)
        for key, sums, pq, good in zip(
            keys, accounts.sums.tolist(), accounts.ideal_pq_us.tolist(), accounts.ideal_good_us.tolist(), strict=True
        )
    ]
    if rows:
        await connection.copy_records_to_table("machine_hour", records=rows, columns=queries.HOUR_COLUMNS)
    return Touched({(row["machine"], row["hour"]) for row in dropped} | set(keys))


async def write_sums(connection: Connection, touched: Touched, registered: Registered) -> None:
    """Recompute machine days, factory hours and factory days that the touched hours are part of."""
    days = sorted({(machine, seoul_day(hour)) for machine, hour in touched.hours})
    if not days:
        return
    machine_days = columns_of(days)
    before = {tuple(row) for row in await connection.fetch(queries.DROP_DAYS, *machine_days)}
    after = {tuple(row) for row in await connection.fetch(queries.ADD_DAYS, *machine_days)}
    factory = registered.factory
    hours = {(factory[machine], hour) for machine, hour in touched.hours}
    for machine, day, _ in before ^ after:
        midnight = seoul_midnight_us(day)
        hours |= {(factory[machine], hour) for hour in range(midnight, midnight + DAY_US, HOUR_US)}
    factory_hours = columns_of(sorted(hours))
    await connection.execute(queries.DROP_FACTORY_HOURS, *factory_hours)
    await connection.execute(queries.ADD_FACTORY_HOURS, *factory_hours)
    factory_days = columns_of(sorted({(factory[machine], day) for machine, day in days}))
    await connection.execute(queries.DROP_FACTORY_DAYS, *factory_days)
    await connection.execute(queries.ADD_FACTORY_DAYS, *factory_days)


def columns_of(pairs: list[tuple[int, int]] | list[tuple[int, dt.date]]) -> list[list[object]]:
    """Pairs as two columns."""
    return [list(values) for values in zip(*pairs, strict=True)]


async def mark_again(
    connection: Connection,
    marks: list[Mark],
    states: StateRows,
    counts: CountRows,
    registered: Registered,
    until_us: int,
) -> None:
    """Mark machines whose account will change when time passes ``until_us``."""
    ahead = [mark for mark in marks if until_us <= mark.to_us < until_us + FURTHEST_ROW_US]
    again = {mark.machine: mark.to_us for mark in sorted(ahead, key=lambda mark: mark.to_us)}
    ttl = np.array([registered.longest_ttl_us[machine] for machine in states.machine.tolist()], np.int64)
    later = set(held_beyond(states, ttl, until_us).tolist()) | set(counts.machine[counts.at_us >= until_us].tolist())
    for machine in later:
        again.setdefault(machine, until_us)
    if again:
        machines = sorted(again)
        ends = [again[machine] for machine in machines]
        await connection.execute(queries.MARK_AGAIN, machines, [until_us] * len(machines), ends)
