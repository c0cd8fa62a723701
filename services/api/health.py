"""What may be asked without a key: does the process live, can it serve, and its own figures."""

from http import HTTPStatus
from typing import Annotated

import asyncpg
import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy.exc import SQLAlchemyError

from services.api.database import Databases, databases_of
from services.api.models import Health, Readiness
from services.api.problems import Problem
from services.core.migrations import read_migrations

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> Health:
    """The process is running."""
    return Health(status="ok")


@router.get("/readyz")
async def readyz(databases: Annotated[Databases, Depends(databases_of)]) -> Readiness:
    """The database answers and has this program's schema; otherwise 503."""
    newest = read_migrations()[-1].version
    try:
        async with databases.write.connect() as connection:
            applied = await connection.execute(sa.text("SELECT max(version) FROM schema_migration"))
    except (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"The database does not answer: {error}") from error
    if applied.scalar() != newest:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"The schema is not at {newest}; run `jejo migrate`.")
    return Readiness(status="ready")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """The process' own figures, for Prometheus."""
    exposition = request.app.state.metrics.exposition()
    assert isinstance(exposition, Response)
    return exposition
