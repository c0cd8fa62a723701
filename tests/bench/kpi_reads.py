"""How long typical KPI questions take over HTTP: a client asks one after the other on a kept connection.

The country is 300 factories with 1 to 8 machines and 13 weeks of accounts. The first week is accounted from facts;
the others are the same sums, weeks later, for no figure depends on which week it is in.
"""

import asyncio
import http.client
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from services.analytics.engine import start_accounting
from services.core.database import Connection, connect
from services.core.times import DAY_US, HOUR_US, SECOND_US, seoul_day
from tests.bench.accounting import settle_all
from tests.bench.country import ORIGIN_US, add_facts, add_marks, register
from tests.bench.figures import Figure, percentile
from tests.bench.stacks import Servers
from tests.stack import Stack

FACTORIES = 300
MACHINES_EACH = "1 + f.id % 8"
WEEKS = 13
WEEK_US = 7 * DAY_US
STATES_AN_HOUR = 2
COUNTS_AN_HOUR = 1
REQUESTS = 200
GOAL_P99 = "150"

SUMS_AT = {"hour": "INTERVAL '7 days'", "day": "7"}
TABLES = {
    "machine_hour_pack": "hour",
    "machine_day_pack": "day",
    "closed_factory_hour": "hour",
    "closed_factory_day": "day",
    "cohort_hour": "hour",
    "cohort_day": "day",
    "group_day": "day",
}
"""The derived tables, and their column of time."""

COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1"


@dataclass(frozen=True, slots=True)
class Read:
    """A question and the number of items in its answer."""

    name: str
    items: int
    parameters: tuple[tuple[str, str], ...]
    accept: str = "application/json"


def day(number: int) -> str:
    """Return the day of a number of days after the facts begin, as a query names it."""
    return seoul_day(ORIGIN_US + number * DAY_US).isoformat()


READS = (
    Read("nation_30d", 1, (("from", day(60)), ("to", day(90)))),
    Read("regions_30d", 17, (("group_by", "region"), ("from", day(60)), ("to", day(90)))),
    Read("nation_by_day_90d", 90, (("interval", "day"), ("from", day(0)), ("to", day(90)))),
    Read(
        "factory_by_hour_1d",
        24,
        (("scope", "factory:F000107"), ("interval", "hour"), ("from", day(80)), ("to", day(81))),
    ),
    Read(
        "best_factories_30d",
        20,
        (
            ("group_by", "factory"),
            ("order_by", "-availability"),
            ("kpi", "availability"),
            ("limit", "20"),
            ("from", day(60)),
            ("to", day(90)),
        ),
    ),
    Read(
        "factories_csv_30d",
        300,
        (("group_by", "factory"), ("limit", "300"), ("from", day(60)), ("to", day(90))),
        "text/csv",
    ),
)


def figures(servers: Servers) -> Iterator[Figure]:
    """Measure each question: full answers, and answers to a client that has them already."""
    with servers.stack("bench_kpi_reads") as stack:
        asyncio.run(fill(stack.database_url))
        stack.start_api()
        connection = http.client.HTTPConnection(stack.api_url.removeprefix("http://"), timeout=60)
        try:
            for read in READS:
                tag = check(connection, stack, read)
                for suffix, headers, status in (("", {}, 200), ("_unchanged", {"If-None-Match": tag}, 304)):
                    times = [ask(connection, stack, read, headers, status) for _ in range(REQUESTS)]
                    name = f"kpi_read_{read.name}{suffix}"
                    yield Figure(f"{name}_p50", 1000 * percentile(times, 0.5), "ms")
                    yield Figure(f"{name}_p99", 1000 * percentile(times, 0.99), "ms", GOAL_P99)
        finally:
            connection.close()


async def fill(url: str) -> None:
    """Write a registered country and everything derived from it."""
    owner, analytics = await connect(url), await connect(url, "jejo_analytics")
    try:
        await register(owner, FACTORIES, MACHINES_EACH, 3600 * SECOND_US)
        await add_facts(owner, ORIGIN_US, ORIGIN_US + WEEK_US - HOUR_US, STATES_AN_HOUR, COUNTS_AN_HOUR)
        await add_marks(owner, ORIGIN_US, ORIGIN_US + WEEK_US)
        await start_accounting(analytics, ORIGIN_US + WEEKS * WEEK_US)
        await settle_all(analytics)
        for table, at in TABLES.items():
            await repeat_week(owner, table, at)
        await owner.execute("VACUUM ANALYZE")
    finally:
        await analytics.close()
        await owner.close()


async def repeat_week(owner: Connection, table: str, at: str) -> None:
    """Copy a table's rows to every later week."""
    columns = [row["column_name"] for row in await owner.fetch(COLUMNS, table)]
    shifted = [f"{at} + week * {SUMS_AT[at]}" if name == at else name for name in columns]
    await owner.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(shifted)} FROM generate_series(1, {WEEKS - 1}) AS week, {table}"
    )


def check(connection: http.client.HTTPConnection, stack: Stack, read: Read) -> str:
    """Check that the answer is complete. Return its ETag."""
    status, headers, body = answer(connection, stack, read, {})
    assert status == http.client.OK, body
    if read.accept == "text/csv":
        assert len(body.splitlines()) == read.items + 1, body[:1000]
    else:
        assert body.count(b'"scope":') == read.items, body[:1000]
    return headers["ETag"]


def ask(
    connection: http.client.HTTPConnection, stack: Stack, read: Read, headers: dict[str, str], expected: int
) -> float:
    """Return the seconds from a question to the last byte of its answer."""
    began = time.perf_counter()
    status, _, body = answer(connection, stack, read, headers)
    took = time.perf_counter() - began
    assert status == expected, body
    return took


def answer(
    connection: http.client.HTTPConnection, stack: Stack, read: Read, headers: dict[str, str]
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection.request(
        "GET", f"/v1/kpis?{urlencode(read.parameters)}", headers={**stack.headers, "Accept": read.accept, **headers}
    )
    response = connection.getresponse()
    return response.status, response.headers, response.read()
