"""Puts the application together: pools, routes, errors, metrics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

from schemas.kpi_definitions import read_definitions
from services.api import health
from services.api.access import authenticate
from services.api.database import open_databases
from services.api.kpis import routes as kpis
from services.api.metrics import ApiMetrics
from services.api.problems import MEDIA_TYPE, add_handlers
from services.api.registry import factory_routes, list_routes
from services.api.registry import routes as registry
from services.api.settings import ApiSettings
from services.core.clock import Clock

DESCRIPTION = "Automation and utilisation KPIs of Korea's factories, and their registry. Every answer needs an API key."
PROBLEM = {
    "description": "Problem details (RFC 9457).",
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                },
            }
        }
    },
}


def create_app(settings: ApiSettings, clock: Clock) -> FastAPI:
    """The application. Connections are opened on first use, so it starts while the database is away."""

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
        responses={"4XX": PROBLEM, "5XX": PROBLEM},
    )
    app.state.clock = clock
    app.state.definitions = read_definitions()
    app.state.metrics = ApiMetrics()
    app.middleware("http")(app.state.metrics.observe)
    add_handlers(app)
    app.include_router(health.router)
    for router in (list_routes.router, registry.router, factory_routes.router):
        app.include_router(router)
    app.include_router(kpis.router)

    @app.get("/openapi.json", include_in_schema=False, dependencies=[Depends(authenticate)])
    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    return app
