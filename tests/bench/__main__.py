"""``make bench``: figures of the hot paths on this machine, as lines and in ``build/bench.jsonl``.

Machines are shared and noisy: trust ratios of figures taken in one run, not the figures.
"""

import asyncio
import datetime as dt
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.wire.columns import ReadingRows
from schemas.wire.decode import decode_record
from schemas.wire.encode import encode_record
from services.core.database import connect
from services.core.times import SECOND_US
from services.ingest.topic import open_topic
from tests.databases import TEMPLATE, database_url, execute, make_template
from tests.servers import private_kafka, private_postgres
from tests.stack import Sender, Stack, wait_for

ORIGIN_US = 1_488_326_400 * SECOND_US
RECORDS = 2000
ROWS = 100
MACHINES = 20
REPORT = Path("build/bench.jsonl")


@dataclass(frozen=True)
class Figure:
    """One measured figure; ``goal`` says what is aimed at."""

    name: str
    value: float
    unit: str
    goal: str

    def report(self) -> None:
        """Print the figure, and add it to the report."""
        print(f"{self.name} {self.value:.4g} {self.unit} {self.goal}", flush=True)
        REPORT.parent.mkdir(exist_ok=True)
        machine = f"{platform.machine()}, {os.cpu_count()} cores"
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with REPORT.open("a") as out:
            out.write(json.dumps({**vars(self), "at": now, "machine": machine}) + "\n")


def records(factory_id: str) -> list[bytes]:
    """Records of readings, each of one machine, in the order of time."""
    found = []
    for n in range(RECORDS):
        rows = ReadingRows()
        for row in range(ROWS):
            rows.machine_id.append(f"M{n % MACHINES:02d}")
            rows.metric.append("spindle_load_pct")
            rows.at_us.append(ORIGIN_US + (n * ROWS + row) * SECOND_US)
            rows.value.append(row * 0.5)
            rows.retracted.append(False)
        found.append(
            encode_record(factory_id=factory_id, gateway_id="gw-1", sent_at_us=ORIGIN_US, sequence=n, readings=rows)
        )
    return found


@contextmanager
def running_stack() -> Iterator[Stack]:
    """A durable TimescaleDB, a Kafka, and a migrated database on them."""
    with private_postgres(durable=True) as postgres, private_kafka() as kafka, tempfile.TemporaryDirectory() as folder:
        asyncio.run(make_template(postgres.url))
        asyncio.run(execute(postgres.url, f"CREATE DATABASE bench TEMPLATE {TEMPLATE} STRATEGY file_copy"))
        open_topic(kafka.bootstrap, "bench")
        stack = Stack(database_url(postgres.url, "bench"), kafka, "bench", Path(folder))
        try:
            yield stack
        finally:
            stack.stop()


def decoding(values: list[bytes]) -> Figure:
    """How fast one process reads records."""
    began = time.perf_counter()
    for value in values:
        decode_record(value)
    return Figure("decode", len(values) * ROWS / (time.perf_counter() - began), "rows/s", "as fast as copy")


def copying(url: str) -> Figure:
    """How fast ready-made rows are copied into the same table, committed in transactions of the same size."""
    rows = [
        (1 + n % MACHINES, 1, ORIGIN_US + (n * ROWS + row) * SECOND_US, row * 0.5, 0, False, n)
        for n in range(RECORDS)
        for row in range(ROWS)
    ]

    async def copy() -> float:
        connection = await connect(url)
        try:
            began = time.perf_counter()
            for start in range(0, len(rows), 50_000):
                await connection.copy_records_to_table("reading", records=rows[start : start + 50_000])
            took = time.perf_counter() - began
            await connection.execute("TRUNCATE reading")
            return took
        finally:
            await connection.close()

    return Figure("copy", len(rows) / asyncio.run(copy()), "rows/s", "the database's own pace")


def ingesting(stack: Stack, sender: Sender, values: list[bytes]) -> Figure:
    """How fast records that wait in Kafka become facts, from the worker's first read to the last commit."""
    for value in values:
        sender.send(value)
    sender.producer.flush()
    ingest = stack.start("ingest")
    wait_for("ingest to read", lambda: "reading on from" in ingest.output)
    began = time.perf_counter()
    stack.wait_until_ingested()
    took = time.perf_counter() - began
    ((stored,),) = stack.query("SELECT count(*) FROM reading")
    assert stored == len(values) * ROWS, stored
    return Figure("ingest", stored / took, "rows/s", "120000 at the country's peak")


def main() -> None:
    """Measure and report."""
    with running_stack() as stack:
        stack.start_api()
        sender = stack.register_factory("F1", *[f"M{n:02d}" for n in range(MACHINES)])
        values = records("F1")
        decode, copy, ingest = decoding(values), copying(stack.database_url), ingesting(stack, sender, values)
        for figure in (decode, copy, ingest, Figure("ingest_over_copy", ingest.value / copy.value, "ratio", "0.5")):
            figure.report()


if __name__ == "__main__":
    main()
