"""The API inside the test's process, on a migrated database of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest_asyncio
from fastapi import FastAPI

from services.analytics.cohort_sums import roll_up
from services.analytics.engine import settle, shards_with_work, start_accounting
from services.api.access.credentials import create_api_key
from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.clock import system_clock
from services.core.database import connect

ENTERPRISE = {"name": "Hanbit Precision", "employees": 42}
FACTORY = {"name": "Changwon 2", "enterprise_id": "E1", "region": "KR-48", "sector": "C29", "level": "basic"}
MACHINE = {"name": "Mazak 1", "kind": "machining_centre", "automation": "automatic", "in_use_from": "2016-01-01"}


@dataclass
class Api:
    """Sends requests by role. A role's key is created when it is first used."""

    client: httpx.AsyncClient
    database_url: str
    app: FastAPI
    keys: dict[str, str] = field(default_factory=dict)

    async def key(self, role: str) -> str:
        if role not in self.keys:
            connection = await connect(self.database_url)
            try:
                self.keys[role] = await create_api_key(connection, role, f"test {role}")
            finally:
                await connection.close()
        return self.keys[role]

    async def ask(self, method: str, path: str, role: str | None = "admin", **options: Any) -> httpx.Response:
        """Send a request with a key of the role, or without a key if the role is None."""
        headers = {} if role is None else {"Authorization": f"Bearer {await self.key(role)}"}
        return await self.client.request(method, path, headers=headers, **options)

    async def get(self, path: str, role: str | None = "admin", **parameters: Any) -> httpx.Response:
        return await self.ask("GET", path, role, params=parameters)

    async def put(self, path: str, body: Any, role: str | None = "admin") -> httpx.Response:
        return await self.ask("PUT", path, role, json=body)

    async def register(self) -> None:
        """Register one enterprise, one factory F1 in KR-48, and one machine M1."""
        for path, body in (
            ("/v1/enterprises/E1", ENTERPRISE),
            ("/v1/factories/F1", FACTORY),
            ("/v1/factories/F1/machines/M1", MACHINE),
        ):
            answer = await self.put(path, body)
            assert answer.status_code == 201, answer.text

    async def settle_all(self, until_us: int) -> None:
        """Account until no mark is left; the first call begins the accounts at ``until_us``."""
        connection = await connect(self.database_url, "jejo_analytics")
        try:
            await start_accounting(connection, until_us)
            for shard in await shards_with_work(connection):
                while await settle(connection, shard):
                    pass
            while await roll_up(connection):
                pass
        finally:
            await connection.close()

    async def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query, run as the database's owner; instants in microseconds."""
        connection = await connect(self.database_url)
        try:
            return [tuple(row) for row in await connection.fetch(sql, *parameters)]
        finally:
            await connection.close()


@pytest_asyncio.fixture
async def api(database: str) -> AsyncIterator[Api]:
    """The API on an empty registry."""
    app = create_app(ApiSettings(database_url=database), system_clock)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api") as client,
    ):
        yield Api(client, database, app)
