"""The least that answers over HTTP from the database: one FastAPI route, one SELECT by primary key, no key, no headers.

It uses what the API uses: FastAPI on uvicorn, SQLAlchemy on asyncpg.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from services.api.database import engine

FACTORY = sa.text("SELECT id, factory_id FROM factory WHERE id = :id")


def create(url: str) -> FastAPI:
    """Return the application."""
    database = engine(url, 8)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await database.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.get("/readyz")
    async def readyz() -> str:
        return "ready"

    @app.get("/factories/{number}")
    async def factory(number: int) -> dict[str, Any]:
        async with database.connect() as connection:
            row = (await connection.execute(FACTORY, {"id": number})).one()
        return {"id": row.id, "factory_id": row.factory_id}

    return app


async def main(url: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    await uvicorn.Server(uvicorn.Config(create(url), port=port, log_config=None, access_log=False)).serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
