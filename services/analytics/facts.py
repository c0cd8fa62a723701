"""Reads registry and facts of the machines being accounted, as columns.

The database sends each column as one run of bytes, which numpy takes as it is: a row never becomes a Python object.
"""

from dataclasses import dataclass

import asyncpg
import numpy as np

from services.analytics import queries
from services.analytics.accounts import CountRows, Spans
from services.analytics.in_force import Ints, StateRows, Versions
from services.core.database import POSTGRES_EPOCH_US, Connection
from services.core.times import DAY_US


@dataclass(frozen=True, slots=True)
class Registered:
    """The machines being accounted: versions in use, the longest TTL of each that has one, and the factory of each."""

    versions: Versions
    longest_ttl_us: dict[int, int]
    factory: dict[int, int]

    def longest_ttl_of(self, machine: Ints) -> Ints:
        """The longest TTL of each row's machine; 0 where it has none."""
        known, where = np.unique(machine, return_inverse=True)
        return np.array([self.longest_ttl_us.get(number, 0) for number in known.tolist()], np.int64)[where]


async def read_registry(connection: Connection, machines: list[int]) -> Registered:
    """What is registered of some machines."""
    rows = await connection.fetch(queries.VERSIONS, machines)
    names = ("machine", "from_at", "to_at", "state_ttl_us", "cycle_us", "from_at", "to_at", "cohort")
    versions = Versions(*[np.fromiter((row[name] for row in rows), np.int64, len(rows)) for name in names])
    longest: dict[int, int] = {}
    for row in rows:
        longest[row["machine"]] = max(row["state_ttl_us"], longest.get(row["machine"], 0))
    factory = {row["id"]: row["factory"] for row in await connection.fetch(queries.FACTORIES_OF, machines)}
    return Registered(versions, longest, factory)


async def read_facts(connection: Connection, spans: Spans, registered: Registered) -> tuple[StateRows, CountRows]:
    """The rows in the spans, and the states that may still hold at their beginning; sorted by machine and instant."""
    if len(spans.machine) == 0:
        nothing = np.empty(0, np.int64)
        return StateRows(*[nothing] * 4), CountRows(*[nothing] * 6)
    reaching = Spans(spans.machine, spans.from_us - registered.longest_ttl_of(spans.machine), spans.to_us)
    states = await connection.fetchrow(queries.STATES, *bounds(reaching))
    counts = await connection.fetchrow(queries.COUNTS, *bounds(spans))
    assert states is not None
    assert counts is not None
    *made, record = in_order(counts, ">i4", ">i8", ">i4", ">i4", ">i4", ">i8")
    signed = await were_signed(connection, record, min(spans.from_us.tolist()))
    return StateRows(*in_order(states, ">i4", ">i8", ">i2", ">i2")), CountRows(*[*made, signed])


async def were_signed(connection: Connection, record: Ints, from_us: int) -> Ints:
    """1 for each row whose record was signed, else 0.

    Args:
        from_us: no row lies before it. Rows lie at most minutes ahead of their receipt, so a day before it is enough.
    """
    received_us = from_us - DAY_US
    if len(record) == 0 or not await connection.fetchval(queries.ANY_UNSIGNED, received_us):
        return np.ones(len(record), np.int64)
    unsigned = await connection.fetch(queries.UNSIGNED, np.unique(record).tolist(), received_us)
    return (~np.isin(record, [row["id"] for row in unsigned])).astype(np.int64)


def bounds(spans: Spans) -> tuple[list[int], list[int], list[int], int, int]:
    """The spans, and the bounds of all of them together."""
    starts, ends = spans.from_us.tolist(), spans.to_us.tolist()
    return spans.machine.tolist(), starts, ends, min(starts), max(ends)


def in_order(columns: asyncpg.Record, *types: str) -> list[Ints]:
    """Columns of bytes, the first two of them machine and instant, as numbers in these columns' order."""
    found = [np.frombuffer(column or b"", kind).astype(np.int64) for column, kind in zip(columns, types, strict=True)]
    found[1] += POSTGRES_EPOCH_US
    order = np.lexsort((found[1], found[0]))
    return [column[order] for column in found]
