"""SQL of the programme's figures: enterprises with a smart factory by bucket, and populations by year."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.api.instants import INSTANT

ENTERPRISES, POPULATION, LACKING = "enterprises", "population", "lacking"
"""The kinds of rows: what changes after a bucket's end, a year's population, and a time in which a cell lacks one."""

STATEMENT = sa.text("""
WITH step AS (
    SELECT s.*, CASE CAST(:by AS text) WHEN 'region' THEN s.region WHEN 'sector' THEN s.sector ELSE '' END AS value
    FROM programme_step s
    WHERE s.at < :until
      AND CASE WHEN CAST(:region AS text) IS NOT NULL THEN s.region = :region
               WHEN CAST(:by AS text) = 'region' THEN s.region <> '' ELSE s.region = '' END
      AND CASE WHEN CAST(:sector AS text) IS NOT NULL THEN s.sector = :sector
               WHEN CAST(:by AS text) = 'sector' THEN s.sector <> '' ELSE s.sector = '' END
), report AS (
    SELECT p.id, p.year FROM population p WHERE p.superseded_at IS NULL AND p.year BETWEEN :first_year AND :last_year
), cell AS (
    SELECT r.year, c.enterprises,
           CASE CAST(:by AS text) WHEN 'region' THEN c.region WHEN 'sector' THEN c.sector ELSE '' END AS value
    FROM report r JOIN population_cell c ON c.population = r.id
    WHERE (CAST(:region AS text) IS NULL OR c.region = :region)
      AND (CAST(:sector AS text) IS NULL OR c.sector = :sector)
), uncovered AS (
    SELECT r.year, CASE CAST(:by AS text) WHEN 'region' THEN s.region WHEN 'sector' THEN s.sector ELSE '' END AS value,
           s.at, sum(s.factories) OVER cells AS factories, lead(s.at) OVER cells AS next_at
    FROM report r CROSS JOIN programme_step s
    WHERE s.region <> '' AND s.sector <> ''
      AND (CAST(:region AS text) IS NULL OR s.region = :region)
      AND (CAST(:sector AS text) IS NULL OR s.sector = :sector)
      AND NOT EXISTS (SELECT FROM population_cell c
                      WHERE c.population = r.id AND c.region = s.region AND c.sector = s.sector)
    WINDOW cells AS (PARTITION BY r.year, s.region, s.sector ORDER BY s.at)
), lacking AS (
    SELECT u.value, u.year, range_agg(tstzrange(u.at, u.next_at)) AS during
    FROM uncovered u WHERE u.factories > 0 GROUP BY u.value, u.year
)
SELECT 'enterprises' AS kind, s.value, width_bucket(s.at, :ends) AS number, sum(s.enterprises) AS amount,
       CAST(NULL AS timestamptz) AS from_at, CAST(NULL AS timestamptz) AS to_at
FROM step s GROUP BY s.value, 3
UNION ALL
SELECT 'population', c.value, c.year, sum(c.enterprises), NULL, NULL FROM cell c GROUP BY c.value, c.year
UNION ALL
SELECT 'lacking', l.value, l.year, 0, lower(d.bounds), upper(d.bounds)
FROM lacking l CROSS JOIN LATERAL unnest(l.during) AS d(bounds)
ORDER BY 1, 2, 3, 5
""").bindparams(
    sa.bindparam("by", type_=sa.Text),
    sa.bindparam("region", type_=sa.Text),
    sa.bindparam("sector", type_=sa.Text),
    sa.bindparam("until", type_=INSTANT),
    sa.bindparam("ends", type_=ARRAY(INSTANT)),
    sa.bindparam("first_year", type_=sa.Integer),
    sa.bindparam("last_year", type_=sa.Integer),
)


def programme_rows(
    by: str, region: str | None, sector: str | None, ends: Sequence[dt.datetime], years: tuple[int, int]
) -> tuple[sa.TextClause, Mapping[str, Any]]:
    """Return the statement that reads the programme's figures, and its parameters.

    Its rows are a kind, a region or sector (that by which scopes are grouped), a number and an amount: how many ends
    come before a step, and by how many the enterprises with a smart factory become more there; a year, and its
    population; a year, and between which instants some factory's region and sector are missing from its population.

    Args:
        by: ``region``, ``sector``, or empty for one scope.
        region, sector: what the scope limits itself to.
        ends: where buckets end, in order.
        years: the first and the last.
    """
    return STATEMENT, {
        "by": by,
        "region": region,
        "sector": sector,
        "until": ends[-1],
        "ends": list(ends),
        "first_year": years[0],
        "last_year": years[1],
    }
