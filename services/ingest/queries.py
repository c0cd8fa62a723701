"""The SQL of ingest. Table and column names come from constants in this module, values only as parameters."""

from dataclasses import dataclass

from services.ingest.model import FactTable

REGISTRY_VERSION = "SELECT version FROM registry_version"

FACT_HORIZON = "SELECT table_name, sealed_before FROM fact_horizon"

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
"""

CURRENT_TOPIC = "SELECT id, cluster_id, topic_id FROM ingest_topic WHERE topic = $1 AND retired_at IS NULL"

ADD_TOPIC = """
INSERT INTO ingest_topic (cluster_id, topic_id, topic) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""

RETIRE_TOPIC = """
UPDATE ingest_topic SET retired_at = now()
WHERE topic = $1 AND retired_at IS NULL AND (cluster_id, topic_id) <> ($2, $3)
"""

TAKE_TOPIC = """
INSERT INTO ingest_topic (cluster_id, topic_id, topic) VALUES ($1, $2, $3)
ON CONFLICT (cluster_id, topic_id) DO UPDATE SET retired_at = NULL, topic = excluded.topic
"""

ADD_OFFSETS = """
INSERT INTO ingest_offset (cluster_id, topic_id, partition, next_offset, first_offset)
SELECT $1, $2, w.partition, w.start, w.start
FROM unnest($3::integer[], $4::bigint[]) AS w(partition, start)
ON CONFLICT DO NOTHING
"""

STORED_OFFSETS = """
SELECT partition, next_offset FROM ingest_offset
WHERE cluster_id = $1 AND topic_id = $2 AND partition = ANY($3::integer[])
"""

OVERRIDE_OFFSET = """
UPDATE ingest_offset SET next_offset = $4, moved_at = now()
WHERE cluster_id = $1 AND topic_id = $2 AND partition = $3
"""

PROGRESS = """
SELECT partition, next_offset, moved_at FROM ingest_offset WHERE cluster_id = $1 AND topic_id = $2
"""

LIST_OFFSETS = """
SELECT t.topic, t.topic_id, t.retired_at IS NOT NULL AS retired, o.partition, o.next_offset
FROM ingest_offset o JOIN ingest_topic t USING (cluster_id, topic_id)
ORDER BY t.id, o.partition
"""

RECORD_IDS = "SELECT nextval('ingest_record_id') FROM generate_series(1, $1)"

LOCK_OFFSETS = """
SELECT partition, next_offset FROM ingest_offset
WHERE cluster_id = $1 AND topic_id = $2 AND partition = ANY($3::integer[])
ORDER BY partition
FOR UPDATE
"""

MOVE_OFFSETS = """
UPDATE ingest_offset o SET next_offset = w.next_offset, moved_at = now()
FROM unnest($3::integer[], $4::bigint[]) AS w(partition, next_offset)
WHERE o.cluster_id = $1 AND o.topic_id = $2 AND o.partition = w.partition
"""

QUARANTINE_KEPT = """
SELECT w.position,
       COALESCE(sum(length(d.raw) + COALESCE(length(d.record_key), 0) + COALESCE(length(d.headers), 0)), 0) AS kept
FROM unnest($1::text[], $2::boolean[], $3::timestamptz[]) WITH ORDINALITY AS w(factory, authentic, hour, position)
LEFT JOIN dead_letter d ON COALESCE(d.claimed_factory, '') = w.factory AND d.authentic = w.authentic
    AND d.raw IS NOT NULL AND d.received_at >= w.hour AND d.received_at < w.hour + INTERVAL '1 hour'
GROUP BY w.position
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

KNOWN_RECORDS = """
SELECT w.position
FROM unnest($2::integer[], $3::bigint[], $4::timestamptz[]) WITH ORDINALITY
    AS w(partition, record_offset, received_at, position)
JOIN ingest_record r ON r.topic = $1 AND r.partition = w.partition AND r.record_offset = w.record_offset
    AND r.received_at = w.received_at
WHERE r.received_at BETWEEN $5 AND $6
"""

KNOWN_LETTERS = """
SELECT w.position
FROM unnest($2::integer[], $3::bigint[]) WITH ORDINALITY AS w(partition, record_offset, position)
JOIN dead_letter d ON d.topic = $1 AND d.partition = w.partition AND d.record_offset = w.record_offset
    AND d.row_kind IS NULL AND d.row_index IS NULL
"""

CREDIT_RECORDS = """
UPDATE ingest_record r
SET rows_stored = r.rows_stored + w.stored, rows_duplicate = r.rows_duplicate + w.duplicate,
    rows_clashed = r.rows_clashed + w.clashed, rows_refused = r.rows_refused + w.refused
FROM (
    SELECT id, received_at, sum(stored) AS stored, sum(duplicate) AS duplicate, sum(clashed) AS clashed,
           sum(refused) AS refused
    FROM unnest($1::bigint[], $2::timestamptz[], $3::integer[], $4::integer[], $5::integer[], $6::integer[])
        AS credit(id, received_at, stored, duplicate, clashed, refused)
    GROUP BY id, received_at
) AS w
WHERE r.id = w.id AND r.received_at = w.received_at
"""

ADD_METRICS = "INSERT INTO metric (name) SELECT unnest($1::text[]) ON CONFLICT (name) DO NOTHING"
"""Use it for missing names only: a name that exists already would still use up an id."""

METRICS = "SELECT name, id FROM metric WHERE name = ANY($1::text[])"


@dataclass(frozen=True, slots=True)
class FactShape:
    """The columns of one fact table. ``key`` is the identity's column between machine and at, if it has one."""

    table: FactTable
    kind: str
    key: tuple[str, str] | None
    content: tuple[tuple[str, str], ...]

    @property
    def identity(self) -> tuple[tuple[str, str], ...]:
        """The identity as (column, type), in the order machine, key, at."""
        key = (self.key,) if self.key else ()
        return (("machine", "integer"), *key, ("at", "timestamptz"))

    @property
    def columns(self) -> list[str]:
        """All columns, in the order in which rows are copied in."""
        return [name for name, _ in (*self.identity, *self.content)] + ["revision", "retracted", "record_id"]


SHAPES = {
    FactTable.STATE: FactShape(
        FactTable.STATE, "state", None, (("state", "smallint"), ("mode", "smallint"), ("reason", "text"))
    ),
    FactTable.COUNT: FactShape(
        FactTable.COUNT,
        "count",
        ("product", "text"),
        (("good", "integer"), ("scrap", "integer"), ("rework", "integer")),
    ),
    FactTable.READING: FactShape(FactTable.READING, "reading", ("metric", "integer"), (("value", "double precision"),)),
}


def wanted(columns: tuple[tuple[str, str], ...]) -> str:
    """Return an ``unnest`` of one array parameter per column, from $1 on, as the relation ``w`` with a ``position``."""
    arrays = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(columns, start=1))
    names = ", ".join(name for name, _ in columns)
    return f"unnest({arrays}) WITH ORDINALITY AS w({names}, position)"


def find_current(shape: FactShape) -> str:
    """Return a query for the rows in force of given identities.

    Parameters: one array per identity column, then the first and last of the instants. These bounds change no result;
    they keep all other chunks out of the plan, and unlocked.
    """
    on = " AND ".join(f"t.{name} = w.{name}" for name, _ in shape.identity)
    content = ", ".join(f"t.{name}" for name, _ in shape.content)
    count = len(shape.identity)
    return (
        f"SELECT w.position, t.revision, t.retracted, t.record_id, {content} "
        f"FROM {wanted(shape.identity)} JOIN {shape.table} t ON {on} "
        f"WHERE t.at BETWEEN ${count + 1} AND ${count + 2}"
    )


def find_set_aside(shape: FactShape) -> str:
    """Return a query for superseded and clashing versions of identities: one array parameter per identity column."""
    on = " AND ".join(f"t.{name} = w.{name}" for name, _ in shape.identity)
    content = ", ".join(f"t.{name}" for name, _ in shape.content)
    return (
        f"SELECT w.position, t.revision, t.retracted, t.record_id, t.clash, {content} "
        f"FROM {wanted(shape.identity)} JOIN fact_revision t ON t.kind = '{shape.kind}' AND {on}"
    )


def take_over(shape: FactShape) -> str:
    """Return a statement that replaces a row if it is still the one that was read, and returns a row if it did.

    Parameters: the columns of the new version, then revision and record of the old. It is an insert, since that locks
    the row's own chunk; an update would lock every chunk of the table.
    """
    columns = shape.columns
    identity = ", ".join(name for name, _ in shape.identity)
    values = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns[len(shape.identity) :])
    return (
        f"INSERT INTO {shape.table} AS t ({', '.join(columns)}) VALUES ({values}) "
        f"ON CONFLICT ({identity}) DO UPDATE SET {changed} "
        f"WHERE t.revision = ${len(columns) + 1} AND t.record_id = ${len(columns) + 2} RETURNING 1"
    )


def latest_instants(shape: FactShape) -> str:
    """Return a query for the latest stored instant of series (machine and metric; for other tables machine alone).

    Parameters: one array per column of the series, then the first and last instant to search between.
    """
    by_key = shape.table is FactTable.READING
    columns = (("machine", "integer"), ("metric", "integer")) if by_key else (("machine", "integer"),)
    on = " AND ".join(f"t.{name} = w.{name}" for name, _ in columns)
    return (
        f"SELECT w.position, (SELECT t.at FROM {shape.table} t WHERE {on} "
        f"AND t.at BETWEEN ${len(columns) + 1} AND ${len(columns) + 2} ORDER BY t.at DESC LIMIT 1) AS at "
        f"FROM {wanted(columns)}"
    )
