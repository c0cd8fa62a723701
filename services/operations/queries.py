"""The SQL of operations. Every count is bounded, so that it is quick on tables of any size."""

LETTERS_COUNTED = 10_000
"""How far dead letters of one reason are counted."""
RECORDS_READ = 100_000
"""How many of the newest records are read: half a minute's at the national peak."""

# The planner walks indexes in their order and stops at the limit, even on tables that have no statistics yet.
SET_PLANNING = """
SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET max_parallel_workers_per_gather = 0
"""

NOW = "SELECT now()"

SCHEMA_VERSION = "SELECT max(version) FROM schema_migration"

# Kafka keeps records for a week by default, so what is ingested now was received within the last 8 days. The rate is
# that of the last minute; if more than RECORDS_READ came within it, that of the time that those took (span_s).
RECENT_RECORDS = f"""
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
    LIMIT {RECORDS_READ}
) AS newest
"""

DEAD_LETTERS = f"""
SELECT w.reason,
       (SELECT count(*) FROM (
           SELECT FROM dead_letter d
           WHERE d.reason = w.reason AND d.kept_at >= now() - INTERVAL '1 hour' LIMIT {LETTERS_COUNTED}
       ) AS few) AS last_hour,
       (SELECT count(*) FROM (
           SELECT FROM dead_letter d WHERE d.reason = w.reason LIMIT {LETTERS_COUNTED}
       ) AS few) AS total,
       (SELECT count(*) FROM (
           SELECT FROM dead_letter d WHERE d.reason = w.reason AND d.replayed_at IS NULL LIMIT {LETTERS_COUNTED}
       ) AS few) AS waiting,
       COALESCE(c.letters, 0) AS counted
FROM unnest($1::text[]) WITH ORDINALITY AS w(reason, position)
LEFT JOIN (SELECT reason, sum(letters)::bigint AS letters FROM dead_letter_count GROUP BY reason) AS c USING (reason)
ORDER BY w.position
"""
