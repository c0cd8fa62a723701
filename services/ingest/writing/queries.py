"""The SQL of facts, records and offsets. Names of tables and columns come from constants in this module."""

from dataclasses import dataclass

from services.ingest.model import FactTable

RECORD_IDS = "SELECT nextval('ingest_record_id') FROM generate_series(1, $1)"

LOCK_OFFSETS = """
SELECT partition, next_offset, read_to FROM ingest_offset
WHERE cluster_id = $1 AND topic_id = $2 AND partition = ANY($3::integer[])
ORDER BY partition
FOR UPDATE
"""

MOVE_OFFSETS = """
UPDATE ingest_offset o
SET next_offset = w.next_offset, read_to = GREATEST(o.read_to, w.next_offset), moved_at = now()
FROM unnest($3::integer[], $4::bigint[]) AS w(partition, next_offset)
WHERE o.cluster_id = $1 AND o.topic_id = $2 AND o.partition = w.partition
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
WHERE d.id <> ALL($4::bigint[])
"""

CREDIT_RECORDS = """
UPDATE ingest_record r
SET rows_stored = r.rows_stored + w.stored, rows_duplicate = r.rows_duplicate + w.duplicate,
    rows_clashed = r.rows_clashed + w.clashed, rows_refused = r.rows_refused + w.refused,
    rows_late = r.rows_late + w.late, rows_revised = r.rows_revised + w.revised,
    metrics_added = r.metrics_added + w.metrics, days_added = r.days_added + w.days,
    newest_at = CASE WHEN r.value_bytes IS NULL THEN NULL ELSE GREATEST(r.newest_at, w.newest_at) END
FROM (
    SELECT id, received_at, sum(stored) AS stored, sum(duplicate) AS duplicate, sum(clashed) AS clashed,
           sum(refused) AS refused, sum(late) AS late, sum(revised) AS revised, sum(metrics) AS metrics,
           sum(days) AS days, max(newest_at) AS newest_at
    FROM unnest($1::bigint[], $2::timestamptz[], $3::integer[], $4::integer[], $5::integer[], $6::integer[],
                $7::integer[], $8::integer[], $9::integer[], $10::integer[], $11::timestamptz[])
        AS credit(id, received_at, stored, duplicate, clashed, refused, late, revised, metrics, days, newest_at)
    GROUP BY id, received_at
) AS w
WHERE r.id = w.id AND r.received_at = w.received_at
"""
"""Adds rows replayed to their records. What was not recorded of a record stays null."""

HOLD_QUALITY_DAYS = "SELECT hold_quality_days()"

MARK_DAYS = "INSERT INTO quality_mark (factory, day) SELECT * FROM unnest($1::integer[], $2::date[])"

MARK_NAMED_DAYS = """
INSERT INTO quality_mark (factory, day)
SELECT f.id, w.day FROM unnest($1::text[], $2::date[]) AS w(factory_id, day) JOIN factory f USING (factory_id)
"""


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


def find_same(shape: FactShape) -> str:
    """Return a query for the positions of given rows that are in force as they are.

    Parameters: one array per identity column; revisions, retractions, one array per content column; then the first and
    last of the instants. These bounds change no result; they keep all other chunks out of the plan, and unlocked.
    """
    given = (*shape.identity, ("revision", "integer"), ("retracted", "boolean"), *shape.content)
    same = " AND ".join(f"t.{name} IS NOT DISTINCT FROM w.{name}" for name, _ in given[len(shape.identity) :])
    on = " AND ".join(f"t.{name} = w.{name}" for name, _ in shape.identity)
    count = len(given)
    return (
        f"SELECT COALESCE(array_agg(w.position), '{{}}') FROM {wanted(given)} JOIN {shape.table} t ON {on} "
        f"WHERE t.at BETWEEN ${count + 1} AND ${count + 2} AND {same}"
    )


def find_current(shape: FactShape) -> str:
    """Return a query for the rows in force of given identities.

    Parameters: one array per identity column, then the first and last of the instants, as for ``find_same``.
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
