"""The SQL of analytics. Arrays are unnested as the relation ``w``; instants are microseconds on our side."""

from services.analytics.accounts import SUMS

ACCOUNTED_UNTIL = "SELECT accounted_until FROM analytics_state"

START_ACCOUNTING = "INSERT INTO analytics_state (accounted_until) VALUES ($1) ON CONFLICT DO NOTHING"

MOVE_ACCOUNTED_UNTIL = "UPDATE analytics_state SET accounted_until = $1 WHERE accounted_until <= $1"

LOCK_SHARD = "SELECT pg_advisory_xact_lock($1, $2)"

LOCK_ALL_SHARDS = "SELECT count(pg_advisory_xact_lock($1, s)) FROM generate_series(0, $2 - 1) AS s"

SHARDS_WITH_WORK = "SELECT DISTINCT shard FROM dirty_mark WHERE from_at < $1 ORDER BY shard"

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
SELECT m.id AS machine, m.factory, v.effective_from, v.effective_to,
       v.state_ttl_us, COALESCE(v.ideal_cycle_us, 0) AS cycle_us,
       timezone('Asia/Seoul', v.in_use_from::timestamp) AS in_use_from,
       COALESCE(timezone('Asia/Seoul', v.in_use_to::timestamp), v.effective_to) AS in_use_to
FROM machine_version v JOIN machine m ON m.id = v.machine
WHERE v.retired_at IS NULL AND m.id = ANY($1::integer[])
ORDER BY m.id, v.effective_from
"""

FACTORIES_OF = "SELECT id, factory FROM machine WHERE id = ANY($1::integer[])"

# $4 and $5, the bounds of all spans together, let chunks be left out once for the query instead of once for each span.
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
       string_agg(int4send(s.rework), ''::bytea)
FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS w(machine, from_at, to_at)
CROSS JOIN LATERAL (
    SELECT machine, at, good, scrap, rework FROM count_event e
    WHERE e.machine = w.machine AND e.at >= w.from_at AND e.at < w.to_at AND e.at >= $4 AND e.at < $5
      AND NOT e.retracted
    ORDER BY e.at
) AS s
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

HOUR_COLUMNS = ["machine", "hour", *SUMS, "ideal_pq_us", "ideal_good_us"]

DROP_DAYS = """
DELETE FROM machine_day d
USING unnest($1::integer[], $2::date[]) AS w(machine, day)
WHERE d.machine = w.machine AND d.day = w.day
RETURNING d.machine, d.day, d.counted
"""

ADD_DAYS = """
INSERT INTO machine_day (machine, day, has_counts, counted)
SELECT w.machine, w.day, true, sum(h.evidence_us) > 0
FROM unnest($1::integer[], $2::date[]) AS w(machine, day)
JOIN machine_hour h ON h.machine = w.machine
    AND h.hour >= timezone('Asia/Seoul', w.day::timestamp)
    AND h.hour < timezone('Asia/Seoul', (w.day + 1)::timestamp)
GROUP BY w.machine, w.day
HAVING sum(h.count_rows) > 0
RETURNING machine, day, counted
"""

PLAIN_SUMS = [name for name in SUMS if not name.startswith("cycle_") and name not in ("state_rows", "count_rows")]
COUNTED_SUMS = ["cycle_producing_us", "cycle_busy_us", "ideal_pq_us", "ideal_good_us"]
FACTORY_SUMS = [*PLAIN_SUMS, *(f"counted_{name}" for name in COUNTED_SUMS)]

DROP_FACTORY_HOURS = """
DELETE FROM factory_hour h
USING unnest($1::integer[], $2::timestamptz[]) AS w(factory, hour)
WHERE h.factory = w.factory AND h.hour = w.hour
"""

ADD_FACTORY_HOURS = f"""
INSERT INTO factory_hour (factory, hour, {", ".join(FACTORY_SUMS)})
SELECT w.factory, w.hour, {", ".join(f"sum(h.{name})" for name in PLAIN_SUMS)},
       {", ".join(f"COALESCE(sum(h.{name}) FILTER (WHERE d.counted), 0)" for name in COUNTED_SUMS)}
FROM unnest($1::integer[], $2::timestamptz[]) AS w(factory, hour)
JOIN machine m ON m.factory = w.factory
JOIN machine_hour h ON h.machine = m.id AND h.hour = w.hour
LEFT JOIN machine_day d ON d.machine = h.machine AND d.day = timezone('Asia/Seoul', h.hour)::date
GROUP BY w.factory, w.hour
"""

DROP_FACTORY_DAYS = """
DELETE FROM factory_day d
USING unnest($1::integer[], $2::date[]) AS w(factory, day)
WHERE d.factory = w.factory AND d.day = w.day
"""

ADD_FACTORY_DAYS = f"""
INSERT INTO factory_day (factory, day, {", ".join(FACTORY_SUMS)}, count_days, counted_days)
SELECT s.*, COALESCE(c.count_days, 0), COALESCE(c.counted_days, 0)
FROM (
    SELECT w.factory, w.day, {", ".join(f"sum(h.{name})" for name in FACTORY_SUMS)}
    FROM unnest($1::integer[], $2::date[]) AS w(factory, day)
    JOIN factory_hour h ON h.factory = w.factory
        AND h.hour >= timezone('Asia/Seoul', w.day::timestamp)
        AND h.hour < timezone('Asia/Seoul', (w.day + 1)::timestamp)
    GROUP BY w.factory, w.day
) AS s
LEFT JOIN (
    SELECT w.factory, w.day, count(*) AS count_days, count(*) FILTER (WHERE d.counted) AS counted_days
    FROM unnest($1::integer[], $2::date[]) AS w(factory, day)
    JOIN machine m ON m.factory = w.factory
    JOIN machine_day d ON d.machine = m.id AND d.day = w.day
    GROUP BY w.factory, w.day
) AS c ON c.factory = s.factory AND c.day = s.day
"""
