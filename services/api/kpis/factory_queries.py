"""SQL of the figures of some factories over one bucket of whole days: a factory's month, or a page of factories.

It is a text instead of an expression, which would take longer to build than the server takes to answer.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.api.instants import INSTANT
from services.api.kpis.questions import COHORTS, GroupBy, Question
from services.api.kpis.tables import DAY_COUNTS, HOUR_SUMS
from services.core.times import from_us

SUMMED = [*(figure.id for figure in HOUR_SUMS), *DAY_COUNTS]

OF_FACTORIES = """
WITH own AS (
    SELECT f.factory_id, s.machine, s.from_at < :end AND s.to_at > :start AS touches,
           s.from_at < :end AND s.to_at >= :end AS at_last, s.automated,
           extract(epoch FROM LEAST(s.to_at, :end) - GREATEST(s.from_at, :start)) * 1000000 AS us,
           s.pattern, s.from_at <= :start AND s.to_at >= :end AS covers, s.from_at, s.to_at,
           GREATEST(LEAST(s.end_day, :last_day + 1) - GREATEST(s.first_day, :first_day), 0) AS days
    FROM factory f JOIN machine_span s ON s.factory = f.id
    WHERE f.factory_id = ANY (:factories) {spans}
), scheduled AS (
    SELECT p.pattern, p.us
    FROM scheduled_in(
        ARRAY(SELECT DISTINCT pattern FROM own WHERE pattern IS NOT NULL), ARRAY[:start], ARRAY[:end]) AS p
), in_use AS (
    SELECT factory_id, count(DISTINCT machine) FILTER (WHERE touches) AS machines,
           COALESCE(sum(own.us) FILTER (WHERE touches), 0) AS in_use_us,
           COALESCE(sum(CASE WHEN pattern IS NULL THEN own.us WHEN covers THEN scheduled.us
                             ELSE scheduled_us(pattern, GREATEST(from_at, :start), LEAST(to_at, :end)) END)
                    FILTER (WHERE touches), 0) AS scheduled_us,
           COALESCE(sum(days), 0) AS machine_days,
           count(*) FILTER (WHERE at_last) AS stock_machines,
           count(*) FILTER (WHERE at_last AND automated) AS stock_automated
    FROM own LEFT JOIN scheduled USING (pattern) GROUP BY factory_id
), account AS (
    SELECT f.factory_id, {sums}
    FROM factory f JOIN factory_day d ON d.factory = f.id
    WHERE f.factory_id = ANY (:factories) AND d.day BETWEEN :first_day AND :last_day {days}
    GROUP BY f.factory_id
)
SELECT factory_id, machines, in_use_us, scheduled_us, machine_days, stock_machines, stock_automated, {names}
FROM in_use LEFT JOIN account USING (factory_id)
WHERE machines > 0
"""
IN_COHORTS = "IN (SELECT c.id FROM cohort c WHERE " + " AND ".join(
    f"(CAST(:{kind} AS text) IS NULL OR c.{kind} = :{kind})" for kind in COHORTS
)
PARAMETERS = (
    sa.bindparam("factories", type_=ARRAY(sa.Text)),
    sa.bindparam("start", type_=INSTANT),
    sa.bindparam("end", type_=INSTANT),
    sa.bindparam("first_day", type_=sa.Date),
    sa.bindparam("last_day", type_=sa.Date),
)


def statement(spans: str, days: str) -> sa.TextClause:
    """Return the statement with further conditions on spans and on days."""
    text = OF_FACTORIES.format(
        sums=", ".join(f"sum(d.{name}) AS {name}" for name in SUMMED),
        names=", ".join(f"COALESCE({name}, 0) AS {name}" for name in SUMMED),
        spans=spans,
        days=days,
    )
    return sa.text(text).bindparams(*PARAMETERS)


EVERYWHERE = statement("", "")
IN_SCOPE = statement(f"AND s.cohort {IN_COHORTS})", f"AND d.cohort {IN_COHORTS})").bindparams(
    *(sa.bindparam(str(kind), type_=sa.Text) for kind in COHORTS)
)


def can_answer(question: Question) -> bool:
    """Whether a question is about factories that are named, over one bucket of whole days."""
    scope = question.scope
    is_named = scope.factory_id is not None if question.group_by is None else question.only is not None
    is_of_factories = question.group_by in (None, GroupBy.FACTORY) and scope.machine_id is None and not scope.is_empty
    return is_named and is_of_factories and len(question.buckets) == 1 and question.in_whole_days


def sums_of_factories(question: Question) -> tuple[sa.TextClause, Mapping[str, Any]]:
    """Return the statement that answers a question, and its parameters. It has a row for each factory in use."""
    bucket, scope = question.buckets[0], question.scope
    names = [label.partition(":")[2] for label in question.only or ()]
    parameters = {
        "factories": names if scope.factory_id is None else [scope.factory_id],
        "start": from_us(bucket.from_us),
        "end": from_us(bucket.to_us),
        "first_day": question.first_day,
        "last_day": question.last_day,
    }
    if not scope.cohorts:
        return EVERYWHERE, parameters
    return IN_SCOPE, parameters | dict.fromkeys(map(str, COHORTS)) | {str(kind): value for kind, value in scope.cohorts}
