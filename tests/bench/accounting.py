"""How long analytics takes to account an hour of 60,000 machines, beside the plain query that stores nothing.

What accounting does more: it finds what is dirty, cuts holds by registry versions, cohorts and hours, counts, stores
accounts, and adds them up to factories, days and cohorts.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator

from services.analytics.cohort_sums import roll_up
from services.analytics.engine import advance, settle, shards_with_work, start_accounting
from services.core.database import Connection, connect
from services.core.times import HOUR_US, MINUTE_US, SECOND_US
from tests.bench.country import ORIGIN_US, add_facts, add_marks, register
from tests.bench.figures import Figure
from tests.bench.stacks import Servers

FACTORIES = 3000
MACHINES = 20
STATES_AN_HOUR = 10
COUNTS_AN_HOUR = 4
HOURS = 3
"""Full ones, one a round; the hour after them is running."""
STEP_US = 10 * SECOND_US
TTL_US = 600 * SECOND_US

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


def figures(servers: Servers) -> Iterator[Figure]:
    """Alternate the two over hours; the ratio is the median of the rounds' ratios. Then let the running hour go on."""
    with servers.stack("bench_accounting") as stack:
        accounted, queried, advanced = asyncio.run(measure(stack.database_url))
    ratios = [ours / plain for ours, plain in zip(accounted, queried, strict=True)]
    window_query = statistics.median(queried)
    yield Figure("account_hour_s", statistics.median(accounted), "s")
    yield Figure("window_query_s", window_query, "s", "the database's own pace")
    yield Figure("account_over_window_query", statistics.median(ratios), "ratio")
    yield Figure("advance_s", statistics.median(advanced), "s", "no goal yet; freshness is at least this")
    yield Figure("advance_over_window_query", statistics.median(advanced) / window_query, "ratio")


async def measure(url: str) -> tuple[list[float], list[float], list[float]]:
    """Seconds of accounting each hour, of the plain query over it, and of each step of the running hour."""
    owner, analytics = await connect(url), await connect(url, "jejo_analytics")
    try:
        starts = await fill(owner)
        await start_accounting(analytics, starts[0])
        accounted, queried = [], []
        for start in starts[:-1]:
            await let_pass(owner, start, start + HOUR_US)
            queried.append(await query_hour(owner, start))
            accounted.append(await settle_all(analytics))
        now_us = starts[-1] + 30 * MINUTE_US
        await let_pass(owner, starts[-1], now_us)
        await settle_all(analytics)
        advanced = []
        for step in range(1, HOURS + 1):
            began = time.perf_counter()
            assert await advance(analytics, now_us + step * STEP_US) == 0
            advanced.append(time.perf_counter() - began)
        assert await owner.fetchval("SELECT count(*) FROM machine_hour") == (HOURS + 1) * FACTORIES * MACHINES
    finally:
        await analytics.close()
        await owner.close()
    return accounted, queried, advanced


async def fill(owner: Connection) -> list[int]:
    """A registered country with facts, and when their hours begin, of which the last is the running one."""
    await register(owner, FACTORIES, str(MACHINES), TTL_US)
    starts = [ORIGIN_US + hour * HOUR_US for hour in range(HOURS + 1)]
    for start in starts:
        await add_facts(owner, start, start + HOUR_US, STATES_AN_HOUR, COUNTS_AN_HOUR)
    return starts


async def let_pass(owner: Connection, from_us: int, to_us: int) -> None:
    """Make it the time ``to_us``, with marks over what came since ``from_us``: just this is to be accounted."""
    await owner.execute("UPDATE analytics_state SET accounted_until = $1", to_us)
    await add_marks(owner, from_us, to_us)
    await owner.execute("ANALYZE; CHECKPOINT")


async def query_hour(owner: Connection, start_us: int) -> float:
    """Seconds of the plain query over an hour."""
    began = time.perf_counter()
    rows, seconds = await owner.fetchrow(WINDOW_QUERY, start_us, start_us + HOUR_US) or (0, 0)
    took = time.perf_counter() - began
    assert rows >= FACTORIES * MACHINES
    assert seconds > 0
    return took


async def settle_all(analytics: Connection) -> float:
    """Seconds until nothing in the past is left to account or to add up."""
    began = time.perf_counter()
    for shard in await shards_with_work(analytics):
        while await settle(analytics, shard):
            pass
    while await roll_up(analytics):
        pass
    return time.perf_counter() - began
