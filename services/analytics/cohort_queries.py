"""The SQL that adds factories' sums up to those of cohorts."""

from services.analytics.figures import DAY_COUNTS, FACTORY_WIDE, OF_FACTORY_DAYS, OF_FACTORY_HOURS, added


def arrays(first: int) -> str:
    """Return parameters from a number on: an array for each figure of a cohort."""
    return ", ".join(
        f"${first + n}::{'numeric' if name in FACTORY_WIDE else 'bigint'}[]" for n, name in enumerate(OF_FACTORY_HOURS)
    )


def added_to(table: str) -> str:
    """Return assignments that add each figure to what is there."""
    return ", ".join(f"{name} = {table}.{name} + EXCLUDED.{name}" for name in OF_FACTORY_HOURS)


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
JOIN closed_factory_hour h ON h.cohort = w.cohort AND h.hour = w.hour
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
JOIN closed_factory_day d ON d.cohort = w.cohort AND d.day = w.day
GROUP BY w.cohort, w.day
"""

ADD_OPEN_HOURS = f"""
INSERT INTO cohort_hour (cohort, hour, {", ".join(OF_FACTORY_HOURS)})
SELECT w.cohort, $2::timestamptz, {", ".join(f"w.{name}" for name in OF_FACTORY_HOURS)}
FROM unnest($1::integer[], {arrays(3)}) AS w(cohort, {", ".join(OF_FACTORY_HOURS)})
ON CONFLICT (hour, cohort) DO UPDATE SET {added_to("cohort_hour")}
"""

ADD_OPEN_DAYS = f"""
INSERT INTO cohort_day (cohort, day, {", ".join(OF_FACTORY_DAYS)})
SELECT w.cohort, $2::date, {", ".join(f"w.{name}" for name in OF_FACTORY_HOURS)}, {", ".join("0" for _ in DAY_COUNTS)}
FROM unnest($1::integer[], {arrays(3)}) AS w(cohort, {", ".join(OF_FACTORY_HOURS)})
ON CONFLICT (day, cohort) DO UPDATE SET {added_to("cohort_day")}
"""
