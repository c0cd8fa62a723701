"""Adds cohorts' days up to those of groups, in the transaction that changes these."""

import datetime as dt
from collections.abc import Collection

from services.analytics import group_queries as queries
from services.core.database import Connection


async def add_up_groups(connection: Connection, cohort_days: Collection[tuple[int, dt.date]]) -> None:
    """Recompute the days of all groups of which some cohorts are part. The caller holds the lock on cohorts' sums."""
    ordered = sorted(cohort_days)
    cohorts, days = [cohort for cohort, _ in ordered], [day for _, day in ordered]
    distinct_days = sorted(set(days))
    await connection.execute(queries.DROP_GROUP_DAYS, cohorts, days, distinct_days)
    await connection.execute(queries.ADD_REGIONAL_DAYS, cohorts, days)
    await connection.execute(queries.ADD_NATIONAL_DAYS, cohorts, days, distinct_days)
