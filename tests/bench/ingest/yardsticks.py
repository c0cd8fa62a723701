"""What the database alone makes of the same rows: binary COPY, ready-made, on one connection, into the same tables."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterable
from io import BytesIO

import numpy as np
import numpy.typing as npt

from services.core.database import POSTGRES_EPOCH_US, Connection, connect
from tests.bench.ingest.batches import Load
from tests.bench.ingest.records import Ints, Rows

READING_COLUMNS = ["machine", "metric", "at", "value", "revision", "retracted", "record_id"]
WIDTHS = (("machine", ">i4"), ("metric", ">i4"), ("at", ">i8"), ("value", ">f8"))
REST = (("revision", ">i4"), ("retracted", ">u1"), ("record_id", ">i8"))
ROW = np.dtype(
    [
        ("fields", ">i2"),
        *[part for name, kind in (*WIDTHS, *REST) for part in ((f"{name}_width", ">i4"), (name, kind))],
    ]
)
"""A row of ``reading`` as PostgreSQL's documentation of COPY describes it, "Binary Format"."""
HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

Positions = npt.NDArray[np.intp]

TRANSACTIONS = """
SELECT partition, record_offset, dense_rank() OVER (ORDER BY ingested_at) - 1 AS batch FROM ingest_record
"""
STATES_OF = "SELECT * FROM state_event WHERE machine % $1 = $2 ORDER BY machine, at"
COUNTS_OF = "SELECT * FROM count_event WHERE machine % $1 = $2 ORDER BY machine, at, product"


def by_key(rows: Rows, transactions: int) -> list[bytes]:
    """Readings sorted by the table's key, and cut into as many pieces as there are transactions."""
    order = np.lexsort((rows.at_us.ravel(), rows.metric.ravel(), rows.machine.ravel()))
    cuts = np.linspace(0, rows.count, transactions + 1).astype(int).tolist()
    return [as_copy(rows, order[a:b]) for a, b in itertools.pairwise(cuts)]


def by_batch(rows: Rows, batches: Ints) -> list[bytes]:
    """Readings in the transactions in which ingest wrote them, each sorted by the table's key.

    Args:
        batches: of each record, the number of its transaction.
    """
    width = rows.machine.shape[1]
    batch = np.repeat(batches, width)
    order = np.lexsort((rows.at_us.ravel(), rows.metric.ravel(), rows.machine.ravel(), batch))
    starts = np.flatnonzero(np.diff(batch[order])) + 1
    return [as_copy(rows, piece) for piece in np.split(order, starts)]


def as_copy(rows: Rows, chosen: Positions) -> bytes:
    """The chosen readings as the bytes of one COPY."""
    lines = np.zeros(len(chosen), ROW)
    lines["fields"] = len(WIDTHS) + len(REST)
    for name, kind in (*WIDTHS, *REST):
        lines[f"{name}_width"] = np.dtype(kind).itemsize
    lines["machine"] = rows.machine.ravel()[chosen]
    lines["metric"] = rows.metric.ravel()[chosen]
    lines["at"] = rows.at_us.ravel()[chosen] - POSTGRES_EPOCH_US
    lines["value"] = rows.value.ravel()[chosen]
    return HEADER + lines.tobytes() + TRAILER


async def batches_of(url: str, load: Load) -> Ints:
    """The number of the transaction that wrote each record of a load, in the order of the load's records."""
    owner = await connect(url)
    try:
        partition, offset, batch = np.array(await owner.fetch(TRANSACTIONS), np.int64).T
    finally:
        await owner.close()
    written = np.lexsort((offset, partition))
    sent = np.lexsort(load.places()[::-1])
    found = np.empty(load.records, np.int64)
    found[sent] = batch[written]
    return found


async def copy_readings(url: str, pieces: Iterable[bytes], rows: int) -> float:
    """Copy pieces into the empty table, each in a transaction; returns rows per second."""
    owner = await connect(url)
    try:
        await owner.execute("TRUNCATE reading; CHECKPOINT")
        seconds = await copy_in(owner, [("reading", READING_COLUMNS, piece) for piece in pieces])
        assert await owner.fetchval("SELECT count(*) FROM reading") == rows
    finally:
        await owner.close()
    return rows / seconds


async def copy_in(owner: Connection, pieces: Iterable[tuple[str, list[str] | None, bytes]]) -> float:
    """Seconds of copying pieces of data into tables."""
    began = time.perf_counter()
    for table, columns, piece in pieces:
        await owner.copy_to_table(table, source=once(piece), columns=columns, format="binary")
    return time.perf_counter() - began


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield the data as one piece, the form in which asyncpg's COPY takes it."""
    yield data


async def states_and_counts(url: str, transactions: int) -> list[tuple[bytes, bytes]]:
    """The states and counts that are stored, sorted by their tables' keys, as data of so many transactions."""
    owner = await connect(url)
    try:
        return [
            (await copied_out(owner, STATES_OF, transactions, n), await copied_out(owner, COUNTS_OF, transactions, n))
            for n in range(transactions)
        ]
    finally:
        await owner.close()


async def copied_out(owner: Connection, query: str, *parameters: int) -> bytes:
    """A query's rows as data for COPY."""
    out = BytesIO()
    for n, parameter in enumerate(parameters, start=1):
        query = query.replace(f"${n}", str(parameter))
    await owner.copy_from_query(query, output=out, format="binary")
    return out.getvalue()


async def copy_states_and_counts(url: str, pieces: list[tuple[bytes, bytes]]) -> float:
    """Copy states and counts into the empty tables, one transaction a piece; returns seconds."""
    owner = await connect(url)
    try:
        await owner.execute("TRUNCATE state_event, count_event; CHECKPOINT")
        began = time.perf_counter()
        for states, counts in pieces:
            async with owner.transaction():
                await copy_in(owner, [("state_event", None, states), ("count_event", None, counts)])
        return time.perf_counter() - began
    finally:
        await owner.close()


def pace(url: str, pieces: list[bytes], rows: int) -> float:
    """Rows per second of ``copy_readings``."""
    return asyncio.run(copy_readings(url, pieces, rows))
