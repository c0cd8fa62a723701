"""Ends the work on a request when its time is up, or when the client that would read the answer has gone away.

A query under way is cancelled with the task that waits for it: asyncpg asks the server to end it, and SQLAlchemy closes
the connection, whose place in the pool is free again. For this, a task must be cancelled once only and then be left to
clean up, so no middleware may use anyio's cancel scopes, which cancel again at every await.
"""

import asyncio
import logging
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.problems import problem_response

log = logging.getLogger(__name__)

READS = ("GET", "HEAD")


class Lifetimes:
    """ASGI middleware. A read ends with its client; a write is finished, since the client may not know how far it got.

    Args:
        deadline_s: seconds from the request to the beginning of the answer; then it is 504.
    """

    def __init__(self, app: ASGIApp, deadline_s: float) -> None:
        self.app = app
        self._deadline_s = deadline_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def send_on(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        reads = scope["method"] in READS
        answering = asyncio.create_task(self._answer(scope, no_body() if reads else receive, send_on))
        tasks = {answering, asyncio.create_task(client_leaves(receive))} if reads else {answering}
        try:
            done, _ = await asyncio.wait(tasks, timeout=self._deadline_s, return_when=asyncio.FIRST_COMPLETED)
            if not done and has_begun:
                # How long the client takes to read the answer is its own business.
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            was_answered = answering.done()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if was_answered:
            answering.result()
        elif not answering.cancelled() and (error := answering.exception()) is not None:
            log.warning("a request failed when it was ended: %s", error)
        if not was_answered and not done and not has_begun:
            await too_late(self._deadline_s)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def no_body() -> Receive:
    """Stand for the body of a read, which nobody reads: it is empty, and nothing follows."""
    is_received = False

    async def receive() -> Message:
        nonlocal is_received
        if is_received:
            await asyncio.Event().wait()
        is_received = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


async def client_leaves(receive: Receive) -> None:
    """Return when the client has gone away. A body that it sends with a read is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass


def too_late(deadline_s: float) -> ASGIApp:
    """Return the answer to a request whose time is up."""
    return problem_response(
        HTTPStatus.GATEWAY_TIMEOUT,
        f"The answer took longer than {deadline_s:g} s; ask for fewer items (limit), a shorter window, a longer "
        "interval or a narrower scope, or try again when the platform is less busy.",
        {"Cache-Control": "no-store"},
    )
