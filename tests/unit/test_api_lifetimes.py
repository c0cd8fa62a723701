"""Work on a request ends with its client or at its deadline, by one cancellation after which it may clean up."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.api.lifetimes import Lifetimes


class Work:
    """An application that works until it is let go on, and takes its time to clean up."""

    def __init__(self, *, answers_first: bool = False) -> None:
        self.answers_first = answers_first
        self.goes_on = asyncio.Event()
        self.began = asyncio.Event()
        self.log: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self.answers_first:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            self.began.set()
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.log.append("cancelled")
            await asyncio.sleep(0.01)
            self.log.append("cleaned up")
            raise
        if not self.answers_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})
        self.log.append("answered")


class Client:
    """The other end of a request: what it received, and when it leaves."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self.received: list[Message] = []
        self._sent_body = False

    async def receive(self) -> Message:
        if not self._sent_body:
            self._sent_body = True
            return {"type": "http.request", "body": b"x", "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.received.append(message)

    def ask(self, work: Work, method: str, deadline_s: float = 60) -> "asyncio.Task[None]":
        scope: dict[str, Any] = {"type": "http", "method": method, "path": "/", "headers": []}

        async def run() -> None:
            await Lifetimes(work, deadline_s)(scope, self.receive, self.send)

        return asyncio.create_task(run())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_read_ends_with_its_client(method: str) -> None:
    work, client = Work(), Client()
    asked = client.ask(work, method)
    await work.began.wait()
    client.leaves.set()
    await asyncio.wait_for(asked, 5)
    assert work.log == ["cancelled", "cleaned up"]
    assert client.received == []


async def test_a_write_outlives_its_client() -> None:
    work, client = Work(), Client()
    asked = client.ask(work, "PUT")
    await work.began.wait()
    client.leaves.set()
    await asyncio.sleep(0.05)
    work.goes_on.set()
    await asyncio.wait_for(asked, 5)
    assert work.log == ["answered"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_a_request_without_an_answer_ends_at_the_deadline(method: str) -> None:
    work, client = Work(), Client()
    await asyncio.wait_for(client.ask(work, method, 0.05), 5)
    assert work.log == ["cancelled", "cleaned up"]
    start, body = client.received
    assert start["status"] == HTTPStatus.GATEWAY_TIMEOUT
    assert "longer than 0.05 s; ask for fewer items" in json.loads(body["body"])["detail"]


async def test_an_answer_that_has_begun_has_no_deadline() -> None:
    work, client = Work(answers_first=True), Client()
    asked = client.ask(work, "GET", 0.01)
    await asyncio.sleep(0.05)
    work.goes_on.set()
    await asyncio.wait_for(asked, 5)
    assert work.log == ["answered"]


async def test_an_error_is_passed_on() -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    client = Client()
    with pytest.raises(ZeroDivisionError):
        await Lifetimes(fail, 60)({"type": "http", "method": "GET"}, client.receive, client.send)


async def test_nothing_is_left_running() -> None:
    work, client = Work(), Client()
    asked = client.ask(work, "GET")
    await work.began.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert work.log == ["cancelled", "cleaned up"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
