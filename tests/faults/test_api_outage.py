"""The API while its database is away: it reports that, and recovers when the database is back."""

import time
from http import HTTPStatus

import httpx

from deploy.local.passwords import ensure_passwords
from services.api.access.credentials import create_api_key
from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.bootstrap import bootstrap
from services.core.clock import system_clock
from services.core.database import connect
from services.core.migrations import read_migrations
from tests.servers import private_postgres


async def test_an_outage_is_answered_with_503_until_it_ends() -> None:
    with private_postgres() as server:
        await bootstrap(server.url, read_migrations(), ensure_passwords(server.passwords))
        connection = await connect(server.url)
        key = await create_api_key(connection, "ministry", "test")
        await connection.close()
        app = create_app(ApiSettings(database_url=server.url), system_clock)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers, timeout=60) as client,
        ):
            asked = "/v1/kpis?from=2017-03-01&to=2017-03-02"
            assert (await client.get("/readyz")).status_code == HTTPStatus.OK
            assert (await client.get(asked)).status_code == HTTPStatus.OK
            server.kill()
            for path in (asked, "/readyz"):
                began = time.monotonic()
                answer = await client.get(path)
                assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
                assert answer.headers["content-type"] == "application/problem+json"
                assert time.monotonic() - began < 15
            assert (await client.get("/healthz")).status_code == HTTPStatus.OK
            server.start()
            assert (await client.get("/readyz")).status_code == HTTPStatus.OK
            assert (await client.get(asked)).status_code == HTTPStatus.OK


async def test_another_version_of_the_schema_is_not_ready() -> None:
    with private_postgres() as server:
        known = read_migrations()
        await bootstrap(server.url, known, ensure_passwords(server.passwords))
        connection = await connect(server.url)
        await connection.execute("DELETE FROM schema_migration WHERE version = $1", len(known))
        await connection.close()
        app = create_app(ApiSettings(database_url=server.url), system_clock)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client,
        ):
            answer = await client.get("/readyz")
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            assert "jejo migrate" in answer.json()["detail"]
