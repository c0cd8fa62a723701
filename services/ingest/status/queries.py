"""The questions of ``jejo status`` to the database, each bounded so that it is quick on tables of any size."""

COUNTED = 10_000
"""How far dead letters of one reason are counted."""
RECORDS = 100_000
"""How many of the newest records are looked at: half a minute's at the national peak."""
MARKS = 500
"""How many marks of one of the 64 shards are looked at."""

PLANNING = """
SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET max_parallel_workers_per_gather = 0
"""
"""Walk indexes in their order and stop at the limit, also on tables whose statistics are not made yet."""

NOW = "SELECT now()"

SCHEMA_VERSION = "SELECT max(version) FROM schema_migration"

TOPIC = "SELECT cluster_id, topic_id FROM ingest_topic WHERE topic = $1 AND retired_at IS NULL"

OFFSETS = "SELECT partition, next_offset, moved_at FROM ingest_offset WHERE cluster_id = $1 AND topic_id = $2"

# Kafka keeps records for a week by default, so that what is ingested now was received later than 8 days ago. Only
# where more than RECORDS came within a minute does their own span, not the minute, tell the rate.
RECENT = f"""
SELECT count(*) AS records, count(DISTINCT factory) AS factories,
       count(*) FILTER (WHERE last_minute) AS minute_records,
       COALESCE(sum(rows) FILTER (WHERE last_minute), 0) AS minute_rows,
       EXTRACT(epoch FROM now() - min(ingested_at) FILTER (WHERE last_minute))::float8 AS span_s
FROM (
    SELECT factory, ingested_at, ingested_at >= now() - INTERVAL '1 minute' AS last_minute,
           rows_stored + rows_duplicate + rows_clashed + rows_refused AS rows
    FROM ingest_record
    WHERE ingested_at >= now() - INTERVAL '1 hour' AND received_at >= now() - INTERVAL '8 days'
    ORDER BY ingested_at DESC
    LIMIT {RECORDS}
) AS newest
"""

LETTERS = f"""
SELECT w.reason,
       (SELECT count(*) FROM (
           SELECT FROM dead_letter d
           WHERE d.reason = w.reason AND d.kept_at >= now() - INTERVAL '1 hour' LIMIT {COUNTED}
       ) AS few) AS last_hour,
       (SELECT count(*) FROM (SELECT FROM dead_letter d WHERE d.reason = w.reason LIMIT {COUNTED}) AS few) AS total,
       (SELECT count(*) FROM (
           SELECT FROM dead_letter d WHERE d.reason = w.reason AND d.replayed_at IS NULL LIMIT {COUNTED}
       ) AS few) AS waiting
FROM unnest($1::text[]) WITH ORDINALITY AS w(reason, position)
ORDER BY w.position
"""

ACCOUNTED_UNTIL = "SELECT accounted_until FROM analytics_state"

WAITING_MARKS = f"""
SELECT sum(own.marks)::bigint AS marks, min(own.oldest) AS oldest, bool_or(own.marks = {MARKS}) AS at_least
FROM generate_series(0, 63) AS shard
CROSS JOIN LATERAL (
    SELECT count(*) AS marks, min(marked_at) AS oldest
    FROM (
        SELECT marked_at FROM dirty_mark d
        WHERE d.shard = shard.shard AND ($1::timestamptz IS NULL OR d.from_at < $1)
        ORDER BY from_at
        LIMIT {MARKS}
    ) AS few
) AS own
"""
