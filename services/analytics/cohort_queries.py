"""The SQL that adds factories' sums up to those of cohorts."""

from services.analytics.figures import OF_FACTORY_DAYS, OF_FACTORY_HOURS, added

LOCK_COHORTS = "SELECT pg_advisory_xact_lock($1, $2)"

TAKE_COHORT_HOURS = """
DELETE FROM dirty_cohort_hour
WHERE ctid = ANY (ARRAY(SELECT ctid FROM dirty_cohort_hour LIMIT $1)) RETURNING cohort, hour
"""

TAKE_COHORT_DAYS = """
DELETE FROM dirty_cohort_day
WHERE ctid = ANY (ARRAY(SELECT ctid FROM dirty_cohort_day LIMIT $1)) RETURNING cohort, day
"""

DROP_COHORT_HOURS = """
DELETE FROM cohort_hour h USING unnest($1::integer[], $2::timestamptz[]) AS w(cohort, hour)
WHERE h.cohort = w.cohort AND h.hour = w.hour
"""

ADD_COHORT_HOURS = f"""
INSERT INTO cohort_hour (cohort, hour, {", ".join(OF_FACTORY_HOURS)})
SELECT w.cohort, w.hour, {added("h", OF_FACTORY_HOURS)}
FROM unnest($1::integer[], $2::timestamptz[]) AS w(cohort, hour)
JOIN factory_hour h ON h.cohort = w.cohort AND h.hour = w.hour
GROUP BY w.cohort, w.hour
"""

DROP_COHORT_DAYS = """
DELETE FROM cohort_day d USING unnest($1::integer[], $2::date[]) AS w(cohort, day)
WHERE d.cohort = w.cohort AND d.day = w.day
"""

ADD_COHORT_DAYS = f"""
INSERT INTO cohort_day (cohort, day, {", ".join(OF_FACTORY_DAYS)})
SELECT w.cohort, w.day, {added("d", OF_FACTORY_DAYS)}
FROM unnest($1::integer[], $2::date[]) AS w(cohort, day)
JOIN factory_day d ON d.cohort = w.cohort AND d.day = w.day
GROUP BY w.cohort, w.day
"""

# Rows that a group no longer has are deleted with it, so those that have changed are found by what is there now.
DROP_GROUP_DAYS = """
DELETE FROM group_day d
USING (
    SELECT DISTINCT g.kind, g.within, g.value, w.day
    FROM unnest($1::integer[], $2::date[]) AS w(cohort, day) JOIN cohort_group g ON g.cohort = w.cohort
) AS t
WHERE d.kind = t.kind AND d.within = t.within AND d.value = t.value AND d.day = t.day
"""

# Regions, and groups within a region, have few cohorts each.
ADD_REGIONAL_DAYS = f"""
INSERT INTO group_day (kind, within, value, day, {", ".join(OF_FACTORY_DAYS)})
SELECT t.kind, t.within, t.value, t.day, {added("d", OF_FACTORY_DAYS)}
FROM (
    SELECT DISTINCT g.kind, g.within, g.value, w.day
    FROM unnest($1::integer[], $2::date[]) AS w(cohort, day) JOIN cohort_group g ON g.cohort = w.cohort
    WHERE g.kind = 'region' OR g.within <> ''
) AS t
JOIN cohort_group g ON g.kind = t.kind AND g.within = t.within AND g.value = t.value
JOIN cohort_day d ON d.cohort = g.cohort AND d.day = t.day
GROUP BY t.kind, t.within, t.value, t.day
"""

# What is nationwide adds up what is regional, which a late row would else have to do for thousands of cohorts.
ADD_NATIONAL_DAYS = f"""
INSERT INTO group_day (kind, within, value, day, {", ".join(OF_FACTORY_DAYS)})
SELECT t.kind, '', t.value, t.day, {added("d", OF_FACTORY_DAYS)}
FROM (
    SELECT DISTINCT g.kind, g.value, w.day
    FROM unnest($1::integer[], $2::date[]) AS w(cohort, day) JOIN cohort_group g ON g.cohort = w.cohort
    WHERE g.kind <> 'region' AND g.within = ''
) AS t
JOIN group_day d ON d.day = t.day AND CASE t.kind WHEN 'nation' THEN 'region' ELSE t.kind END = d.kind
    AND (d.within <> '' AND d.value = t.value OR t.kind = 'nation')
GROUP BY t.kind, t.value, t.day
"""
