"""Answers every error as problem details (RFC 9457), with a sentence that says what to do."""

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
FAULT = "This is a fault of the platform; report it to its operator."
METHODS = ("GET", "PUT", "POST", "DELETE")
BETTER_MESSAGES = {
    "extra_forbidden": "there is no such field or parameter; leave it out",
    "missing": "this is required; add it",
}
"""Messages that replace pydantic's, by the type of error."""
BUSY = (asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError, asyncpg.InternalClientError)
"""The server is shutting down, short of something, or went away during a request."""


class Problem(Exception):
    """An error that is answered with problem details.

    Args:
        detail: a sentence that says what the caller should do.
    """

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def not_found(what: str) -> Problem:
    """Return the problem of something that is not registered."""
    return Problem(HTTPStatus.NOT_FOUND, f"There is no {what}; register it, or correct the address.")


def unprocessable(detail: str) -> Problem:
    """Return the problem of an invalid request."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def problem_response(
    status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **more: object
) -> JSONResponse:
    """Return problem details as a response; ``more`` are further members."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail, **more}
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def on_problem(request: Request, error: Exception) -> JSONResponse:
    """Answer a problem that a route raised."""
    assert isinstance(error, Problem)
    return problem_response(error.status, error.detail, error.headers)


def on_validation_error(request: Request, error: Exception) -> JSONResponse:
    """Answer with every invalid field of the request."""
    assert isinstance(error, RequestValidationError)
    errors = [{"where": ".".join(map(str, e["loc"])), "what": message_of(e)} for e in error.errors()]
    named = "; ".join(f"{e['where']}: {e['what']}" for e in errors)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, f"Correct the request: {named}.", errors=errors)


def message_of(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a field; pydantic's own message, unless another says better what to do."""
    if error["type"] == "json_invalid":
        return f"this is not JSON ({error['ctx']['error']}); send a JSON object in UTF-8"
    if error["loc"] == ("body",) and error["type"] in ("missing", "model_attributes_type"):
        return "send a JSON object, with the header `Content-Type: application/json`"
    if error["loc"] == ("query", "limit") and error["type"] == "less_than_equal":
        return f"a page has at most {error['ctx']['le']} items; ask for the next with its `next_cursor` as `cursor`"
    message = str(error["msg"])
    return BETTER_MESSAGES.get(error["type"], message.removeprefix("Value error, "))


def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Answer what routing refuses: an unknown path or method, a body that is too large or cannot be read."""
    assert isinstance(error, HTTPException)
    status, headers = HTTPStatus(error.status_code), dict(error.headers or {})
    path = request.url.path
    if status is HTTPStatus.NOT_FOUND:
        detail = f"There is no {path}; GET /openapi.json lists all paths."
    elif status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = allowed = ", ".join(methods_of(request))
        detail = f"{path} does not support {request.method}; send one of {allowed}."
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
    """Return the methods that a path supports; each may have a route of its own."""
    routes = request.app.routes
    known = (
        m for m in METHODS if any(route.matches({**request.scope, "method": m})[0] is Match.FULL for route in routes)
    )
    return [name for method in known for name in ((method, "HEAD") if method == "GET" else (method,))]


def on_fault(request: Request, error: Exception) -> JSONResponse:
    """Answer an unexpected error. It is raised again afterwards, so it is logged."""
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, FAULT)


def on_database_error(request: Request, error: Exception) -> JSONResponse:
    """Answer 503 if the database is away or busy, so that the caller tries again; anything else is our fault."""
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
    """Answer 503 if the database cannot be reached."""
    log.warning("the database cannot be reached: %s", error)
    return problem_response(
        HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer; try again in a while.", {"Retry-After": "5"}
    )


def add_handlers(app: FastAPI) -> None:
    """Register the handlers of all errors."""
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(SQLAlchemyError, on_database_error)
    app.add_exception_handler(Exception, on_fault)
    for away in (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, PoolTimeoutError):
        app.add_exception_handler(away, on_connection_error)
