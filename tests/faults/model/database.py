"""The database of the model, emptied for each run."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from services.core.database import Connection, connect
from services.ingest.stream.offsets import override_offset
from services.ingest.stream.progress import LogBounds
from services.ingest.stream.topic import TopicName
from services.ingest.writing.writer import Topic

T = TypeVar("T")
NAME = TopicName("model", "cluster", "topic")
EMPTIED = (
    *("state_event", "count_event", "reading", "fact_revision", "ingest_record", "dirty_mark", "metric", "fact_day"),
    *("dead_letter", "dead_letter_spent", "dead_letter_count", "ingest_offset"),
    *("gateway_key_version", "gateway_key", "machine_version", "machine", "factory_version", "factory", "enterprise"),
)
"""Rows are deleted rather than tables truncated, which is slow for those with chunks."""
OFFSETS = "SELECT partition, next_offset FROM ingest_offset"
READ_TO = "SELECT partition, GREATEST(next_offset, read_to) FROM ingest_offset"
BEHIND = "SELECT partition, read_to - next_offset FROM ingest_offset WHERE next_offset < read_to"


class ModelDatabase:
    """The owner's connection to the model's database."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._connection = self._runner.run(connect(url, application="model"))

    def close(self) -> None:
        self._runner.run(self._connection.close())
        self._runner.close()

    def empty(self) -> None:
        for table in EMPTIED:
            self.query(f"DELETE FROM {table}")

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a query and return its rows, with instants in microseconds."""
        rows = self._run(lambda connection: connection.fetch(sql, *parameters))
        return [tuple(row) for row in rows]

    def offsets(self) -> dict[int, int]:
        """Return the stored offset of each partition that was ever read."""
        return dict(self.query(OFFSETS))

    def read_to(self) -> dict[int, int]:
        """Return the offset to which each partition was ever read."""
        return dict(self.query(READ_TO))

    def behind(self) -> dict[int, int]:
        """Return how far the partitions that are read again are behind where they were."""
        return dict(self.query(BEHIND))

    def move_offset(self, partition: int, offset: int, log: LogBounds) -> None:
        """Move a stored offset, as an operator does."""
        topic = Topic(0, NAME.cluster_id, NAME.topic_id)
        self._run(lambda connection: override_offset(connection, topic, partition, offset, log))

    def _run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async def run() -> T:
            return await work(self._connection)

        return self._runner.run(run())
