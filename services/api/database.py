"""The API's connections: one pool to write the registry, one to read, which may be a replica's."""

from dataclasses import dataclass
from functools import partial

import asyncpg
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.api.settings import ApiSettings
from services.core.database import address_for

LOGIN = "jejo_api"
STATEMENT_TIMEOUT = "30s"


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the registry is written, and where everything is read."""

    write: AsyncEngine
    read: AsyncEngine

    async def close(self) -> None:
        await self.write.dispose()
        await self.read.dispose()


def open_databases(settings: ApiSettings) -> Databases:
    """Pools that connect when they are first used."""
    write = engine(settings.database_url, settings.api_connections)
    if settings.read_database_url is None:
        return Databases(write, write)
    return Databases(write, engine(settings.read_database_url, settings.api_connections))


def engine(url: str, connections: int) -> AsyncEngine:
    """A pool. asyncpg reads the address, as for the other services: SQLAlchemy knows fewer of its options."""
    settings = {
        "application_name": "jejo api",
        "TimeZone": "UTC",
        "statement_timeout": STATEMENT_TIMEOUT,
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
