"""Adds factories' sums up to those of cohorts, from a queue of what changed."""

import datetime as dt
from dataclasses import dataclass

import asyncpg
import numpy as np

from services.analytics import cohort_queries as queries
from services.analytics.account_tables import read_holds
from services.analytics.figures import OF_FACTORY_HOURS, ON_COUNTED_DAYS, SUMS
from services.analytics.group_sums import add_up_groups
from services.analytics.held_time import add_times, open_time
from services.analytics.in_force import Ints
from services.analytics.queries import ACCOUNTED_UNTIL, LOCK_COHORTS
from services.analytics.sums import Holds
from services.core.database import Connection
from services.core.times import HOUR_US, floor_to, seoul_day

SUMS_AT_ONCE = 20_000
"""Cohorts' hours, and as many days, in one transaction of ``roll_up``."""


@dataclass(slots=True)
class Done:
    """What a transaction did: machine-hours accounted, and hours and days of cohorts summed."""

    hours: int = 0
    sums: int = 0


async def roll_up(connection: Connection, done: Done | None = None) -> bool:
    """Recompute sums by cohort where a factory's have changed, as many as fit into one transaction.

    While another worker does that, it is left to it.

    Returns:
        Whether some may be left; then call it again.
    """
    try:
        async with connection.transaction(isolation="read_committed"):
            await connection.execute(LOCK_COHORTS)
            return await roll_up_some(connection, done)
    except asyncpg.LockNotAvailableError:
        return False


async def roll_up_some(connection: Connection, done: Done | None = None, *, passed_to_us: int | None = None) -> bool:
    """Do as ``roll_up``, within the caller's transaction, which has the lock of the cohorts' sums.

    As with marks, whoever takes an entry reads its sums.

    Args:
        passed_to_us: ``accounted_until`` if it has just been moved, so that open holds have grown.
    """
    until_us = await connection.fetchval(ACCOUNTED_UNTIL)
    hours = {(row["cohort"], row["hour"]) for row in await connection.fetch(queries.TAKE_COHORT_HOURS, SUMS_AT_ONCE)}
    days = {(row["cohort"], row["day"]) for row in await connection.fetch(queries.TAKE_COHORT_DAYS, SUMS_AT_ONCE)}
    more = SUMS_AT_ONCE in (len(hours), len(days))
    if until_us is None:
        return more
    running_us = floor_to(until_us - 1, HOUR_US)
    today = seoul_day(running_us)
    still_open: OpenSums | None = None
    if passed_to_us is not None or any(hour == running_us for _, hour in hours) or any(day == today for _, day in days):
        still_open = open_sums(await read_holds(connection), until_us)
    if passed_to_us is not None and still_open is not None:
        hours |= {(cohort, running_us) for cohort in still_open.cohort.tolist()}
        days |= {(cohort, today) for cohort in still_open.cohort.tolist()}
    if done is not None:
        done.sums += len(hours) + len(days)
    if hours:
        places = columns_of(sorted(hours))
        await connection.execute(queries.DROP_COHORT_HOURS, *places)
        await connection.execute(queries.ADD_COHORT_HOURS, *places)
    if days:
        places = columns_of(sorted(days))
        await connection.execute(queries.DROP_COHORT_DAYS, *places)
        await connection.execute(queries.ADD_COHORT_DAYS, *places)
    if still_open is not None:
        of_hours = still_open.of({cohort for cohort, hour in hours if hour == running_us})
        await connection.execute(queries.ADD_OPEN_HOURS, of_hours.cohort.tolist(), running_us, *of_hours.figures())
        of_days = still_open.of({cohort for cohort, day in days if day == today})
        await connection.execute(queries.ADD_OPEN_DAYS, of_days.cohort.tolist(), today, *of_days.figures())
    if days:
        await add_up_groups(connection, days)
    return more


@dataclass(frozen=True, slots=True)
class OpenSums:
    """What open holds add to the running hour of cohorts; ``sums`` has the columns OF_FACTORY_HOURS."""

    cohort: Ints
    sums: Ints

    def of(self, cohorts: set[int]) -> "OpenSums":
        """Return the rows of some cohorts."""
        rows = np.isin(self.cohort, np.fromiter(cohorts, np.int64, len(cohorts)))
        return OpenSums(self.cohort[rows], self.sums[rows])

    def figures(self) -> list[list[int]]:
        """Return a list for each figure."""
        return [column.tolist() for column in self.sums.T]


def open_sums(holds: Holds, until_us: int) -> OpenSums:
    """Return the time of open holds before ``until_us`` by cohort."""
    before = holds.chosen(holds.open.from_us < until_us)
    held = open_time(before.open, until_us)
    cohort, place = np.unique(held.cohort, return_inverse=True)
    machines = np.zeros((len(cohort), len(SUMS)), np.int64)
    counted = np.zeros_like(machines)
    add_times(machines, place, held)
    add_times(counted, np.where(before.counted == 1, place, -1), held)
    sums = np.zeros((len(cohort), len(OF_FACTORY_HOURS)), np.int64)
    for column, name in enumerate(OF_FACTORY_HOURS):
        if name in ON_COUNTED_DAYS:
            own = [SUMS.index(part) for part in ON_COUNTED_DAYS[name] if part in SUMS]
            sums[:, column] = counted[:, own].sum(axis=1)
        else:
            sums[:, column] = machines[:, SUMS.index(name)]
    return OpenSums(cohort, sums)


def columns_of(pairs: list[tuple[int, int]] | list[tuple[int, dt.date]]) -> list[list[object]]:
    """Return pairs as two columns."""
    return [list(values) for values in zip(*pairs, strict=True)]
