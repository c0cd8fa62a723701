"""How fast one worker ingests readings that wait in Kafka, compared with a plain COPY of the same rows."""

import asyncio
import itertools
import os
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import numpy as np
from nacl.signing import SigningKey

from schemas.wire.columns import ReadingRows
from schemas.wire.encode import encode_record
from services.core.database import connect
from services.core.times import MINUTE_US, SECOND_US
from services.ingest.copy_format import readings_as_copy
from tests.bench.country import ADD_KEYS, ORIGIN_US, register
from tests.bench.figures import Figure
from tests.bench.stacks import Servers, resident_mib
from tests.stack import Sender, Service, Stack

ROUNDS = 5
FACTORIES = 125
MACHINES = 20
METRICS = ("spindle_load_pct", "spindle_speed_rpm", "feed_mm_per_min", "coolant_c", "power_w")
INSTANTS = 40
"""Records of each factory: one a minute, with a reading of each metric of each machine."""
ROWS_A_RECORD = MACHINES * len(METRICS)
ROWS = FACTORIES * INSTANTS * ROWS_A_RECORD
COLUMNS = ["machine", "metric", "at", "value", "revision", "retracted", "record_id"]


def figures(servers: Servers) -> Iterator[Figure]:
    """Alternate the two; the ratio reported is the median of the rounds' ratios."""
    with servers.stack("bench_ingest") as stack:
        load = asyncio.run(prepare(stack))
        rounds, copied = [], []
        for _ in range(ROUNDS):
            send(load)
            rounds.append(asyncio.run(ingest_round(stack, load.sent)))
            copied.append(asyncio.run(copy_round(stack.database_url, rounds[-1].transactions)))
    ingested = [ROWS / one.seconds for one in rounds]
    ratios = [ours / ready for ours, ready in zip(ingested, copied, strict=True)]
    memory = statistics.median(one.resident_mib for one in rounds)
    yield Figure("ingest_rows_per_s", statistics.median(ingested), "rows/s", "120000, the country's peak")
    yield Figure("copy_rows_per_s", statistics.median(copied), "rows/s", "the database's own pace")
    yield Figure("ingest_over_copy", statistics.median(ratios), "ratio", "0.5")
    yield Figure(f"memory_ingest_after_{ROWS // 1000}k_rows_mib", memory, "MiB")


@dataclass(frozen=True, slots=True)
class Round:
    """What one worker did from its first read to its last commit, and the memory that it holds then."""

    seconds: float
    transactions: int
    resident_mib: float


@dataclass(slots=True)
class Load:
    """Signed records to send again each round; ``sent`` counts them over all rounds."""

    senders: list[Sender]
    values: list[tuple[int, bytes]]
    sent: int = 0


async def prepare(stack: Stack) -> Load:
    """Register factories with a key, and write their records."""
    seed = os.urandom(32)
    owner = await connect(stack.database_url)
    try:
        await register(owner, FACTORIES, str(MACHINES), 600 * SECOND_US)
        await owner.execute(ADD_KEYS, bytes(SigningKey(seed).verify_key))
    finally:
        await owner.close()
    senders = [Sender(f"F{n:06d}", "k1", seed, stack.producer(), stack.topic) for n in range(1, FACTORIES + 1)]
    values = [(n, record(senders[n].factory_id, instant)) for instant in range(INSTANTS) for n in range(FACTORIES)]
    return Load(senders, values)


def record(factory_id: str, instant: int) -> bytes:
    """One record: every metric of every machine of a factory, at one instant."""
    at_us = ORIGIN_US + instant * MINUTE_US
    rows = ReadingRows()
    for machine in range(1, MACHINES + 1):
        for metric in METRICS:
            rows.machine_id.append(f"M{machine:02d}")
            rows.metric.append(metric)
            rows.at_us.append(at_us)
            rows.value.append(machine * 0.37 + instant)
            rows.retracted.append(False)
    return encode_record(factory_id=factory_id, gateway_id="gw-1", sent_at_us=at_us, sequence=instant, readings=rows)


def send(load: Load) -> None:
    """Put all records into the topic."""
    for n, value in load.values:
        load.senders[n].send(value)
    load.senders[0].producer.flush()
    load.sent += len(load.values)


async def ingest_round(stack: Stack, until_offset: int) -> Round:
    """Have a new worker ingest what waits into an empty table."""
    owner = await connect(stack.database_url)
    await owner.execute("TRUNCATE reading, ingest_record; CHECKPOINT")
    worker = stack.start("ingest")
    try:
        wait_until_ready(worker)
        began = time.perf_counter()
        while await owner.fetchval("SELECT COALESCE(sum(next_offset), 0) FROM ingest_offset") < until_offset:
            assert worker.process.poll() is None, worker.output
            await asyncio.sleep(0.01)
        took = time.perf_counter() - began
        stored = await owner.fetchval("SELECT count(*) FROM reading")
        assert stored == ROWS, stored
        transactions = await owner.fetchval("SELECT count(DISTINCT ingested_at) FROM ingest_record")
        return Round(took, transactions, resident_mib(worker))
    finally:
        worker.stop()
        await owner.close()


def wait_until_ready(worker: Service) -> None:
    """Wait in short steps, since the clock starts then."""
    while not worker.is_ready():
        time.sleep(0.005)


async def copy_round(url: str, transactions: int) -> float:
    """Copy the same rows, encoded and sorted in advance, in as many transactions; returns rows per second."""
    pieces = encoded_rows(transactions)
    owner = await connect(url)
    try:
        await owner.execute("TRUNCATE reading; CHECKPOINT")
        began = time.perf_counter()
        for piece in pieces:
            await owner.copy_to_table("reading", source=once(piece), columns=COLUMNS, format="binary")
        took = time.perf_counter() - began
        assert await owner.fetchval("SELECT count(*) FROM reading") == ROWS
    finally:
        await owner.close()
    return ROWS / took


def encoded_rows(transactions: int) -> list[bytes]:
    """The rows as binary COPY data, one piece per transaction, each sorted by the table's key."""
    shape = (FACTORIES * MACHINES, len(METRICS), INSTANTS)
    machine, metric, instant = (column.reshape(-1) for column in np.indices(shape, np.int64))
    at_us = ORIGIN_US + instant * MINUTE_US
    value = machine * 0.37 + instant
    cuts = np.linspace(0, ROWS, transactions + 1).astype(int).tolist()
    nothing = np.zeros(ROWS, np.int64)
    retracted = np.zeros(ROWS, bool)
    pieces = [slice(a, b) for a, b in itertools.pairwise(cuts)]
    return [
        readings_as_copy(
            machine[own] + 1, metric[own] + 1, at_us[own], value[own], nothing[own], retracted[own], nothing[own]
        )
        for own in pieces
    ]


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield the data as one piece, the form in which asyncpg's COPY takes it."""
    yield data
