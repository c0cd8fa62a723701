"""The SQL of analytics. Arrays are unnested as the relation ``w``; instants are microseconds in Python."""

from collections.abc import Iterable

from services.analytics.figures import (
    ADDED_UP,
    DAY_COUNTS,
    OF_FACTORY_DAYS,
    OF_FACTORY_HOURS,
    ON_COUNTED_DAYS,
    SUMS,
    WIDE,
    added,
)

SHARDS = 64
"""As in the generated column ``machine.shard``."""
LOCK_CLASS = 0x6A61
MARKS_COUNTED = 500

ACCOUNTED_UNTIL = "SELECT accounted_until FROM analytics_state"

START_ACCOUNTING = "INSERT INTO analytics_state (accounted_until) VALUES ($1) ON CONFLICT DO NOTHING"

MOVE_ACCOUNTED_UNTIL = "UPDATE analytics_state SET accounted_until = $1 WHERE accounted_until <= $1"

LOCK_SHARD = "SELECT pg_advisory_xact_lock($1, $2)"

LOCK_ALL_SHARDS = "SELECT count(pg_advisory_xact_lock($1, s)) FROM generate_series(0, $2 - 1) AS s"

SHARDS_WITH_WORK = "SELECT DISTINCT shard FROM dirty_mark WHERE from_at < $1 ORDER BY shard"

# A count that costs more than the work it counts would be of no use, so it stops at MARKS_COUNTED of each shard.
WAITING_MARKS = f"""
SELECT sum(own.marks)::bigint AS marks, min(own.oldest) AS oldest, bool_or(own.marks = {MARKS_COUNTED}) AS at_least
FROM generate_series(0, {SHARDS - 1}) AS shard
CROSS JOIN LATERAL (
    SELECT count(*) AS marks, min(marked_at) AS oldest
    FROM (
        SELECT marked_at FROM dirty_mark d
        WHERE d.shard = shard.shard AND d.from_at < COALESCE($1::timestamptz, 'infinity')
        ORDER BY from_at
        LIMIT {MARKS_COUNTED}
    ) AS few
) AS own
"""

TAKE_PAST_MARKS = """
DELETE FROM dirty_mark
WHERE ctid = ANY (ARRAY(SELECT ctid FROM dirty_mark WHERE shard = $1 AND from_at < $2 ORDER BY from_at LIMIT $3))
RETURNING machine, from_at, to_at
"""

TAKE_DUE_MARKS = """
WITH due AS (DELETE FROM dirty_mark WHERE from_at >= $1 AND from_at < $2 RETURNING shard, machine, from_at, to_at)
SELECT machine, from_at, to_at FROM due ORDER BY shard, machine
"""

MARK_AGAIN = """
INSERT INTO dirty_mark (shard, machine, from_at, to_at)
SELECT m.shard, m.id, w.from_at, w.to_at
FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS w(machine, from_at, to_at)
JOIN machine m ON m.id = w.machine
"""

SEALED_BEFORE = "SELECT max(sealed_before) FROM fact_horizon WHERE table_name IN ('state_event', 'count_event')"

VERSIONS = """
SELECT s.machine, GREATEST(v.effective_from, s.from_at) AS from_at, LEAST(v.effective_to, s.to_at) AS to_at,
       v.state_ttl_us, COALESCE(v.ideal_cycle_us, 0) AS cycle_us, s.cohort
FROM machine_span s
JOIN machine_version v ON v.machine = s.machine AND v.retired_at IS NULL
    AND v.effective_from < s.to_at AND v.effective_to > s.from_at
WHERE s.machine = ANY($1::integer[])
ORDER BY s.machine, from_at
"""

FACTORIES_OF = "SELECT id, factory FROM machine WHERE id = ANY($1::integer[])"

# $4 and $5, the bounds of all ranges together, exclude chunks once for the query instead of once for each range.
STATES = """
SELECT string_agg(int4send(s.machine), ''::bytea), string_agg(timestamptz_send(s.at), ''::bytea),
       string_agg(int2send(s.state), ''::bytea), string_agg(int2send(s.mode), ''::bytea)
FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS w(machine, from_at, to_at)
CROSS JOIN LATERAL (
    SELECT machine, at, state, mode FROM state_event e
    WHERE e.machine = w.machine AND e.at >= w.from_at AND e.at < w.to_at AND e.at >= $4 AND e.at < $5
      AND NOT e.retracted
    ORDER BY e.at
) AS s
"""

COUNTS = """
SELECT string_agg(int4send(s.machine), ''::bytea), string_agg(timestamptz_send(s.at), ''::bytea),
       string_agg(int4send(s.good), ''::bytea), string_agg(int4send(s.scrap), ''::bytea),
       string_agg(int4send(s.rework), ''::bytea), string_agg(int8send(s.record_id), ''::bytea)
FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS w(machine, from_at, to_at)
CROSS JOIN LATERAL (
    SELECT machine, at, good, scrap, rework, record_id FROM count_event e
    WHERE e.machine = w.machine AND e.at >= w.from_at AND e.at < w.to_at AND e.at >= $4 AND e.at < $5
      AND NOT e.retracted
    ORDER BY e.at
) AS s
"""

ANY_UNSIGNED = "SELECT EXISTS (SELECT FROM ingest_record WHERE NOT signed AND received_at >= $1)"

UNSIGNED = """
SELECT id FROM ingest_record WHERE NOT signed AND id = ANY($1::bigint[]) AND received_at >= $2
"""

FIRST_AHEAD = """
SELECT w.machine, s.at
FROM unnest($1::integer[], $2::timestamptz[]) AS w(machine, to_at)
CROSS JOIN LATERAL (
    SELECT min(at) AS at FROM (
        (SELECT at FROM state_event WHERE machine = w.machine AND at >= $3 AND at <= w.to_at ORDER BY at LIMIT 1)
        UNION ALL
        (SELECT at FROM count_event WHERE machine = w.machine AND at >= $3 AND at <= w.to_at ORDER BY at LIMIT 1)
    ) AS first
) AS s
WHERE s.at IS NOT NULL
"""

DROP_HOURS = """
DELETE FROM machine_hour h
USING unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS w(machine, from_at, to_at)
WHERE h.machine = w.machine AND h.hour >= w.from_at AND h.hour < w.to_at
RETURNING h.machine, h.hour
"""

HOUR_COLUMNS = ["machine", "hour", "cohort", *SUMS, *WIDE]

DROP_DAYS = """
DELETE FROM machine_day d
USING unnest($1::integer[], $2::date[]) AS w(machine, day)
WHERE d.machine = w.machine AND d.day = w.day
RETURNING d.machine, d.day, d.counted
"""

ADD_DAYS = """
INSERT INTO machine_day (machine, day, has_counts, counted, connected)
SELECT w.machine, w.day, sum(h.count_rows) > 0, sum(h.count_rows) > 0 AND sum(h.evidence_us) > 0,
       sum(h.evidence_us) > 0 OR sum(h.signed_count_rows) > 0
FROM unnest($1::integer[], $2::date[]) AS w(machine, day)
JOIN machine_hour h ON h.machine = w.machine
    AND h.hour >= timezone('Asia/Seoul', w.day::timestamp)
    AND h.hour < timezone('Asia/Seoul', (w.day + 1)::timestamp)
GROUP BY w.machine, w.day
RETURNING machine, day, counted
"""


def added_on_counted_days(names: Iterable[str]) -> str:
    """Return the sum of some columns of ``h`` over hours of counted machine-days, which ``d`` says."""
    return f"COALESCE(sum({' + '.join(f'h.{name}' for name in names)}) FILTER (WHERE d.counted), 0)"


FROM_MACHINE_HOURS = {
    **{name: f"sum(h.{name})" for name in ADDED_UP},
    **{name: added_on_counted_days(names) for name, names in ON_COUNTED_DAYS.items()},
}

DROP_FACTORY_HOURS = """
WITH dropped AS (
    DELETE FROM factory_hour h
    USING unnest($1::integer[], $2::timestamptz[]) AS w(factory, hour)
    WHERE h.factory = w.factory AND h.hour = w.hour
    RETURNING h.cohort, h.hour
)
INSERT INTO dirty_cohort_hour (cohort, hour) SELECT DISTINCT cohort, hour FROM dropped
"""

ADD_FACTORY_HOURS = f"""
WITH added AS (
    INSERT INTO factory_hour (factory, hour, cohort, {", ".join(FROM_MACHINE_HOURS)})
    SELECT w.factory, w.hour, h.cohort, {", ".join(FROM_MACHINE_HOURS.values())}
    FROM unnest($1::integer[], $2::timestamptz[]) AS w(factory, hour)
    JOIN machine m ON m.factory = w.factory
    JOIN machine_hour h ON h.machine = m.id AND h.hour = w.hour
    JOIN machine_day d ON d.machine = h.machine AND d.day = timezone('Asia/Seoul', h.hour)::date
    GROUP BY w.factory, w.hour, h.cohort
    RETURNING cohort, hour
)
INSERT INTO dirty_cohort_hour (cohort, hour) SELECT DISTINCT cohort, hour FROM added
"""

DROP_FACTORY_DAYS = """
WITH dropped AS (
    DELETE FROM factory_day d
    USING unnest($1::integer[], $2::date[]) AS w(factory, day)
    WHERE d.factory = w.factory AND d.day = w.day
    RETURNING d.cohort, d.day
)
INSERT INTO dirty_cohort_day (cohort, day) SELECT DISTINCT cohort, day FROM dropped
"""

# A machine-day counts in the one cohort to which the day belongs, though its pieces may belong to several.
ADD_FACTORY_DAYS = f"""
WITH times AS (
    SELECT w.factory, w.day, h.cohort, {added("h", OF_FACTORY_HOURS)}
    FROM unnest($1::integer[], $2::date[]) AS w(factory, day)
    JOIN factory_hour h ON h.factory = w.factory
        AND h.hour >= timezone('Asia/Seoul', w.day::timestamp)
        AND h.hour < timezone('Asia/Seoul', (w.day + 1)::timestamp)
    GROUP BY w.factory, w.day, h.cohort
), days AS (
    SELECT w.factory, w.day, s.cohort,
           {", ".join(f"count(*) FILTER (WHERE d.{are}) AS {name}" for name, are in DAY_COUNTS.items())}
    FROM unnest($1::integer[], $2::date[]) AS w(factory, day)
    JOIN machine m ON m.factory = w.factory
    JOIN machine_day d ON d.machine = m.id AND d.day = w.day AND d.has_counts
    JOIN machine_span s ON s.machine = m.id AND d.day >= s.first_day AND d.day < s.end_day
    GROUP BY w.factory, w.day, s.cohort
), added AS (
    INSERT INTO factory_day (factory, day, cohort, {", ".join(OF_FACTORY_DAYS)})
    SELECT factory, day, cohort, {", ".join(f"COALESCE({name}, 0)" for name in OF_FACTORY_DAYS)}
    FROM times FULL JOIN days USING (factory, day, cohort)
    RETURNING cohort, day
)
INSERT INTO dirty_cohort_day (cohort, day) SELECT DISTINCT cohort, day FROM added
"""
