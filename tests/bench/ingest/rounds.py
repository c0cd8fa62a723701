"""One round: workers read what waits in a topic into empty tables, while the processors' time is taken down."""

import asyncio
import dataclasses
import itertools
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kafka.admin import KafkaAdminClient

from schemas.wire.topic import CONFIGURATION, PARTITIONS
from services.core.database import Connection, connect
from services.ingest.stream.topic import open_topic
from tests.bench.country import ADD_KEYS, register
from tests.bench.ingest.batches import Load, send
from tests.bench.ingest.records import MACHINES, Country
from tests.bench.stacks import Servers
from tests.stack import Service, Stack

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
POLL_S = 0.01
READ_S = 0.05
"""How often the database is asked how far the workers are; more often would take a part of the processors."""
serial_numbers = itertools.count(1)
LONGEST_S = 1200
STATE_TTL_US = 600_000_000

EMPTY = """
TRUNCATE reading, state_event, count_event, fact_revision, ingest_record, dead_letter, dead_letter_spent,
    dead_letter_count, dirty_mark;
UPDATE metric SET topic = NULL WHERE topic IS NOT NULL;
UPDATE fact_day SET topic = NULL WHERE topic IS NOT NULL;
CHECKPOINT
"""
REWIND = """
UPDATE ingest_offset o SET next_offset = o.first_offset, read_to = o.first_offset FROM ingest_topic t
WHERE t.topic = $1 AND (t.cluster_id, t.topic_id) = (o.cluster_id, o.topic_id)
"""
READ = """
SELECT COALESCE(sum(o.next_offset - o.first_offset), 0)::bigint
FROM ingest_offset o JOIN ingest_topic t USING (cluster_id, topic_id) WHERE t.topic = $1
"""


@dataclass(frozen=True, slots=True)
class Processors:
    """Seconds of the processors that the workers, the database and the broker used."""

    workers: float
    postgres: float
    kafka: float

    def since(self, earlier: "Processors") -> "Processors":
        """What was used in between."""
        return Processors(self.workers - earlier.workers, self.postgres - earlier.postgres, self.kafka - earlier.kafka)


@dataclass(frozen=True, slots=True)
class Round:
    """What workers did from the moment when all were ready.

    ``records``: read from then on; ``peak_mb``: the most that any of them held since its start.
    """

    records: int
    seconds: float
    used: Processors
    peak_mb: float

    @property
    def records_per_s(self) -> float:
        """Their pace."""
        return self.records / self.seconds


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers, a database, and the country registered in it."""

    servers: Servers
    stack: Stack
    country: Country

    def topic(self, name: str, load: Load) -> str:
        """Create a topic, and fill it."""
        open_topic(self.stack.kafka.bootstrap, name)
        send(self.stack.kafka.bootstrap, name, load)
        return name

    def unbounded_topic(self, name: str, load: Load) -> str:
        """Create and fill a topic that, unlike the contract's, takes batches whatever they unpack to."""
        admin = KafkaAdminClient(bootstrap_servers=self.stack.kafka.bootstrap)
        try:
            kept = {
                setting: value
                for setting, value in CONFIGURATION.items()
                if setting != "max.decompressed.message.bytes"
            }
            admin.create_topics(
                {name: {"num_partitions": PARTITIONS, "replication_factor": 1, "configs": kept}}, wait_for_metadata=True
            )
        finally:
            admin.close()
        return self.topic(name, load)

    def round(self, topic: str, load: Load) -> Round:
        """Have a new worker read all of a topic, from its start, into empty tables."""
        return asyncio.run(self._round(topic, load, 1, sent=True))

    def shared_round(self, load: Load, workers: int) -> Round:
        """Have new workers share a new topic, into empty tables.

        The load is sent once all have partitions, at the broker's pace: of what waits already the first one to come
        would read a part alone.
        """
        topic = f"{self.stack.topic}_shared_{next(serial_numbers)}"
        open_topic(self.stack.kafka.bootstrap, topic)
        return asyncio.run(self._round(topic, load, workers, sent=False))

    async def _round(self, topic: str, load: Load, workers: int, *, sent: bool) -> Round:
        owner = await connect(self.stack.database_url)
        try:
            await owner.execute(EMPTY)
            await owner.execute(REWIND, topic)
            with self.workers(topic, workers) as started:
                already = await owner.fetchval(READ, topic)
                before, began = self.used_by(started), time.perf_counter()
                if not sent:
                    await asyncio.to_thread(send, self.stack.kafka.bootstrap, topic, load)
                await self.wait_until_read(owner, topic, load.records, started)
                took = time.perf_counter() - began
                used = self.used_by(started).since(before)
                return Round(load.records - already, took, used, max(peak_mb(worker) for worker in started))
        finally:
            await owner.close()

    def stored(self, table: str = "reading") -> int:
        """Rows in a table now."""
        return int(self.stack.query(f"SELECT count(*) FROM {table}")[0][0])

    @contextmanager
    def workers(self, topic: str, count: int = 1) -> Iterator[list[Service]]:
        """Workers of one group, yielded as soon as each has partitions and knows where to read on."""
        stack = dataclasses.replace(self.stack, topic=topic)
        started = [stack.start("ingest") for _ in range(count)]
        try:
            while not all(worker.is_ready() for worker in started):
                time.sleep(POLL_S)
            yield started
        finally:
            for worker in started:
                worker.stop()

    async def wait_until_read(self, owner: Connection, topic: str, records: int, workers: list[Service]) -> None:
        """Wait until so many of a topic's records have been committed, as facts or as dead letters."""
        deadline = time.monotonic() + LONGEST_S
        while await owner.fetchval(READ, topic) < records:
            for worker in workers:
                assert worker.process.poll() is None, worker.output
            assert time.monotonic() < deadline, [worker.output[-2000:] for worker in workers]
            await asyncio.sleep(READ_S)

    def used_by(self, workers: list[Service]) -> Processors:
        """What the processes have used of the processors until now."""
        return Processors(
            sum(processor_s(worker.process.pid) for worker in workers),
            postgres_s(self.servers.postgres.pid),
            processor_s(self.servers.kafka.pid),
        )


@contextmanager
def bench(servers: Servers, name: str, country: Country) -> Iterator[Bench]:
    """A database with a registered country."""
    with servers.stack(name) as stack:
        asyncio.run(enter(stack.database_url, country))
        yield Bench(servers, stack, country)


async def enter(url: str, country: Country) -> None:
    """Register the country's factories, machines and keys."""
    owner = await connect(url)
    try:
        await register(owner, country.factories, str(MACHINES), STATE_TTL_US)
        await owner.execute(ADD_KEYS, country.public_key)
    finally:
        await owner.close()


def fields_of(pid: int) -> list[str]:
    """A process's line in ``/proc``, from the state on (proc(5), "stat"); empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def processor_s(pid: int, *, with_children: bool = False) -> float:
    """Seconds in user and system mode, on request with those of its children that have ended."""
    return sum(int(ticks) for ticks in fields_of(pid)[11 : 15 if with_children else 13]) / TICKS_PER_S


def postgres_s(pid: int) -> float:
    """The same for PostgreSQL, which has a process for each connection."""
    running = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    children = [child for child in running if fields_of(child)[1:2] == [str(pid)]]
    return processor_s(pid, with_children=True) + sum(processor_s(child) for child in children)


def peak_mb(worker: Service) -> float:
    """The most memory that was resident at any time, as Linux counts it."""
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None, status
    return int(found[1]) * 1024 / 1e6
