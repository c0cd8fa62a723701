"""What a reading costs in the database, by the order of its key, the length of a chunk and the size of the index.

The rows are a nation's: 600,000 machines with five metrics, in records of a thousand rows, each with ten instants of
one factory. A transaction copies a hundred such records of factories in no order, sorted as ingest sorts them. Layouts
that are compared take each batch in turn, so that a busy machine slows all of them.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from services.core.database import Connection, connect
from services.core.times import DAY_US, HOUR_US, SECOND_US
from tests.bench.country import ORIGIN_US
from tests.bench.figures import Figure
from tests.bench.ingest.records import Ints, Rows
from tests.bench.ingest.yardsticks import READING_COLUMNS, as_copy, once
from tests.bench.stacks import Servers

MIDNIGHT_US = ORIGIN_US + 9 * HOUR_US
"""UTC's, where a chunk of a day begins."""
FACTORIES = 30_000
MACHINES = 20
METRICS = 5
INSTANTS = 10
STEP_US = 25 * SECOND_US
"""3,000,000 series with a reading every 25 s are 120,000 rows/s."""
RECORDS_A_BATCH = 100
ROWS_A_BATCH = RECORDS_A_BATCH * MACHINES * METRICS * INSTANTS
COMPARED_BATCHES = 60
GROWN_BATCHES = 500
REPORTED_EVERY = 50
"""Batches: the pace of a growing chunk is that over so many."""


@dataclass(slots=True)
class Layout:
    """A table of readings under test, and the seconds of each batch copied into it."""

    name: str
    key: str
    chunk: str
    seconds: list[float] = field(default_factory=list)
    wal_bytes: int = 0

    def statements(self) -> str:
        """SQL that creates the table as ``reading`` is created, in this layout."""
        by_time = f"by_range('at', INTERVAL '{self.chunk}')"
        return f"""
            CREATE TABLE {self.name} (LIKE reading);
            SELECT create_hypertable('{self.name}', {by_time}, create_default_indexes => false);
            CREATE UNIQUE INDEX {self.name}_identity ON {self.name} ({self.key});
        """

    def rows_per_s(self, batches: slice = slice(None)) -> float:
        """The pace over some batches."""
        taken = self.seconds[batches]
        return ROWS_A_BATCH * len(taken) / sum(taken)


COMPARED = (
    ("by_machine_1d", "machine, metric, at", "1 day"),
    ("by_machine_6h", "machine, metric, at", "6 hours"),
    ("by_machine_1h", "machine, metric, at", "1 hour"),
    ("by_instant_1d", "at, machine, metric", "1 day"),
)


def figures(servers: Servers) -> Iterator[Figure]:
    """Compare layouts by rows of one day, then fill one chunk."""
    with servers.stack("bench_layouts") as stack:
        yield from asyncio.run(compare(stack.database_url))
        yield from asyncio.run(grow(stack.database_url))


async def compare(url: str) -> list[Figure]:
    """Copy the same batches, spread over a day, into each layout in turn."""
    owner = await connect(url)
    try:
        layouts = [Layout(*one) for one in COMPARED]
        for layout in layouts:
            await owner.execute(layout.statements())
        await owner.execute("CHECKPOINT")
        for batch in batches(COMPARED_BATCHES):
            for layout in layouts:
                await copy(owner, layout, batch)
        return [figure for layout in layouts for figure in await costs(owner, layout)]
    finally:
        await owner.close()


async def grow(url: str) -> list[Figure]:
    """Fill one chunk of the layout in use, and report its pace and its index as it grows."""
    owner = await connect(url)
    found = []
    try:
        layout = Layout("grown", "machine, metric, at", "1 day")
        await owner.execute(layout.statements())
        for number, batch in enumerate(batches(GROWN_BATCHES), 1):
            await copy(owner, layout, batch)
            if number % REPORTED_EVERY == 0:
                name = f"layout_grown_to_{number * ROWS_A_BATCH // 1_000_000}m"
                pace = layout.rows_per_s(slice(number - REPORTED_EVERY, number))
                _, index = await sizes(owner, layout)
                found += [Figure(f"{name}_rows_per_s", pace, "rows/s"), Figure(f"{name}_index_mb", index / 1e6, "MB")]
        return found
    finally:
        await owner.close()


async def costs(owner: Connection, layout: Layout) -> list[Figure]:
    """Pace, and bytes per row of table, index and log."""
    rows = ROWS_A_BATCH * len(layout.seconds)
    table, index = await sizes(owner, layout)
    name = f"layout_{layout.name}"
    return [
        Figure(f"{name}_rows_per_s", layout.rows_per_s(), "rows/s"),
        Figure(f"{name}_table_bytes_per_row", table / rows, "B"),
        Figure(f"{name}_index_bytes_per_row", index / rows, "B"),
        Figure(f"{name}_wal_bytes_per_row", layout.wal_bytes / rows, "B"),
    ]


async def sizes(owner: Connection, layout: Layout) -> tuple[int, int]:
    """Bytes of a layout's chunks, and of their indexes."""
    sql = "SELECT sum(pg_table_size(c)), sum(pg_indexes_size(c)) FROM show_chunks($1::text::regclass) AS c"
    found = await owner.fetchrow(sql, layout.name)
    assert found is not None
    return int(found[0]), int(found[1])


async def copy(owner: Connection, layout: Layout, batch: bytes) -> None:
    """Copy a batch in a transaction of its own; add its seconds and its bytes of log to the layout's."""
    before = await owner.fetchval("SELECT pg_current_wal_insert_lsn()")
    began = time.perf_counter()
    await owner.copy_to_table(layout.name, source=once(batch), columns=READING_COLUMNS, format="binary")
    layout.seconds.append(time.perf_counter() - began)
    sql = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::bigint"
    layout.wal_bytes += await owner.fetchval(sql, before)


def batches(number: int) -> Iterator[bytes]:
    """Yield batches as binary COPY data. Factories take turns in an order drawn once; the batches span a day."""
    order = np.random.default_rng(1).permutation(FACTORIES)
    records = np.arange(number * RECORDS_A_BATCH)
    began_us = MIDNIGHT_US + records * ((DAY_US - INSTANTS * STEP_US) // len(records))
    for own in np.split(records, number):
        yield encoded(order[own % FACTORIES], began_us[own])


def encoded(factory: Ints, began_us: Ints) -> bytes:
    """One batch: for each factory and the instant where its record begins, every reading of the record; sorted."""
    shape = (len(factory), MACHINES, METRICS, INSTANTS)
    record, machine, metric, instant = (column.reshape(-1) for column in np.indices(shape, np.int64))
    machine += factory[record] * MACHINES + 1
    at_us = began_us[record] + instant * STEP_US
    rows = Rows(machine, metric + 1, at_us, machine * 0.37 + at_us % 1013)
    return as_copy(rows, np.lexsort((at_us, metric, machine)))
