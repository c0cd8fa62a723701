"""Reads data quality through the facade of analytics, on a connection of the API's pool."""

import datetime as dt

from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics import QualityDay, read_quality


async def read_days(connection: AsyncConnection, factory: int, first: dt.date, end: dt.date) -> list[QualityDay]:
    """Return a factory's days from ``first`` to before ``end``, within the transaction that has begun."""
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    return await read_quality(driver, factory, first, end)
