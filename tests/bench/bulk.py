"""A year of factory days in one answer: how fast it comes, what the API needs for it, and how others fare meanwhile.

The country is 30,000 factories of 20 machines. Their days are figures as large as real ones, with no facts behind them.
"""

import asyncio
import http.client
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from services.api.streams import ARROW_STREAM, PARQUET
from services.core.database import connect
from services.core.times import DAY_US, SECOND_US, seoul_day
from tests.bench.country import ORIGIN_US, register
from tests.bench.figures import Figure, percentile
from tests.bench.stacks import Servers
from tests.stack import Service, Stack

FACTORIES = 30_000
MACHINES_EACH = 20
DAYS = 365
FEW_KPIS = ("availability", "oee", "coverage")
READ_BYTES = 1 << 20
MEMORY_GOAL, LATENCY_GOAL = "<= 300", "<= 100"

REGION = "region:KR-48"

COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = 'closed_factory_day'
"""
ADD_DAYS = f"""
INSERT INTO closed_factory_day ({{columns}})
SELECT {{values}} FROM generate_series(0, {DAYS - 1}) AS n, (SELECT DISTINCT factory, cohort FROM machine_span) AS s
"""
"""Day by day, as days come."""
AMOUNT = "60 * (hashint8(factory * 400000::bigint + n * 1000 + {column}) & 2147483647)::bigint"
"""Up to 36 hours, and no two alike: they compress as badly as real ones."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """A question for a year of factory days, in the nation or in a region."""

    name: str
    accept: str
    scope: str
    kpis: tuple[str, ...]

    @property
    def factories(self) -> int:
        """How many factories are in the scope: those of the last but two of 17 regions, if it is one."""
        return FACTORIES if self.scope == "nation" else sum(n % 17 == 14 for n in range(1, FACTORIES + 1))


QUESTIONS = (
    Bulk("year", PARQUET, "nation", FEW_KPIS),
    Bulk("region_year_parquet", PARQUET, REGION, FEW_KPIS),
    Bulk("region_year_arrow", ARROW_STREAM, REGION, FEW_KPIS),
    Bulk("region_year_all_kpis", PARQUET, REGION, ()),
)


def figures(servers: Servers) -> Iterator[Figure]:
    """Ask for the year in each format, and for other things meanwhile."""
    with servers.stack("bench_bulk") as stack:
        asyncio.run(fill(stack.database_url))
        stack.start_api()
        api = stack.services[-1]
        yield Figure("bulk.peak_mb_before", peak_mb(api), "MB")
        for bulk in QUESTIONS:
            with others(stack) as times:
                took, size = read(stack, bulk)
            yield Figure(f"bulk.{bulk.name}_items", bulk.factories * DAYS, "items")
            yield Figure(f"bulk.{bulk.name}_s", took, "s")
            yield Figure(f"bulk.{bulk.name}_items_per_s", bulk.factories * DAYS / took, "items/s")
            yield Figure(f"bulk.{bulk.name}_mb", size / 1e6, "MB")
            yield Figure(f"bulk.{bulk.name}_mb_per_s", size / took / 1e6, "MB/s")
            yield Figure(f"bulk.{bulk.name}_peak_mb", peak_mb(api), "MB", MEMORY_GOAL)
            for what, found in times.items():
                yield Figure(f"bulk.{bulk.name}_{what}_p50_ms", 1000 * percentile(found, 0.5), "ms")
                yield Figure(f"bulk.{bulk.name}_{what}_p99_ms", 1000 * percentile(found, 0.99), "ms", LATENCY_GOAL)


async def fill(url: str) -> None:
    """Register the country, and give each factory a year of days."""
    owner = await connect(url)
    try:
        await register(owner, FACTORIES, str(MACHINES_EACH), 600 * SECOND_US)
        until_us = ORIGIN_US + DAYS * DAY_US
        await owner.execute("INSERT INTO analytics_state (accounted_until) VALUES ($1)", until_us)
        columns = {row["column_name"]: row["data_type"] for row in await owner.fetch(COLUMNS)}
        keys = {"factory": "factory", "cohort": "cohort", "day": f"'{seoul_day(ORIGIN_US)}'::date + n"}
        values = [
            keys.get(name, "20" if kind == "integer" else AMOUNT.format(column=at))
            for at, (name, kind) in enumerate(columns.items())
        ]
        await owner.execute(ADD_DAYS.format(columns=", ".join(columns), values=", ".join(values)))
        await owner.execute("VACUUM ANALYZE")
    finally:
        await owner.close()


def read(stack: Stack, bulk: Bulk) -> tuple[float, int]:
    """Return the seconds until the end of the year's answer, and how many bytes it has."""
    window = {"from": seoul_day(ORIGIN_US), "to": seoul_day(ORIGIN_US + DAYS * DAY_US)}
    asked = [("scope", bulk.scope), ("group_by", "factory"), ("interval", "day"), *window.items()]
    asked += [("kpi", name) for name in bulk.kpis]
    connection = http.client.HTTPConnection(stack.api_url.removeprefix("http://"), timeout=600)
    began, size = time.perf_counter(), 0
    connection.request("GET", f"/v1/kpis?{urlencode(asked)}", headers={**stack.headers, "Accept": bulk.accept})
    answer = connection.getresponse()
    assert answer.status == http.client.OK, answer.read()
    while chunk := answer.read(READ_BYTES):
        size += len(chunk)
    connection.close()
    return time.perf_counter() - began, size


class others:  # noqa: N801
    """A second reader, who asks for small things one after the other while the block runs."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        month = {"from": seoul_day(ORIGIN_US + 300 * DAY_US), "to": seoul_day(ORIGIN_US + 330 * DAY_US)}
        asked = [("scope", "factory:F012345"), *month.items(), ("kpi", "oee")]
        self._paths = {"healthz": "/healthz", "factory_month": f"/v1/kpis?{urlencode(asked)}"}
        self._times: dict[str, list[float]] = {name: [] for name in self._paths}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> dict[str, list[float]]:
        self._thread.start()
        return self._times

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._stack.api_url.removeprefix("http://"), timeout=60)
        while not self._is_over.wait(0.02):
            for name, path in self._paths.items():
                began = time.perf_counter()
                connection.request("GET", path, headers=self._stack.headers)
                answer = connection.getresponse()
                answer.read()
                assert answer.status == http.client.OK
                self._times[name].append(time.perf_counter() - began)
        connection.close()


def peak_mb(service: Service) -> float:
    """The most memory that a process ever had resident."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None, status
    return int(found[1]) / 1000
