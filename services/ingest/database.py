"""Connections in ingest's role, each with a thread of its own."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TypeVar

from services.core.database import RETRYABLE, Connection, connect
from services.core.errors import TransientError

T = TypeVar("T")
ROLE = "jejo_ingest"
IDLE_MS = 30_000


async def connect_to_write(database_url: str, application: str) -> Connection:
    """Connect in ingest's role.

    Queries are planned for their parameters, so that only the chunks needed are locked. A process that stands still
    within a transaction loses it after a while, since it keeps the rows of its partitions' offsets locked.

    Raises:
        TransientError: the server cannot be reached now.
        ConfigurationError: the server refuses the connection, or the database has no schema yet.
    """
    connection = await connect(database_url, ROLE, application=application)
    await connection.execute("SET plan_cache_mode = force_custom_plan")
    await connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_MS}")
    return connection


class DatabaseThread:
    """Runs work on one connection, in the order in which it was submitted; a failure replaces the connection."""

    def __init__(self, database_url: str, application: str) -> None:
        self._database_url = database_url
        self._application = application
        self._connection: Connection | None = None
        self._closing = False
        self._loop = asyncio.new_event_loop()
        self._turn = asyncio.Lock()
        self._thread = threading.Thread(target=self._loop.run_forever, name=application, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], Awaitable[T]], seconds: float) -> "Future[T]":
        """Run ``work`` on the connection, connecting first if needed. Returns at once.

        The future fails with ``TransientError`` if the server went away, or did not answer within ``seconds``: a host
        that was lost never answers at all. What ``work`` has written may or may not be committed then.

        Raises:
            TransientError: the thread is being closed.
        """
        if self._closing:
            raise TransientError("The worker is stopping.")
        return asyncio.run_coroutine_threadsafe(self._run(work, seconds), self._loop)

    def close(self) -> None:
        """Close the connection, cancel what is under way, and end the thread; blocks for at most 20 seconds."""
        self._closing = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _run(self, work: Callable[[Connection], Awaitable[T]], seconds: float) -> T:
        async with self._turn:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect_to_write(self._database_url, self._application)
                watch = self._loop.call_later(seconds, self._connection.terminate)
                try:
                    return await work(self._connection)
                finally:
                    watch.cancel()
            except TransientError:
                await self._drop_connection()
                raise
            except RETRYABLE as error:
                await self._drop_connection()
                raise TransientError(f"The database went away ({error}).") from error

    async def _end(self) -> None:
        """Drop the connection and cancel all work, so that nobody waits for it for ever."""
        await self._drop_connection()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _drop_connection(self) -> None:
        """Drop the connection, since its state is not known any more."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
