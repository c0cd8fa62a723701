"""Connections in ingest's role, and the thread in which a worker judges and writes while it goes on polling Kafka."""

import asyncio
import logging
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from services.core.database import RETRYABLE, Connection, connect
from services.core.errors import TransientError
from services.core.logging import fields
from services.ingest.batch_counts import BatchCounts
from services.ingest.judge import judge
from services.ingest.model import Batch, BusRecord
from services.ingest.offsets import enter_topic, load_offsets
from services.ingest.progress import LogBounds
from services.ingest.registry import Registry
from services.ingest.settings import IngestSettings
from services.ingest.topic import TopicName
from services.ingest.writer import OffsetMove, Writer

T = TypeVar("T")
ROLE = "jejo_ingest"
log = logging.getLogger(__name__)
LOAD_S = 30.0
WRITE_S = 600.0
"""After so long without an answer the database counts as away: a host that was lost never answers at all."""


async def connect_to_write(database_url: str, application: str) -> Connection:
    """Connect in ingest's role. Queries are planned for their parameters, so that only the chunks needed are locked.

    Raises:
        TransientError: the server cannot be reached now.
        ConfigurationError: the server refuses the connection, or the database has no schema yet.
    """
    connection = await connect(database_url, ROLE, application=application)
    await connection.execute("SET plan_cache_mode = force_custom_plan")
    return connection


class DatabaseThread:
    """Judges and writes batches, one at a time, on one connection that is replaced after a failure.

    ``load`` and ``write`` return a future at once. After one has failed with ``TransientError`` nothing is known of the
    stored offsets: load them again before the next batch.
    """

    def __init__(self, settings: IngestSettings, name: TopicName) -> None:
        self._settings = settings
        self._name = name
        self._registry = Registry()
        self._connection: Connection | None = None
        self._writer: Writer | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="database", daemon=True)
        self._thread.start()

    def load(self, bounds: dict[int, LogBounds]) -> "Future[dict[int, int]]":
        """Load each partition's next offset; see ``load_offsets``."""
        return self._submit(self._load(bounds))

    def write(self, records: list[BusRecord], moves: list[OffsetMove]) -> "Future[BatchCounts]":
        """Judge records and commit the resulting facts and dead letters together with the offsets."""
        return self._submit(self._write(records, moves))

    def close(self) -> None:
        """Close the connection and end the thread; blocks for at most 20 seconds."""
        self._submit(self._drop_connection()).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def _submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _load(self, bounds: dict[int, LogBounds]) -> dict[int, int]:
        try:
            connection, writer = await self._ready()
            with self._at_most(LOAD_S, connection):
                return await load_offsets(connection, writer.topic, bounds)
        except RETRYABLE as error:
            await self._drop_connection()
            raise TransientError(f"The offsets could not be loaded ({error}).") from error

    async def _write(self, records: list[BusRecord], moves: list[OffsetMove]) -> BatchCounts:
        try:
            connection, writer = await self._ready()
            with self._at_most(WRITE_S, connection):
                if await self._registry.refresh(connection):
                    version = self._registry.version
                    log.info("registry version %d", version, extra=fields(registry_version=version))
                batch = Batch()
                for record in records:
                    judge(record, self._registry, batch, require_signatures=self._settings.require_signatures)
                return await writer.write(connection, batch, moves)
        except TransientError:
            await self._drop_connection()
            raise
        except RETRYABLE as error:
            await self._drop_connection()
            raise TransientError(f"The batch was not written ({error}).") from error

    async def _ready(self) -> tuple[Connection, Writer]:
        """Return the connection and its writer, connecting first if needed."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect_to_write(self._settings.database_url, "jejo ingest")
            with self._at_most(LOAD_S, self._connection):
                topic = await enter_topic(self._connection, self._name)
            self._writer = Writer(topic, self._settings.dead_letter_bytes_per_hour)
        assert self._writer is not None
        return self._connection, self._writer

    @contextmanager
    def _at_most(self, seconds: float, connection: Connection) -> Iterator[None]:
        """Cut the connection if the block takes longer, so that whatever waits for an answer gets an error."""
        watch = self._loop.call_later(seconds, connection.terminate)
        try:
            yield
        finally:
            watch.cancel()

    async def _drop_connection(self) -> None:
        """Drop the connection, since its state is not known any more."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
