"""SQL of the programme's figures: enterprises with a smart factory by bucket, and populations by year."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.api.instants import INSTANT

ENTERPRISES, POPULATION, LACKING = "enterprises", "population", "lacking"
"""The kinds of rows: what changes after a bucket's end, a year's population, and a time in which a cell lacks one."""

STATEMENT = """
WITH report AS MATERIALIZED (
    SELECT p.id, p.year FROM population p WHERE p.superseded_at IS NULL AND p.year BETWEEN :first_year AND :last_year
), cell AS MATERIALIZED (
    SELECT r.year, c.region, c.sector, c.enterprises, {by} AS value
    FROM report r JOIN population_cell c ON c.population = r.id WHERE {of_cell}
), lacking AS (
    SELECT {by} AS value, r.year, range_agg(tstzrange(c.from_at, c.to_at)) AS during
    FROM report r CROSS JOIN programme_cell c
    WHERE {of_cell} AND (r.year, c.region, c.sector) NOT IN (SELECT k.year, k.region, k.sector FROM cell k)
    GROUP BY 1, 2
)
SELECT 'enterprises' AS kind, {by} AS value, width_bucket(c.at, :ends) AS number, sum(c.enterprises) AS amount,
       CAST(NULL AS timestamptz) AS from_at, CAST(NULL AS timestamptz) AS to_at
FROM programme_step c WHERE c.at < :until AND {of_step} GROUP BY 2, 3
UNION ALL
SELECT 'population', k.value, k.year, sum(k.enterprises), NULL, NULL FROM cell k GROUP BY k.value, k.year
UNION ALL
SELECT 'lacking', l.value, l.year, 0, lower(d.bounds), upper(d.bounds)
FROM lacking l CROSS JOIN LATERAL unnest(l.during) AS d(bounds)
ORDER BY 1, 2, 3, 5
"""
KINDS = ("region", "sector")


@cache
def statement(by: str, limited_to: frozenset[str]) -> sa.TextClause:
    """Return the statement for scopes that are grouped by a kind, within a region or sector or both."""
    own = [f"c.{kind} = :{kind}" for kind in KINDS if kind in limited_to]
    steps = [*own, *(f"c.{kind} {'<>' if kind == by else '='} ''" for kind in KINDS if kind not in limited_to)]
    text = STATEMENT.format(
        by=f"c.{by}" if by else "''", of_cell=" AND ".join(own) or "true", of_step=" AND ".join(steps)
    )
    return sa.text(text).bindparams(
        sa.bindparam("until", type_=INSTANT),
        sa.bindparam("ends", type_=ARRAY(INSTANT)),
        sa.bindparam("first_year", type_=sa.Integer),
        sa.bindparam("last_year", type_=sa.Integer),
        *(sa.bindparam(kind, type_=sa.Text) for kind in sorted(limited_to)),
    )


def programme_rows(
    by: str, within: Mapping[str, str], ends: Sequence[dt.datetime], years: tuple[int, int]
) -> tuple[sa.TextClause, Mapping[str, Any]]:
    """Return the statement that reads the programme's figures, and its parameters.

    Its rows are a kind, a region or sector (that by which scopes are grouped), a number and an amount: how many ends
    come before a step, and by how many the enterprises with a smart factory become more there; a year, and its
    population; a year, and between which instants some factory's region and sector are missing from its population.

    Args:
        by: ``region``, ``sector``, or empty for one scope.
        within: the region and sector that the scope limits itself to.
        ends: where buckets end, in order.
        years: the first and the last.
    """
    parameters = {"until": ends[-1], "ends": list(ends), "first_year": years[0], "last_year": years[1], **within}
    return statement(by, frozenset(within)), parameters
