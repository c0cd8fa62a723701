"""SQL of the question that is asked most often, and of the smallest: one factory over one bucket of whole days."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from services.api.kpis.questions import Question
from services.api.kpis.tables import DAY_COUNTS, HOUR_SUMS
from services.core.times import from_us

SUMMED = [*(figure.id for figure in HOUR_SUMS), *DAY_COUNTS]

# A text instead of an expression, which would take longer to build than the server takes to answer.
IN_FACTORY = sa.text(f"""
WITH own AS (
    SELECT s.machine, s.from_at < :end AND s.to_at > :start AS touches, s.from_at < :end AND s.to_at >= :end AS at_last,
           s.automated, extract(epoch FROM LEAST(s.to_at, :end) - GREATEST(s.from_at, :start)) * 1000000 AS us,
           GREATEST(LEAST(s.end_day, CAST(:last_day AS date) + 1) - GREATEST(s.first_day, :first_day), 0) AS days
    FROM factory f JOIN machine_span s ON s.factory = f.id
    WHERE f.factory_id = :factory
), in_use AS (
    SELECT count(DISTINCT machine) FILTER (WHERE touches) AS machines,
           COALESCE(sum(us) FILTER (WHERE touches), 0) AS in_use_us, COALESCE(sum(days), 0) AS machine_days,
           count(*) FILTER (WHERE at_last) AS stock_machines,
           count(*) FILTER (WHERE at_last AND automated) AS stock_automated
    FROM own
), account AS (
    SELECT {", ".join(f"COALESCE(sum(d.{name}), 0) AS {name}" for name in SUMMED)}
    FROM factory f JOIN factory_day d ON d.factory = f.id
    WHERE f.factory_id = :factory AND d.day BETWEEN :first_day AND :last_day
)
SELECT * FROM in_use CROSS JOIN account
""")


def parameters_of(question: Question) -> Mapping[str, Any]:
    """Return the statement's parameters, for a question of one bucket."""
    bucket = question.buckets[0]
    return {
        "factory": question.scope.factory_id,
        "start": from_us(bucket.from_us),
        "end": from_us(bucket.to_us),
        "first_day": question.first_day,
        "last_day": question.last_day,
    }
