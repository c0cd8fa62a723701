"""Bulk answers on a real server: what ends them in the middle, and what they leave for others."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.api.streams import ARROW_STREAM, PARQUET
from services.core.database import Connection, connect
from tests.api_process import ApiProcess, open_transactions, queries_under_way, running_api
from tests.country import DAYS, FACTORIES
from tests.integration.test_api_limits import questions_hang

SMALL = "/v1/kpis?group_by=factory&interval=day&from=2026-03-01&to=2026-04-10"
LARGE = "/v1/kpis?group_by=machine&interval=hour&from=2026-03-01&to=2026-03-27"
"""Nearly as many buckets as allowed; it takes minutes, so that what ends sooner was ended."""
ENDED_WITHIN_S = 10
TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'jejo api' AND state <> 'idle'
"""
TERMINATE_HANGING = TERMINATE + " AND wait_event_type = 'Lock'"


@asynccontextmanager
async def observing(url: str) -> AsyncIterator[Connection]:
    connection = await connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def client_of(api: ApiProcess, headers: dict[str, str], accept: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=api.url, headers={**headers, "Accept": accept}, timeout=60)


async def read_some(answer: httpx.Response) -> AsyncIterator[bytes]:
    assert answer.status_code == HTTPStatus.OK, await answer.aread()
    async for chunk in answer.aiter_raw():
        yield chunk


async def wait_for_peace(observer: Connection, seconds: float) -> None:
    """Return when the API has neither a query nor a transaction under way."""
    deadline = time.monotonic() + seconds
    while await queries_under_way(observer) or await open_transactions(observer):
        assert time.monotonic() < deadline, "something is under way"
        await asyncio.sleep(0.02)


async def terminate_hanging(observer: Connection) -> None:
    """Have the server end the connection of the query that hangs, once it does: those before it are left alone."""
    deadline = time.monotonic() + ENDED_WITHIN_S
    while not await observer.fetchval(TERMINATE_HANGING):
        assert time.monotonic() < deadline, "no query hangs"
        await asyncio.sleep(0.02)


def open_as(accept: str, content: bytes) -> pa.Table:
    """Return what a file has."""
    return pq.read_table(io.BytesIO(content)) if accept == PARQUET else pa.ipc.open_stream(content).read_all()


async def read_and_terminate(client: httpx.AsyncClient, observer: Connection, received: list[bytes]) -> None:
    """Read an answer, and have the server end its query after the first bytes."""
    async with client.stream("GET", LARGE) as answer:
        async for chunk in read_some(answer):
            if not received:
                assert await observer.fetchval(TERMINATE) == 1
            received.append(chunk)


@pytest.mark.parametrize("accept", [PARQUET, ARROW_STREAM])
async def test_an_answer_that_fails_in_the_middle_is_no_shorter_answer(
    country: str, tmp_path: Path, accept: str
) -> None:
    with running_api(country, tmp_path) as api:
        headers = await api.headers(f"fails {accept}")
        async with observing(country) as observer, client_of(api, headers, accept) as client:
            received: list[bytes] = []
            with pytest.raises(httpx.RemoteProtocolError):
                await read_and_terminate(client, observer, received)
            assert received
            with pytest.raises((pa.ArrowInvalid, OSError)):
                open_as(accept, b"".join(received))
            whole = await client.get(SMALL)
            assert open_as(accept, whole.content).num_rows == FACTORIES * DAYS
        assert "an answer was broken off" in api.service.output
        assert "Traceback" not in api.service.output


async def test_a_client_that_goes_away_ends_its_answer(country: str, tmp_path: Path) -> None:
    with running_api(country, tmp_path, JEJO_API_BULK_ANSWERS="1", JEJO_API_REQUESTS_PER_READER="1") as api:
        headers = await api.headers("leaves")
        async with observing(country) as observer, client_of(api, headers, PARQUET) as client:
            for _ in range(3):
                async with client.stream("GET", LARGE) as answer:
                    async for _ in read_some(answer):
                        break
                await wait_for_peace(observer, ENDED_WITHIN_S)
            head = await client.head(LARGE)
            assert (head.status_code, head.headers["content-type"], head.content) == (200, PARQUET, b"")
            assert "etag" not in head.headers
            await wait_for_peace(observer, ENDED_WITHIN_S)
            whole = await client.get(SMALL, headers={"Accept-Encoding": "gzip"})
            assert whole.headers["cache-control"] == "no-store"
            assert not {"etag", "content-encoding", "content-length"} & set(whole.headers)
            assert open_as(PARQUET, whole.content).num_rows == FACTORIES * DAYS
        assert not {"WARNING", "ERROR", "Traceback"} & set(api.service.output.split())


async def test_bulk_answers_have_places_and_their_readers_too(country: str, tmp_path: Path) -> None:
    with running_api(country, tmp_path, JEJO_API_BULK_ANSWERS="1", JEJO_API_REQUESTS_PER_READER="1") as api:
        one, other = await api.headers("one of two"), await api.headers("other of two")
        async with client_of(api, one, PARQUET) as client, client_of(api, other, ARROW_STREAM) as second:
            async with client.stream("GET", LARGE) as answer:
                reading = read_some(answer)
                await anext(reading)
                refused = await second.get(SMALL)
                assert refused.status_code == HTTPStatus.SERVICE_UNAVAILABLE
                assert refused.headers["retry-after"] == "60"
                assert "As many bulk answers are being made" in refused.json()["detail"]
                # The others' requests are as ever; the reader's own place is taken.
                assert (await second.get("/v1/factories/F000100")).status_code == HTTPStatus.OK
                own = await client.get("/v1/factories/F000100")
                assert own.status_code == HTTPStatus.TOO_MANY_REQUESTS
            assert (await client.get("/v1/factories/F000100")).status_code == HTTPStatus.OK
            assert (await second.get(SMALL)).status_code == HTTPStatus.OK


async def test_an_answer_that_takes_too_long_is_broken_off(country: str, tmp_path: Path) -> None:
    with running_api(country, tmp_path, JEJO_API_BULK_DEADLINE_S="5") as api:
        headers = await api.headers("slow")
        async with observing(country) as observer, client_of(api, headers, ARROW_STREAM) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(LARGE)
            await wait_for_peace(observer, ENDED_WITHIN_S)
        assert "an answer was broken off: TimeoutError" in api.service.output


async def test_a_client_that_reads_slowly_holds_up_no_connection(country: str, tmp_path: Path) -> None:
    with running_api(country, tmp_path) as api:
        headers = await api.headers("reads slowly")
        async with observing(country) as observer, client_of(api, headers, ARROW_STREAM) as client:
            async with client.stream("GET", SMALL) as answer:
                received: list[bytes] = []
                async for chunk in read_some(answer):
                    if not received:
                        await wait_for_peace(observer, 30)
                    received.append(chunk)
            assert open_as(ARROW_STREAM, b"".join(received)).num_rows == FACTORIES * DAYS


async def test_the_bound_of_a_bulk_answer(country: str, tmp_path: Path) -> None:
    with running_api(country, tmp_path) as api:
        headers = await api.headers("bound")
        too_large = "/v1/kpis?group_by=machine&interval=hour&from=2026-03-01&to=2026-04-10"
        async with client_of(api, headers, PARQUET) as client:
            refused = await client.get(too_large)
            assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
            assert refused.headers["content-type"] == "application/problem+json"
            assert "20,000,000 buckets in all" in refused.json()["detail"]
            as_json = await client.get(LARGE, headers={"Accept": "application/json"})
            assert as_json.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_what_fails_before_the_first_byte_is_a_problem(country: str, tmp_path: Path) -> None:
    hangs = "/v1/kpis?from=2026-03-01&to=2026-03-02"
    with running_api(country, tmp_path, JEJO_API_DEADLINE_S="1") as api:
        headers = await api.headers("too late")
        async with questions_hang(country) as observer, client_of(api, headers, PARQUET) as client:
            assert (await client.get(hangs)).status_code == HTTPStatus.GATEWAY_TIMEOUT
            await wait_for_peace(observer, ENDED_WITHIN_S)
        assert "Traceback" not in api.service.output
    with running_api(country, tmp_path) as api:
        headers = await api.headers("problem")
        async with questions_hang(country) as observer, client_of(api, headers, PARQUET) as client:
            asked = asyncio.create_task(client.get(hangs))
            await terminate_hanging(observer)
            refused = await asked
            assert refused.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            assert "The database does not answer" in refused.json()["detail"]
        async with client_of(api, headers, PARQUET) as client:
            assert open_as(PARQUET, (await client.get(hangs)).content).num_rows == 1
        assert "Traceback" not in api.service.output
