"""How long a record waits from the broker's append to its commit, while gateways send at a steady pace."""

import asyncio
import bisect
import threading
import time
from collections import defaultdict
from collections.abc import Iterator

from services.core.database import connect
from tests.bench.figures import Figure, percentile
from tests.bench.ingest.batches import Batch, Broker, pack
from tests.bench.ingest.duplicates import readings
from tests.bench.ingest.records import SERIES, Country
from tests.bench.ingest.rounds import EMPTY, READ, Bench, bench
from tests.bench.ingest.speed import FACTORIES
from tests.bench.stacks import Servers

ROWS_PER_S = 20_000
SECONDS = 30
POLL_S = 0.005
OFFSETS = """
SELECT o.partition, o.next_offset FROM ingest_offset o JOIN ingest_topic t USING (cluster_id, topic_id)
WHERE t.topic = $1
"""
RECEIVED = "SELECT partition, record_offset, received_at FROM ingest_record"

Seen = dict[int, list[tuple[int, int]]]
"""By partition: (offset from which on nothing was committed, instant in microseconds), whenever it had changed."""


def figures(servers: Servers) -> Iterator[Figure]:
    """Send records of 100 readings, each in a batch of its own, to a worker that waits for them."""
    with bench(servers, "bench_delay", Country(FACTORIES)) as here:
        delays = asyncio.run(measure(here, "bench_delay"))
    yield Figure("ingest.commit_p50_ms", percentile(delays, 0.5) / 1000, "ms")
    yield Figure("ingest.commit_p99_ms", percentile(delays, 0.99) / 1000, "ms", "<= 1000")


async def measure(here: Bench, topic: str) -> list[int]:
    """Microseconds of each record from the instant that the broker gave it until its offset was seen committed."""
    load = pack(readings(here.country, ROWS_PER_S * SECONDS), most_bytes=1)
    here.topic(topic, pack([]))
    owner = await connect(here.stack.database_url)
    try:
        await owner.execute(EMPTY)
        with here.workers(topic) as workers:
            sender = threading.Thread(target=send_steadily, args=(here.stack.kafka.bootstrap, topic, load.batches))
            sender.start()
            seen: Seen = defaultdict(list)
            while await owner.fetchval(READ, topic) < load.records:
                assert workers[0].process.poll() is None, workers[0].output
                for partition, offset in await owner.fetch(OFFSETS, topic):
                    if not seen[partition] or seen[partition][-1][0] < offset:
                        seen[partition].append((offset, time.time_ns() // 1000))
                await asyncio.sleep(POLL_S)
            for partition, offset in await owner.fetch(OFFSETS, topic):
                seen[partition].append((offset, time.time_ns() // 1000))
            sender.join()
        return [committed_us(seen[p], offset) - received for p, offset, received in await owner.fetch(RECEIVED)]
    finally:
        await owner.close()


def send_steadily(bootstrap: str, topic: str, batches: list[Batch]) -> None:
    """Send a batch of one record at a time, at ROWS_PER_S."""
    with Broker(bootstrap, topic) as broker:
        began = time.monotonic()
        for n, batch in enumerate(batches):
            time.sleep(max(0.0, began + n * SERIES / ROWS_PER_S - time.monotonic()))
            broker.send([batch])


def committed_us(seen: list[tuple[int, int]], offset: int) -> int:
    """When the record at the offset was first seen committed."""
    return seen[bisect.bisect_right(seen, offset, key=lambda entry: entry[0])][1]
