"""Everything that is not an answer, as problem details (RFC 9457) with a sentence that says what to do."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from services.api.body_limit import LARGEST_BODY_BYTES
from services.core.logging import fields

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
FAULT = "This is a fault of the platform; tell its operator."
METHODS = ("GET", "PUT", "POST", "DELETE")
SAID_BETTER = {
    "extra_forbidden": "there is no such field or parameter; leave it out",
    "missing": "this is needed; add it",
}
"""What is said in place of pydantic's words, by the kind of error."""
BUSY = (asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError, asyncpg.InternalClientError)
"""The server is going, or short of something, or went while a request was on its way to it."""


class Problem(Exception):
    """Ends a request with problem details.

    Args:
        detail: a sentence that says what the caller should do.
    """

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def not_found(what: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, f"There is no {what}; register it, or correct the address.")


def unprocessable(detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def problem_response(
    status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **more: object
) -> JSONResponse:
    """The response of a problem."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail, **more}
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return problem_response(error.status, error.detail, error.headers)


def on_validation_error(request: Request, error: Exception) -> JSONResponse:
    """Name every field that is wrong."""
    assert isinstance(error, RequestValidationError)
    errors = [{"where": ".".join(map(str, e["loc"])), "what": what_is_wrong(e)} for e in error.errors()]
    named = "; ".join(f"{e['where']}: {e['what']}" for e in errors)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, f"Correct the request: {named}.", errors=errors)


def what_is_wrong(error: Mapping[str, Any]) -> str:
    """What is wrong with a field, and where pydantic's own words do not say it, what to do."""
    if error["type"] == "json_invalid":
        return f"this is not JSON ({error['ctx']['error']}); send a JSON object in UTF-8"
    if error["loc"] == ("body",) and error["type"] in ("missing", "model_attributes_type"):
        return "send a JSON object, with the header `Content-Type: application/json`"
    message = str(error["msg"])
    return SAID_BETTER.get(error["type"], message.removeprefix("Value error, "))


def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """What routing refuses: no such path, no such method, a body that is too large or cannot be read."""
    assert isinstance(error, HTTPException)
    status, headers = HTTPStatus(error.status_code), dict(error.headers or {})
    path = request.url.path
    if status is HTTPStatus.NOT_FOUND:
        detail = f"There is no {path}; GET /openapi.json says what there is."
    elif status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = allowed = ", ".join(methods_of(request))
        detail = f"{path} does not know {request.method}; send one of {allowed}."
    elif status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        detail = (
            f"The body is larger than {LARGEST_BODY_BYTES} bytes; `jejo registry import` takes many things at once."
        )
    elif status is HTTPStatus.BAD_REQUEST:
        detail = "The body cannot be read; send a JSON object in UTF-8, as GET /openapi.json describes it."
    else:
        detail = f"{error.detail}: {path}."
    return problem_response(status, detail, headers)


def methods_of(request: Request) -> list[str]:
    """What a path can be asked; each of its methods may have a route of its own."""
    routes = request.app.routes
    known = (
        m for m in METHODS if any(route.matches({**request.scope, "method": m})[0] is Match.FULL for route in routes)
    )
    return [name for method in known for name in ((method, "HEAD") if method == "GET" else (method,))]


def on_fault(request: Request, error: Exception) -> JSONResponse:
    """What nobody thought of. It is raised again after this, so it is in the log."""
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, FAULT)


def on_database_error(request: Request, error: Exception) -> JSONResponse:
    """The database is away or busy: the caller may try again. Anything else is our fault."""
    log.exception("the database failed a request", extra=fields(path=request.url.path))
    ours = isinstance(error, DBAPIError) and not error.connection_invalidated
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else None
    busy = isinstance(cause, BUSY)
    if ours and not busy:
        return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, FAULT)
    return problem_response(
        HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer; try again in a while.", {"Retry-After": "5"}
    )


def on_connection_error(request: Request, error: Exception) -> JSONResponse:
    log.warning("the database cannot be reached: %s", error)
    return problem_response(
        HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer; try again in a while.", {"Retry-After": "5"}
    )


def add_handlers(app: FastAPI) -> None:
    """Have every error of the application answered as a problem."""
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(SQLAlchemyError, on_database_error)
    app.add_exception_handler(Exception, on_fault)
    for away in (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, PoolTimeoutError):
        app.add_exception_handler(away, on_connection_error)
