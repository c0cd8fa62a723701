"""A reader's requests at once are limited, and nobody else's."""

import asyncio
from http import HTTPStatus

import pytest

from services.api.access.shares import WAITING_FOR_EACH, Shares
from services.api.problems import Problem


async def hold(shares: Shares, reader: bytes, until: asyncio.Event) -> None:
    async with shares.place(reader):
        await until.wait()


async def held(shares: Shares, reader: bytes, times: int, until: asyncio.Event) -> "list[asyncio.Task[None]]":
    tasks = [asyncio.create_task(hold(shares, reader, until)) for _ in range(times)]
    await asyncio.sleep(0)
    return tasks


async def test_a_request_too_many_is_refused_after_a_while_and_others_are_not() -> None:
    shares, end = Shares(2, 0.05), asyncio.Event()
    tasks = await held(shares, b"one", 2, end)
    with pytest.raises(Problem) as refused:
        async with shares.place(b"one"):
            pass
    assert refused.value.status == HTTPStatus.TOO_MANY_REQUESTS
    assert refused.value.headers == {"Retry-After": "1"}
    async with asyncio.timeout(0.02), shares.place(b"other"):
        pass
    end.set()
    await asyncio.gather(*tasks)


async def test_a_place_that_becomes_free_is_given_on() -> None:
    shares, end = Shares(1, 5), asyncio.Event()
    tasks = await held(shares, b"one", 3, end)
    end.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 1)


async def test_few_may_wait() -> None:
    shares, end = Shares(1, 60), asyncio.Event()
    tasks = await held(shares, b"one", 1 + WAITING_FOR_EACH, end)
    with pytest.raises(Problem):
        async with asyncio.timeout(1), shares.place(b"one"):
            pass
    end.set()
    await asyncio.gather(*tasks)


async def test_whoever_is_cancelled_leaves_a_place() -> None:
    shares, end = Shares(1, 60), asyncio.Event()
    (holder,) = await held(shares, b"one", 1, end)
    (waiter,) = await held(shares, b"one", 1, end)
    for task in (waiter, holder):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(1), shares.place(b"one"):
        pass
    assert len(shares) == 0
