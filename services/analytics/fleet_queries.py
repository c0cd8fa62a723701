"""The SQL that reads the whole registry, and the marks and facts of whole hours, as columns of bytes."""

REGISTRY_VERSION = "SELECT version FROM registry_version"

MACHINES = """
SELECT string_agg(int4send(id), ''::bytea), string_agg(int4send(factory), ''::bytea),
       string_agg(int2send(shard), ''::bytea)
FROM (SELECT id, factory, shard FROM machine ORDER BY id) AS m
"""

VERSIONS = """
SELECT string_agg(int4send(s.machine), ''::bytea),
       string_agg(timestamptz_send(GREATEST(v.effective_from, s.from_at)), ''::bytea),
       string_agg(timestamptz_send(LEAST(v.effective_to, s.to_at)), ''::bytea),
       string_agg(int8send(v.state_ttl_us), ''::bytea), string_agg(int8send(COALESCE(v.ideal_cycle_us, 0)), ''::bytea),
       string_agg(int4send(s.cohort), ''::bytea), string_agg(int4send(COALESCE(s.pattern, 0)), ''::bytea)
FROM machine_span s
JOIN machine_version v ON v.machine = s.machine AND v.retired_at IS NULL
    AND v.effective_from < s.to_at AND v.effective_to > s.from_at
"""

# Marks of one hour and a little more; a change in the registry marks longer, and is accounted machine by machine.
IS_OF_AN_HOUR = "to_at - from_at < INTERVAL '1 hour'"

FIRST_MARKED_HOUR = f"""
SELECT date_trunc('hour', min(at), 'UTC')
FROM (
    SELECT (SELECT from_at FROM dirty_mark d
            WHERE d.shard = s.shard AND from_at < $1 AND {IS_OF_AN_HOUR} ORDER BY from_at LIMIT 1) AS at
    FROM generate_series(0, $2::integer - 1) AS s(shard)
    UNION ALL
    SELECT min(hour) FROM dirty_shard
) AS first
"""

# Shards are named so that the index serves, which has them before the instants.
MARKS_OF_HOUR = f"""
SELECT shard, $1::timestamptz AS hour, sum(marks)::bigint AS marks
FROM (
    SELECT shard, count(*) AS marks
    FROM dirty_mark
    WHERE shard = ANY(ARRAY(SELECT generate_series(0, $4::integer - 1)::smallint))
      AND from_at >= $1 AND from_at < LEAST($1 + INTERVAL '1 hour', $2) AND {IS_OF_AN_HOUR}
    GROUP BY shard
    UNION ALL
    SELECT shard, $3 FROM dirty_shard WHERE hour = $1
) AS marked
GROUP BY shard
ORDER BY shard
"""

MARKS_BY_HOUR = f"""
SELECT shard, hour, sum(marks)::bigint AS marks
FROM (
    SELECT shard, date_trunc('hour', from_at, 'UTC') AS hour, count(*) AS marks
    FROM dirty_mark WHERE from_at < $1 AND {IS_OF_AN_HOUR} GROUP BY 1, 2
    UNION ALL
    SELECT shard, hour, $2 FROM dirty_shard
) AS marked
GROUP BY shard, hour
ORDER BY hour, shard
"""

TAKE_HOUR_MARKS = f"""
WITH gone AS (
    DELETE FROM dirty_mark
    WHERE shard = ANY($1::smallint[]) AND from_at >= $2 AND from_at < $2 + INTERVAL '1 hour' AND {IS_OF_AN_HOUR}
    RETURNING shard, to_at
), whole AS (
    DELETE FROM dirty_shard WHERE shard = ANY($1::smallint[]) AND hour = $2
)
SELECT shard, max(to_at) AS to_at FROM gone GROUP BY shard
"""

MARK_SHARD_HOURS = "INSERT INTO dirty_shard (shard, hour) SELECT * FROM unnest($1::smallint[], $2::timestamptz[])"

SUMMARIZE_FACTS = "SELECT summarize_facts($1, $2)"

# An aggregate for each row costs more than the arithmetic that saves one.
STATES = """
SELECT string_agg(int4send(machine * 32 + state * 4 + mode), ''::bytea), string_agg(timestamptz_send(at), ''::bytea)
FROM state_event WHERE at >= $1 AND at < $2 AND NOT retracted
"""

COUNTS = """
SELECT string_agg(int4send(machine), ''::bytea), string_agg(timestamptz_send(at), ''::bytea),
       string_agg(int4send(good), ''::bytea), string_agg(int4send(scrap), ''::bytea),
       string_agg(int4send(rework), ''::bytea), string_agg(int8send(record_id), ''::bytea)
FROM count_event WHERE at >= $1 AND at < $2 AND NOT retracted
"""
