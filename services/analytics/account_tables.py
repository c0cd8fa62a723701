"""Reads and replaces the tables of closed accounts, days, open holds and factories' sums, in columns.

What is replaced must belong to shards whose lock the transaction holds.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import asyncpg
import numpy as np

from services.analytics import account_queries as queries
from services.analytics.accounts import Accounts, hour_code
from services.analytics.figures import DAY_COUNTS, FACTORY_NARROW, FACTORY_WIDE, SUMS, WIDE
from services.analytics.held_time import OPEN_HOLD_COLUMNS, OpenHolds
from services.analytics.in_force import Ints
from services.analytics.packing import PIECE, Kind, Packs, copy_packs, copy_rows, elements, numbers
from services.analytics.sums import (
    NO_COHORT,
    NO_HOURS,
    FactorySums,
    Holds,
    MachineDays,
    MachineHours,
    beginnings,
    day_at,
    day_code,
    distinct,
    groups,
    in_order,
)
from services.core.database import Connection


async def read_hours(connection: Connection, factory: Ints, from_us: Ints, to_us: Ints) -> MachineHours:
    """Return all closed accounts of factories in ranges of hours; the ranges of a factory do not touch."""
    if len(factory) == 0:
        return NO_HOURS
    rows = await connection.fetch(queries.READ_HOURS, factory.tolist(), from_us.tolist(), to_us.tolist())
    found = unpacked(rows, queries.PACK_KEYS, queries.PACK_COLUMNS)
    accounts = Accounts(
        found["machine"],
        found["hour"],
        found["cohort"],
        np.stack([found[name] for name in SUMS]).T,
        np.stack([found[name] for name in WIDE]).T,
    )
    return MachineHours(found["factory"], found["hour"], accounts)


async def read_evidence(connection: Connection, factory: Ints, from_us: Ints, to_us: Ints) -> MachineHours:
    """Return the same with nothing but what days' flags follow from; all other figures are 0, and so is the cohort."""
    rows = await connection.fetch(queries.READ_EVIDENCE, factory.tolist(), from_us.tolist(), to_us.tolist())
    columns = [column for column in queries.PACK_COLUMNS if column[0] in queries.EVIDENCE]
    found = unpacked(rows, queries.PACK_KEYS, columns)
    count = len(found["machine"])
    sums = np.zeros((count, len(SUMS)), np.int64, order="F")
    for name in queries.EVIDENCE[1:]:
        sums[:, SUMS.index(name)] = found[name]
    nothing = np.zeros((count, len(WIDE)), np.int64)
    accounts = Accounts(found["machine"], found["hour"], np.zeros(count, np.int64), sums, nothing)
    return MachineHours(found["factory"], found["hour"], accounts)


async def drop_hours(connection: Connection, factory: Ints, hour_us: Ints) -> None:
    """Delete the closed accounts of factories' hours."""
    if len(factory):
        await connection.execute(queries.DROP_HOURS, factory.tolist(), hour_us.tolist())


async def add_hours(connection: Connection, hours: MachineHours) -> None:
    """Store closed accounts of factories' hours that have none."""
    columns = [name for name, _ in (*queries.PACK_KEYS, *queries.PACK_COLUMNS)]
    await copy_in(connection, "machine_hour_pack", columns, hour_packs(hours))


def hour_packs(hours: MachineHours) -> Packs:
    """Return closed accounts as they are stored, a row for each factory and hour."""
    accounts = hours.accounts
    values = {
        "machine": accounts.machine,
        "cohort": accounts.cohort,
        **{name: accounts.sums[:, place] for place, name in enumerate(SUMS)},
        **{name: accounts.wide[:, place] for place, name in enumerate(WIDE)},
    }
    keys = ((Kind.INTEGER, hours.factory), (Kind.INSTANT, hours.hour_us))
    columns = [(kind, values[name]) for name, kind in queries.PACK_COLUMNS]
    return packs_by(keys, columns, (accounts.machine, accounts.cohort))


async def read_days(connection: Connection, factory: Ints, day: Ints) -> MachineDays:
    """Return the days of all machines of factories."""
    rows = await connection.fetch(queries.READ_DAYS, factory.tolist(), day.tolist())
    found = unpacked(rows, queries.DAY_KEYS, queries.DAY_COLUMNS)
    flags = [found[name] == 1 for name in ("has_counts", "has_evidence", "is_signed")]
    return MachineDays(found["factory"], found["day"], found["machine"], found["cohort"], *flags)


async def drop_days(connection: Connection, factory: Ints, day: Ints) -> None:
    """Delete the days of all machines of factories."""
    if len(factory):
        await connection.execute(queries.DROP_DAYS, factory.tolist(), day.tolist())


async def add_days(connection: Connection, days: MachineDays) -> None:
    """Store the days of all machines of factories that have none."""
    keys = ((Kind.INTEGER, days.factory), (Kind.DAY, days.day))
    columns = [(kind, getattr(days, name)) for name, kind in queries.DAY_COLUMNS]
    names = [name for name, _ in (*queries.DAY_KEYS, *queries.DAY_COLUMNS)]
    await copy_in(connection, "machine_day_pack", names, packs_by(keys, columns, (days.machine,)))


async def read_flags(connection: Connection, days: MachineDays) -> MachineDays:
    """Return the flags that the stored hours and open holds of machines give their days; without cohorts."""
    if len(days.machine) == 0:
        return days
    columns = (days.factory.tolist(), days.day.tolist(), days.machine.tolist())
    rows = await connection.fetch(queries.READ_FLAGS, *columns)
    numbered = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 6).T
    nobodys = np.full(len(rows), NO_COHORT)
    flags = numbered[3:] == 1
    return MachineDays(numbered[0], numbered[1], numbered[2], nobodys, flags[0], flags[1], flags[2])


async def day_owners(connection: Connection, days: MachineDays, known: Ints | None) -> Ints:
    """Return the cohort to which each machine's day with counts belongs; NO_COHORT for the others.

    Args:
        known: the answers that are known already, NO_COHORT where they are not.
    """
    owners = np.full(len(days.machine), NO_COHORT) if known is None else np.where(days.has_counts, known, NO_COHORT)
    asked = np.flatnonzero(days.has_counts & (owners == NO_COHORT))
    if len(asked):
        machine, day = days.machine[asked], days.day[asked]
        rows = await connection.fetch(queries.DAY_OWNERS, machine.tolist(), day.tolist())
        found = {(row["machine"], row["day"]): row["cohort"] for row in rows}
        owners[asked] = [found.get(pair, NO_COHORT) for pair in zip(machine.tolist(), day.tolist(), strict=True)]
    return owners


async def take_holds(connection: Connection, factory: Ints) -> Holds:
    """Delete what holds the machines of factories, and return it."""
    return holds_in(await connection.fetch(queries.TAKE_HOLDS, factory.tolist()) if len(factory) else [])


async def read_holds(connection: Connection) -> Holds:
    """Return what holds all machines."""
    return holds_in(await connection.fetch(queries.READ_HOLDS))


def holds_in(rows: list[asyncpg.Record]) -> Holds:
    """Return holds in rows of the database."""
    found = unpacked(rows, queries.PACK_KEYS[:1], queries.HOLD_COLUMNS)
    columns = [found[name] for name, _ in queries.HOLD_COLUMNS[:-1]]
    return Holds(found["factory"], OpenHolds(*columns), found["counted"])


async def add_holds(connection: Connection, holds: Holds) -> None:
    """Store what holds the machines of factories of which nothing is stored."""
    values = [*[getattr(holds.open, name) for name in OPEN_HOLD_COLUMNS], holds.counted]
    columns = [(kind, value) for (_, kind), value in zip(queries.HOLD_COLUMNS, values, strict=True)]
    names = [name for name, _ in (*queries.PACK_KEYS[:1], *queries.HOLD_COLUMNS)]
    packs = packs_by(((Kind.INTEGER, holds.factory),), columns, (holds.open.machine,))
    await copy_in(connection, "open_hold", names, packs)


async def take_factory_hours(connection: Connection, factory: Ints, hour_us: Ints) -> FactorySums:
    """Delete factories' closed hours, and return them."""
    row = await connection.fetchrow(queries.TAKE_FACTORY_HOURS, factory.tolist(), hour_us.tolist())
    assert row is not None
    return sums_in(row, numbers(Kind.INSTANT, row["hour"]), FACTORY_NARROW)


async def take_factory_days(connection: Connection, factory: Ints, day: Ints) -> FactorySums:
    """Delete factories' closed days, and return them."""
    row = await connection.fetchrow(queries.TAKE_FACTORY_DAYS, factory.tolist(), day.tolist())
    assert row is not None
    return sums_in(row, numbers(Kind.DAY, row["day"]), (*FACTORY_NARROW, "hours", *DAY_COUNTS))


def sums_in(row: asyncpg.Record, at: Ints, narrow: Sequence[str]) -> FactorySums:
    """Return factories' sums in a row of the database."""
    return FactorySums(
        numbers(Kind.INTEGER, row["factory"]),
        at,
        numbers(Kind.INTEGER, row["cohort"]),
        np.stack([numbers(queries.FACTORY_KINDS[name], row[name]) for name in narrow]).T,
        np.stack([wide_numbers(row[name]) for name in FACTORY_WIDE]).T,
    )


async def add_factory_hours(connection: Connection, sums: FactorySums) -> None:
    """Store factories' closed hours."""
    names = ["factory", "hour", "cohort", *queries.HOUR_SUMS]
    await copy_sums(connection, "closed_factory_hour", names, (Kind.INSTANT, sums.at), sums)


async def add_factory_days(connection: Connection, sums: FactorySums) -> None:
    """Store factories' closed days."""
    names = ["factory", "day", "cohort", *queries.DAY_SUMS]
    await copy_sums(connection, "closed_factory_day", names, (Kind.DAY, sums.at), sums)


async def copy_sums(
    connection: Connection, table: str, names: list[str], at: tuple[Kind, Ints], sums: FactorySums
) -> None:
    """Store factories' sums in a table."""
    if len(sums.factory) == 0:
        return
    figures = [*sums.narrow.T, *sums.wide.T]
    kinds = [queries.FACTORY_KINDS[name] for name in names[3:]]
    columns = [(Kind.INTEGER, sums.factory), at, (Kind.INTEGER, sums.cohort), *zip(kinds, figures, strict=True)]
    await connection.copy_to_table(table, source=source(copy_rows(columns)), columns=names, format="binary")


async def queue_cohorts(
    connection: Connection, hours: FactorySums, days: FactorySums, holding: Ints, running_us: int
) -> None:
    """Have the sums of cohorts added up again: of the hours and days, and of those ``holding``, the running hour's."""
    cohort = np.concatenate([hours.cohort, holding])
    at_us = np.concatenate([hours.at, np.full(len(holding), running_us)])
    owner = np.concatenate([days.cohort, holding])
    day = np.concatenate([days.at, np.full(len(holding), day_at(running_us))])
    if len(cohort) or len(owner):
        of_hours = distinct(cohort, at_us, hour_code(cohort, at_us))
        of_days = distinct(owner, day, day_code(owner, day))
        await connection.execute(queries.QUEUE_COHORTS, *[column.tolist() for column in (*of_hours, *of_days)])


async def queue_flags(connection: Connection, factory: Ints, day: Ints) -> None:
    """Have days of factories judged by the plausibility rules."""
    await connection.execute(queries.QUEUE_FLAGS, factory.tolist(), day.tolist())


def packs_by(keys: Sequence[tuple[Kind, Ints]], columns: Sequence[tuple[Kind, Any]], within: Sequence[Ints]) -> Packs:
    """Return rows packed by their keys, and ordered by ``within`` in each pack."""
    order, _ = groups([*[values for _, values in keys], *within])
    starts = beginnings(order, [values for _, values in keys])
    sizes = np.diff(np.append(starts, len(order)))
    first = order[starts]
    return Packs(
        [(kind, values[first]) for kind, values in keys],
        [(kind, in_order(values, order)) for kind, values in columns],
        sizes,
    )


async def copy_in(connection: Connection, table: str, names: list[str], packs: Packs) -> None:
    """Store packs in a table."""
    if len(packs.sizes):
        await connection.copy_to_table(table, source=source(copy_packs(packs)), columns=names, format="binary")


async def source(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield the parts of a COPY as its driver takes them."""
    pending: list[bytes] = []
    size = 0
    for part in parts:
        pending.append(part)
        size += len(part)
        if size > PIECE:
            yield b"".join(pending)
            pending, size = [], 0
    yield b"".join(pending)


def unpacked(
    rows: list[asyncpg.Record], keys: Sequence[tuple[str, Kind]], columns: Sequence[tuple[str, Kind]]
) -> dict[str, Any]:
    """Return packed rows, which come grouped by size, as columns with a value for each element."""
    parts: dict[str, list[Any]] = {name: [] for name, _ in (*keys, *columns)}
    for row in rows:
        size = row["size"]
        for name, kind in keys:
            parts[name].append(np.repeat(numbers(kind, row[name]), size))
        for name, kind in columns:
            wide = kind is Kind.NUMERIC
            parts[name].append(wide_numbers(row[name]) if wide else elements(kind, row[name], size))
    return {name: np.concatenate(part) if part else np.empty(0, np.int64) for name, part in parts.items()}


def wide_numbers(text: str | None) -> Any:
    """Return whole numbers of any size, written with commas between."""
    return np.array([int(number) for number in text.split(",")] if text else [], object)
