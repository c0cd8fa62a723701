"""What may be asked without a key: whether the process runs, whether it can serve, and its metrics."""

from http import HTTPStatus

import asyncpg
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy.exc import SQLAlchemyError

from services.api.dependencies import Pools
from services.api.models import Health, Readiness
from services.api.problems import Problem
from services.core.migrations import read_migrations

router = APIRouter(tags=["health"])

schema_migration = sa.table("schema_migration", sa.column("version", sa.Integer))


@router.get("/healthz")
async def healthz() -> Health:
    """The process is running."""
    return Health(status="ok")


@router.get("/readyz")
async def readyz(databases: Pools) -> Readiness:
    """The database answers and has this program's schema; otherwise 503."""
    newest = read_migrations()[-1].version
    try:
        async with databases.write.connect() as connection:
            applied = await connection.execute(sa.select(sa.func.max(schema_migration.c.version)))
    except (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"The database does not answer: {error}") from error
    if applied.scalar() != newest:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"The schema is not at {newest}; run `jejo migrate`.")
    return Readiness(status="ready")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """The process' own metrics, for Prometheus."""
    exposition = request.app.state.metrics.exposition()
    assert isinstance(exposition, Response)
    return exposition
