"""Puts the application together: pools, middleware, routes, errors, metrics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from starlette.middleware.gzip import GZipMiddleware

import schemas
from schemas.wire.asyncapi import ASYNCAPI_FILE
from services.api import dashboard, health
from services.api.access import Shares, authenticate
from services.api.access import routes as sessions
from services.api.body_limit import BodyLimit
from services.api.database import open_databases
from services.api.dependencies import check_given_once
from services.api.flags import routes as flags
from services.api.kpis import routes as kpis
from services.api.lifetimes import Lifetimes
from services.api.metrics import ApiMetrics, Observed
from services.api.models import ProblemDetails, described_as
from services.api.problems import MEDIA_TYPE, add_handlers
from services.api.programme import routes as programme
from services.api.quality import routes as quality
from services.api.registry import calendar_routes as calendars
from services.api.registry import routes as registry
from services.api.representations import Representations
from services.api.settings import ApiSettings
from services.api.streams import Workshop
from services.api.timelines import routes as timelines
from services.core.clock import Clock

DESCRIPTION = (
    "Automation and utilisation KPIs of Korea's factories, and their registry. Every answer needs a key or a session."
)
COMPRESSED_FROM_BYTES = 1024
COMPRESSION_LEVEL = 6
PROBLEM = {"description": "Problem details (RFC 9457).", **described_as(ProblemDetails, media_type=MEDIA_TYPE)}
OPENAPI_FILE = Path(schemas.__file__).parent / "openapi.json"


def create_app(settings: ApiSettings, clock: Clock) -> FastAPI:
    """Return the application. It starts while the database is away: connections are opened on first use."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.databases = open_databases(settings)
        yield
        await app.state.databases.close()

    app = FastAPI(
        title="Jejo",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        dependencies=[Depends(check_given_once)],
        responses={"4XX": PROBLEM, "5XX": PROBLEM},
    )
    app.state.clock = clock
    app.state.metrics = ApiMetrics()
    app.state.shares = Shares(settings.api_requests_per_reader)
    app.state.workshop = Workshop(settings.api_bulk_answers)
    app.state.bulk_deadline_s = settings.api_bulk_deadline_s
    app.state.dashboard = settings.dashboard_dir or dashboard.BUILT
    app.add_middleware(BodyLimit)
    # From the inside out: answers are compressed, then tagged; work without a reader is ended; requests are counted.
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM_BYTES, compresslevel=COMPRESSION_LEVEL)
    app.add_middleware(Representations)
    app.add_middleware(Lifetimes, deadline_s=settings.api_deadline_s)
    app.add_middleware(Observed, metrics=app.state.metrics)
    add_handlers(app)
    app.include_router(health.router)
    app.include_router(sessions.router)
    app.include_router(dashboard.router)
    app.include_router(registry.router)
    app.include_router(calendars.router)
    app.include_router(kpis.router)
    app.include_router(timelines.router)
    app.include_router(quality.router)
    app.include_router(flags.router)
    app.include_router(programme.router)

    @app.get("/openapi.json", include_in_schema=False, dependencies=[Depends(authenticate)])
    def openapi() -> Response:
        return Response(OPENAPI_FILE.read_bytes(), media_type="application/json")

    @app.get("/asyncapi.json", include_in_schema=False, dependencies=[Depends(authenticate)])
    def asyncapi() -> Response:
        return Response(ASYNCAPI_FILE.read_bytes(), media_type="application/json")

    return app
