"""The SQL of plausibility flags. ``w`` are the factories, machines or days asked for; a day is a date in Seoul."""

from services.analytics.account_queries import sent_packs
from services.analytics.packing import Kind

TRAIT_KINDS = {
    "machine": Kind.INTEGER,
    "changes": Kind.INTEGER,
    "scheduled_us": Kind.BIGINT,
    "scheduled_evidence_us": Kind.BIGINT,
    "evidence_us": Kind.BIGINT,
    "producing_us": Kind.BIGINT,
    "state_rows": Kind.INTEGER,
    "count_rows": Kind.INTEGER,
    "pieces": Kind.BIGINT,
    "barren": Kind.SMALLINT,
    "even_pieces": Kind.BIGINT,
    "even_us": Kind.BIGINT,
    "ideal_us": Kind.BIGINT,
    "capacity": Kind.BIGINT,
    "rows": Kind.INTEGER,
    "late_rows": Kind.INTEGER,
    "hour_1": Kind.INTEGER,
    "hour_2": Kind.INTEGER,
    "hour_3": Kind.INTEGER,
    "hour_4": Kind.INTEGER,
}
PACK_KEYS = (("factory", Kind.INTEGER), ("day", Kind.DAY))
PACK_COLUMNS = tuple(TRAIT_KINDS.items())

START = """
INSERT INTO flag_state (ended_before) VALUES (timezone('Asia/Seoul', $1::timestamptz)::date) ON CONFLICT DO NOTHING
"""

LOCK = "SELECT ended_before FROM flag_state FOR UPDATE SKIP LOCKED"
"""One worker at a time; no row for another."""

IS_WORK = "SELECT ended_before < $1 OR EXISTS (SELECT FROM flag_mark WHERE day < $1) FROM flag_state"
"""No row before the first start."""

MARK_ENDED = """
INSERT INTO flag_mark (factory, day)
SELECT p.factory, p.day
FROM factory f
CROSS JOIN generate_series(0, $2::date - $1::date - 1) AS n
JOIN machine_day_pack p ON p.factory = f.id AND p.day = $1::date + n
"""

MOVE_ENDED = "UPDATE flag_state SET ended_before = $1"

TAKE_MARKS = """
WITH first AS (
    SELECT DISTINCT m.day, m.factory
    FROM flag_mark m
    WHERE m.day < LEAST($1, (SELECT min(day) FROM flag_mark) + 31)
    ORDER BY m.day, m.factory
    LIMIT $2
), taken AS (
    DELETE FROM flag_mark m USING first WHERE m.day = first.day AND m.factory = first.factory
    RETURNING m.factory, m.day
)
SELECT DISTINCT factory, day FROM taken ORDER BY factory, day
"""

SEALED_BEFORE = """
SELECT timezone('Asia/Seoul', max(sealed_before) - INTERVAL '1 microsecond')::date + 1
FROM fact_horizon WHERE table_name IN ('state_event', 'count_event')
"""
"""The first day of which all facts are kept."""

MACHINES = "SELECT id, factory FROM machine WHERE factory = ANY($1::integer[]) ORDER BY id"

RECEIVED = "SELECT id, received_at FROM ingest_record WHERE id = ANY($1::bigint[]) AND received_at >= $2"

# Few patterns are many machines', so each is asked for once.
SCHEDULED = """
WITH piece AS (
    SELECT w.machine, w.day, s.pattern, GREATEST(s.from_at, w.from_at) AS from_at, LEAST(s.to_at, w.to_at) AS to_at
    FROM unnest($1::integer[], $2::integer[], $3::timestamptz[], $4::timestamptz[]) AS w(machine, day, from_at, to_at)
    JOIN machine_span s ON s.machine = w.machine AND s.from_at < w.to_at AND s.to_at > w.from_at
), shift AS MATERIALIZED (
    SELECT p.pattern, p.from_at, p.to_at, scheduled_us(p.pattern, p.from_at, p.to_at) AS us
    FROM (SELECT DISTINCT pattern, from_at, to_at FROM piece WHERE pattern IS NOT NULL) AS p
)
SELECT p.machine, p.day,
       sum(CASE WHEN p.pattern IS NULL THEN extract(epoch FROM p.to_at - p.from_at) * 1000000
                ELSE x.us END)::bigint AS us
FROM piece p
LEFT JOIN shift x ON x.pattern = p.pattern AND x.from_at = p.from_at AND x.to_at = p.to_at
GROUP BY p.machine, p.day
"""

CAPACITY = """
SELECT w.machine, w.day, LEAST(floor(24 * max(v.capacity_per_h)), 1e15)::bigint AS pieces
FROM unnest($1::integer[], $2::integer[], $3::timestamptz[], $4::timestamptz[]) AS w(machine, day, from_at, to_at)
JOIN machine_version v ON v.machine = w.machine AND v.retired_at IS NULL AND v.capacity_per_h IS NOT NULL
    AND v.effective_from < w.to_at AND v.effective_to > w.from_at
GROUP BY w.machine, w.day
"""

DROP_DAYS = """
DELETE FROM flag_day_pack p USING unnest($1::integer[], $2::date[]) AS w(factory, day)
WHERE p.factory = w.factory AND p.day = w.day
"""

READ_DAYS = f"""
SELECT {sent_packs(PACK_KEYS, PACK_COLUMNS)}
FROM flag_day_pack p
WHERE p.factory = ANY($1::integer[]) AND p.day >= $2 AND p.day < $3
GROUP BY cardinality(machine)
"""

DROP_PRINTS = """
DELETE FROM flag_print p USING machine m, unnest($1::integer[], $2::date[]) AS w(factory, day)
WHERE m.factory = w.factory AND p.machine = m.id AND p.day = w.day
RETURNING p.machine, p.day, p.print
"""

ADD_PRINTS = """
INSERT INTO flag_print (machine, day, print, changes)
SELECT * FROM unnest($1::integer[], $2::date[], $3::uuid[], $4::integer[])
"""

# Days that equal one that came or went are judged again: the same day of other machines, and later ones of any.
MARK_EQUAL_DAYS = """
INSERT INTO flag_mark (factory, day)
SELECT DISTINCT m.factory, p.day
FROM unnest($1::date[], $2::uuid[]) AS w(day, print)
JOIN flag_print p ON p.print = w.print AND p.day >= w.day AND p.day <= w.day + $3::integer
JOIN machine m ON m.id = p.machine
WHERE NOT EXISTS (SELECT FROM unnest($4::integer[], $5::date[]) AS own(factory, day)
                  WHERE own.factory = m.factory AND own.day = p.day)
"""

# The machines of which a day that is judged equals another, and those of which one did.
EQUAL_MACHINES = """
SELECT p.machine
FROM unnest($1::integer[], $2::date[]) AS w(factory, day)
JOIN machine m ON m.factory = w.factory
JOIN flag_print p ON p.machine = m.id AND p.day = w.day
WHERE EXISTS (SELECT FROM flag_print o
              WHERE o.print = p.print AND o.day <= p.day AND o.day >= p.day - $3::integer
                AND (o.machine, o.day) <> (p.machine, p.day))
UNION
SELECT g.machine FROM flag g
WHERE g.factory = ANY($1::integer[]) AND g.rule IN ('replayed_day', 'identical_series') AND g.machine IS NOT NULL
"""

REPLAYED_DAYS = """
SELECT m.factory, p.machine, p.day, p.changes, f.factory_id || '/' || o_m.machine_id AS other, o.day AS other_day
FROM unnest($1::integer[]) AS w(machine)
JOIN flag_print p ON p.machine = w.machine AND p.day >= $2 AND p.day < $3
JOIN machine m ON m.id = p.machine
CROSS JOIN LATERAL (
    SELECT q.machine, q.day FROM flag_print q
    WHERE q.print = p.print AND q.day < p.day AND q.day >= p.day - $4::integer
    ORDER BY q.day DESC, q.machine <> p.machine, q.machine
    LIMIT 1
) AS o
JOIN machine o_m ON o_m.id = o.machine
JOIN factory f ON f.id = o_m.factory
ORDER BY p.machine, p.day
"""

IDENTICAL_SERIES = """
WITH pair AS (
    SELECT p.machine, q.machine AS other, array_agg(p.day ORDER BY p.day) AS days,
           array_agg(p.changes ORDER BY p.day) AS changes
    FROM unnest($1::integer[]) AS w(machine)
    JOIN flag_print p ON p.machine = w.machine
    JOIN flag_print q ON q.print = p.print AND q.day = p.day AND q.machine <> p.machine
    GROUP BY p.machine, q.machine
    HAVING count(*) >= $2::integer
), placed AS (
    SELECT pair.*, row_number() OVER (PARTITION BY machine ORDER BY cardinality(days) DESC, other) AS place FROM pair
)
SELECT m.factory, x.machine, f.factory_id || '/' || o.machine_id AS other, x.days, x.changes
FROM placed x
JOIN machine m ON m.id = x.machine
JOIN machine o ON o.id = x.other
JOIN factory f ON f.id = o.factory
WHERE x.place <= $3::integer
ORDER BY x.machine, x.place
"""

FIRST_RECEIPTS = """
SELECT w.factory, (timezone('Asia/Seoul', r.received_at)::date - DATE '1970-01-01') AS day
FROM unnest($1::integer[]) AS w(factory)
CROSS JOIN LATERAL (
    SELECT received_at FROM ingest_record WHERE factory = w.factory ORDER BY received_at LIMIT 1
) AS r
"""

DROP_RECEIPTS = """
DELETE FROM flag_receipt p USING unnest($1::integer[], $2::date[]) AS w(factory, day)
WHERE p.factory = w.factory AND p.day = w.day
"""

ADD_RECEIPTS = """
INSERT INTO flag_receipt (factory, day, records, delay_us, offset_us)
SELECT w.factory, w.day, q.records, (extract(epoch FROM q.delay) * 1000000)::bigint,
       (extract(epoch FROM q.clock) * 1000000)::bigint
FROM unnest($1::integer[], $2::date[]) AS w(factory, day)
CROSS JOIN LATERAL (
    SELECT count(*) AS records, percentile_disc(0.5) WITHIN GROUP (ORDER BY r.received_at - r.sent_at) AS delay,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY r.sent_at - r.newest_at) AS clock
    FROM ingest_record r
    WHERE r.factory = w.factory AND r.received_at >= timezone('Asia/Seoul', w.day::timestamp)
      AND r.received_at < timezone('Asia/Seoul', (w.day + 1)::timestamp)
      AND r.received_at - r.newest_at < $3::integer * INTERVAL '1 hour'
) AS q
WHERE q.records > 0
"""

READ_RECEIPTS = """
SELECT factory, day - DATE '1970-01-01' AS day, records, delay_us, offset_us
FROM flag_receipt WHERE factory = ANY($1::integer[]) AND day >= $2 AND day < $3
ORDER BY factory, day
"""

RAISE = """
INSERT INTO flag AS g (rule, rule_version, kind, factory, machine, month, days, evidence, usual, opened_at, judged_at)
SELECT w.rule, w.rule_version, w.kind, w.factory, w.machine, w.month,
       ARRAY(SELECT jsonb_array_elements_text(w.days::jsonb)::date), w.evidence::jsonb, w.usual::jsonb, now(), now()
FROM unnest($1::text[], $2::integer[], $3::text[], $4::integer[], $5::integer[], $6::date[], $7::text[], $8::text[],
            $9::text[]) AS w(rule, rule_version, kind, factory, machine, month, days, evidence, usual)
ON CONFLICT (factory, rule, machine, month) DO UPDATE SET
    rule_version = EXCLUDED.rule_version, kind = EXCLUDED.kind, days = EXCLUDED.days, evidence = EXCLUDED.evidence,
    usual = EXCLUDED.usual,
    judged_at = CASE WHEN (g.days, g.evidence) = (EXCLUDED.days, EXCLUDED.evidence) THEN g.judged_at ELSE now() END,
    opened_at = CASE WHEN g.closed_at IS NULL OR g.closed_by <> 'data' AND g.evidence = EXCLUDED.evidence
                     THEN g.opened_at ELSE now() END,
    closed_at = CASE WHEN g.closed_by <> 'data' AND g.evidence = EXCLUDED.evidence THEN g.closed_at END,
    closed_by = CASE WHEN g.closed_by <> 'data' AND g.evidence = EXCLUDED.evidence THEN g.closed_by END,
    closed_why = CASE WHEN g.closed_by <> 'data' AND g.evidence = EXCLUDED.evidence THEN g.closed_why END
WHERE (g.rule_version, g.days, g.evidence, g.usual)
      IS DISTINCT FROM (EXCLUDED.rule_version, EXCLUDED.days, EXCLUDED.evidence, EXCLUDED.usual)
   OR g.closed_by = 'data'
"""

# A flag without a month is always judged as a whole.
CLOSE = """
UPDATE flag g SET closed_at = now(), closed_by = 'data', closed_why = 'corrected data no longer show it'
WHERE g.factory = ANY($1::integer[]) AND g.closed_at IS NULL AND (g.month IS NULL OR g.month >= $2 AND g.month < $3)
  AND NOT EXISTS (
    SELECT FROM unnest($4::text[], $5::integer[], $6::integer[], $7::date[]) AS w(rule, factory, machine, month)
    WHERE w.rule = g.rule AND w.factory = g.factory AND w.machine IS NOT DISTINCT FROM g.machine
      AND w.month IS NOT DISTINCT FROM g.month)
"""
