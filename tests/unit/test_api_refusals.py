"""Requests that no route serves are refused with a problem that says what to do, without asking the database."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.api.app import create_app
from services.api.body_limit import LARGEST_BODY_BYTES
from services.api.settings import ApiSettings

NOWHERE = "postgresql://jejo@127.0.0.1:1/jejo"
JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(ApiSettings(database_url=NOWHERE), lambda: 0)

    @app.get("/fault")
    async def fault() -> None:
        raise ZeroDivisionError

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as asking:
        yield asking


def problem(answer: httpx.Response, status: HTTPStatus) -> str:
    """Return the sentence of a problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["title"], body["type"]) == (status, status.phrase, "about:blank")
    return str(body["detail"])


async def test_an_unexpected_error_is_answered_with_a_problem(client: httpx.AsyncClient) -> None:
    assert "report it to its operator" in problem(await client.get("/fault"), HTTPStatus.INTERNAL_SERVER_ERROR)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/factories/F1", "GET, HEAD, PUT"),
        ("/v1/kpis", "GET, HEAD"),
        ("/v1/sessions", "POST"),
        ("/v1/sessions/current", "GET, HEAD, DELETE"),
        ("/metrics", "GET, HEAD"),
    ],
)
async def test_an_unsupported_method_is_answered_with_the_others(
    client: httpx.AsyncClient, path: str, allowed: str
) -> None:
    answer = await client.patch(path)
    assert f"send one of {allowed}." in problem(answer, HTTPStatus.METHOD_NOT_ALLOWED)
    assert answer.headers["allow"] == allowed


async def test_an_unknown_path_is_answered_with_where_paths_are_listed(client: httpx.AsyncClient) -> None:
    assert "/openapi.json" in problem(await client.get("/v1/factories/F1/"), HTTPStatus.NOT_FOUND)


async def pieces(size: int) -> AsyncIterator[bytes]:
    """A body whose length is not announced."""
    for piece in [b" " * 65_536] * (size // 65_536):
        yield piece


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient, is_announced: bool) -> None:
    size = 2 * LARGEST_BODY_BYTES
    content = b" " * size if is_announced else pieces(size)
    answer = await client.put("/v1/enterprises/E1", content=content, headers=JSON)
    assert "larger than 1048576 bytes" in problem(answer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (b"{", HTTPStatus.UNPROCESSABLE_ENTITY, "this is not JSON"),
        (b"[" * 100_000, HTTPStatus.BAD_REQUEST, "The body cannot be read; send a JSON object"),
        (b"\xff\xfe{", HTTPStatus.BAD_REQUEST, "The body cannot be read; send a JSON object"),
    ],
)
async def test_a_body_that_is_not_json(
    client: httpx.AsyncClient, content: bytes, status: HTTPStatus, sentence: str
) -> None:
    assert sentence in problem(await client.put("/v1/enterprises/E1", content=content, headers=JSON), status)


async def test_a_parameter_given_twice_is_refused(client: httpx.AsyncClient) -> None:
    """All values but one would be ignored."""
    answer = await client.get("/v1/factories?region=KR-48&region=KR-11")
    assert problem(answer, HTTPStatus.UNPROCESSABLE_ENTITY).startswith("Give region once")


async def test_metrics_have_no_labels_of_unknown_methods(client: httpx.AsyncClient) -> None:
    """Anyone could create time series without end."""
    await client.request("FOO", "/metrics")
    figures = (await client.get("/metrics")).text
    assert 'method="other"' in figures
    assert "FOO" not in figures
