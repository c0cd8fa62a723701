"""Holds the sums by cohort against those of the factories, each of which was held against its facts."""

import json
from collections.abc import Iterator
from decimal import Decimal

from schemas.figure_definitions import Table, figures_of
from services.analytics.verification.compare import Difference, compare_figures
from services.analytics.verification.snapshot import Window
from services.core.database import Connection

HOUR_FIGURES = [figure.id for figure in figures_of(Table.COHORT_HOUR)]
DAY_FIGURES = [figure.id for figure in figures_of(Table.COHORT_DAY)]

# What still waits to be summed up again is left out: a platform that never rests can be verified all the same.
COMPARE = """
WITH summed AS (
    SELECT {place}, cohort, {sums} FROM factory_{table} WHERE {place} >= $1 AND {place} < $2 GROUP BY {place}, cohort
), kept AS (
    SELECT {place}, cohort, {names} FROM cohort_{table} WHERE {place} >= $1 AND {place} < $2
)
SELECT {place}::text || ' of cohort ' || cohort, to_jsonb(kept), to_jsonb(summed)
FROM summed FULL JOIN kept USING ({place}, cohort)
WHERE ROW(summed.*) IS DISTINCT FROM ROW(kept.*)
  AND NOT EXISTS (SELECT FROM dirty_cohort_{table} d WHERE d.cohort = COALESCE(summed.cohort, kept.cohort)
                  AND d.{place} = COALESCE(summed.{place}, kept.{place}))
ORDER BY {place}, cohort
"""


async def compare_cohorts(connection: Connection, window: Window) -> Iterator[Difference]:
    """Differences of the cohorts' hours and days in a window."""
    found: list[Difference] = []
    bounds = {"hour": (window.from_us, window.to_us), "day": window.days}
    for table, figures in (("hour", HOUR_FIGURES), ("day", DAY_FIGURES)):
        sums = ", ".join(f"sum({name})::numeric AS {name}" for name in figures)
        names = ", ".join(f"{name}::numeric" for name in figures)
        query = COMPARE.format(place=table, table=table, sums=sums, names=names)
        for place, stored, recomputed in await connection.fetch(query, *bounds[table]):
            sides = [
                None if text is None else {name: json.loads(text, parse_float=Decimal)[name] for name in figures}
                for text in (stored, recomputed)
            ]
            found += compare_figures(f"cohorts' {table} {place}", *sides)
    return iter(found)
