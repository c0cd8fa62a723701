"""A database that goes at any moment, even between two messages, is away: the caller tries again."""

from http import HTTPStatus

import asyncpg
import pytest
from fastapi import Request
from sqlalchemy.exc import DBAPIError

from services.api.problems import on_database_error
from services.core.database import RETRYABLE
from services.core.errors import TransientError
from services.ingest.metrics import Cause, cause_of

MIDWAY = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
"""What the client says where the server was killed after one message and before the next."""


def test_services_connect_again() -> None:
    assert isinstance(MIDWAY, RETRYABLE)
    error = TransientError("The database went away.")
    error.__cause__ = MIDWAY
    assert cause_of(error) is Cause.database_away


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (MIDWAY, HTTPStatus.SERVICE_UNAVAILABLE),
        (asyncpg.AdminShutdownError("terminating connection"), HTTPStatus.SERVICE_UNAVAILABLE),
        (asyncpg.TooManyConnectionsError("sorry"), HTTPStatus.SERVICE_UNAVAILABLE),
        (asyncpg.UndefinedTableError("no such table"), HTTPStatus.INTERNAL_SERVER_ERROR),
        (asyncpg.DataError("invalid input"), HTTPStatus.INTERNAL_SERVER_ERROR),
    ],
)
def test_the_api_says_whose_fault_it_is(cause: Exception, status: HTTPStatus) -> None:
    translated = Exception(str(cause))
    translated.__cause__ = cause
    request = Request({"type": "http", "method": "GET", "path": "/v1/kpis", "headers": []})
    assert on_database_error(request, DBAPIError("SELECT", {}, translated)).status_code == status
