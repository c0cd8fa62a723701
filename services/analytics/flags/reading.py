"""Reads what the plausibility rules look at: facts and accounts of some factories' days, and what is kept of others."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np

from services.analytics import account_tables
from services.analytics.facts import in_order
from services.analytics.figures import SUMS, WIDE
from services.analytics.flags import queries
from services.analytics.flags.rules import ReceiptDays
from services.analytics.flags.traits import CountFacts, DayFacts, HourFacts, Receipts, Traits
from services.analytics.in_force import Ints, StateRows
from services.analytics.packing import Kind
from services.analytics.queries import COUNTS, STATES_WITH_RECORDS
from services.analytics.sums import MachineHours, day_code, groups, morning_of
from services.core.database import Connection
from services.core.times import DAY_US, EPOCH_DATE, seoul_midnight_us

LARGEST = 2**62
PIECES = tuple(SUMS.index(name) for name in ("good", "scrap", "rework"))


@dataclass(frozen=True, slots=True)
class FactoryDays:
    """Factories' Seoul days, and the machines of each of these factories."""

    factory: list[int]
    day: list[dt.date]
    machines: dict[int, list[int]]

    def of_machines(self) -> tuple[Ints, Ints]:
        """Return every machine and number of a day."""
        pairs = [
            (machine, number_of(day))
            for factory, day in zip(self.factory, self.day, strict=True)
            for machine in self.machines.get(factory, ())
        ]
        columns = np.array(pairs, np.int64).reshape(-1, 2).T
        return columns[0], columns[1]


def number_of(day: dt.date) -> int:
    """Return the number of a day since the Unix epoch."""
    return (day - EPOCH_DATE).days


async def read_machines(connection: Connection, factories: Sequence[int]) -> dict[int, int]:
    """Return the factory of each machine of some factories."""
    rows = await connection.fetch(queries.MACHINES, list(factories))
    return {row["id"]: row["factory"] for row in rows}


async def read_day_facts(connection: Connection, days: FactoryDays) -> DayFacts:
    """Return the facts and accounts of factories' days."""
    machine, day = days.of_machines()
    starts = morning_of(day)
    asked = (machine.tolist(), starts.tolist(), (starts + DAY_US).tolist())
    bounds = (int(starts.min()), int(starts.max()) + DAY_US) if len(starts) else (0, 0)
    state_row = await connection.fetchrow(STATES_WITH_RECORDS, *asked, *bounds)
    count_row = await connection.fetchrow(COUNTS, *asked, *bounds)
    assert state_row is not None
    assert count_row is not None
    *states, state_record = in_order(state_row, ">i4", ">i8", ">i2", ">i2", ">i8")
    *counts, count_record = in_order(count_row, ">i4", ">i8", ">i4", ">i4", ">i4", ">i8")
    record = np.concatenate([state_record, count_record])
    received = await read_receipt_of(connection, record, bounds[0] - DAY_US)
    by_day = (machine.tolist(), day.tolist(), asked[1], asked[2])
    scheduled = await connection.fetch(queries.SCHEDULED, *by_day)
    capacity = await connection.fetch(queries.CAPACITY, *by_day)
    return DayFacts(
        StateRows(*states),
        CountFacts(*counts),
        await read_hour_facts(connection, days),
        Receipts(np.concatenate([states[0], counts[0]]), np.concatenate([states[1], counts[1]]), received),
        by_code(scheduled, "us"),
        by_code(capacity, "pieces"),
    )


def by_code(rows: list[asyncpg.Record], value: str) -> dict[int, int]:
    """Return values by ``day_code``."""
    keys = np.array([(row["machine"], row["day"]) for row in rows], np.int64).reshape(-1, 2).T
    return dict(zip(day_code(keys[0], keys[1]).tolist(), [row[value] for row in rows], strict=True))


async def read_receipt_of(connection: Connection, record: Ints, received_from_us: int) -> Ints:
    """Return when each row's record was received; 0, which is never late, if that is not known."""
    known, where = np.unique(record, return_inverse=True)
    rows = await connection.fetch(queries.RECEIVED, known.tolist(), received_from_us)
    found = {row["id"]: row["received_at"] for row in rows}
    return np.array([found.get(own, 0) for own in known.tolist()], np.int64)[where]


async def read_hour_facts(connection: Connection, days: FactoryDays) -> HourFacts:
    """Return the closed accounts of factories' days by machine and hour, whatever the cohorts."""
    places = sorted(zip(days.factory, map(seoul_midnight_us, days.day), strict=True))
    ranges: list[tuple[int, int, int]] = []
    for factory, start_us in places:
        if ranges and ranges[-1][0] == factory and ranges[-1][2] == start_us:
            ranges[-1] = (factory, ranges[-1][1], start_us + DAY_US)
        else:
            ranges.append((factory, start_us, start_us + DAY_US))
    columns = np.array(ranges, np.int64).reshape(-1, 3).T
    return hour_facts(await account_tables.read_hours(connection, columns[0], columns[1], columns[2]))


def hour_facts(hours: MachineHours) -> HourFacts:
    """Return accounts by machine and hour, whatever the cohorts."""
    own = hours.accounts
    order, starts = groups([own.machine, hours.hour_us])
    if len(order) == 0:
        return HourFacts(*[np.empty(0, np.int64)] * 7)
    first = order[starts]

    def summed(values: Ints) -> Ints:
        return np.add.reduceat(values[order], starts)

    ideal = own.wide[:, WIDE.index("ideal_pq_us")]
    return HourFacts(
        own.machine[first],
        hours.hour_us[first],
        summed(own.sums[:, SUMS.index("evidence_us")]),
        summed(own.sums[:, SUMS.index("scheduled_evidence_us")]),
        summed(own.sums[:, SUMS.index("producing_us")]),
        summed(own.sums[:, PIECES].sum(axis=1)),
        summed(np.minimum(ideal, LARGEST // 100).astype(np.int64)),
    )


async def replace_traits(connection: Connection, days: FactoryDays, traits: Traits, factory_of: dict[int, int]) -> None:
    """Store the traits of factories' days instead of those that are there."""
    await connection.execute(queries.DROP_DAYS, days.factory, days.day)
    factory = np.array([factory_of[own] for own in traits.machine.tolist()], np.int64)
    columns = [(kind, getattr(traits, name)) for name, kind in queries.PACK_COLUMNS]
    keys = ((Kind.INTEGER, factory), (Kind.DAY, traits.day))
    names = [name for name, _ in (*queries.PACK_KEYS, *queries.PACK_COLUMNS)]
    await account_tables.copy_in(
        connection, "flag_day_pack", names, account_tables.packs_by(keys, columns, (traits.machine,))
    )


async def read_traits(connection: Connection, factories: list[int], first: dt.date, end: dt.date) -> Traits:
    """Return the traits of all machines of factories from ``first`` to before ``end``, by machine and day."""
    rows = await connection.fetch(queries.READ_DAYS, factories, first, end)
    found = account_tables.unpacked(rows, queries.PACK_KEYS, queries.PACK_COLUMNS)
    order = np.lexsort((found["day"], found["machine"]))
    return Traits(day=found["day"][order], **{name: found[name][order] for name in queries.TRAIT_KINDS})


async def read_receipt_days(connection: Connection, factories: list[int], first: dt.date, end: dt.date) -> ReceiptDays:
    """Return what is kept of factories' days of receipt."""
    rows = await connection.fetch(queries.READ_RECEIPTS, factories, first, end)
    return ReceiptDays(*np.array([tuple(row) for row in rows], np.int64).reshape(-1, 5).T)
