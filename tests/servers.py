"""The real servers that tests run against: one of each for the whole session, and others for tests of faults.

They listen on free ports, in a folder that goes with the session, beside a demo that may be running.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.places import create_folder
from deploy.local.servers import KafkaServer, PostgresServer

__all__ = ["KafkaServer", "PostgresServer", "private_kafka", "private_postgres"]


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that servers without privileges can reach."""
    folder = Path(tempfile.mkdtemp(prefix="jejo-test-"))
    folder.chmod(0o755)
    try:
        yield create_folder(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def private_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """A TimescaleDB of one's own, started."""
    with scratch_folder() as folder:
        server = PostgresServer(folder, durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def private_kafka() -> Iterator[KafkaServer]:
    """A Kafka of one's own, started."""
    with scratch_folder() as folder:
        server = KafkaServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The session's TimescaleDB."""
    with private_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[KafkaServer]:
    """The session's Kafka."""
    with private_kafka() as server:
        yield server
