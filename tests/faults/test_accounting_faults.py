"""Analytics is killed within every kind of transaction, and beside another process: accounts stay exact."""

import asyncio

import pytest

from tests.faults.accounting_faults import ACCOUNTING
from tests.faults.accounting_world import accounting_world
from tests.servers import PostgresServer


@pytest.mark.parametrize("name", ACCOUNTING)
def test_accounts_are_exact_whatever_happens(postgres_server: PostgresServer, database: str, name: str) -> None:
    async def run() -> dict[str, int]:
        async with accounting_world(postgres_server, database, seed=1) as world:
            return await ACCOUNTING[name](world)

    for what, count in asyncio.run(run()).items():
        print(f"{count:4d}  {what}")
