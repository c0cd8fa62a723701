"""The SQL of data quality. A day of receipt is a date in Seoul; ``w`` are the factories and days asked for.

Statements that read records of such days take factories and days as two arrays, and then the first of the days and the
one after the last: with these bounds, the chunks of all other days are left out of the plan.
"""

WANTED = "unnest($1::integer[], $2::date[]) AS w(factory, day)"

RECEIVED_THEN = """
r.received_at >= timezone('Asia/Seoul', $3::date::timestamp)
    AND r.received_at < timezone('Asia/Seoul', $4::date::timestamp)
    AND r.factory = w.factory AND r.received_at >= timezone('Asia/Seoul', w.day::timestamp)
    AND r.received_at < timezone('Asia/Seoul', (w.day + 1)::timestamp)
"""

DAY_COLUMNS = """
factory, day, records, rows_accepted, rows_duplicate, rows_clashed, rows_revised, rows_late, refused,
    delay_p50_us, delay_p99_us, offset_p50_us, offset_p99_us
"""

# percentile_disc is the nearest rank: of n values in order, the one at place ceil(fraction * n).
RECORDED_DAYS = f"""
SELECT w.factory, w.day, q.records, q.rows_accepted, q.rows_duplicate, q.rows_clashed, q.rows_revised, q.rows_late,
       COALESCE(refusals.refused, '{{}}'::jsonb) AS refused,
       (extract(epoch FROM q.delay[1]) * 1000000)::bigint AS delay_p50_us,
       (extract(epoch FROM q.delay[2]) * 1000000)::bigint AS delay_p99_us,
       (extract(epoch FROM q.clock[1]) * 1000000)::bigint AS offset_p50_us,
       (extract(epoch FROM q.clock[2]) * 1000000)::bigint AS offset_p99_us
FROM {WANTED}
CROSS JOIN LATERAL (
    SELECT count(*) AS records, COALESCE(sum(r.rows_stored), 0) AS rows_accepted,
           COALESCE(sum(r.rows_duplicate), 0) AS rows_duplicate, COALESCE(sum(r.rows_clashed), 0) AS rows_clashed,
           COALESCE(sum(r.rows_revised), 0) AS rows_revised,
           CASE WHEN COALESCE(bool_and(r.rows_late IS NOT NULL), true) THEN COALESCE(sum(r.rows_late), 0) END
               AS rows_late,
           array_agg(r.refusals) FILTER (WHERE r.refusals IS NOT NULL) AS refusals,
           percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY r.received_at - r.sent_at) AS delay,
           percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY r.sent_at - r.newest_at) AS clock
    FROM ingest_record r
    WHERE {RECEIVED_THEN}
) AS q
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(one.reason, one.number) AS refused
    FROM (
        SELECT each.reason, sum(each.number) AS number
        FROM (
            SELECT e.key AS reason, e.value::bigint AS number
            FROM unnest(q.refusals) AS own CROSS JOIN LATERAL jsonb_each_text(own) AS e
            UNION ALL
            SELECT x.reason, x.records FROM refused_record x WHERE x.factory = w.factory AND x.day = w.day
        ) AS each
        GROUP BY each.reason
    ) AS one
    WHERE one.number > 0
) AS refusals
WHERE q.records > 0 OR refusals.refused IS NOT NULL
"""

# Grouped within each day, so that a day's chunks are read and no others.
RECORDED_BOOTS = f"""
SELECT w.factory, w.day, b.gateway_id, b.boot_id, b.sequences
FROM {WANTED}
CROSS JOIN LATERAL (
    SELECT r.gateway_id, COALESCE(r.boot_id, '') AS boot_id,
           range_agg(int8range(r.sequence - 1, r.sequence)) AS sequences
    FROM ingest_record r
    WHERE {RECEIVED_THEN} AND r.sequence IS NOT NULL
    GROUP BY r.gateway_id, COALESCE(r.boot_id, '')
) AS b
"""

STATE = "SELECT closed_before FROM quality_state"

CLOSE_DAYS = "SELECT close_quality_days($1)"

LOCK_QUALITY = "SELECT is_only FROM quality_state FOR UPDATE SKIP LOCKED"
"""One worker at a time; no row for another."""

TAKE_MARKS = """
WITH taken AS (
    DELETE FROM quality_mark
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM quality_mark ORDER BY factory, day LIMIT $1))
    RETURNING factory, day
)
SELECT DISTINCT factory, day FROM taken
"""

DELETE_DAYS = f"DELETE FROM quality_day q USING {WANTED} WHERE q.factory = w.factory AND q.day = w.day"

INSERT_DAYS = f"INSERT INTO quality_day ({DAY_COLUMNS}) {RECORDED_DAYS}"

DELETE_BOOTS = f"""
DELETE FROM quality_boot q USING {WANTED} WHERE q.factory = w.factory AND q.day = w.day
RETURNING q.factory, q.gateway_id, q.boot_id
"""

INSERT_BOOTS = f"""
INSERT INTO quality_boot (factory, day, gateway_id, boot_id, sequences, sequence_gaps, lost_records)
SELECT b.factory, b.day, b.gateway_id, b.boot_id, b.sequences, 0, 0 FROM ({RECORDED_BOOTS}) AS b
RETURNING factory, gateway_id, boot_id
"""

RUNS_OF_BOOTS = """
SELECT b.factory, b.gateway_id, b.boot_id, b.day, lower(run) + 1 AS first, upper(run) AS last
FROM unnest($1::integer[], $2::text[], $3::text[]) AS w(factory, gateway_id, boot_id)
JOIN quality_boot b USING (factory, gateway_id, boot_id)
CROSS JOIN LATERAL unnest(b.sequences) AS run
ORDER BY b.factory, b.gateway_id, b.boot_id
"""

SET_GAPS = """
UPDATE quality_boot b SET sequence_gaps = COALESCE(g.gaps, 0), lost_records = COALESCE(g.lost, 0)
FROM quality_boot old
JOIN unnest($1::integer[], $2::text[], $3::text[]) AS w(factory, gateway_id, boot_id)
    USING (factory, gateway_id, boot_id)
LEFT JOIN unnest($4::integer[], $5::text[], $6::text[], $7::date[], $8::bigint[], $9::bigint[])
    AS g(factory, gateway_id, boot_id, day, gaps, lost) USING (factory, gateway_id, boot_id, day)
WHERE b.factory = old.factory AND b.day = old.day AND b.gateway_id = old.gateway_id AND b.boot_id = old.boot_id
  AND (b.sequence_gaps, b.lost_records) IS DISTINCT FROM (COALESCE(g.gaps, 0), COALESCE(g.lost, 0))
"""
"""Parameters: the boots, then their days with gaps. Days without any have none."""

OPEN_DAYS = """
SELECT m.day FROM quality_mark m WHERE m.factory = $1
UNION
SELECT x.day FROM refused_record x WHERE x.factory = $1 AND x.day >= $2
UNION
SELECT $2::date + n
FROM (
    SELECT timezone('Asia/Seoul', r.received_at)::date AS day
    FROM ingest_record r
    WHERE r.factory = $1 AND r.received_at >= timezone('Asia/Seoul', $2::date::timestamp)
    ORDER BY r.received_at DESC
    LIMIT 1
) AS last
CROSS JOIN LATERAL generate_series(0, last.day - $2::date) AS n
"""
"""Days of a factory that have no row yet, or one that is out of date. $2 is the day before which days are closed."""

# As text, since the pools of different services decode JSON differently.
READ_COLUMNS = f"{DAY_COLUMNS}, refused::text AS reasons"

KEPT_DAYS = f"SELECT {READ_COLUMNS} FROM quality_day WHERE factory = $1 AND day >= $2 AND day < $3"

COMPUTED_DAYS = f"SELECT {READ_COLUMNS} FROM ({RECORDED_DAYS}) AS computed"

KEPT_GAPS = """
SELECT gateway_id, boot_id, day, sequence_gaps, lost_records
FROM quality_boot
WHERE factory = $1 AND day >= $2 AND day < $3 AND sequence_gaps > 0
"""

RECORDED_RUNS = f"""
SELECT b.gateway_id, b.boot_id, b.day, lower(run) + 1 AS first, upper(run) AS last
FROM ({RECORDED_BOOTS}) AS b CROSS JOIN LATERAL unnest(b.sequences) AS run
"""
