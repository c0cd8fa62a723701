"""The API's connections: a pool to write the registry, and one to read, which may be a replica's."""

from dataclasses import dataclass
from functools import partial

import asyncpg
from fastapi import Request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.api.settings import ApiSettings
from services.core.database import address_for
from services.core.errors import ConfigurationError, JejoError, TransientError

LOGIN = "jejo_api"
CLEANUP_S = 5
"""A query is cancelled at the deadline; the server ends it by itself only if this process did not."""

DATABASE_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError)
"""What a command's transaction raises when the database fails it."""
SCHEMA_MISSING = (asyncpg.UndefinedTableError, asyncpg.UndefinedObjectError, asyncpg.InvalidParameterValueError)


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the registry is written and keys are looked up, and where everything else is read.

    These are pools of their own even at the same address: however long questions take, a key is looked up at once.
    """

    write: AsyncEngine
    read: AsyncEngine

    async def close(self) -> None:
        await self.write.dispose()
        await self.read.dispose()


def open_databases(settings: ApiSettings) -> Databases:
    """Pools that connect when they are first used."""
    urls = settings.database_url, settings.read_database_url or settings.database_url
    timeout_s = settings.api_deadline_s + CLEANUP_S
    write, read = (engine(url, settings.api_connections, timeout_s) for url in urls)
    return Databases(write, read)


def engine(url: str, connections: int, timeout_s: float = 30) -> AsyncEngine:
    """A pool. asyncpg reads the address, as for the other services: SQLAlchemy knows fewer of its options."""
    settings = {
        "application_name": "jejo api",
        "TimeZone": "UTC",
        "statement_timeout": f"{1000 * timeout_s:.0f}ms",
        # The server ends a query whose client was killed.
        "client_connection_check_interval": "1s",
    }
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(asyncpg.connect, address_for(url, LOGIN), timeout=10, server_settings=settings),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
    )


def databases_of(request: Request) -> Databases:
    """The application's pools."""
    databases = request.app.state.databases
    assert isinstance(databases, Databases)
    return databases


def database_failed(error: Exception, outcome: str, remedy: str) -> JejoError:
    """Returns the error to raise when the database fails a command.

    Args:
        outcome: what became of the command, as a clause; ``remedy``: what to do when the database is running.
    """
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig.__cause__ or error.orig
    if isinstance(cause, SCHEMA_MISSING):
        return ConfigurationError(f"{cause}: run `jejo migrate` on this database first.")
    return TransientError(f"{outcome}: the database failed ({cause}). Check that it is running, and {remedy}.")
