"""What people would do instead of storing accounts, on the same facts in the same run.

The nation's availability of a day is asked of facts by plain SQL, of a table that a job fills again each minute, and
of Jejo's API. Continuous aggregates are a matter of TimescaleDB's Community edition, of which there is only the slow
build in WebAssembly here: there it is about how far they are from exact, not about time.
"""

import asyncio
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from services.analytics.engine import start_accounting
from services.core.database import Connection, connect
from services.core.times import DAY_US, HOUR_US, SECOND_US, seoul_day
from tests.bench.accounting import settle_all
from tests.bench.country import ORIGIN_US, add_facts, register
from tests.bench.figures import Figure, percentile
from tests.bench.stacks import Servers
from tests.community import running_community
from tests.stack import Stack

FACTORIES = 3000
MACHINES_EACH = 20
STATES_AN_HOUR = 4
COUNTS_AN_HOUR = 1
TTL_S = 600
REQUESTS = 100
RUNS = 3
MINUTE_S = 60
COMMUNITY_MACHINES = 300


class Availability(NamedTuple):
    """Microseconds of producing, and of planned busy time."""

    producing: int
    busy: int


HELD = f"""
SELECT machine, state, GREATEST(at, $1) AS at,
       LEAST(lead(at) OVER (PARTITION BY machine ORDER BY at), at + INTERVAL '{TTL_S} s', $2) AS ends_at
FROM state_event WHERE at >= $1::timestamptz - INTERVAL '{TTL_S} s' AND at < $2 AND NOT retracted
"""
SUMS = """
coalesce(sum(extract(epoch FROM ends_at - at) * 1000000) FILTER (WHERE state = 1), 0)::bigint AS producing,
coalesce(sum(extract(epoch FROM ends_at - at) * 1000000) FILTER (WHERE state BETWEEN 1 AND 5), 0)::bigint AS busy
"""
PLAIN = f"SELECT {SUMS} FROM ({HELD}) AS held WHERE ends_at > at"

# A job keeps no more than it must: of each factory, what availability needs.
JOB_TABLE = (
    "CREATE TABLE job_day (day date, factory integer, producing bigint, busy bigint, PRIMARY KEY (day, factory))"
)
JOB_FORGETS = "DELETE FROM job_day WHERE day = timezone('Asia/Seoul', $1::timestamptz)::date"
JOB_FILLS = f"""
INSERT INTO job_day
SELECT timezone('Asia/Seoul', $1::timestamptz)::date, m.factory, {SUMS}
FROM ({HELD}) AS held JOIN machine m ON m.id = held.machine WHERE ends_at > held.at GROUP BY m.factory
"""

SET_ASIDE = """
CREATE TEMPORARY TABLE late AS SELECT * FROM state_event WHERE machine % 10 = 0;
DELETE FROM state_event WHERE machine % 10 = 0
"""
LOAD_LATE = "INSERT INTO state_event SELECT * FROM late"
MARKS = """
INSERT INTO dirty_mark (shard, machine, from_at, to_at)
SELECT shard, id, $1, $2 FROM machine WHERE NOT $3 OR id % 10 = 0
"""

# In the Community edition.
# Migrations take from PUBLIC what services do not need, also the trigger that notes what an aggregate must refresh.
PERMIT = "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA _timescaledb_functions TO PUBLIC"
AGGREGATE = """
CREATE MATERIALIZED VIEW held WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket('1 hour', at) AS hour, machine, at, state,
       lead(at) OVER (PARTITION BY machine, time_bucket('1 hour', at) ORDER BY at) AS next_at
FROM state_event GROUP BY 1, 2, 3, 4 WITH NO DATA
"""
ADD_SOME = f"""
INSERT INTO state_event (machine, at, state, mode, revision, retracted, record_id)
SELECT m, $1::timestamptz + n * INTERVAL '15 min' + m % 97 * INTERVAL '9 s',
       1 + (hashint8(m * 1000003::bigint + n) & 1023) % 7, 1, 0, false, 1
FROM generate_series(1, {COMMUNITY_MACHINES}) AS m, generate_series(0, 95) AS n WHERE (m % 10 = 0) = $2
"""
OF_AGGREGATE = f"""
SELECT {SUMS} FROM (
    SELECT state, at,
           LEAST(next_at, at + INTERVAL '{TTL_S} s', CASE WHEN $1 THEN hour + INTERVAL '1 hour' END) AS ends_at
    FROM held WHERE hour >= $2 AND hour < $3
) AS held
"""


def figures(servers: Servers) -> Iterator[Figure]:
    """Compare the time of each, then show how far continuous aggregates are from exact."""
    with servers.stack("bench_instead") as stack:
        yield from asyncio.run(measure(stack))
    with tempfile.TemporaryDirectory() as folder, running_community(Path(folder) / "server.log") as url:
        yield from asyncio.run(aggregate(url))


async def measure(stack: Stack) -> list[Figure]:
    """Return the seconds of plain SQL, of the job and of the API, for the same figure."""
    owner, analytics = await connect(stack.database_url), await connect(stack.database_url, "jejo_analytics")
    day = ORIGIN_US, ORIGIN_US + DAY_US
    try:
        await register(owner, FACTORIES, str(MACHINES_EACH), TTL_S * SECOND_US)
        await add_facts(owner, *day, STATES_AN_HOUR, COUNTS_AN_HOUR)
        await owner.execute(SET_ASIDE)
        await start_accounting(analytics, day[1])
        await owner.execute(MARKS, *day, False)
        await settle_all(analytics)
        await owner.execute(JOB_TABLE)
        await owner.execute("VACUUM ANALYZE")
        stack.start_api()
        plain, plain_s = await timed(owner, day)
        read, read_s = ask(stack, day)
        assert plain == read, (plain, read)

        began = time.perf_counter()
        await owner.execute(LOAD_LATE)
        await owner.execute(MARKS, *day, True)
        loaded_s = time.perf_counter() - began
        settled_s = await settle_all(analytics)
        plain, _ = await timed(owner, day)
        read, _ = ask(stack, day)
        assert plain == read, (plain, read)

        await owner.execute("SET max_parallel_workers_per_gather = 0")
        job_s = statistics.median([await run_job(owner, day) for _ in range(RUNS)])
        rows = await owner.fetchval("SELECT count(*) FROM state_event")
        by_job = await owner.fetchrow("SELECT sum(producing)::bigint, sum(busy)::bigint FROM job_day")
        assert Availability(*by_job or (0, 0)) == plain
    finally:
        await analytics.close()
        await owner.close()
    return [
        Figure("instead.state_rows_of_the_day", rows, "rows"),
        Figure("instead.plain_sql_ms", 1000 * plain_s, "ms"),
        Figure("instead.api_ms", 1000 * read_s, "ms"),
        Figure("instead.plain_sql_over_api", plain_s / read_s, "ratio"),
        Figure("instead.job_s", job_s, "s"),
        Figure("instead.job_core_share", job_s / MINUTE_S, "of one core, running each minute"),
        Figure("instead.job_freshness_s", MINUTE_S + job_s, "s at worst"),
        Figure("instead.late_load_s", loaded_s, "s to insert a tenth of the machines' day"),
        Figure("instead.late_load_settled_s", settled_s, "s until the API has it"),
    ]


async def timed(owner: Connection, day: tuple[int, int]) -> tuple[Availability, float]:
    """Return what plain SQL finds, and the median of its seconds."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        row = await owner.fetchrow(PLAIN, *day)
        times.append(time.perf_counter() - began)
    return Availability(*row or (0, 0)), statistics.median(times)


async def run_job(owner: Connection, day: tuple[int, int]) -> float:
    """Return the seconds that recomputing the day takes."""
    began = time.perf_counter()
    async with owner.transaction():
        await owner.execute(JOB_FORGETS, day[0])
        await owner.execute(JOB_FILLS, *day)
    return time.perf_counter() - began


def ask(stack: Stack, day: tuple[int, int]) -> tuple[Availability, float]:
    """Return what the API answers, and the median of its seconds."""
    window = f"from={seoul_day(day[0])}&to={seoul_day(day[1])}"
    connection = http.client.HTTPConnection(stack.api_url.removeprefix("http://"), timeout=60)
    times, body = [], b""
    for _ in range(REQUESTS):
        began = time.perf_counter()
        connection.request("GET", f"/v1/kpis?{window}&kpi=availability", headers=stack.headers)
        body = connection.getresponse().read()
        times.append(time.perf_counter() - began)
    connection.close()
    kpi = json.loads(body, parse_float=Decimal)["items"][0]["kpis"]["availability"]
    return Availability(*(int(Decimal(kpi[part]) * SECOND_US) for part in ("numerator", "denominator"))), percentile(
        times, 0.5
    )


async def aggregate(url: str) -> list[Figure]:
    """Return by how much a continuous aggregate's producing time differs from the exact one, in percent."""
    connection = await connect(url)
    day = ORIGIN_US, ORIGIN_US + DAY_US
    found: list[Figure] = []

    async def compare(name: str) -> None:
        exact = Availability(*await connection.fetchrow(PLAIN, *day) or (0, 0))
        for how, cut in (("cut_at_the_hour", True), ("not_cut", False)):
            has = Availability(*await connection.fetchrow(OF_AGGREGATE, cut, *day) or (0, 0))
            percent = 100 * (has.producing / exact.producing - 1)
            found.append(Figure(f"instead.aggregate_{name}_{how}_percent", percent, "% of producing time"))

    async def refresh(from_us: int | None, to_us: int | None) -> None:
        await connection.execute(
            "CALL refresh_continuous_aggregate('held', $1::timestamptz, $2::timestamptz)", from_us, to_us
        )

    try:
        await connection.execute("SET timescaledb.enable_cagg_window_functions = on")
        await connection.execute(PERMIT)
        await connection.execute(AGGREGATE)
        await connection.execute(ADD_SOME, ORIGIN_US, False)
        await refresh(None, ORIGIN_US + 2 * DAY_US)
        await compare("settled")
        await connection.execute(ADD_SOME, ORIGIN_US, True)
        await compare("late_load")
        # What a policy with start_offset 3 days and end_offset 1 hour refreshes, ten days and one day later.
        for days in (10, 1):
            now_us = ORIGIN_US + (1 + days) * DAY_US
            await refresh(now_us - 3 * DAY_US, now_us - HOUR_US)
            await compare(f"late_load_of_{days}_days_after_policy")
    finally:
        await connection.close()
    return found
