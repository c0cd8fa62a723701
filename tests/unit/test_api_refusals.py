"""Requests that no route answers: each is refused with a problem that says what to do. No database is asked."""

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
    """The sentence of a problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["title"], body["type"]) == (status, status.phrase, "about:blank")
    return str(body["detail"])


async def test_a_fault_is_a_problem_too(client: httpx.AsyncClient) -> None:
    assert "tell its operator" in problem(await client.get("/fault"), HTTPStatus.INTERNAL_SERVER_ERROR)


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
async def test_another_method_is_told_all_that_there_are(client: httpx.AsyncClient, path: str, allowed: str) -> None:
    answer = await client.patch(path)
    assert f"send one of {allowed}." in problem(answer, HTTPStatus.METHOD_NOT_ALLOWED)
    assert answer.headers["allow"] == allowed


async def test_another_path_is_told_where_they_are_listed(client: httpx.AsyncClient) -> None:
    assert "/openapi.json" in problem(await client.get("/v1/factories/F1/"), HTTPStatus.NOT_FOUND)


async def pieces(size: int) -> AsyncIterator[bytes]:
    """A body whose length nothing announces."""
    for piece in [b" " * 65_536] * (size // 65_536):
        yield piece


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_body_without_end_is_refused(client: httpx.AsyncClient, is_announced: bool) -> None:
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


async def test_a_parameter_is_given_once(client: httpx.AsyncClient) -> None:
    """Otherwise one value would be used, and the others ignored silently."""
    answer = await client.get("/v1/factories?region=KR-48&region=KR-11")
    assert problem(answer, HTTPStatus.UNPROCESSABLE_ENTITY).startswith("Give region once")


async def test_figures_know_no_made_up_methods(client: httpx.AsyncClient) -> None:
    """Each would be a series of its own, for anyone to make as many as there is memory."""
    await client.request("FOO", "/metrics")
    figures = (await client.get("/metrics")).text
    assert 'method="other"' in figures
    assert "FOO" not in figures
