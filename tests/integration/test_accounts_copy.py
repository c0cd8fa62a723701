"""Accounts as packed bytes arrive in the table as they are, however wide."""

import numpy as np
import pytest

from services.analytics import queries
from services.analytics.accounts import SUMS, Accounts
from services.analytics.copy_format import accounts_as_copy
from services.analytics.engine import once
from services.core.database import connect
from services.core.times import HOUR_US

FITTING = [0, 1, 9_999, 10_000, 10**8, 123_456_789_012_345_678, 2**63 - 1]
WIDE = [*FITTING, 2**63, 12_345_678_901_234_567_890, 10**20, 2**126 - 1]


@pytest.mark.parametrize("values", [FITTING, WIDE], ids=["fitting", "wide"])
async def test_every_figure_arrives(database: str, values: list[int]) -> None:
    count = len(values)
    numbers = np.arange(count)
    sums = 1_000 * numbers[:, np.newaxis] + np.arange(len(SUMS))
    ideal, reverse = np.empty((2, count), object)
    ideal[:], reverse[:] = values, values[::-1]
    accounts = Accounts(numbers + 7, numbers * HOUR_US, numbers + 3, sums, ideal, reverse)
    connection = await connect(database, "jejo_analytics")
    try:
        packed = once(accounts_as_copy(accounts))
        await connection.copy_to_table("machine_hour", source=packed, columns=queries.HOUR_COLUMNS, format="binary")
        rows = await connection.fetch(f"SELECT {', '.join(queries.HOUR_COLUMNS)} FROM machine_hour ORDER BY machine")
    finally:
        await connection.close()
    keys = zip((numbers + 7).tolist(), (numbers * HOUR_US).tolist(), (numbers + 3).tolist(), strict=True)
    figures = zip(keys, sums.tolist(), values, values[::-1], strict=True)
    assert [tuple(row) for row in rows] == [(*key, *own, pq, good) for key, own, pq, good in figures]
