"""The SQL of what judging looks up: the registry, quotas spent, metrics and days."""

REGISTRY_VERSION = "SELECT v.version, h.table_name, h.sealed_before FROM registry_version v CROSS JOIN fact_horizon h"

FACTORIES_CHANGED = """
SELECT DISTINCT f.factory_id, f.id AS factory
FROM factory_version v JOIN factory f ON f.id = v.factory
WHERE v.changed_in > $1
"""

KEYS_CHANGED = """
SELECT f.factory_id, k.key_id, k.id AS gateway_key, v.effective_from, v.effective_to, v.public_key,
       v.valid_from, v.valid_to, v.revoked_at, v.compromised_since
FROM gateway_key k
JOIN factory f ON f.id = k.factory
LEFT JOIN gateway_key_version v ON v.gateway_key = k.id AND v.retired_at IS NULL
WHERE k.id IN (SELECT gateway_key FROM gateway_key_version WHERE changed_in > $1)
ORDER BY k.id, v.effective_from
"""

MACHINES_CHANGED = """
SELECT f.factory_id, m.machine_id, m.id AS machine, m.shard, u.from_at, u.to_at
FROM machine m
JOIN factory f ON f.id = m.factory
LEFT JOIN machine_in_use u ON u.machine = m.id
WHERE m.id IN (SELECT machine FROM machine_version WHERE changed_in > $1)
ORDER BY m.id, u.from_at
"""

SUM_IN_MEMORY = "SET LOCAL work_mem = '128MB'"
"""For FACTORIES_SPENT: otherwise it sorts an hour's records on disk."""

FACTORIES_SPENT = """
SELECT r.partition, r.factory, COALESCE(sum(r.value_bytes), 0) AS bytes,
       sum(r.rows_stored + r.rows_duplicate + r.rows_clashed + r.rows_refused) AS rows
FROM ingest_record r
JOIN unnest($2::integer[], $3::bigint[]) AS w(partition, before)
    ON r.partition = w.partition AND r.record_offset < w.before
WHERE r.topic = $1 AND r.received_at >= $4 AND r.received_at < $5
GROUP BY r.partition, r.factory
"""

ADD_METRICS = """
INSERT INTO metric (topic, name, factory, received_at, partition, record_offset)
SELECT $1, w.*
FROM unnest($2::text[], $3::integer[], $4::timestamptz[], $5::integer[], $6::bigint[])
    AS w(name, factory, received_at, partition, record_offset)
ORDER BY w.name
ON CONFLICT (name) DO NOTHING
RETURNING name, id
"""
"""Use it for missing names only: a name that exists already would still use up an id."""

METRICS = "SELECT name, id, topic, partition, record_offset FROM metric WHERE name = ANY($1::text[])"

ALL_METRICS = "SELECT name, id, topic, partition, record_offset FROM metric ORDER BY id LIMIT $1"

METRICS_INTRODUCED = """
SELECT w.position,
       (SELECT count(*) FROM metric m WHERE m.topic = $1 AND m.partition = w.partition AND m.factory = w.factory
            AND m.received_at >= w.hour AND m.received_at < w.hour_end) AS number
FROM unnest($2::integer[], $3::timestamptz[], $4::timestamptz[], $5::integer[]) WITH ORDINALITY
    AS w(partition, hour, hour_end, factory, position)
"""

ADD_DAYS = """
INSERT INTO fact_day (topic, table_name, day, factory, received_at, partition, record_offset)
SELECT $1, w.table_name, DATE '1970-01-01' + w.day, w.factory, w.received_at, w.partition, w.record_offset
FROM unnest($2::text[], $3::integer[], $4::integer[], $5::timestamptz[], $6::integer[], $7::bigint[])
    AS w(table_name, day, factory, received_at, partition, record_offset)
ORDER BY w.table_name, w.day
ON CONFLICT (table_name, day) DO NOTHING
RETURNING table_name, day - DATE '1970-01-01' AS day
"""

DAYS = """
SELECT w.position, d.topic, d.partition, d.record_offset
FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS w(table_name, day, position)
JOIN fact_day d ON d.table_name = w.table_name AND d.day = DATE '1970-01-01' + w.day
"""

ALL_DAYS = "SELECT table_name, day - DATE '1970-01-01' AS day, topic, partition, record_offset FROM fact_day"

DAYS_INTRODUCED = """
SELECT w.position,
       (SELECT count(*) FROM fact_day d WHERE d.topic = $1 AND d.partition = w.partition AND d.factory = w.factory
            AND d.received_at >= w.hour AND d.received_at < w.hour_end) AS number
FROM unnest($2::integer[], $3::timestamptz[], $4::timestamptz[], $5::integer[]) WITH ORDINALITY
    AS w(partition, hour, hour_end, factory, position)
"""
