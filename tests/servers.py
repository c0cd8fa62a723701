"""Real servers for tests: one of each for the whole session, and private ones for tests that stop or kill them.

They use free ports and temporary folders, so a demo may run at the same time.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.passwords import remove_pgpass_entries
from deploy.local.places import create_folder
from deploy.local.servers import KafkaServer, PostgresServer

__all__ = ["KafkaServer", "PostgresServer", "private_kafka", "private_postgres"]


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Create a temporary folder that an unprivileged server can use, and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="jejo-test-"))
    folder.chmod(0o755)
    try:
        yield create_folder(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def private_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Start a private TimescaleDB, and stop it afterwards."""
    with scratch_folder() as folder:
        server = PostgresServer(folder, durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
            remove_pgpass_entries(server.port, server.passwords)


@contextmanager
def private_kafka(settings: str = "") -> Iterator[KafkaServer]:
    """Start a private Kafka, with additional lines of settings, and stop it afterwards."""
    with scratch_folder() as folder:
        server = KafkaServer(folder, settings=settings)
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
