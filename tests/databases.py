"""A migrated database for each test, copied from a template that is migrated once."""

import asyncio
import itertools
import os
from collections.abc import Iterator

import asyncpg
import pytest

from deploy.local.passwords import ensure_passwords
from services.core.bootstrap import bootstrap
from services.core.migrations import read_migrations
from tests.servers import PostgresServer

TEMPLATE = "jejo_template"
serial_numbers = itertools.count(1)


def database_url(server_url: str, database: str) -> str:
    """Return the address of another database on the same server."""
    return server_url.rsplit("/", 1)[0] + "/" + database


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def create_template(server: PostgresServer) -> None:
    """Create and migrate the template, then disallow connections to it, so that it can be copied at any time."""
    await execute(server.url, f"CREATE DATABASE {TEMPLATE}")
    await bootstrap(database_url(server.url, TEMPLATE), read_migrations(), ensure_passwords(server.passwords))
    await execute(server.url, f"ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false")
    # TimescaleDB's scheduler may still be connected.
    await execute(server.url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{TEMPLATE}'")


@pytest.fixture(scope="session")
def database_template(postgres_server: PostgresServer) -> str:
    """The address of a server that has the template."""
    asyncio.run(create_template(postgres_server))
    return postgres_server.url


@pytest.fixture
def database(database_template: str) -> Iterator[str]:
    """The address of a migrated database for this test alone."""
    yield from copy_of_template(database_template)


@pytest.fixture(scope="module")
def module_database(database_template: str) -> Iterator[str]:
    """The same for a whole module, whose tests only read the result of one run."""
    yield from copy_of_template(database_template)


def copy_of_template(database_template: str) -> Iterator[str]:
    """Copy the template, yield the copy's address, and drop it afterwards."""
    name = f"jejo_{os.getpid()}_{next(serial_numbers)}"
    asyncio.run(execute(database_template, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy"))
    yield database_url(database_template, name)
    asyncio.run(execute(database_template, f"DROP DATABASE {name} WITH (FORCE)"))
