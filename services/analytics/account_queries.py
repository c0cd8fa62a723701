"""The SQL that reads and replaces accounts. Rows go as columns of bytes, as the types' send functions write them.

Instants are microseconds in Python; a day is its number since the Unix epoch.
"""

from collections.abc import Iterable

from schemas.figure_definitions import Table, figures_of
from services.analytics.figures import DAY_COUNTS, FACTORY_NARROW, FACTORY_WIDE, SUMS, WIDE
from services.analytics.packing import Kind

DAY = "DATE '1970-01-01'"
TYPES = {figure.id: figure.tables[Table.MACHINE_HOUR].value for figure in figures_of(Table.MACHINE_HOUR)}
SEND = {
    Kind.SMALLINT: "int2send",
    Kind.INTEGER: "int4send",
    Kind.BIGINT: "int8send",
    Kind.INSTANT: "timestamptz_send",
    Kind.DAY: "date_send",
}

PACK_KEYS = (("factory", Kind.INTEGER), ("hour", Kind.INSTANT))
PACK_COLUMNS = (
    ("machine", Kind.INTEGER),
    ("cohort", Kind.INTEGER),
    *((name, Kind.INTEGER if TYPES[name] == "integer" else Kind.BIGINT) for name in SUMS),
    *((name, Kind.NUMERIC) for name in WIDE),
)
EVIDENCE = ("machine", "count_rows", "evidence_us", "signed_count_rows")
"""The columns of a pack from which the flags of machines' days follow."""

DAY_KEYS = (("factory", Kind.INTEGER), ("day", Kind.DAY))
DAY_COLUMNS = (
    ("machine", Kind.INTEGER),
    ("cohort", Kind.INTEGER),
    ("has_counts", Kind.BOOLEAN),
    ("has_evidence", Kind.BOOLEAN),
    ("is_signed", Kind.BOOLEAN),
)
HOLD_COLUMNS = (
    ("machine", Kind.INTEGER),
    ("cohort", Kind.INTEGER),
    ("state", Kind.SMALLINT),
    ("mode", Kind.SMALLINT),
    ("with_cycle", Kind.BOOLEAN),
    ("outside", Kind.BOOLEAN),
    ("from_at", Kind.INSTANT),
    ("until_at", Kind.INSTANT),
    ("counted", Kind.BOOLEAN),
)

FACTORY_KINDS = {
    **dict.fromkeys(FACTORY_NARROW, Kind.BIGINT),
    **dict.fromkeys(FACTORY_WIDE, Kind.NUMERIC),
    **dict.fromkeys(("hours", *DAY_COUNTS), Kind.INTEGER),
}
HOUR_SUMS = (*FACTORY_NARROW, *FACTORY_WIDE)
DAY_SUMS = (*FACTORY_NARROW, "hours", *DAY_COUNTS, *FACTORY_WIDE)


def sent(name: str, kind: Kind) -> str:
    """Return the bytes of a column's values, or the text of wide ones, one after the other."""
    if kind is Kind.NUMERIC:
        return f"string_agg({name}::text, ',') AS {name}"
    return f"string_agg({SEND[kind]}({name}), ''::bytea) AS {name}"


def sent_array(name: str, kind: Kind) -> str:
    """Return the same of a column of arrays. A figure that is younger than its row has no array there: it is 0."""
    none = f"array_fill(0::{TYPES[name]}, ARRAY[cardinality(machine)])" if name in TYPES else name
    array = f"CASE WHEN cardinality({name}) = cardinality(machine) THEN {name} ELSE {none} END"
    if kind is Kind.NUMERIC:
        return f"string_agg(array_to_string({array}, ','), ',') AS {name}"
    return f"string_agg(array_send({array}), ''::bytea) AS {name}"


def sent_packs(keys: Iterable[tuple[str, Kind]], columns: Iterable[tuple[str, Kind]]) -> str:
    """Return a list for SELECT of rows grouped by the size of their arrays."""
    parts = [sent(name, kind) for name, kind in keys] + [sent_array(name, kind) for name, kind in columns]
    return ", ".join(["cardinality(machine) AS size", *parts])


READ_HOURS = f"""
SELECT {sent_packs(PACK_KEYS, PACK_COLUMNS)}
FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS w(own, from_at, to_at)
JOIN machine_hour_pack p ON p.factory = w.own AND p.hour >= w.from_at AND p.hour < w.to_at
GROUP BY cardinality(machine)
"""

READ_EVIDENCE = f"""
SELECT {sent_packs(PACK_KEYS, [column for column in PACK_COLUMNS if column[0] in EVIDENCE])}
FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS w(own, from_at, to_at)
JOIN machine_hour_pack p ON p.factory = w.own AND p.hour >= w.from_at AND p.hour < w.to_at
GROUP BY cardinality(machine)
"""

DROP_HOURS = """
DELETE FROM machine_hour_pack p USING unnest($1::integer[], $2::timestamptz[]) AS w(factory, hour)
WHERE p.factory = w.factory AND p.hour = w.hour
"""

READ_DAYS = f"""
SELECT {sent_packs(DAY_KEYS, DAY_COLUMNS)}
FROM unnest($1::integer[], $2::integer[]) AS w(own, number)
JOIN machine_day_pack p ON p.factory = w.own AND p.day = {DAY} + w.number
GROUP BY cardinality(machine)
"""

DROP_DAYS = f"""
DELETE FROM machine_day_pack p USING unnest($1::integer[], $2::integer[]) AS w(factory, day)
WHERE p.factory = w.factory AND p.day = {DAY} + w.day
"""

TAKE_HOLDS = f"""
WITH gone AS (DELETE FROM open_hold WHERE factory = ANY($1::integer[]) RETURNING *)
SELECT {sent_packs(PACK_KEYS[:1], HOLD_COLUMNS)} FROM gone GROUP BY cardinality(machine)
"""

READ_HOLDS = f"SELECT {sent_packs(PACK_KEYS[:1], HOLD_COLUMNS)} FROM open_hold GROUP BY cardinality(machine)"

READ_FLAGS = f"""
SELECT w.factory, w.day, w.machine, bool_or(h.has_counts), bool_or(h.has_evidence), bool_or(h.is_signed)
FROM unnest($1::integer[], $2::integer[], $3::integer[]) AS w(factory, day, machine)
CROSS JOIN LATERAL (
    SELECT u.count_rows > 0 AS has_counts, u.evidence_us > 0 AS has_evidence, u.signed_count_rows > 0 AS is_signed
    FROM machine_hour_pack p
    CROSS JOIN LATERAL unnest(p.machine, p.count_rows, p.evidence_us, p.signed_count_rows)
        AS u(machine, count_rows, evidence_us, signed_count_rows)
    WHERE p.factory = w.factory AND u.machine = w.machine
      AND p.hour >= timezone('Asia/Seoul', ({DAY} + w.day)::timestamp)
      AND p.hour < timezone('Asia/Seoul', ({DAY} + w.day + 1)::timestamp)
    UNION ALL
    SELECT false, true, false FROM open_time o
    WHERE o.factory = w.factory AND o.machine = w.machine AND o.day = {DAY} + w.day
) AS h
GROUP BY w.factory, w.day, w.machine
"""

DAY_OWNERS = f"""
SELECT w.machine, w.day, s.cohort
FROM unnest($1::integer[], $2::integer[]) AS w(machine, day)
JOIN machine_span s ON s.machine = w.machine AND {DAY} + w.day >= s.first_day AND {DAY} + w.day < s.end_day
"""

TAKE_FACTORY_HOURS = f"""
WITH gone AS (
    DELETE FROM closed_factory_hour h USING unnest($1::integer[], $2::timestamptz[]) AS w(factory, hour)
    WHERE h.factory = w.factory AND h.hour = w.hour
    RETURNING h.*
)
SELECT {", ".join(sent(name, Kind.INTEGER) for name in ("factory", "cohort"))}, {sent("hour", Kind.INSTANT)},
       {", ".join(sent(name, FACTORY_KINDS[name]) for name in HOUR_SUMS)}
FROM gone
"""

TAKE_FACTORY_DAYS = f"""
WITH gone AS (
    DELETE FROM closed_factory_day d USING unnest($1::integer[], $2::integer[]) AS w(factory, day)
    WHERE d.factory = w.factory AND d.day = {DAY} + w.day
    RETURNING d.*
)
SELECT {", ".join(sent(name, Kind.INTEGER) for name in ("factory", "cohort"))}, {sent("day", Kind.DAY)},
       {", ".join(sent(name, FACTORY_KINDS[name]) for name in DAY_SUMS)}
FROM gone
"""

QUEUE_COHORTS = f"""
WITH hours AS (
    INSERT INTO dirty_cohort_hour (cohort, hour) SELECT * FROM unnest($1::integer[], $2::timestamptz[])
)
INSERT INTO dirty_cohort_day (cohort, day)
SELECT w.cohort, {DAY} + w.day FROM unnest($3::integer[], $4::integer[]) AS w(cohort, day)
"""

QUEUE_FLAGS = f"""
INSERT INTO flag_mark (factory, day)
SELECT w.factory, {DAY} + w.day FROM unnest($1::integer[], $2::integer[]) AS w(factory, day)
"""
