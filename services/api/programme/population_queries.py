"""SQL of populations. A report of a year supersedes the one before, which stays."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.instants import INSTANT
from services.api.programme.population_models import Population, PopulationReport, PopulationRow
from services.api.registry.queries import lock_registry
from services.core.times import from_us, to_us

population = sa.table(
    "population",
    sa.column("id", sa.Integer),
    sa.column("year", sa.Integer),
    sa.column("recorded_at", INSTANT),
    sa.column("recorded_by", sa.Text),
    sa.column("superseded_at", INSTANT),
)
population_cell = sa.table(
    "population_cell",
    sa.column("population", sa.Integer),
    sa.column("region", sa.Text),
    sa.column("sector", sa.Text),
    sa.column("enterprises", sa.BigInteger),
)


async def read_population(connection: AsyncConnection, year: int, at_us: int | None = None) -> Population | None:
    """Return the population of a year as it was reported last, or by an instant; None if it was not."""
    reports = await read_reports(connection, year)
    known = [(number, report) for number, report in reports if at_us is None or report.recorded_at <= at_us]
    if not known:
        return None
    number, newest = known[0]
    rows = await read_rows(connection, number)
    history = [report for _, report in reports]
    return Population(
        year=year, rows=rows, recorded_at=newest.recorded_at, recorded_by=newest.recorded_by, history=history
    )


async def read_reports(connection: AsyncConnection, year: int) -> list[tuple[int, PopulationReport]]:
    """Return the reports of a year by their numbers, the newest first."""
    p, c = population.c, population_cell.c
    query = (
        sa.select(
            p.id,
            p.recorded_at,
            p.recorded_by,
            sa.func.count(c.region.distinct()),
            sa.func.count(c.sector.distinct()),
            sa.cast(sa.func.sum(c.enterprises), sa.BigInteger),
        )
        .select_from(sa.join(population, population_cell, c.population == p.id))
        .where(p.year == year)
        .group_by(p.id, p.recorded_at, p.recorded_by)
        .order_by(p.id.desc())
    )
    return [
        (
            number,
            PopulationReport(
                recorded_at=to_us(at), recorded_by=by, regions=regions, sectors=sectors, enterprises=total
            ),
        )
        for number, at, by, regions, sectors, total in await connection.execute(query)
    ]


async def read_rows(connection: AsyncConnection, number: int) -> list[PopulationRow]:
    """Return the rows of a report, by region and sector."""
    c = population_cell.c
    query = sa.select(c.region, c.sector, c.enterprises).where(c.population == number).order_by(c.region, c.sector)
    found = await connection.execute(query)
    return [PopulationRow(region=region, sector=sector, enterprises=n) for region, sector, n in found]


async def report_population(
    connection: AsyncConnection, year: int, rows: Sequence[PopulationRow], by: str, now_us: int
) -> bool:
    """Record the population of a year within the caller's transaction, unless it is what was reported last.

    Args:
        rows: by region and sector.
        by: who reports it.

    Returns:
        Whether it is the first report of the year.
    """
    # Two reports of a year at once would both find the same one to supersede.
    await lock_registry(connection)
    reports = await read_reports(connection, year)
    if reports and await read_rows(connection, reports[0][0]) == list(rows):
        return False
    p = population.c
    now_us = max([now_us, *(report.recorded_at for _, report in reports[:1])])
    current = sa.and_(p.year == year, p.superseded_at.is_(None))
    await connection.execute(sa.update(population).where(current).values(superseded_at=from_us(now_us)))
    added = sa.insert(population).values(year=year, recorded_at=from_us(now_us), recorded_by=by).returning(p.id)
    number = (await connection.execute(added)).scalar_one()
    columns = ([row.region for row in rows], [row.sector for row in rows], [row.enterprises for row in rows])
    cells = sa.select(
        sa.literal(number, sa.Integer),
        *(
            sa.func.unnest(sa.literal(values, ARRAY(kind)))
            for values, kind in zip(columns, (sa.Text, sa.Text, sa.BigInteger), strict=True)
        ),
    )
    names = ["population", "region", "sector", "enterprises"]
    await connection.execute(sa.insert(population_cell).from_select(names, cells))
    return not reports
