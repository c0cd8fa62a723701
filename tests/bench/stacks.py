"""The servers that all figures of a run share, and a database and a topic of its own for each family of figures."""

import asyncio
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.ingest.stream.topic import open_topic
from tests.databases import TEMPLATE, create_template, database_url, execute
from tests.servers import KafkaServer, PostgresServer, private_kafka, private_postgres
from tests.stack import Service, Stack

SERVER_SETTINGS = ("max_wal_size = '8GB'", "checkpoint_timeout = '15min'", "autovacuum_naptime = '5s'")
"""So that no checkpoint falls into one round and not into another; statistics come as soon as they may."""


@dataclass(frozen=True, slots=True)
class Servers:
    """A durable TimescaleDB with a migrated template, and a Kafka."""

    postgres: PostgresServer
    kafka: KafkaServer

    @contextmanager
    def stack(self, name: str) -> Iterator[Stack]:
        """A database and a topic of this name; what was started on them is stopped at the end."""
        asyncio.run(execute(self.postgres.url, f"CREATE DATABASE jejo_{name} TEMPLATE {TEMPLATE} STRATEGY file_copy"))
        open_topic(self.kafka.bootstrap, name)
        with tempfile.TemporaryDirectory() as folder:
            stack = Stack(database_url(self.postgres.url, f"jejo_{name}"), self.kafka, name, Path(folder))
            try:
                yield stack
            finally:
                stack.stop()
        asyncio.run(execute(self.postgres.url, f"DROP DATABASE jejo_{name} WITH (FORCE)"))


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Both servers, on free ports, for as long as the run lasts."""
    with private_postgres(durable=True) as postgres, private_kafka() as kafka:
        settings = [f"ALTER SYSTEM SET {setting}" for setting in SERVER_SETTINGS]
        asyncio.run(execute(postgres.url, *settings, "SELECT pg_reload_conf()"))
        asyncio.run(create_template(postgres))
        yield Servers(postgres, kafka)


def resident_mib(service: Service) -> float:
    """A process's resident memory, as Linux counts it."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None, status
    return int(found[1]) / 1024
