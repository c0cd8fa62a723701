"""A database with 30,000 machines, whose figures are as large as real ones."""

import asyncio
from collections.abc import Iterator

import pytest

from services.core.database import Connection, connect
from services.core.times import DAY_US, seoul_day
from tests.bench.country import ORIGIN_US, register
from tests.databases import copy_of_template

FACTORIES = 1500
MACHINES = 20
DAYS = 40

COLUMNS = """
SELECT attname, format_type(atttypid, NULL) AS kind FROM pg_attribute
WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


async def fill(url: str) -> None:
    """Register a country and give it accounts: figures as large as real ones, with no facts behind them."""
    owner = await connect(url)
    try:
        await register(owner, FACTORIES, str(MACHINES), 600_000_000)
        until_us = ORIGIN_US + DAYS * DAY_US
        await owner.execute("INSERT INTO analytics_state (accounted_until) VALUES ($1)", until_us)
        days = f"generate_series(0, {DAYS - 1}) AS n"
        day = {"day": f"'{seoul_day(ORIGIN_US)}'::date + n"}
        hour = {"hour": "to_timestamp($1::bigint / 1000000) + n * INTERVAL '1 hour'"}
        span = "machine_span s"
        own_keys = {"factory": "s.factory", "machine": "s.machine", "cohort": "s.cohort"}
        packed = "GROUP BY s.factory, n"
        await write(owner, "machine_day_pack", own_keys | day, f"{span}, generate_series(0, 4) AS n {packed}")
        hours = f"{span}, generate_series(0, 47) AS n WHERE machine <= 2000 {packed}"
        await write(owner, "machine_hour_pack", own_keys | hour, hours)
        own = f"(SELECT DISTINCT factory, cohort FROM {span}) AS s"
        await write(owner, "closed_factory_day", {"factory": "factory", "cohort": "cohort", **day}, f"{own}, {days}")
        of_cohorts = f"(SELECT DISTINCT cohort FROM {span}) AS s"
        await write(owner, "cohort_day", {"cohort": "cohort", **day}, f"{of_cohorts}, {days}")
        of_groups = "(SELECT DISTINCT kind, within, value FROM cohort_group) AS g"
        group = {name: f"g.{name}" for name in ("kind", "within", "value")}
        await write(owner, "group_day", {**group, **day}, f"{of_groups}, {days}")
        await write(owner, "cohort_hour", {"cohort": "cohort", **hour}, f"{of_cohorts}, generate_series(0, 99) AS n")
        await owner.execute("VACUUM ANALYZE")
    finally:
        await owner.close()


async def write(owner: Connection, table: str, keys: dict[str, str], source: str) -> None:
    """Fill a table of sums: its keys by expressions over the source, all else with one figure.

    Arrays have an element for each machine of the source's groups.
    """
    amounts = {"boolean": "true", "integer": "1000", "numeric": "1e15::numeric"}
    columns = {row["attname"]: row["kind"] for row in await owner.fetch(COLUMNS, table)}
    values = []
    for name, kind in columns.items():
        value = keys.get(name, amounts.get(kind.removesuffix("[]"), "1000000007 + n"))
        values.append(f"array_agg({value} ORDER BY s.machine)" if kind.endswith("[]") else value)
    origin = () if "hour" not in keys else (ORIGIN_US,)
    await owner.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {source}", *origin)


@pytest.fixture(scope="session")
def country(database_template: str) -> Iterator[str]:
    """The address of a database with many machines, for all tests that only read it."""
    for url in copy_of_template(database_template):
        asyncio.run(fill(url))
        yield url
