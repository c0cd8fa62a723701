"""How old KPIs are while a country of 600,000 machines sends at the highest rate that this machine sustains.

Everything is on the machine: sender, Kafka, one worker of ingest, the database, analytics, the API and who asks it.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from services.core.clock import system_clock
from services.core.database import connect
from services.core.times import MINUTE_US, SECOND_US
from tests.bench.country import add_facts, add_marks
from tests.bench.figures import Figure, percentile, progress
from tests.bench.freshness.probes import Asker, follow
from tests.bench.freshness.traffic import Packet, Traffic, packets, send_at_rate
from tests.bench.ingest.batches import Broker
from tests.bench.ingest.records import Country
from tests.bench.ingest.rounds import READ, enter
from tests.bench.stacks import Servers
from tests.stack import Stack, wait_for

FACTORIES = 30_000
HIGHER = (60_000, 80_000, 100_000, 120_000)
"""Rows a second that are tried, until one is not sustained."""
LOWER = (45_000, 30_000, 15_000)
"""What is tried if the first of the others is not sustained."""
SECONDS = 50.0
PROBES = 110
BEFORE_US = 12 * MINUTE_US
"""So long all machines have been reporting when the first records are sent."""
WRITTEN_A_SECOND = 100_000
"""Rows that are written and packed in a second at least, before they are sent."""
LONGEST_LAG_S = 5.0
LONGEST_LATE_S = 1.0
GROWTH_S = 5.0

NOTHING_MADE = "UPDATE count_event SET good = 0, scrap = 0"
"""Only probes count pieces, so their machines, their factories and the nation have made nothing before."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened at one rate.

    Attributes:
        late_s: by how much the sender was behind in the end.
        lag_s: how long it had taken to send what ingest had not stored then.
        fresh: seconds of each probe, in the order in which they were sent.
    """

    rows_per_s: int
    late_s: float
    lag_s: float
    fresh: list[float]

    @property
    def is_sustained(self) -> bool:
        """Whether it could have gone on: nothing piled up before ingest, nor before analytics."""
        quarter = len(self.fresh) // 4
        grew_s = statistics.median(self.fresh[-quarter:]) - statistics.median(self.fresh[:quarter])
        return self.late_s <= LONGEST_LATE_S and self.lag_s <= LONGEST_LAG_S and grew_s <= GROWTH_S

    def __str__(self) -> str:
        p50, p99 = percentile(self.fresh, 0.5), percentile(self.fresh, 0.99)
        verdict = "sustained" if self.is_sustained else "not sustained"
        return (
            f"{self.rows_per_s} rows/s: fresh after {p50:.1f} s, p99 {p99:.1f} s; "
            f"lag {self.lag_s:.1f} s, sender late {self.late_s:.1f} s: {verdict}"
        )


@dataclass(slots=True)
class Run:
    """The services at work, who sends and who asks; ``turn`` counts the steps, ``records`` what they sent."""

    stack: Stack
    country: Country
    asker: Asker
    turn: int = 0
    records: int = 0

    def step(self, rows_per_s: int, seconds: float = SECONDS, probes: int = PROBES) -> Step:
        """Send at a rate for a while, then wait until everything is stored."""
        traffic = Traffic(self.country.factories, rows_per_s, seconds)
        begins_us = system_clock() + int((2 + rows_per_s * seconds / WRITTEN_A_SECOND) * SECOND_US)
        prepared = packets(replace(self.country, origin_us=begins_us), traffic, self.turn)
        begins = time.monotonic() + max(0, begins_us - system_clock()) / SECOND_US
        self.turn += 1
        with ThreadPoolExecutor(1) as pool, Broker(self.stack.kafka.bootstrap, self.stack.topic) as broker:
            sending = pool.submit(self.send, prepared, begins)
            fresh = follow(self.asker, broker, self.country, begins, seconds / probes, probes)
            late_s, waiting = sending.result()
        wait_for("ingest to store everything", lambda: self.waiting() <= 0, 180)
        step = Step(rows_per_s, late_s, waiting / traffic.records_per_s, fresh)
        progress(str(step))
        return step

    def send(self, prepared: Sequence[Packet], begins: float) -> tuple[float, int]:
        """Send what was prepared. Return by how many seconds it was late in the end, and the records that waited."""
        with Broker(self.stack.kafka.bootstrap, self.stack.topic) as broker:
            late_s = send_at_rate(broker, prepared, begins)
        self.records += sum(packet.records for packet in prepared)
        return late_s, self.waiting()

    def waiting(self) -> int:
        """Records that were sent and are not stored."""
        return self.records + self.asker.sent - int(self.stack.query(READ, self.stack.topic)[0][0])


@contextmanager
def running(servers: Servers, factories: int) -> Iterator[Run]:
    """All services, and a country whose machines have been reporting for a while."""
    with servers.stack("bench_freshness") as stack:
        country = Country(factories)
        progress(f"registering {factories} factories")
        asyncio.run(enter(stack.database_url, country))
        asyncio.run(fill(stack.database_url))
        stack.start("analytics", JEJO_ANALYTICS_CYCLE_S="1")
        ingest = stack.start("ingest")
        stack.start_api()
        wait_for("ingest", ingest.is_ready)
        wait_for("analytics to begin", lambda: bool(stack.query("SELECT 1 FROM analytics_state")))
        stack.wait_until_accounted(300)
        progress("all machines are accounted up to now")
        asker = Asker(stack)
        try:
            yield Run(stack, country, asker)
        finally:
            asker.close()


async def fill(url: str) -> None:
    """Add what all machines have reported lately, marked as ingest marks it."""
    owner = await connect(url)
    try:
        now_us = system_clock()
        await add_facts(owner, now_us - BEFORE_US, now_us, 10, 5)
        await owner.execute(NOTHING_MADE)
        await add_marks(owner, now_us - BEFORE_US, now_us)
        await owner.execute("ANALYZE dirty_mark; CHECKPOINT")
    finally:
        await owner.close()


def steps_of(run: Callable[[int], Step]) -> list[Step]:
    """Try higher rates until one is not sustained; if that is the first, lower ones until one is."""
    steps = [run(HIGHER[0])]
    for rate in HIGHER[1:] if steps[0].is_sustained else LOWER:
        steps.append(run(rate))
        if steps[-1].is_sustained != steps[0].is_sustained:
            break
    return steps


def figures(servers: Servers) -> Iterator[Figure]:
    """Report the highest rate that was sustained, and how old KPIs were at that rate."""
    with running(servers, FACTORIES) as here:
        steps = steps_of(here.step)
    sustained = [step for step in steps if step.is_sustained]
    assert sustained, "no rate was sustained"
    best = max(sustained, key=lambda step: step.rows_per_s)
    yield Figure("analytics.freshness_rows_per_s", best.rows_per_s, "rows/s", ">= 60000")
    yield Figure("analytics.freshness_p50_s", percentile(best.fresh, 0.5), "s")
    yield Figure("analytics.freshness_p99_s", percentile(best.fresh, 0.99), "s", "<= 30")
