"""A real server and a real database: queries end with their clients and at the deadline, and readers have shares."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from services.core.database import Connection, connect
from tests.api_process import ApiProcess, open_transactions, queries_under_way, running_api

CONNECTIONS = 2
ENDED_WITHIN_S = 10
"""Much less than the deadline of a question that hangs; a busy machine may need seconds."""

CANCEL_THAT_LOST_ITS_CONNECTION = (
    "ERROR asyncio: Future exception was never retrieved\n"
    "future: <Future finished exception=ConnectionError('unexpected connection_lost() call')>\n"
    "ConnectionError: unexpected connection_lost() call\n"
)
"""What asyncio logs now and then when asyncpg's request to end a query was itself ended; the server has it by then."""
QUESTION = "/v1/kpis?from=2017-03-01&to=2017-03-02"
REGISTER = """
INSERT INTO analytics_state (accounted_until) VALUES ('2017-04-01Z');
"""


async def wait_until(count: int, connection: Connection, seconds: float) -> None:
    """Return when the server executes so many queries of the API.

    Raises:
        AssertionError: it did not in time.
    """
    began = time.monotonic()
    while await queries_under_way(connection) != count:
        assert time.monotonic() < began + seconds, "the number of queries did not change"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def questions_hang(url: str) -> AsyncIterator[Connection]:
    """Lock what every KPI question reads, so that its query lasts until it is ended."""
    locker, observer = await connect(url), await connect(url)
    transaction = locker.transaction()
    await transaction.start()
    await locker.execute("LOCK TABLE machine_span IN ACCESS EXCLUSIVE MODE")
    try:
        yield observer
    finally:
        await transaction.rollback()
        await locker.close()
        await observer.close()


async def begin(database: str) -> None:
    owner = await connect(database)
    await owner.execute(REGISTER)
    await owner.close()


async def ask(api: ApiProcess, headers: dict[str, str], path: str = QUESTION) -> httpx.Response:
    async with httpx.AsyncClient(base_url=api.url, headers=headers, timeout=60) as client:
        return await client.get(path)


async def test_a_client_that_goes_away_ends_its_query(database: str, tmp_path: Path) -> None:
    """Three times as often as there are connections: each comes back to the pool."""
    await begin(database)
    with running_api(database, tmp_path, JEJO_API_CONNECTIONS=str(CONNECTIONS)) as api:
        headers = await api.headers("one")
        async with questions_hang(database) as observer:
            for _ in range(3):
                asked = [asyncio.create_task(ask(api, headers)) for _ in range(CONNECTIONS)]
                await wait_until(CONNECTIONS, observer, 10)
                for task in asked:
                    task.cancel()
                await wait_until(0, observer, ENDED_WITHIN_S)
                await asyncio.gather(*asked, return_exceptions=True)
            await assert_soon_clean(observer)
        answers = await asyncio.gather(*(ask(api, headers) for _ in range(2 * CONNECTIONS)))
        assert [answer.status_code for answer in answers] == [HTTPStatus.OK] * 2 * CONNECTIONS
        await assert_soon_counted(api, headers, 3 * CONNECTIONS)
    log = api.service.output.replace(CANCEL_THAT_LOST_ITS_CONNECTION, "")
    assert "Traceback" not in log
    assert not {"WARNING", "ERROR"} & set(log.split())


async def assert_soon_counted(api: ApiProcess, headers: dict[str, str], left: int) -> None:
    """So many requests were left by their clients; one is counted when what it held has been cleaned up."""
    deadline = time.monotonic() + 5
    while f'status="499"}} {left}.0' not in (figures := (await ask(api, headers, "/metrics")).text):
        assert time.monotonic() < deadline, [line for line in figures.splitlines() if 'status="499"' in line]
        await asyncio.sleep(0.01)


async def assert_soon_clean(observer: Connection) -> None:
    """No connection of the API is left in a transaction."""
    deadline = time.monotonic() + 5
    while await open_transactions(observer):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_a_killed_api_leaves_no_query(database: str, tmp_path: Path) -> None:
    await begin(database)
    with running_api(database, tmp_path) as api:
        headers = await api.headers("one")
        async with questions_hang(database) as observer:
            asked = asyncio.create_task(ask(api, headers))
            await wait_until(1, observer, 10)
            api.service.kill()
            await wait_until(0, observer, ENDED_WITHIN_S)
            with pytest.raises(httpx.TransportError):
                await asked


async def test_a_question_ends_at_the_deadline(database: str, tmp_path: Path) -> None:
    await begin(database)
    with running_api(database, tmp_path, JEJO_API_DEADLINE_S="0.5", JEJO_API_CONNECTIONS="1") as api:
        headers = await api.headers("one")
        async with questions_hang(database) as observer:
            for _ in range(2):
                began = time.monotonic()
                answer = await ask(api, headers)
                assert answer.status_code == HTTPStatus.GATEWAY_TIMEOUT
                assert answer.headers["content-type"] == "application/problem+json"
                assert "longer than 0.5 s; ask for fewer items" in answer.json()["detail"]
                assert 0.5 <= time.monotonic() - began < ENDED_WITHIN_S
            assert await queries_under_way(observer) == 0
        assert (await ask(api, headers)).status_code == HTTPStatus.OK
    assert "Traceback" not in api.service.output


async def test_one_reader_holds_up_nobody_else(database: str, tmp_path: Path) -> None:
    """One asks far more than it may, and each of its questions hangs; others ask what does not."""
    await begin(database)
    with running_api(database, tmp_path, JEJO_API_CONNECTIONS="4", JEJO_API_REQUESTS_PER_READER="2") as api:
        greedy, other = await api.headers("greedy"), await api.headers("other")
        async with questions_hang(database) as observer:
            asked = [asyncio.create_task(ask(api, greedy)) for _ in range(30)]
            await wait_until(2, observer, 10)
            for path in ("/healthz", "/readyz", "/v1/factories", "/v1/programme", "/v1/kpi-definitions") * 5:
                began = time.monotonic()
                answer = await ask(api, other, path)
                assert answer.status_code == HTTPStatus.OK
                assert time.monotonic() - began < ENDED_WITHIN_S, path
            refused, _ = await asyncio.wait(asked, timeout=20, return_when=asyncio.FIRST_COMPLETED)
            for task in refused:
                answer = task.result()
                assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
                assert answer.headers["retry-after"] == "1"
                assert "2 requests with this key" in answer.json()["detail"]
            assert await queries_under_way(observer) == 2
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
            await wait_until(0, observer, ENDED_WITHIN_S)
        assert (await ask(api, greedy)).status_code == HTTPStatus.OK
