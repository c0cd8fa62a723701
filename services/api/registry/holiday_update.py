"""``jejo holidays update``: makes the table of public holidays what a list of them is."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.database import DATABASE_ERRORS, database_failed, engine
from services.api.registry import holiday_queries, queries
from services.api.registry.holidays import Holiday, HolidayChanges, compare

TIMEOUT_S = 1800
"""A day concerns every machine of the country."""


@dataclass(frozen=True, slots=True)
class HolidayUpdate:
    """What an update changed.

    Attributes:
        machines: how many machines are to be accounted again; ``factories``: of how many factories.
    """

    changes: HolidayChanges
    machines: int
    factories: int


async def update_holidays(
    database_url: str, wanted: Sequence[Holiday], first_year: int, last_year: int, *, dry_run: bool
) -> HolidayUpdate:
    """Makes the holidays of these years the wanted ones, in one transaction, which a dry run rolls back.

    Raises:
        TransientError, ConfigurationError: if the database cannot be written; nothing was changed.
    """
    pool = engine(database_url, 1, TIMEOUT_S)
    try:
        async with pool.connect() as connection, connection.begin() as transaction:
            updated = await write_holidays(connection, wanted, first_year, last_year)
            if dry_run:
                await transaction.rollback()
            return updated
    except DATABASE_ERRORS as error:
        raise database_failed(error, "No holiday was changed", "run this again") from error
    finally:
        await pool.dispose()


async def write_holidays(
    connection: AsyncConnection, wanted: Sequence[Holiday], first_year: int, last_year: int
) -> HolidayUpdate:
    """Makes the holidays of these years the wanted ones, as one change of the registry; none if they are already.

    A name is corrected without accounting anything again.
    """
    change = await queries.lock_registry(connection) + 1
    first, last = dt.date(first_year, 1, 1), dt.date(last_year, 12, 31)
    changes = compare((await holiday_queries.read_holidays(connection, first, last)).values(), wanted)
    if changes.is_empty:
        return HolidayUpdate(changes, 0, 0)
    await holiday_queries.retire_holidays(connection, changes.retired())
    await holiday_queries.add_holidays(connection, changes.current(), change)
    machines, factories = await holiday_queries.mark_days(connection, changes.changed_days())
    await queries.set_registry_version(connection, change)
    return HolidayUpdate(changes, machines, factories)
