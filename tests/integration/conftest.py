"""A large country to read, and connections for tests of ingest's writing, for a topic with two partitions."""

from collections.abc import AsyncIterator

import pytest

from services.core.database import Connection, connect
from services.ingest.database import connect_to_write
from tests.country import country

__all__ = ["country"]

TOPIC = "INSERT INTO ingest_topic (cluster_id, topic_id, topic) VALUES ('c', 't', 't')"
OFFSETS = "INSERT INTO ingest_offset VALUES ('c', 't', 0, 0, 0), ('c', 't', 1, 0, 0)"


@pytest.fixture
async def owner(database: str) -> AsyncIterator[Connection]:
    """The owner's connection; the topic's id in ``ingest_topic`` is 1, and both partitions are at offset 0."""
    connection = await connect(database)
    await connection.execute(TOPIC)
    await connection.execute(OFFSETS)
    yield connection
    await connection.close()


@pytest.fixture
async def ingest(database: str, owner: Connection) -> AsyncIterator[Connection]:
    """A connection in ingest's role."""
    connection = await connect_to_write(database, "test")
    yield connection
    await connection.close()
