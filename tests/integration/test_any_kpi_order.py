"""Factories with any sums are ordered as a naive reference orders fractions, page by page, on the real database.

The sums are written straight into the derived tables, so that they can be as large and as alike as they may be.
"""

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from fractions import Fraction
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.figure_definitions import Table, figures_of
from schemas.kpi_definitions import KpiDefinition, read_definitions
from services.api.access.credentials import create_api_key
from services.api.app import create_app
from services.api.kpis.tables import DAY_COUNTS
from services.api.settings import ApiSettings
from services.core.clock import system_clock
from services.core.database import Connection, connect

FIRST_DAY = dt.date(2017, 3, 1)
FACTORIES = [f"F{n}" for n in range(1, 7)]
GONE = "F9"
"""Out of use, although its accounts have not been taken away yet: no answer may have it."""

REGISTER = """
INSERT INTO factory (factory_id) SELECT 'F' || n FROM generate_series(1, 9) AS n;
INSERT INTO machine (factory, machine_id) SELECT n, 'M1' FROM generate_series(1, 9) AS n;
INSERT INTO cohort (region, sector, level) VALUES ('KR-48', 'C29', 'basic');
INSERT INTO machine_span (machine, from_at, to_at, factory, cohort, automated, first_day, end_day)
SELECT m.id, '2016-12-31T15:00Z', w.to_at, m.factory, c.id, true, '2017-01-01', (w.to_at + interval '9 hours')::date
FROM machine m, cohort c, LATERAL (
    SELECT CASE m.factory WHEN 9 THEN timestamptz '2017-02-01T15:00Z' ELSE '2026-01-01T15:00Z' END AS to_at
) AS w
WHERE m.factory <= 6 OR m.factory = 9;
INSERT INTO analytics_state (accounted_until) VALUES ('2020-01-01Z');
"""
FIGURES = [figure.id for figure in figures_of(Table.FACTORY_DAY) if figure.id not in DAY_COUNTS]
INSERT = f"""
INSERT INTO closed_factory_day (factory, day, cohort, hours, {", ".join([*DAY_COUNTS, *FIGURES])})
SELECT f.id, $2, c.id, 1, {", ".join(["0"] * len(DAY_COUNTS) + [f"${n}" for n in range(3, 3 + len(FIGURES))])}
FROM factory f, cohort c WHERE f.factory_id = $1
"""
ASKED = {"from": "2017-03-01", "to": "2017-03-03", "group_by": "factory", "kpi": "availability"}

DEFINITIONS = {name: kpi for name, kpi in read_definitions().by_id().items() if kpi.figures <= set(FIGURES)}
"""KPIs of figures that a factory's days keep: simple ratios, and those whose sums are multiplied."""

BIG = 10**15
amounts = st.integers(0, 3) | st.integers(BIG - 2, BIG + 2) | st.integers(0, BIG)
sums = st.fixed_dictionaries(dict.fromkeys(FIGURES, amounts))
Sums = Mapping[str, int]


@st.composite
def countries(draw: st.DrawFn) -> dict[str, Sums]:
    """Sums by factory. Some are multiples of others, so that different sums have equal ratios."""
    found: dict[str, Sums] = {}
    for factory in draw(st.lists(st.sampled_from([*FACTORIES, GONE]), unique=True)):
        is_alike = draw(st.booleans())
        if found and is_alike:
            like = found[draw(st.sampled_from(sorted(found)))]
            times = draw(st.integers(1, 3))
            found[factory] = {name: amount * times for name, amount in like.items()}
        else:
            found[factory] = draw(sums)
    return found


def ratio(kpi: KpiDefinition, figures: Sums) -> Fraction | None:
    def total(names: Sequence[str]) -> int:
        return sum(figures[name] for name in names)

    numerator = total(kpi.numerator) * (total(kpi.numerator_times) if kpi.numerator_times else 1)
    denominator = total(kpi.denominator) * (total(kpi.denominator_times) if kpi.denominator_times else 1)
    return Fraction(numerator, denominator) if denominator else None


def expected(country: Mapping[str, Sums], kpi: KpiDefinition, is_descending: bool) -> list[str]:
    """Return the factories in use in order: one fraction for each, those without one last, equal ones by id."""
    ratios = {name: ratio(kpi, country[name]) if name in country else None for name in FACTORIES}
    return sorted(
        FACTORIES,
        key=lambda name: (
            ratios[name] is None,
            (ratios[name] or Fraction(0)) * (-1 if is_descending else 1),
            name,
        ),
    )


@dataclass(frozen=True, slots=True)
class Platform:
    """The API, a reader of it and the database's owner, in an event loop that outlives an example."""

    runner: asyncio.Runner
    client: httpx.AsyncClient
    owner: Connection

    async def write(self, country: Mapping[str, Sums]) -> None:
        """Replace the accounts of two days by sums, of which the first day has what can be halved."""
        await self.owner.execute("TRUNCATE closed_factory_day")
        for name, figures in country.items():
            halves = [figures[figure] // 2 for figure in FIGURES]
            rest = [figures[figure] - half for figure, half in zip(FIGURES, halves, strict=True)]
            await self.owner.execute(INSERT, name, FIRST_DAY, *halves)
            await self.owner.execute(INSERT, name, FIRST_DAY + dt.timedelta(1), *rest)

    async def pages(self, order_by: str, limit: int) -> list[list[str]]:
        """Return the factories of every page."""
        found: list[list[str]] = []
        asked: dict[str, Any] = {**ASKED, "order_by": order_by, "limit": limit}
        while True:
            answer = await self.client.get("/v1/kpis", params=asked)
            assert answer.status_code == HTTPStatus.OK, answer.text
            page = answer.json()
            found.append([item["scope"].removeprefix("factory:") for item in page["items"]])
            if page["next_cursor"] is None:
                return found
            asked["cursor"] = page["next_cursor"]


async def open_platform(url: str, runner: asyncio.Runner, stack: AsyncExitStack) -> Platform:
    """Register the country, and open what reads and writes it."""
    owner = await connect(url)
    stack.push_async_callback(owner.close)
    await owner.execute(REGISTER)
    headers = {"Authorization": f"Bearer {await create_api_key(owner, 'ministry', 'a reader')}"}
    app = create_app(ApiSettings(database_url=url), system_clock)
    await stack.enter_async_context(app.router.lifespan_context(app))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api", headers=headers)
    return Platform(runner, await stack.enter_async_context(client), owner)


@pytest.fixture
def platform(database: str) -> Iterator[Platform]:
    """The API on the registered country."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield runner.run(open_platform(database, runner, stack))
        finally:
            runner.run(stack.aclose())


@given(countries(), st.sampled_from(sorted(DEFINITIONS)), st.booleans(), st.integers(1, len(FACTORIES)))
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_pages_are_in_the_order_of_fractions(
    platform: Platform, country: dict[str, Sums], kpi: str, is_descending: bool, limit: int
) -> None:
    async def ask() -> list[list[str]]:
        await platform.write(country)
        return await platform.pages(f"{'-' if is_descending else ''}{kpi}", limit)

    found = platform.runner.run(ask())
    order = expected(country, DEFINITIONS[kpi], is_descending)
    assert found == [order[at : at + limit] for at in range(0, len(order), limit)]
