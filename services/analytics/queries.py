"""The SQL of analytics. Arrays are unnested as the relation ``w``; instants are microseconds in Python."""

from collections.abc import Iterable, Mapping

SHARDS = 64
"""As in the generated column ``machine.shard``."""
LOCK_CLASS = 0x6A61
SHORT_WAIT_MS = 100
"""How long a worker waits for another one that is at work on a shard, before it leaves the shard to it."""
LONG_WAIT_MS = 2000
"""How long ``advance`` waits for a worker that is at work on a shard, or stands still there."""
MARKS_COUNTED = 500

ACCOUNTED_UNTIL = "SELECT accounted_until FROM analytics_state"

START_ACCOUNTING = "INSERT INTO analytics_state (accounted_until) VALUES ($1) ON CONFLICT DO NOTHING"

MOVE_ACCOUNTED_UNTIL = "UPDATE analytics_state SET accounted_until = $1 WHERE accounted_until <= $1"


def lock(shards: Iterable[int], longest_wait_ms: int) -> str:
    """Return statements that lock shards, in ascending order, or fail if one is not free for so long."""
    numbers = ", ".join(f"{shard:d}" for shard in sorted(shards))
    return (
        f"SET LOCAL lock_timeout = {longest_wait_ms:d}; "
        f"SELECT count(pg_advisory_xact_lock({LOCK_CLASS}, s)) FROM unnest(ARRAY[{numbers}]::integer[]) AS s; "
        "SET LOCAL lock_timeout = 0"
    )


# The lock of the cohorts' sums is numbered as a shard after the last.
LOCK_COHORTS = lock([SHARDS], SHORT_WAIT_MS)

LOCK_EVERYTHING = lock(range(SHARDS + 1), LONG_WAIT_MS)

IS_FREE = """
NOT EXISTS (
    SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = $1::oid AND l.objid = w.shard::oid
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
"""Whether no worker holds a shard's lock at the moment."""

FREE_SHARDS = f"SELECT w.shard FROM unnest($2::integer[]) AS w(shard) WHERE {IS_FREE} ORDER BY w.shard"

SHARDS_WITH_WORK = f"""
SELECT w.shard
FROM (SELECT shard FROM dirty_mark WHERE from_at < $2 UNION SELECT shard FROM dirty_shard) AS w
WHERE {IS_FREE}
ORDER BY w.shard
"""

# A count that costs more than the work it counts would be of no use, so it stops at MARKS_COUNTED of each shard.
WAITING_MARKS = f"""
SELECT sum(own.marks)::bigint AS marks, min(own.oldest) AS oldest, bool_or(own.marks >= {MARKS_COUNTED}) AS at_least
FROM generate_series(0, {SHARDS - 1}) AS shard
CROSS JOIN LATERAL (
    SELECT count(*) AS marks, min(marked_at) AS oldest
    FROM (
        (SELECT marked_at FROM dirty_mark d
         WHERE d.shard = shard.shard AND d.from_at < COALESCE($1::timestamptz, 'infinity')
         ORDER BY from_at
         LIMIT {MARKS_COUNTED})
        UNION ALL
        SELECT marked_at FROM dirty_shard d WHERE d.shard = shard.shard
    ) AS few
) AS own
"""

TAKE_PAST_MARKS = """
DELETE FROM dirty_mark
WHERE ctid = ANY (ARRAY(SELECT ctid FROM dirty_mark WHERE shard = $1 AND from_at < $2 ORDER BY from_at LIMIT $3))
RETURNING machine, from_at, to_at
"""

TAKE_DUE_MARKS = """
WITH due AS (DELETE FROM dirty_mark WHERE from_at >= $1 AND from_at < $2 RETURNING shard, machine, from_at, to_at)
SELECT machine, from_at, to_at FROM due ORDER BY shard, machine
"""

DUE_MARKS = "SELECT count(*) FROM (SELECT FROM dirty_mark WHERE from_at >= $1 AND from_at < $2 LIMIT $3) AS few"

MARK_AGAIN = """
INSERT INTO dirty_mark (shard, machine, from_at, to_at)
SELECT m.shard, m.id, w.from_at, w.to_at
FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS w(machine, from_at, to_at)
JOIN machine m ON m.id = w.machine
"""

TAKE_SHARD_HOUR = """
DELETE FROM dirty_shard WHERE shard = $1 AND hour = (SELECT min(hour) FROM dirty_shard WHERE shard = $1) RETURNING hour
"""

MACHINES_OF_SHARD = "SELECT array_agg(id ORDER BY id) FROM machine WHERE shard = $1"

# What an hour leaves open must be closed before time passes on; what is marked of the running hour may not be open yet.
RUNNING_HOUR_IS_MARKED = "SELECT EXISTS (SELECT FROM dirty_shard WHERE hour >= $1)"

MARK_SHARDS_THAT_HOLD = """
INSERT INTO dirty_shard (shard, hour)
SELECT DISTINCT m.shard, $1::timestamptz FROM open_hold h JOIN machine m ON m.id = h.machine[1]
"""

STATE = """
SELECT accounted_until,
       (SELECT max(sealed_before) FROM fact_horizon
        WHERE table_name IN ('state_event', 'count_event')) AS sealed_before,
       EXISTS (SELECT FROM dirty_shard WHERE shard = $1) AS has_shard_hours
FROM analytics_state
"""

EXTENTS = """
SELECT w.machine,
       LEAST((SELECT at FROM state_event WHERE machine = w.machine AND at >= $2 ORDER BY at LIMIT 1),
             (SELECT at FROM count_event WHERE machine = w.machine AND at >= $2 ORDER BY at LIMIT 1)) AS first,
       GREATEST((SELECT at FROM state_event WHERE machine = w.machine AND at >= $2 ORDER BY at DESC LIMIT 1),
                (SELECT at FROM count_event WHERE machine = w.machine AND at >= $2 ORDER BY at DESC LIMIT 1)) AS last
FROM unnest($1::integer[]) AS w(machine)
"""

SEALED_BEFORE = "SELECT max(sealed_before) FROM fact_horizon WHERE table_name IN ('state_event', 'count_event')"

VERSIONS = """
SELECT s.machine, GREATEST(v.effective_from, s.from_at) AS from_at, LEAST(v.effective_to, s.to_at) AS to_at,
       v.state_ttl_us, COALESCE(v.ideal_cycle_us, 0) AS cycle_us, s.cohort, COALESCE(s.pattern, 0) AS pattern
FROM machine_span s
JOIN machine_version v ON v.machine = s.machine AND v.retired_at IS NULL
    AND v.effective_from < s.to_at AND v.effective_to > s.from_at
WHERE s.machine = ANY($1::integer[])
ORDER BY s.machine, from_at
"""

SHIFTS = "SELECT pattern, from_at, to_at FROM shifts_between($1::integer[], $2, $3)"

FACTORIES_OF = "SELECT id, factory FROM machine WHERE id = ANY($1::integer[]) ORDER BY id"


def rows_in_ranges(table: str, columns: Mapping[str, str]) -> str:
    """Return a query for a machine's rows in each of some ranges: columns of bytes, machine by machine.

    Parameters: machines, and the beginning and end of each one's range; then the bounds of all ranges together, which
    exclude chunks once for the query instead of once for each range.

    Args:
        columns: names, each with the function that makes bytes of it.
    """
    sent = ", ".join(f"string_agg({send}(s.{name}), ''::bytea)" for name, send in columns.items())
    return f"""
SELECT {sent}
FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS w(machine, from_at, to_at)
CROSS JOIN LATERAL (
    SELECT {", ".join(columns)} FROM {table} e
    WHERE e.machine = w.machine AND e.at >= w.from_at AND e.at < w.to_at AND e.at >= $4 AND e.at < $5
      AND NOT e.retracted
    ORDER BY e.at
) AS s
"""


STATE_COLUMNS = {"machine": "int4send", "at": "timestamptz_send", "state": "int2send", "mode": "int2send"}
PIECES = dict.fromkeys(("good", "scrap", "rework"), "int4send")
RECORD = {"record_id": "int8send"}

STATES = rows_in_ranges("state_event", STATE_COLUMNS)

STATES_WITH_RECORDS = rows_in_ranges("state_event", STATE_COLUMNS | RECORD)

COUNTS = rows_in_ranges("count_event", {"machine": "int4send", "at": "timestamptz_send"} | PIECES | RECORD)

ANY_UNSIGNED = "SELECT EXISTS (SELECT FROM ingest_record WHERE NOT signed AND received_at >= $1)"

UNSIGNED = """
SELECT id FROM ingest_record WHERE NOT signed AND id = ANY($1::bigint[]) AND received_at >= $2
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
