"""How long analytics takes for a country of 600,000 machines, beside the plain query that stores nothing.

What accounting does more: it finds what is dirty, cuts holds by registry versions, cohorts and hours, counts, stores
accounts, and adds them up to factories, days, cohorts and groups.
"""

import asyncio
import resource
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.analytics.cohort_sums import roll_up
from services.analytics.crowded_hours import Country, crowded_hour
from services.analytics.engine import advance, settle, shards_with_work, start_accounting
from services.analytics.whole_hours import settle_whole_hour
from services.analytics.worker import open_country
from services.core.database import Connection, connect
from services.core.times import HOUR_US, MINUTE_US, SECOND_US
from tests.bench.country import ORIGIN_US, add_facts, add_marks, register
from tests.bench.figures import Figure
from tests.bench.stacks import Servers

FACTORIES = 30_000
MACHINES = 20
STATES_AN_HOUR = 10
COUNTS_AN_HOUR = 4
HOURS = 3
"""Full ones; the hour after them is running."""
STEPS = 4
STEP_US = 10 * SECOND_US
TTL_US = 600 * SECOND_US
LATE_ROWS = 60
SMALL_FACTORIES = 1250
"""Whose facts are a twentieth of the country's."""

WINDOW_QUERY = """
SELECT count(*), sum(seconds) FROM (
    SELECT machine, state, sum(extract(epoch FROM ends_at - at)) AS seconds
    FROM (
        SELECT machine, at, state,
               LEAST(lead(at) OVER (PARTITION BY machine ORDER BY at), at + INTERVAL '600 s', $2) AS ends_at
        FROM state_event WHERE at >= $1 AND at < $2 AND NOT retracted
    ) AS held
    GROUP BY machine, state
) AS account
"""

LATE_ROW = """
WITH late AS (
    INSERT INTO state_event (machine, at, state, mode, revision, retracted, record_id)
    SELECT m.id, $2, 1, 1, 0, false, 1 FROM machine m WHERE m.id = $1 RETURNING machine, at
)
INSERT INTO dirty_mark (shard, machine, from_at, to_at)
SELECT m.shard, m.id, late.at, late.at FROM late JOIN machine m ON m.id = late.machine RETURNING shard
"""


@dataclass(slots=True)
class Times:
    """Seconds, by hour or step."""

    window: list[float] = field(default_factory=list)
    stored: list[float] = field(default_factory=list)
    added_up: list[float] = field(default_factory=list)
    advanced: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    late_in_small: list[float] = field(default_factory=list)


def figures(servers: Servers) -> Iterator[Figure]:
    """Account hours beside the plain query, then let the running hour go on, then account late rows."""
    times = Times()
    with servers.stack("bench_accounting") as stack:
        asyncio.run(measure(stack.database_url, times))
    with servers.stack("bench_accounting_small") as stack:
        asyncio.run(measure_small(stack.database_url, times))
    whole = [stored + added for stored, added in zip(times.stored, times.added_up, strict=True)]
    yield Figure("analytics.window_query_s", statistics.median(times.window), "s", "the database's own pace")
    yield Figure("analytics.national_hour_s", statistics.median(times.stored[1:]), "s")
    yield Figure("analytics.national_hour_ratio", ratio(times.stored[1:], times.window[1:]), "ratio", "<= 0.75")
    yield Figure("analytics.national_hour_all_ratio", ratio(whole[1:], times.window[1:]), "ratio", "<= 1.0")
    yield Figure("analytics.first_hour_ratio", whole[0] / statistics.median(whole[1:]), "ratio", "<= 1.5")
    yield Figure("analytics.advance_s", statistics.median(times.advanced), "s", "<= 3")
    late_ms = 1000 * statistics.median(times.late)
    yield Figure("analytics.late_row_ms", late_ms, "ms", "<= 10")
    small_ms = 1000 * statistics.median(times.late_in_small)
    yield Figure("analytics.late_row_ratio", late_ms / small_ms, "ratio", "<= 1.2")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    yield Figure("analytics.peak_mb", peak_mb, "MB", "<= 800")


def ratio(ours: list[float], plain: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(own / other for own, other in zip(ours, plain, strict=True))


@asynccontextmanager
async def connections(url: str) -> AsyncIterator[tuple[Connection, Country]]:
    """The owner's connection, and those of a worker."""
    owner, country = await connect(url), await open_country(url)
    try:
        yield owner, country
    finally:
        for connection in (owner, country.writer, *country.readers):
            await connection.close()


async def measure(url: str, times: Times) -> None:
    """Account a country's hours, the first of them in a database without statistics of what is derived."""
    async with connections(url) as (owner, country):
        starts = await fill(owner, FACTORIES)
        await start_accounting(country.writer, starts[0])
        for start in starts[:-1]:
            await let_pass(owner, start, start + HOUR_US)
            times.window.append(min([await query_hour(owner, start) for _ in range(2)]))
            stored, added_up = await settle_country(country)
            times.stored.append(stored)
            times.added_up.append(added_up)
        now_us = starts[-1] + 30 * MINUTE_US
        await let_pass(owner, starts[-1], now_us)
        await settle_country(country)
        for step in range(STEPS):
            await add_marks(owner, now_us + step * STEP_US, now_us + (step + 1) * STEP_US)
            began = time.perf_counter()
            assert await advance(country.writer, now_us + (step + 1) * STEP_US) == 0
            times.advanced.append(time.perf_counter() - began)
        assert await owner.fetchval("SELECT count(*) FROM machine_hour_pack") == len(starts) * FACTORIES
        times.late += await late_rows(owner, country.writer, starts[0])


async def measure_small(url: str, times: Times) -> None:
    """Account late rows beside few facts."""
    async with connections(url) as (owner, country):
        starts = await fill(owner, SMALL_FACTORIES)
        await start_accounting(country.writer, starts[-1])
        await let_pass(owner, starts[0], starts[-1])
        await settle_all(country.writer)
        times.late_in_small += await late_rows(owner, country.writer, starts[0])


async def fill(owner: Connection, factories: int) -> list[int]:
    """A registered country with facts, and when their hours begin, of which the last is the running one."""
    await register(owner, factories, str(MACHINES), TTL_US)
    starts = [ORIGIN_US + hour * HOUR_US for hour in range(HOURS + 1)]
    for start in starts:
        await add_facts(owner, start, start + HOUR_US, STATES_AN_HOUR, COUNTS_AN_HOUR)
    return starts


async def let_pass(owner: Connection, from_us: int, to_us: int) -> None:
    """Make it the time ``to_us``, with marks over what came since ``from_us``: just this is to be accounted."""
    await owner.execute("UPDATE analytics_state SET accounted_until = $1", to_us)
    await add_marks(owner, from_us, to_us)
    await owner.execute("ANALYZE dirty_mark; CHECKPOINT")


async def query_hour(owner: Connection, start_us: int) -> float:
    """Seconds of the plain query over an hour."""
    began = time.perf_counter()
    rows, seconds = await owner.fetchrow(WINDOW_QUERY, start_us, start_us + HOUR_US) or (0, 0)
    took = time.perf_counter() - began
    assert rows >= FACTORIES * MACHINES
    assert seconds > 0
    return took


async def settle_country(country: Country) -> tuple[float, float]:
    """Seconds until all machines' hours and days, and factories', are stored; and until all cohorts and groups are."""
    began = time.perf_counter()
    while (crowded := await crowded_hour(country)) is not None:
        assert await settle_whole_hour(country, crowded)
    stored = time.perf_counter() - began
    assert not await shards_with_work(country.writer)
    while await roll_up(country.writer):
        pass
    return stored, time.perf_counter() - began - stored


async def settle_all(analytics: Connection) -> float:
    """Seconds until nothing in the past is left to account or to add up, shard by shard."""
    began = time.perf_counter()
    for shard in await shards_with_work(analytics):
        while await settle(analytics, shard):
            pass
    while await roll_up(analytics):
        pass
    return time.perf_counter() - began


async def late_rows(owner: Connection, analytics: Connection, start_us: int) -> list[float]:
    """Seconds that each of some late rows takes, of different machines."""
    found = []
    for machine in range(1, LATE_ROWS * MACHINES, MACHINES):
        at_us = start_us + 30 * MINUTE_US + machine * SECOND_US + 1
        shard = await owner.fetchval(LATE_ROW, machine, at_us)
        began = time.perf_counter()
        while await settle(analytics, shard):
            pass
        found.append(time.perf_counter() - began)
    return found
