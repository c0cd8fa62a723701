"""The SQL of dead letters."""

LETTERS_SPENT = """
SELECT w.position, s.letters, s.bytes, s.last_offset
FROM unnest($2::integer[], $3::timestamptz[], $4::text[]) WITH ORDINALITY AS w(partition, hour, factory, position)
JOIN dead_letter_spent s ON s.topic = $1 AND s.partition = w.partition AND s.hour = w.hour AND s.factory = w.factory
"""

SPEND_LETTERS = """
INSERT INTO dead_letter_spent AS s (topic, partition, hour, factory, letters, bytes, last_offset)
SELECT $1, w.*
FROM unnest($2::integer[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
    AS w(partition, hour, factory, letters, bytes, last_offset)
ORDER BY w.partition, w.hour, w.factory
ON CONFLICT (topic, partition, hour, factory) DO UPDATE
SET letters = s.letters + excluded.letters, bytes = s.bytes + excluded.bytes,
    last_offset = GREATEST(s.last_offset, excluded.last_offset), kept_at = now()
"""

COUNT_LETTERS = """
INSERT INTO dead_letter_count AS c (topic, partition, hour, reason, letters, bytes, last_offset)
SELECT $1, w.*
FROM unnest($2::integer[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
    AS w(partition, hour, reason, letters, bytes, last_offset)
ORDER BY w.partition, w.hour, w.reason
ON CONFLICT (topic, partition, hour, reason) DO UPDATE
SET letters = c.letters + excluded.letters, bytes = c.bytes + excluded.bytes,
    last_offset = GREATEST(c.last_offset, excluded.last_offset), kept_at = now()
"""

LIST_COUNTS = """
SELECT c.hour, t.topic, c.partition, c.reason, c.letters, c.bytes, c.last_offset
FROM dead_letter_count c JOIN ingest_topic t ON t.id = c.topic
WHERE ($1::text IS NULL OR c.reason = $1)
ORDER BY c.hour DESC, c.topic, c.partition, c.reason
LIMIT $2
"""

EXPIRE_LETTERS = """
DELETE FROM dead_letter
WHERE id IN (SELECT id FROM dead_letter WHERE reason = $1 AND kept_at < $2 ORDER BY kept_at LIMIT $3)
"""
"""By reason, since the index on kept_at begins with it."""

EXPIRE_QUOTAS = tuple(
    f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE kept_at < $1 LIMIT $2))"
    for table in ("dead_letter_spent", "dead_letter_count")
)
"""A row that was counted on meanwhile has another ctid, and stays."""

LOCK_DEAD_LETTERS = """
SELECT id FROM dead_letter WHERE id = ANY($1::bigint[]) AND replayed_at IS NULL ORDER BY id FOR UPDATE
"""

CLAIM_DEAD_LETTERS = """
UPDATE dead_letter SET replayed_at = now() WHERE id = ANY($1::bigint[]) AND replayed_at IS NULL
"""

LIST_DEAD_LETTERS = """
SELECT id, received_at, partition, record_offset, claimed_factory, reason, row_kind, row_index, message
FROM dead_letter
WHERE ($1::text IS NULL OR reason = $1) AND ($2::text IS NULL OR claimed_factory = $2)
  AND ($3 OR replayed_at IS NULL)
ORDER BY id DESC
LIMIT $4
"""

SHOW_DEAD_LETTER = """
SELECT d.*, t.topic AS topic_name
FROM dead_letter d JOIN ingest_topic t ON t.id = d.topic
WHERE d.id = $1
"""

WAITING_DEAD_LETTERS = """
SELECT d.id, d.topic, t.cluster_id, t.topic_id, d.partition, d.record_offset, d.received_at, d.record_key, d.headers,
       d.raw, d.row_kind, d.row_index, d.record_id, d.authentic, d.reason, d.message, r.revision, r.factory,
       f.factory_id, r.gateway_id, r.boot_id, r.sequence, r.sent_at, r.gateway_key, r.signed
FROM (
    SELECT id, sum(raw_length) OVER (ORDER BY id) - raw_length AS bytes_before
    FROM (
        SELECT id, raw_length
        FROM dead_letter
        WHERE replayed_at IS NULL AND raw IS NOT NULL AND reason <> ALL ($4::text[]) AND id > $1
          AND ($2::text IS NULL OR reason = $2) AND ($3::text IS NULL OR claimed_factory = $3)
          AND ($5::bigint[] IS NULL OR id = ANY($5))
        ORDER BY id
        LIMIT $6
    ) AS page
) AS w
JOIN dead_letter d USING (id)
JOIN ingest_topic t ON t.id = d.topic
LEFT JOIN ingest_record r ON r.id = d.record_id AND r.received_at = d.received_at
LEFT JOIN factory f ON f.id = r.factory
WHERE w.bytes_before < $7
ORDER BY d.id
"""

UPDATE_REFUSALS = """
UPDATE dead_letter d SET authentic = w.authentic, reason = w.reason, message = w.message
FROM unnest($1::bigint[], $2::boolean[], $3::text[], $4::text[]) AS w(id, authentic, reason, message)
WHERE d.id = w.id AND d.replayed_at IS NULL
"""

MOVE_REFUSALS = """
WITH change AS (
    SELECT d.record_id, d.received_at, w.reason, sum(w.number) AS number
    FROM unnest($1::bigint[], $2::text[]) AS letter(id, new_reason)
    JOIN dead_letter d ON d.id = letter.id
    CROSS JOIN LATERAL (VALUES (d.reason, -1), (letter.new_reason, 1)) AS w(reason, number)
    WHERE d.record_id IS NOT NULL AND w.reason IS NOT NULL
    GROUP BY d.record_id, d.received_at, w.reason
)
UPDATE ingest_record r
SET refusals = (
    SELECT jsonb_object_agg(s.reason, s.number)
    FROM (
        SELECT c.reason, sum(c.number) AS number
        FROM (
            SELECT old.key AS reason, old.value::bigint AS number FROM jsonb_each_text(r.refusals) AS old
            UNION ALL
            SELECT c.reason, c.number FROM change c WHERE c.record_id = r.id AND c.received_at = r.received_at
        ) AS c
        GROUP BY c.reason
    ) AS s
    WHERE s.number <> 0
)
FROM (SELECT DISTINCT record_id, received_at FROM change) AS w
WHERE r.id = w.record_id AND r.received_at = w.received_at AND r.refusals IS NOT NULL
"""
"""Moves rows between the reasons of ``ingest_record.refusals``, before their letters change.

Parameters: ids of letters, and each one's new reason; null for a letter that becomes a fact. A letter of a whole
record changes nothing. A record ingested before refusals were recorded has none, and stays so.
"""

COUNT_REFUSED_RECORDS = """
INSERT INTO refused_record AS r (factory, day, reason, records)
SELECT f.id, w.day, w.reason, w.records
FROM unnest($1::text[], $2::date[], $3::text[], $4::bigint[]) AS w(factory_id, day, reason, records)
JOIN factory f USING (factory_id)
ORDER BY f.id, w.day, w.reason
ON CONFLICT (factory, day, reason) DO UPDATE SET records = r.records + excluded.records
"""

MOVE_REFUSED_RECORDS = """
INSERT INTO refused_record AS r (factory, day, reason, records)
SELECT f.id, timezone('Asia/Seoul', d.received_at)::date AS day, w.reason, sum(w.number)
FROM unnest($1::bigint[], $2::text[]) AS letter(id, new_reason)
JOIN dead_letter d ON d.id = letter.id AND d.row_kind IS NULL
JOIN factory f ON f.factory_id = d.claimed_factory
CROSS JOIN LATERAL (VALUES (CASE WHEN d.authentic THEN d.reason END, -1), (letter.new_reason, 1)) AS w(reason, number)
WHERE w.reason IS NOT NULL
GROUP BY f.id, day, w.reason
ORDER BY f.id, day, w.reason
ON CONFLICT (factory, day, reason) DO UPDATE SET records = r.records + excluded.records
"""
"""Moves whole records between the reasons of ``refused_record``, before their letters change.

Parameters: ids of letters, and each one's new reason; null for one that becomes a fact, or that nobody authenticated.
"""

MARK_DAYS_OF_LETTERS = """
INSERT INTO quality_mark (factory, day)
SELECT DISTINCT f.id, timezone('Asia/Seoul', d.received_at)::date
FROM dead_letter d JOIN factory f ON f.factory_id = d.claimed_factory
WHERE d.id = ANY($1::bigint[]) AND d.received_at < timezone('Asia/Seoul', $2::date::timestamp)
"""
