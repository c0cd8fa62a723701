"""Accounts hours in which most machines of some shards are marked: all machines of these shards at once.

The facts of the hour are read in the order in which they are stored, on connections of their own, once the marks are
deleted: what a reader then sees includes every fact whose mark is gone. The rest is as in ``engine``: marks and
results commit together.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np

from services.analytics import fleet_queries, queries
from services.analytics.accounts import Accounted, CountRows, HourRanges, account
from services.analytics.cohort_sums import Done
from services.analytics.crowded_hours import Country, CrowdedHour
from services.analytics.dirty_hours import Mark
from services.analytics.engine import mark_again
from services.analytics.facts import read_facts, read_registry, read_shifts, versions_within, were_signed
from services.analytics.fleet import FleetAtHour, read_fleet
from services.analytics.in_force import Ints
from services.analytics.packing import Kind, numbers
from services.analytics.plain_hours import (
    CONDITION_BITS,
    LONGEST_TTL_US,
    PlainMachines,
    account_plain,
    keys_from,
    state_keys,
)
from services.analytics.replacement import Replacement, replace_hours
from services.analytics.shifts import Shifts
from services.analytics.sums import joined_results
from services.core.database import Connection
from services.core.times import HOUR_US

GROUPS = 8
"""Parts in which the machines are accounted and stored, the next being accounted while one is stored."""
ROWS_AT_ONCE = 1 << 15
CONDITIONS = (1 << CONDITION_BITS) - 1


@dataclass(frozen=True, slots=True)
class HourFacts:
    """The hour's facts of plain machines: state rows as sorted numbers, count rows sorted by the machine's place."""

    keys: Ints
    counts: CountRows

    def between(self, first: int, last: int) -> "HourFacts":
        """Return the facts of the machines in places [first, last)."""
        start, end = np.searchsorted(self.keys, [keys_from(first), keys_from(last)])
        low, high = np.searchsorted(self.counts.machine, [first, last])
        c = self.counts
        columns = (c.machine, c.at_us, c.good, c.scrap, c.rework, c.signed)
        return HourFacts(self.keys[start:end], CountRows(*[column[low:high] for column in columns]))


async def settle_whole_hour(country: Country, crowded: CrowdedHour, done: Done | None = None) -> bool:
    """Account an hour of all machines of its shards. Shards that another worker is at work on are left to it.

    Returns:
        Whether there were others.
    """
    writer = country.writer
    try:
        async with writer.transaction(isolation="read_committed"):
            rows = await writer.fetch(queries.FREE_SHARDS, queries.LOCK_CLASS, crowded.shards)
            locked = [row["shard"] for row in rows]
            await writer.execute(queries.lock(locked, queries.SHORT_WAIT_MS))
            state = await writer.fetchrow(queries.STATE, 0)
            if not locked or state is None:
                return False
            await settle_locked(country, crowded.hour_us, locked, state, done)
    except asyncpg.LockNotAvailableError:
        return False
    return True


async def settle_locked(
    country: Country, hour_us: int, locked: list[int], state: asyncpg.Record, done: Done | None
) -> None:
    """Do as ``settle_whole_hour``, within a transaction of the writer's, which has the locks of these shards."""
    writer, until_us = country.writer, state["accounted_until"]
    reach = await writer.fetch(fleet_queries.TAKE_HOUR_MARKS, locked, hour_us)
    country.fleet = await read_fleet(writer, country.fleet)
    fleet = country.fleet.at(hour_us)
    if hour_us >= state["sealed_before"]:
        chosen = np.flatnonzero(np.isin(fleet.shard, locked))
        await account_hour(country, fleet, chosen, until_us, done)
    # The states of a sealed hour may still hold in the first that is not.
    reached = {row["shard"]: row["to_at"] for row in reach}
    await mark_hours_after(writer, fleet, locked, reached, until_us)


async def account_hour(country: Country, fleet: FleetAtHour, chosen: Ints, until_us: int, done: Done | None) -> None:
    """Account the hour of chosen machines, which are all those of their shards."""
    are_plain = fleet.are_plain[chosen]
    group = groups_of(fleet.shard[chosen[are_plain]])
    plain = chosen[are_plain][np.argsort(group, kind="stable")]
    facts = await read_plain_facts(country, fleet, plain)
    machines = fleet.plain(plain)
    shifts = await read_shifts(
        country.writer, machines.pattern, fleet.hour_us - LONGEST_TTL_US, fleet.hour_us + HOUR_US + LONGEST_TTL_US
    )
    edges = [0, *np.cumsum(np.bincount(group)).tolist()]
    others = chosen[~are_plain]
    following: asyncio.Task[Accounted] | None = None
    for nth in range(len(edges) - 1):
        current = following or account_group(facts, machines, shifts, edges[nth : nth + 2], until_us)
        following = None
        if nth + 2 < len(edges):
            following = account_group(facts, machines, shifts, edges[nth + 1 : nth + 3], until_us)
        accounted = await current
        shards = fleet.shard[plain[edges[nth] : edges[nth + 1]]]
        own = chosen[np.isin(fleet.shard[chosen], shards)]
        rest = others[np.isin(fleet.shard[others], shards)]
        if len(rest):
            accounted = joined_results(
                (accounted, await account_others(country.writer, fleet.machine[rest], fleet.hour_us, until_us))
            )
        await store(country.writer, fleet, own, accounted, until_us, done)
    without = others[~np.isin(fleet.shard[others], fleet.shard[plain])]
    if len(without):
        accounted = await account_others(country.writer, fleet.machine[without], fleet.hour_us, until_us)
        await store(country.writer, fleet, without, accounted, until_us, done)


def account_group(
    facts: HourFacts, machines: PlainMachines, shifts: Shifts, bounds: Sequence[int], until_us: int
) -> "asyncio.Task[Accounted]":
    """Begin to account the machines in places between two bounds, in a thread of its own."""
    first, last = bounds
    own = facts.between(first, last)
    chosen = machines.chosen(first, last)
    work = asyncio.to_thread(account_plain, own.keys, own.counts, chosen, shifts, first, until_us)
    return asyncio.create_task(work)


async def store(
    connection: Connection, fleet: FleetAtHour, own: Ints, accounted: Accounted, until_us: int, done: Done | None
) -> None:
    """Store what was accounted of the hour of machines, which are all those of their factories."""
    machine = fleet.machine[own]
    start = np.full(len(own), fleet.hour_us)
    ranges = HourRanges(machine, start, start + HOUR_US)
    owners = fleet.owners(own)
    work = Replacement(ranges, accounted, until_us, fleet.factories, whole_factories=True, owners=owners)
    await replace_hours(connection, work)
    ahead = accounted.ahead
    marks = [Mark(m, at, at) for m, at in zip(ahead.machine.tolist(), ahead.at_us.tolist(), strict=True)]
    await mark_again(connection, marks)
    if done is not None:
        done.hours += len(accounted.closed.machine)


def groups_of(shard: Ints) -> Ints:
    """Return the number of the group to which each machine belongs: of whole shards, of about equally many machines."""
    sizes = np.bincount(shard)
    by_shard = (np.cumsum(sizes) - sizes) * GROUPS // max(len(shard), 1)
    group: Ints = np.unique(by_shard[shard], return_inverse=True)[1]
    return group


async def read_plain_facts(country: Country, fleet: FleetAtHour, plain: Ints) -> HourFacts:
    """Return the hour's facts of plain machines, read on three connections at once."""
    hour_us = fleet.hour_us
    place = np.full(int(fleet.machine.max()) + 1 if len(fleet.machine) else 1, -1)
    place[fleet.machine[plain]] = np.arange(len(plain))
    # Rows in the TTL before the hour are as many as in a part of it, so the second half begins earlier.
    longest_us = int(fleet.ttl_us[plain].max(initial=0))
    start_us = hour_us - longest_us
    await country.readers[0].execute(fleet_queries.SUMMARIZE_FACTS, start_us, hour_us + HOUR_US)
    middle_us = (start_us + hour_us + HOUR_US) // 2
    halves = ((country.readers[0], start_us, middle_us), (country.readers[1], middle_us, hour_us + HOUR_US))
    early, late = (
        asyncio.create_task(read_states(connection, place, hour_us, from_us, to_us))
        for connection, from_us, to_us in halves
    )
    counts = await read_counts(country.writer, place, hour_us)
    keys = await asyncio.to_thread(merged, await early, await late)
    return HourFacts(keys, counts)


def merged(first: Ints, second: Ints) -> Ints:
    """Return two sorted columns as one."""
    keys = np.concatenate([first, second])
    keys.sort(kind="stable")
    return keys


async def read_states(connection: Connection, place: Ints, hour_us: int, from_us: int, to_us: int) -> Ints:
    """Return the state rows of plain machines in a window, as sorted numbers."""
    row = await connection.fetchrow(fleet_queries.STATES, from_us, to_us)
    assert row is not None
    return await asyncio.to_thread(sorted_keys, place, row[0] or b"", row[1] or b"", hour_us)


def sorted_keys(place: Ints, sent: bytes, sent_at: bytes, hour_us: int) -> Ints:
    """Return the state rows of plain machines as sorted numbers, from columns of bytes.

    Rows go through the processor's cache some at a time: memory that is touched for the first time costs more.
    """
    keys = np.empty(len(sent_at) // 8, np.int64)
    filled = 0
    for first in range(0, len(keys), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        row = numbers(Kind.INTEGER, memoryview(sent)[4 * part.start : 4 * part.stop])
        at_us = numbers(Kind.INSTANT, memoryview(sent_at)[8 * part.start : 8 * part.stop])
        own = place[row >> CONDITION_BITS]
        found = state_keys(own, at_us, row & CONDITIONS, hour_us)
        are_plain = own >= 0
        if not are_plain.all():
            found = found[are_plain]
        keys[filled : filled + len(found)] = found
        filled += len(found)
    keys = keys[:filled]
    keys.sort()
    return keys


async def read_counts(connection: Connection, place: Ints, hour_us: int) -> CountRows:
    """Return the hour's count rows of plain machines, by their place."""
    row = await connection.fetchrow(fleet_queries.COUNTS, hour_us, hour_us + HOUR_US)
    kinds = (Kind.INTEGER, Kind.INSTANT, Kind.INTEGER, Kind.INTEGER, Kind.INTEGER, Kind.BIGINT)

    def in_columns() -> list[Ints]:
        assert row is not None
        machine, *rest = (numbers(kind, sent) for kind, sent in zip(kinds, row, strict=True))
        own = place[machine]
        order = np.flatnonzero(own >= 0)
        order = order[np.argsort(own[order], kind="stable")]
        return [own[order], *[column[order] for column in rest]]

    own, at, good, scrap, rework, record = await asyncio.to_thread(in_columns)
    return CountRows(own, at, good, scrap, rework, await were_signed(connection, record, hour_us))


async def account_others(connection: Connection, machines: Ints, hour_us: int, until_us: int) -> Accounted:
    """Account an hour of machines that are not plain, from an index."""
    registered = await read_registry(connection, np.sort(machines).tolist())
    count = len(machines)
    ranges = HourRanges(np.sort(machines), np.full(count, hour_us), np.full(count, hour_us + HOUR_US))
    versions = await versions_within(connection, registered, ranges)
    states, counts = await read_facts(connection, ranges, registered)
    return account(states, counts, versions, ranges, until_us)


async def mark_hours_after(
    connection: Connection, fleet: FleetAtHour, shards: list[int], reached_us: dict[int, int], until_us: int
) -> None:
    """Mark what the rows of the hour may change in the hours after it.

    Whole shards for plain machines; the others one by one, since their states may hold for a day.

    Args:
        reached_us: the last instant that was marked, by shard.
    """
    hour_us, are_plain = fleet.hour_us, fleet.are_plain
    marked: list[tuple[int, int]] = []
    others: list[Mark] = []
    for shard in shards:
        if shard in reached_us:
            own = fleet.shard == shard
            last_us = reached_us[shard] + int(fleet.ttl_us[own & are_plain].max(initial=0))
            hours = range(hour_us + HOUR_US, min(last_us + 1, until_us), HOUR_US)
            marked += [(shard, hour) for hour in hours]
            machines = fleet.machine[own & ~are_plain].tolist()
            others += [Mark(machine, hour_us, reached_us[shard]) for machine in machines]
    if marked:
        await connection.execute(
            fleet_queries.MARK_SHARD_HOURS, *[list(column) for column in zip(*marked, strict=True)]
        )
    await mark_again(connection, others)
