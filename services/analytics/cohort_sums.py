"""Adds factories' sums up to those of cohorts, from a queue of what changed."""

import datetime as dt
from dataclasses import dataclass

from services.analytics import cohort_queries as queries
from services.analytics.group_sums import add_up_groups
from services.analytics.queries import LOCK_CLASS, SHARDS
from services.core.database import Connection

SUMS_AT_ONCE = 20_000
"""Cohorts' hours, and as many days, in one transaction of ``roll_up``."""


@dataclass(slots=True)
class Done:
    """What a transaction did: machine-hours accounted, and hours and days of cohorts summed."""

    hours: int = 0
    sums: int = 0


async def roll_up(connection: Connection, done: Done | None = None) -> bool:
    """Recompute sums by cohort where a factory's have changed, as many as fit into one transaction.

    Returns:
        Whether some may be left; then call it again.
    """
    async with connection.transaction(isolation="read_committed"):
        return await roll_up_some(connection, done)


async def roll_up_some(connection: Connection, done: Done | None = None) -> bool:
    """Do as ``roll_up``, within the caller's transaction. As with marks, whoever takes an entry reads its sums."""
    await connection.execute(queries.LOCK_COHORTS, LOCK_CLASS, SHARDS)
    hours = await connection.fetch(queries.TAKE_COHORT_HOURS, SUMS_AT_ONCE)
    days = await connection.fetch(queries.TAKE_COHORT_DAYS, SUMS_AT_ONCE)
    if done is not None:
        done.sums += len(hours) + len(days)
    if hours:
        places = columns_of(sorted({(row["cohort"], row["hour"]) for row in hours}))
        await connection.execute(queries.DROP_COHORT_HOURS, *places)
        await connection.execute(queries.ADD_COHORT_HOURS, *places)
    if days:
        places = columns_of(sorted({(row["cohort"], row["day"]) for row in days}))
        await connection.execute(queries.DROP_COHORT_DAYS, *places)
        await connection.execute(queries.ADD_COHORT_DAYS, *places)
        await add_up_groups(connection, {(row["cohort"], row["day"]) for row in days})
    return SUMS_AT_ONCE in (len(hours), len(days))


def columns_of(pairs: list[tuple[int, int]] | list[tuple[int, dt.date]]) -> list[list[object]]:
    """Return pairs as two columns."""
    return [list(values) for values in zip(*pairs, strict=True)]
