"""The SQL of the second implementation; it shares no statement with the first. Instants are microseconds in Python."""

from schemas.figure_definitions import Figure, Table, figures_of

FACTORIES = "SELECT id, factory_id FROM factory ORDER BY factory_id"

STATE_ROWS = """
SELECT at, state, mode FROM state_event
WHERE machine = $1 AND at >= $2 AND at < $3 AND NOT retracted ORDER BY at
"""

COUNT_ROWS = """
SELECT at, good, scrap, rework,
       (NOT EXISTS (SELECT FROM ingest_record r WHERE r.id = record_id AND NOT r.signed))::integer AS signed
FROM count_event
WHERE machine = $1 AND at >= $2 AND at < $3 AND NOT retracted
"""

OF_COHORT = "ARRAY[c.region, c.sector, c.zone, c.sponsor, c.level, c.size] AS cohort_key"
STORED_HOURS = f"""
SELECT t.*, {OF_COHORT} FROM machine_hour t LEFT JOIN cohort c ON c.id = t.cohort
WHERE t.machine = $1 AND t.hour >= $2 AND t.hour < $3 AND t.factory = (SELECT factory FROM machine WHERE id = $1)
"""
# A day that is nobody's has no cohort, which is not the same as one without attributes.
STORED_DAYS = f"""
SELECT d.day, d.has_counts, d.counted, d.connected, u.has_evidence, u.is_signed,
       CASE WHEN u.cohort <> 0 THEN {OF_COHORT.removesuffix(" AS cohort_key")} ELSE '{{}}' END AS cohort_key
FROM machine_day d
JOIN machine_day_pack p ON p.factory = d.factory AND p.day = d.day
CROSS JOIN LATERAL unnest(p.machine, p.cohort, p.has_evidence, p.is_signed)
    AS u(machine, cohort, has_evidence, is_signed)
LEFT JOIN cohort c ON c.id = u.cohort
WHERE d.machine = $1 AND d.day >= $2 AND d.day < $3 AND d.factory = (SELECT factory FROM machine WHERE id = $1)
  AND u.machine = $1
"""
STORED_HOLDS = f"""
SELECT u.machine, {OF_COHORT}, u.state, u.mode, u.with_cycle, u.outside, u.counted, u.from_at, u.until_at
FROM open_hold h
CROSS JOIN LATERAL unnest(h.machine, h.cohort, h.state, h.mode, h.with_cycle, h.outside, h.counted, h.from_at,
                          h.until_at)
    AS u(machine, cohort, state, mode, with_cycle, outside, counted, from_at, until_at)
LEFT JOIN cohort c ON c.id = u.cohort
WHERE h.factory = $1
"""
VERSION_STARTS = """
SELECT v.machine, v.effective_from FROM machine_version v JOIN machine m ON m.id = v.machine
WHERE m.factory = $1 AND v.retired_at IS NULL
"""
MARKED_BEFORE = """
SELECT d.machine, min(d.from_at) AS first_at FROM dirty_mark d JOIN machine m ON m.id = d.machine AND m.shard = d.shard
WHERE m.factory = $1 AND d.from_at < $2 GROUP BY d.machine
"""
STORED_FACTORY_HOURS = f"""
SELECT t.*, {OF_COHORT} FROM factory_hour t LEFT JOIN cohort c ON c.id = t.cohort
WHERE t.factory = $1 AND t.hour >= $2 AND t.hour < $3
"""
STORED_FACTORY_DAYS = f"""
SELECT t.*, {OF_COHORT} FROM factory_day t LEFT JOIN cohort c ON c.id = t.cohort
WHERE t.factory = $1 AND t.day >= $2 AND t.day < $3
"""

# A mark affects its span and the longest possible TTL after it.
STATUS = """
SELECT (SELECT accounted_until FROM analytics_state) AS accounted_until,
       (SELECT max(sealed_before) FROM fact_horizon
        WHERE table_name IN ('state_event', 'count_event')) AS sealed_before,
       (SELECT count(*) FROM dirty_mark d JOIN machine m ON m.id = d.machine, analytics_state s
        WHERE m.factory = $1 AND d.shard = m.shard AND d.from_at < LEAST(s.accounted_until, $3::timestamptz)
          AND d.to_at >= $2::timestamptz - interval '1 day')
       + (SELECT count(*) FROM dirty_shard
          WHERE shard IN (SELECT m.shard FROM machine m WHERE m.factory = $1)
            AND hour < $3::timestamptz AND hour >= $2::timestamptz - interval '1 day') AS marks
"""

ACCOUNTING_BEGAN = "SELECT EXISTS (SELECT FROM analytics_state)"

FACTS_DROPPED = "SELECT max(sealed_before) > '1999-12-31 15:00Z' FROM fact_horizon"

STRAY = """
SELECT 'machine_hour of machine ' || h.machine, count(*) FROM machine_hour h
WHERE h.hour >= $1 AND h.hour < $2
  AND NOT EXISTS (SELECT FROM machine m WHERE m.id = h.machine AND m.factory = h.factory) GROUP BY h.machine
UNION ALL
SELECT 'machine_day of machine ' || d.machine, count(*) FROM machine_day d
WHERE d.day >= $3 AND d.day < $4
  AND NOT EXISTS (SELECT FROM machine m WHERE m.id = d.machine AND m.factory = d.factory) GROUP BY d.machine
UNION ALL
SELECT 'open_hold of factory ' || h.factory, cardinality(h.machine) FROM open_hold h
WHERE NOT EXISTS (SELECT FROM factory f WHERE f.id = h.factory)
UNION ALL
SELECT 'factory_hour of factory ' || h.factory, count(*) FROM factory_hour h
WHERE h.hour >= $1 AND h.hour < $2 AND NOT EXISTS (SELECT FROM factory f WHERE f.id = h.factory) GROUP BY h.factory
UNION ALL
SELECT 'factory_day of factory ' || d.factory, count(*) FROM factory_day d
WHERE d.day >= $3 AND d.day < $4 AND NOT EXISTS (SELECT FROM factory f WHERE f.id = d.factory) GROUP BY d.factory
ORDER BY 1
"""

# Each hour and machine-day is there once; the second of two equal ones would not be seen by any sum.
REPEATED = """
SELECT 'machine_hour of machine ' || h.machine || ' at ' || h.hour, count(*) FROM machine_hour h
WHERE h.hour >= $1 AND h.hour < $2 GROUP BY h.factory, h.machine, h.hour, h.cohort HAVING count(*) > 1
UNION ALL
SELECT 'machine_day of machine ' || d.machine || ' on ' || d.day, count(*) FROM machine_day d
WHERE d.day >= $3 AND d.day < $4 GROUP BY d.factory, d.machine, d.day HAVING count(*) > 1
ORDER BY 1
"""

HOURS_OF_DAYS = """
SELECT 'factory_day of factory ' || factory || ' on ' || day || ' of cohort ' || cohort,
       COALESCE(d.hours, 0), COALESCE(h.hours, 0)
FROM (SELECT * FROM closed_factory_day WHERE day >= $3 AND day < $4) AS d
FULL JOIN (
    SELECT factory, timezone('Asia/Seoul', hour)::date AS day, cohort, count(*) AS hours
    FROM closed_factory_hour WHERE hour >= $1 AND hour < $2
    GROUP BY factory, timezone('Asia/Seoul', hour)::date, cohort
) AS h USING (factory, day, cohort)
WHERE COALESCE(d.hours, 0) <> COALESCE(h.hours, 0)
ORDER BY 1
"""

LEDGER = """
SELECT r.id, r.rows_stored, COALESCE(f.stored, 0) AS stored, r.rows_clashed, COALESCE(f.clashed, 0) AS clashed
FROM ingest_record r
FULL JOIN (
    SELECT record_id, count(*) FILTER (WHERE NOT clash) AS stored, count(*) FILTER (WHERE clash) AS clashed
    FROM (
        SELECT record_id, false AS clash FROM state_event
        UNION ALL SELECT record_id, false FROM count_event
        UNION ALL SELECT record_id, false FROM reading
        UNION ALL SELECT record_id, clash FROM fact_revision
    ) AS version GROUP BY record_id
) AS f ON f.record_id = r.id
WHERE (r.rows_stored, r.rows_clashed) IS DISTINCT FROM (COALESCE(f.stored, 0)::integer, COALESCE(f.clashed, 0)::integer)
ORDER BY r.id
"""

MACHINE_VERSIONS = """
SELECT m.id, m.machine_id, v.effective_from, v.effective_to, v.state_ttl_us, v.ideal_cycle_us,
       timezone('Asia/Seoul', v.in_use_from::timestamp) AS in_use_from,
       COALESCE(timezone('Asia/Seoul', v.in_use_to::timestamp), v.effective_to) AS in_use_to,
       v.automation IN ('automatic', 'robot') AS automated
FROM machine m LEFT JOIN machine_version v ON v.machine = m.id AND v.retired_at IS NULL
WHERE m.factory = $1
ORDER BY m.machine_id, v.effective_from
"""

FACTORY_VERSIONS = """
SELECT effective_from, effective_to, enterprise, region, sector, zone, sponsor, level
FROM factory_version WHERE factory = $1 AND retired_at IS NULL ORDER BY effective_from
"""

ENTERPRISE_VERSIONS = """
SELECT enterprise, effective_from, effective_to, employees
FROM enterprise_version WHERE enterprise = ANY($1::integer[]) AND retired_at IS NULL ORDER BY effective_from
"""

SPANS = """
SELECT s.machine, s.from_at, s.to_at, s.automated, s.first_day, s.end_day, p.calendar, p.run_in,
       c.region, c.sector, c.zone, c.sponsor, c.level, c.size
FROM machine_span s JOIN cohort c ON c.id = s.cohort LEFT JOIN shift_pattern p ON p.id = s.pattern
WHERE s.factory = $1 ORDER BY s.machine, s.from_at
"""

# Sums that wait to be rolled up are left out, so that a platform that is never idle can be verified.
DIFFERING_COHORT_SUMS = """
WITH summed AS (
    SELECT {place}, cohort, {sums} FROM factory_{table} WHERE {place} >= $1 AND {place} < $2 GROUP BY {place}, cohort
), kept AS (
    SELECT {place}, cohort, {names} FROM cohort_{table} WHERE {place} >= $1 AND {place} < $2
)
SELECT {place}::text || ' of cohort ' || cohort, to_jsonb(kept), to_jsonb(summed)
FROM summed FULL JOIN kept USING ({place}, cohort)
WHERE ROW(summed.*) IS DISTINCT FROM ROW(kept.*)
  AND NOT EXISTS (SELECT FROM dirty_cohort_{table} d WHERE d.cohort = COALESCE(summed.cohort, kept.cohort)
                  AND d.{place} = COALESCE(summed.{place}, kept.{place}))
ORDER BY {place}, cohort
"""


def differing_cohort_sums(unit: str, figures: tuple[Figure, ...]) -> str:
    """Return the query for cohorts' rows, by hour or day, that are not the sums of their factories' rows."""
    sums = ", ".join(f"sum({figure.id})::numeric AS {figure.id}" for figure in figures)
    names = ", ".join(f"{figure.id}::numeric" for figure in figures)
    return DIFFERING_COHORT_SUMS.format(place=unit, table=unit, sums=sums, names=names)


DIFFERING_COHORT_HOURS = differing_cohort_sums("hour", figures_of(Table.COHORT_HOUR))
DIFFERING_COHORT_DAYS = differing_cohort_sums("day", figures_of(Table.COHORT_DAY))

KINDS = ("region", "sector", "zone", "sponsor", "level", "size")
OTHER_KINDS = KINDS[1:]

# One grouping for each kind alone, one for each within a region, and one for all.
DIFFERING_GROUP_DAYS = """
WITH grouped AS (
    SELECT d.day,
           CASE {kinds} WHEN GROUPING(c.region) = 0 THEN 'region' ELSE 'nation' END AS kind,
           CASE WHEN GROUPING(c.region) = 0 AND GROUPING({others}) < 31 THEN c.region ELSE '' END AS within,
           CASE {values} WHEN GROUPING(c.region) = 0 THEN COALESCE(c.region, '') ELSE '' END AS value,
           {sums}
    FROM cohort_day d JOIN cohort c ON c.id = d.cohort
    WHERE d.day >= $1 AND d.day < $2
    GROUP BY d.day, GROUPING SETS ({sets})
), summed AS (
    SELECT * FROM grouped WHERE within IS NOT NULL AND value IS NOT NULL
), kept AS (
    SELECT day, kind, within, value, {names} FROM group_day WHERE day >= $1 AND day < $2
)
SELECT day::text || ' of ' || concat_ws(' ', kind, value, within), to_jsonb(kept), to_jsonb(summed)
FROM summed FULL JOIN kept USING (day, kind, within, value)
WHERE ROW(summed.*) IS DISTINCT FROM ROW(kept.*)
ORDER BY day, kind, within, value
""".format(
    kinds=" ".join(f"WHEN GROUPING(c.{kind}) = 0 THEN '{kind}'" for kind in OTHER_KINDS),
    values=" ".join(f"WHEN GROUPING(c.{kind}) = 0 THEN c.{kind}" for kind in OTHER_KINDS),
    others=", ".join(f"c.{kind}" for kind in OTHER_KINDS),
    sets=", ".join(["()", *(f"(c.{kind})" for kind in KINDS), *(f"(c.region, c.{kind})" for kind in OTHER_KINDS)]),
    sums=", ".join(f"sum(d.{figure.id})::numeric AS {figure.id}" for figure in figures_of(Table.COHORT_DAY)),
    names=", ".join(f"{figure.id}::numeric" for figure in figures_of(Table.COHORT_DAY)),
)

ALL_SPANS = """
SELECT s.factory, s.cohort, s.machine, s.from_at, s.to_at, s.automated, s.first_day, s.end_day, s.pattern,
       c.region, c.sector, c.zone, c.sponsor, c.level, c.size
FROM machine_span s JOIN cohort c ON c.id = s.cohort
ORDER BY s.factory, s.machine, s.from_at
"""

STORED_STEPS = """
SELECT kind, within, value, at, NULLIF(seen_to, '-infinity'), machines_in, machines_out, factories_in, factories_out,
       automated, days
FROM group_step
"""

STORED_SCHEDULE_STEPS = "SELECT kind, within, value, pattern, at, machines FROM schedule_step"

CALENDARS = """
SELECT v.effective_from, v.effective_to, v.calendar, c.content::text
FROM calendar_version v LEFT JOIN calendar c ON c.id = v.calendar
WHERE v.factory = $1 AND v.retired_at IS NULL ORDER BY v.effective_from
"""

HOLIDAYS = "SELECT day FROM holiday WHERE retired_at IS NULL"

COHORTS = "SELECT id, region, sector, zone, sponsor, level, size FROM cohort"

STORED_MEMBERSHIPS = "SELECT cohort, kind, within, value FROM cohort_group"

STORED_FACTORY_SPANS = "SELECT factory, cohort, from_at, to_at FROM factory_span"

QUALITY_STATUS = """
SELECT s.closed_before, EXISTS (SELECT FROM quality_mark m WHERE m.factory = $1) AS is_marked FROM quality_state s
"""

QUALITY_RECORDS = """
SELECT received_at, sent_at, newest_at, rows_stored, rows_duplicate, rows_clashed, rows_revised, rows_late, refusals
FROM ingest_record
WHERE factory = $1 AND received_at >= $2 AND received_at < $3
"""

QUALITY_REFUSED = "SELECT day, reason, records FROM refused_record WHERE factory = $1 AND day >= $2 AND day < $3"

QUALITY_SEQUENCES = """
SELECT gateway_id, COALESCE(boot_id, '') AS boot_id, sequence, received_at
FROM ingest_record
WHERE factory = $1 AND received_at < $2 AND sequence IS NOT NULL
"""

STORED_QUALITY = "SELECT * FROM quality_day WHERE factory = $1 AND day >= $2 AND day < $3"

STORED_BOOTS = """
SELECT day, gateway_id, boot_id, sequences, sequence_gaps, lost_records
FROM quality_boot WHERE factory = $1 AND day >= $2 AND day < $3
"""
