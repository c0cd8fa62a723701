"""How long questions about the nation take over HTTP: 30,000 factories with 20 machines each and a year of accounts.

The first week's sums are made up, the same number of columns and about as large as real ones. The others are the same,
weeks later. What is kept of them is made by analytics' own transaction.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from schemas.figure_definitions import Table, figures_of
from services.analytics.cohort_sums import roll_up
from services.core.database import Connection, connect
from services.core.times import DAY_US, SECOND_US, seoul_day
from tests.bench.country import ORIGIN_US, register
from tests.bench.figures import Figure, percentile
from tests.bench.open_loop import Target, rate_of, times_at_rate
from tests.bench.stacks import Servers
from tests.stack import ROOT, Service, Stack, free_port, wait_for

FACTORIES = 30_000
MACHINES = 20
DAYS = 365
WEEKS = -(-DAYS // 7)
UNTIL_US = ORIGIN_US + DAYS * DAY_US
CONNECTIONS = 16
YEAR_RATE = 50.0
YEAR_REQUESTS = 1500
MONTH_RATE = 10.0
MONTH_REQUESTS = 300
ROUNDS = 3
ROUND_S = 8.0
GOALS = {"year": "<= 100 (50)", "month": "<= 50", "ratio": ">= 0.5", "bytes": "<= 2000"}

HELD_US = MACHINES * DAY_US
AMOUNTS: Mapping[str, str] = {
    "producing_us": "{us} * (30 + h % 30) / 100",
    "producing_automatic_us": "{us} * (10 + h % 20) / 100",
    "setup_us": "{us} * (h % 5) / 100",
    "idle_us": "{us} * (5 + h % 25) / 100",
    "evidence_us": "{us} * (40 + h % 55) / 100",
    "counted_cycle_busy_us": "{us} * (35 + h % 55) / 100",
    "counted_ideal_good_us": "{us}::numeric * (20 + h % 30) / 100",
    "counted_ideal_pq_us": "{us}::numeric * (22 + h % 30) / 100",
    "count_days": "15",
    "counted_days": "14 + h % 2",
}
"""Figures of a factory's day, of 20 machines: about as large as real ones."""
OTHERS = "h % 1000"

FIRST_WEEK = """
INSERT INTO closed_factory_day (factory, day, cohort, hours, {names})
SELECT s.factory, $1::date + n, s.cohort, 24, {amounts}
FROM generate_series(0, 6) AS n, (SELECT DISTINCT factory, cohort FROM machine_span) AS s,
     LATERAL (SELECT abs(hashint8(s.factory * 1000 + n)) AS h) AS random
ORDER BY n, s.factory
"""
SHIFTED = """
INSERT INTO {table} ({names}) SELECT {values} FROM {table}
WHERE day < $1::date + 7 AND day + 7 * $2::integer < $3::date ORDER BY day
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE tablename = 'closed_factory_day' AND indexname <> 'factory_day_pkey'"
COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1"
TABLES = ("closed_factory_day", "cohort_day", "group_day")
READ = (*TABLES, "group_step", "machine_span", "factory_span", "cohort", "cohort_group")
"""What the measured questions read."""


def day(number: int) -> str:
    """Return the day of a number of days after the accounts begin, as a query names it."""
    return seoul_day(ORIGIN_US + number * DAY_US).isoformat()


def question(*parameters: tuple[str, str]) -> str:
    """Return the path of a question."""
    return f"/v1/kpis?{urlencode(parameters)}"


THREE = (("kpi", "availability"), ("kpi", "oee"), ("kpi", "coverage"))
MONTH = (("from", day(214)), ("to", day(245)))
REGION = (("scope", "region:KR-41"),)
YEAR = question(("interval", "day"), ("from", day(0)), ("to", day(DAYS)), *THREE)
MONTHS = {
    "regions": question(("group_by", "region"), *MONTH, *THREE),
    "sectors_of_region": question(*REGION, ("group_by", "sector"), *MONTH, *THREE),
    "best_20": question(
        *REGION, ("group_by", "factory"), ("order_by", "-availability"), ("limit", "20"), *MONTH, *THREE
    ),
    "worst_20": question(
        *REGION, ("group_by", "factory"), ("order_by", "availability"), ("limit", "20"), *MONTH, *THREE
    ),
}
OF_FACTORIES = [question(("scope", f"factory:F{n:06}"), *MONTH, *THREE) for n in range(1, FACTORIES + 1)]
"""Each another's, so that nothing has been answered before."""
ROWS = [f"/factories/{n}" for n in range(1, FACTORIES + 1)]


def figures(servers: Servers) -> Iterator[Figure]:
    """Fill a database with a year, then ask."""
    with servers.stack("bench_reads_nation") as stack:
        began = time.perf_counter()
        asyncio.run(fill(stack.database_url))
        yield Figure("reads_nation_fill_s", time.perf_counter() - began, "s")
        yield from stored(stack)
        stack.start_api()
        yield from read(stack)


def stored(stack: Stack) -> Iterator[Figure]:
    """How many bytes there are, with indexes, of each table that is read."""
    total = 0
    for table in READ:
        ((size,),) = stack.query(f"SELECT pg_total_relation_size('{table}')")
        total += size
        yield Figure(f"storage_{table}_bytes_per_factory_day", size / (FACTORIES * DAYS), "B")
    yield Figure("storage.bytes_per_factory_day", total / (FACTORIES * DAYS), "B", GOALS["bytes"])


def read(stack: Stack) -> Iterator[Figure]:
    """The questions, each at its rate, and the rate of one factory's month beside a minimal route."""
    keys = [new_key(stack, n) for n in range(CONNECTIONS)]
    host, _, port = stack.api_url.removeprefix("http://").partition(":")
    target = Target(host, int(port), [{"Authorization": f"Bearer {key}"} for key in keys])
    asyncio.run(times_at_rate(target, [YEAR, *MONTHS.values()], YEAR_RATE / 5, 50))
    times = asyncio.run(times_at_rate(target, [YEAR], YEAR_RATE, YEAR_REQUESTS))
    yield Figure("api.kpi_year_p50_ms", 1000 * percentile(times, 0.5), "ms")
    yield Figure("api.kpi_year_p99_ms", 1000 * percentile(times, 0.99), "ms", GOALS["year"])
    worst = 0.0
    for name, path in MONTHS.items():
        times = asyncio.run(times_at_rate(target, [path], MONTH_RATE, MONTH_REQUESTS))
        worst = max(worst, percentile(times, 0.99))
        yield Figure(f"kpi_month_{name}_p50_ms", 1000 * percentile(times, 0.5), "ms")
        yield Figure(f"kpi_month_{name}_p99_ms", 1000 * percentile(times, 0.99), "ms")
    yield Figure("api.kpi_month_p99_ms", 1000 * worst, "ms", GOALS["month"])
    yield from rates(stack, target)


def rates(stack: Stack, target: Target) -> Iterator[Figure]:
    """Alternate the two over rounds; the ratio is the median of the rounds' ratios."""
    minimal, port = start_minimal(stack)
    beside = Target(target.host, port, target.headers)
    ours, theirs = [], []
    try:
        for _ in range(ROUNDS):
            theirs.append(asyncio.run(rate_of(beside, ROWS, ROUND_S)))
            ours.append(asyncio.run(rate_of(target, OF_FACTORIES, ROUND_S)))
    finally:
        minimal.stop()
    yield Figure("api_factory_month_per_s", percentile(ours, 0.5), "requests/s")
    yield Figure("api_minimal_per_s", percentile(theirs, 0.5), "requests/s", "the framework's own pace")
    yield Figure(
        "api.rate_ratio", percentile([a / b for a, b in zip(ours, theirs, strict=True)], 0.5), "ratio", GOALS["ratio"]
    )


def new_key(stack: Stack, number: int) -> str:
    """Return another reader's key: a reader has four requests at once."""
    created = stack.run("keys", "create", "--role", "ministry", "--name", f"reader {number}")
    assert created.returncode == 0, created.stderr
    return created.stdout.strip()


def start_minimal(stack: Stack) -> tuple[Service, int]:
    """Start the minimal service beside the API."""
    port = free_port()
    log = stack.folder / "minimal.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.minimal_api", stack.database_url, str(port)],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    service = Service(process, log, port)
    wait_for("the minimal service", service.is_ready)
    return service, port


async def fill(url: str) -> None:
    """Write a registered country and a year of what the questions read."""
    owner, analytics = await connect(url), await connect(url, "jejo_analytics")
    try:
        await register(owner, FACTORIES, str(MACHINES), 600 * SECOND_US)
        await owner.execute("INSERT INTO analytics_state (accounted_until) VALUES ($1)", UNTIL_US)
        first = seoul_day(ORIGIN_US)
        names = [figure.id for figure in figures_of(Table.FACTORY_DAY)]
        amounts = [AMOUNTS.get(name, OTHERS).format(us=f"{HELD_US}::bigint") for name in names]
        indexes = [row["indexdef"] for row in await owner.fetch(INDEXES)]
        await owner.execute("DROP INDEX factory_day_cohort, factory_day_of_cohort")
        await owner.execute(FIRST_WEEK.format(names=", ".join(names), amounts=", ".join(amounts)), first)
        for index in indexes:
            await owner.execute(index)
        await owner.execute("ANALYZE closed_factory_day")
        await owner.execute("INSERT INTO dirty_cohort_day SELECT DISTINCT cohort, day FROM closed_factory_day")
        while await roll_up(analytics):
            pass
        await owner.execute("DROP INDEX factory_day_cohort, factory_day_of_cohort")
        for table in TABLES:
            await repeat(owner, table)
        for index in indexes:
            await owner.execute(index)
        await owner.execute("VACUUM ANALYZE")
        await owner.execute("CHECKPOINT")
    finally:
        await analytics.close()
        await owner.close()


async def repeat(owner: Connection, table: str) -> None:
    """Copy a table's first week to every later one."""
    columns = [row["column_name"] for row in await owner.fetch(COLUMNS, table)]
    values = ["day + 7 * $2::integer" if name == "day" else name for name in columns]
    query = SHIFTED.format(table=table, names=", ".join(columns), values=", ".join(values))
    for week in range(1, WEEKS):
        await owner.execute(query, seoul_day(ORIGIN_US), week, seoul_day(UNTIL_US))
