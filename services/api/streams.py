"""Answers that are sent while they are being made, which no client can hold up and none takes for whole if it is not.

What is made waits on disk until it is sent, and is removed from there in pieces. A client that reads slowly thus holds
up neither a database connection nor memory.
"""

import asyncio
import logging
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO, TypeVar

import asyncpg
import pyarrow as pa
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.api.problems import Problem
from services.api.spool import CHUNK_BYTES

T = TypeVar("T")
log = logging.getLogger(__name__)

PARQUET, ARROW_STREAM = "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"
MEDIA_TYPES = (PARQUET, ARROW_STREAM)
"""Those of all answers that are sent while they are being made; both formats compress what they contain."""
PATIENCE_S = 10.0
SEGMENT_BYTES = 16 * 1024 * 1024
AWAY = (asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)
"""The database ended a query, or is away. SQLAlchemy does not see errors of copies, which bypass it."""
EXPECTED = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, pa.ArrowException)
"""What may end an answer that has begun: the database, the disk, the time."""


@dataclass(slots=True)
class Segment:
    """A file of which ``readable`` bytes may be read and ``written`` were written."""

    file: BinaryIO = field(default_factory=tempfile.TemporaryFile)
    written: int = 0
    readable: int = 0


class Pipe:
    """Bytes on their way from whoever makes an answer to whoever sends it. Close it afterwards.

    One thread at a time writes. What it wrote can be read once it has been published on the event loop, but for the
    last byte, which is kept back until more is published or the answer is whole. So whatever ends the answer early, it
    ends within a message: a reader of Arrow streams would take one that ends between two for whole.
    """

    def __init__(self) -> None:
        self._segments = deque([Segment()])
        self._changed = asyncio.Event()
        self._is_over = self._is_closed = False

    def write(self, content: bytes | memoryview) -> int:
        """Append bytes. Return how many these are.

        What comes after ``close`` is dropped: a writer of Parquet that is abandoned writes a footer.
        """
        size = len(memoryview(content).cast("B"))
        if self._is_closed:
            return size
        last = self._segments[-1]
        last.file.write(content)
        last.written += size
        return size

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        if not self._is_closed:
            self._segments[-1].file.flush()

    def publish(self, *, is_whole: bool = False) -> None:
        """Let what was written and flushed be read. Nobody may be writing.

        Args:
            is_whole: nothing follows, so the last byte is no longer kept back.
        """
        last = self._segments[-1]
        if last.written:
            for segment in self._segments:
                segment.readable = segment.written
            last.readable -= not is_whole
        if last.written >= SEGMENT_BYTES and not is_whole:
            self._segments.append(Segment())
        self._changed.set()

    def end(self) -> None:
        """Let a reader know that nothing follows, whole or not."""
        self._is_over = True
        self._changed.set()

    async def read(self) -> AsyncIterator[bytes]:
        """Yield what is published in chunks, until the end. Others have their turn between two."""
        offset = 0
        while True:
            first = self._segments[0]
            if offset < first.readable:
                size = min(CHUNK_BYTES, first.readable - offset)
                yield os.pread(first.file.fileno(), size, offset)
                offset += size
                await asyncio.sleep(0)
            elif len(self._segments) > 1 and offset == first.written:
                self._segments.popleft().file.close()
                offset = 0
            elif self._is_over:
                return
            else:
                self._changed.clear()
                await self._changed.wait()

    def close(self) -> None:
        """Release the disk."""
        self._is_closed = True
        for segment in self._segments:
            segment.file.close()


class Workshop:
    """Places for answers that are being made, each of which takes memory and a database connection for minutes.

    They share one thread for what would keep the event loop from others: several would take turns with the interpreter
    anyway, and each would keep memory of its own.

    Args:
        most: how many answers at once; a further one waits, for a short time.
        patience_s: how long it waits.
    """

    def __init__(self, most: int, patience_s: float = PATIENCE_S) -> None:
        self._most = most
        self._patience_s = patience_s
        self._places = asyncio.Semaphore(most)
        self._thread = ThreadPoolExecutor(1, "bulk")

    async def run(self, work: Callable[[], T]) -> T:
        """Return what a function returns in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place.

        Raises:
            Problem: 503 if none became free in time.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                await self._places.acquire()
        except TimeoutError:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "As many bulk answers are being made as may be at once; try again in a minute.",
                {"Retry-After": "60"},
            ) from None
        try:
            yield
        finally:
            self._places.release()


Make = Callable[[Pipe, MutableHeaders], Awaitable[None]]


class StreamResponse(Response):
    """Answers with what is made meanwhile.

    An error before the first byte is a problem as of any other answer. After it, the response is broken off, so that
    the client's HTTP library reports it as incomplete.

    Args:
        make: writes and publishes the answer, and may add headers before it publishes anything. It is cancelled if the
            client leaves.
    """

    def __init__(self, make: Make, media_type: str) -> None:
        super().__init__(None, headers={"Cache-Control": "no-store", "Vary": "Accept"}, media_type=media_type)
        if "content-length" in self.headers:
            del self.headers["content-length"]
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pipe = Pipe()
        making = asyncio.create_task(self._make_whole(pipe))
        has_begun = False
        try:
            async for chunk in pipe.read():
                if failed(making):
                    break
                if not has_begun:
                    has_begun = True
                    await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await making
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except EXPECTED as error:
            if not has_begun and isinstance(error, AWAY):
                raise Problem(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "The database does not answer; try again in a while.",
                    {"Retry-After": "5"},
                ) from error
            if not has_begun:
                raise
            # To return without an end has the server close the connection, which the client must notice.
            log.warning("an answer was broken off: %s: %s", type(error).__name__, error)
        finally:
            making.cancel()
            await asyncio.wait({making})
            pipe.close()

    async def _make_whole(self, pipe: Pipe) -> None:
        try:
            await self._make(pipe, self.headers)
        finally:
            pipe.end()


def failed(making: "asyncio.Task[None]") -> bool:
    """Whether a task has ended otherwise than by returning."""
    return making.done() and (making.cancelled() or making.exception() is not None)
