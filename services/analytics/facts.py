"""Reads registry and facts of the machines being accounted, as columns.

The database sends each column as one run of bytes, which numpy takes as it is: a row never becomes a Python object.
"""

from dataclasses import dataclass

import asyncpg
import numpy as np

from services.analytics import queries
from services.analytics.accounts import CountRows, HourRanges
from services.analytics.in_force import NO_PATTERN, Ints, StateRows, Versions
from services.analytics.replacement import Factories
from services.analytics.shifts import Shifts, cut_at_shifts, shifts_of
from services.core.database import POSTGRES_EPOCH_US, Connection
from services.core.times import DAY_US


@dataclass(frozen=True, slots=True)
class Registered:
    """The machines being accounted: their versions in use, the longest TTL of each in use, and the factory of each."""

    versions: Versions
    longest_ttl_us: dict[int, int]
    factories: Factories

    def longest_ttl_of(self, machine: Ints) -> Ints:
        """Return the longest TTL of each row's machine; 0 for a machine never in use."""
        known, where = np.unique(machine, return_inverse=True)
        return np.array([self.longest_ttl_us.get(number, 0) for number in known.tolist()], np.int64)[where]


async def read_registry(connection: Connection, machines: list[int]) -> Registered:
    """Return what is registered of the machines."""
    rows = await connection.fetch(queries.VERSIONS, machines)
    names = ("machine", "from_at", "to_at", "state_ttl_us", "cycle_us", "from_at", "to_at", "cohort", "pattern")
    columns = [np.fromiter((row[name] for row in rows), np.int64, len(rows)) for name in names]
    versions = Versions(*[*columns, np.zeros(len(rows), np.int64)])
    longest: dict[int, int] = {}
    for row in rows:
        longest[row["machine"]] = max(row["state_ttl_us"], longest.get(row["machine"], 0))
    owners = np.array([tuple(row) for row in await connection.fetch(queries.FACTORIES_OF, machines)], np.int64)
    return Registered(versions, longest, Factories(*owners.reshape(-1, 2).T))


async def read_shifts(connection: Connection, pattern: Ints, from_us: int, to_us: int) -> Shifts:
    """Return when shifts of patterns begin and end in a window."""
    wanted = np.unique(pattern[pattern != NO_PATTERN]).tolist()
    rows = await connection.fetch(queries.SHIFTS, wanted, from_us, to_us) if wanted else []
    own, start, end = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 3).T
    return shifts_of(own, start, end, (from_us, to_us))


async def versions_within(connection: Connection, registered: Registered, ranges: HourRanges) -> Versions:
    """Return what is registered of the machines, cut at shifts as far as states about the ranges can hold."""
    versions = registered.versions
    if len(ranges.machine) == 0 or not (versions.pattern != NO_PATTERN).any():
        return versions
    reach_us = max(registered.longest_ttl_us.values(), default=0)
    window = int(ranges.from_us.min()) - reach_us, int(ranges.to_us.max()) + reach_us
    return cut_at_shifts(versions, await read_shifts(connection, versions.pattern, *window))


async def read_facts(connection: Connection, ranges: HourRanges, registered: Registered) -> tuple[StateRows, CountRows]:
    """Return the rows in the ranges, and the states that may still hold at their beginning, by machine and instant."""
    if len(ranges.machine) == 0:
        nothing = np.empty(0, np.int64)
        return StateRows(*[nothing] * 4), CountRows(*[nothing] * 6)
    reaching = HourRanges(ranges.machine, ranges.from_us - registered.longest_ttl_of(ranges.machine), ranges.to_us)
    states = await connection.fetchrow(queries.STATES, *bounds(reaching))
    counts = await connection.fetchrow(queries.COUNTS, *bounds(ranges))
    assert states is not None
    assert counts is not None
    *made, record = in_order(counts, ">i4", ">i8", ">i4", ">i4", ">i4", ">i8")
    signed = await were_signed(connection, record, min(ranges.from_us.tolist()))
    return StateRows(*in_order(states, ">i4", ">i8", ">i2", ">i2")), CountRows(*[*made, signed])


async def were_signed(connection: Connection, record: Ints, from_us: int) -> Ints:
    """Return 1 for each row whose record was signed, else 0.

    Args:
        from_us: no row is earlier. A row is at most minutes ahead of its receipt, so a day before it is early enough.
    """
    received_us = from_us - DAY_US
    if len(record) == 0 or not await connection.fetchval(queries.ANY_UNSIGNED, received_us):
        return np.ones(len(record), np.int64)
    unsigned = await connection.fetch(queries.UNSIGNED, np.unique(record).tolist(), received_us)
    return (~np.isin(record, [row["id"] for row in unsigned])).astype(np.int64)


def bounds(ranges: HourRanges) -> tuple[list[int], list[int], list[int], int, int]:
    """Return the ranges as columns, and the bounds of all of them together."""
    starts, ends = ranges.from_us.tolist(), ranges.to_us.tolist()
    return ranges.machine.tolist(), starts, ends, min(starts), max(ends)


def in_order(columns: asyncpg.Record, *types: str) -> list[Ints]:
    """Return columns of bytes as numbers, sorted by the first two, which are machine and instant."""
    found = [np.frombuffer(column or b"", kind).astype(np.int64) for column, kind in zip(columns, types, strict=True)]
    found[1] += POSTGRES_EPOCH_US
    order = np.lexsort((found[1], found[0]))
    return [column[order] for column in found]
