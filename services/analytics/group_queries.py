"""The SQL that adds cohorts' days up to those of groups: the nation, and what has one value of a kind."""

from services.analytics.figures import OF_FACTORY_DAYS, added

# With the days alone, an index finds a few hundred rows; what is joined is estimated as much of the table.
KINDS = "{nation,region,sector,zone,sponsor,level,size}"

# Rows that a group no longer has are deleted with it, so those that have changed are found by what is there now.
DROP_GROUP_DAYS = f"""
DELETE FROM group_day d
USING (
    SELECT DISTINCT g.kind, g.within, g.value, w.day
    FROM unnest($1::integer[], $2::date[]) AS w(cohort, day) JOIN cohort_group g ON g.cohort = w.cohort
) AS t
WHERE d.kind = t.kind AND d.within = t.within AND d.value = t.value AND d.day = t.day
  AND d.kind = ANY ('{KINDS}') AND d.day = ANY ($3::date[])
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
    AND d.kind = ANY ('{KINDS}') AND d.day = ANY ($3::date[])
GROUP BY t.kind, t.value, t.day
"""
