"""Where the faults happen: servers of their own, one database and topic with all services, and a workload."""

import asyncio
import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.fetch import fetch_timescaledb
from deploy.local.passwords import remove_pgpass_entries
from deploy.local.servers import run_as_owner
from services.ingest.stream.topic import open_topic
from tests.databases import TEMPLATE, create_template, database_url, execute
from tests.faults.law import check_law
from tests.faults.workload import Workload, start_workload
from tests.servers import KafkaServer, PostgresServer, private_kafka, scratch_folder
from tests.stack import ROOT, Service, Stack, wait_for

WAL_SEGMENT_MB = 1
"""Small, so that a limit on the size of files can be small, too: see ``disk.py``."""


@dataclass(frozen=True, slots=True)
class Servers:
    """A TimescaleDB with a migrated template and a Kafka, both free to be killed."""

    postgres: PostgresServer
    kafka: KafkaServer


@dataclass
class World:
    """One run of all services. A scenario damages something, and ``settle`` checks the law afterwards."""

    servers: Servers
    stack: Stack
    workload: Workload
    random: random.Random
    long: bool = False
    analytics: Service | None = None
    workers: list[Service] = field(default_factory=list)

    def start_worker(self, **environment: str) -> Service:
        """Start a worker of ingest."""
        worker = self.stack.start("ingest", **environment)
        self.workers.append(worker)
        return worker

    def one_worker(self) -> Service:
        """Return a worker that runs, started if there was none, once it reads; end all others."""
        running = self.running()
        for worker in running[1:]:
            assert worker.stop() == 0, worker.output[-3000:]
        worker = running[0] if running else self.start_worker()
        wait_for("ingest to read", worker.is_ready)
        return worker

    def running(self) -> list[Service]:
        self.workers = [worker for worker in self.workers if worker.process.poll() is None]
        return list(self.workers)

    def stop_workers(self) -> None:
        """End all workers, which drain."""
        for worker in self.running():
            assert worker.stop() == 0, worker.output[-3000:]

    def restart_analytics(self) -> None:
        if self.analytics is not None:
            self.analytics.kill()
        self.analytics = self.stack.start("analytics")

    def settle(self, *, accounts: bool = True) -> None:
        """Let ingest and analytics finish what was sent, and check the law."""
        self.one_worker()
        self.workload.flush()
        self.stack.wait_until_ingested(180)
        if accounts:
            self.stack.wait_until_accounted(180)
        check_law(self.stack, self.workload.outcome(), accounts=accounts)
        for service in self.stack.services:
            # Kafka's client logs tracebacks of broken connections; none may lead through our own code.
            assert f'File "{ROOT}/services/' not in service.output, service.output[-3000:]


@contextmanager
def postgres_with_small_segments(folder: Path) -> Iterator[PostgresServer]:
    """Start a TimescaleDB in a folder, with small WAL segments, and with a migrated template."""
    server = PostgresServer(folder, durable=False)
    server.initialise()
    programs = fetch_timescaledb() / "usr/lib/postgresql/17/bin"
    data = str(folder / "data")
    run_as_owner([str(programs / "pg_resetwal"), f"--wal-segsize={WAL_SEGMENT_MB}", "-D", data], "pg_resetwal")
    passwords = server.require_passwords()
    server.start()
    try:
        server.create_database(passwords["jejo"])
        asyncio.run(create_template(server))
        yield server
    finally:
        server.stop()
        remove_pgpass_entries(server.port, server.passwords)


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Start both servers on free ports, and stop them at the end."""
    with scratch_folder() as folder, postgres_with_small_segments(folder) as postgres, private_kafka() as kafka:
        yield Servers(postgres, kafka)


@contextmanager
def migrated_database(servers: Servers, name: str) -> Iterator[str]:
    """Create a migrated database of this name, yield its address, and drop it."""
    database = f"jejo_{re.sub('[^a-z0-9]', '_', name)}"
    asyncio.run(execute(servers.postgres.url, f"CREATE DATABASE {database} TEMPLATE {TEMPLATE} STRATEGY file_copy"))
    try:
        yield database_url(servers.postgres.url, database)
    finally:
        asyncio.run(execute(servers.postgres.url, f"DROP DATABASE {database} WITH (FORCE)"))


@contextmanager
def running_stack(servers: Servers, name: str) -> Iterator[Stack]:
    """Create a database and a topic of this name; stop at the end what was started on them, and drop the database."""
    with migrated_database(servers, name) as url, tempfile.TemporaryDirectory() as folder:
        open_topic(servers.kafka.bootstrap, name)
        stack = Stack(url, servers.kafka, name, Path(folder))
        try:
            yield stack
        finally:
            stack.stop()


@contextmanager
def running_world(servers: Servers, name: str, seed: int, *, long: bool = False) -> Iterator[World]:
    """Start API and analytics on a new database and topic, and register the workload's factories."""
    with running_stack(servers, name) as stack:
        stack.start_api()
        world = World(servers, stack, start_workload(stack, seed), random.Random(seed), long)
        world.restart_analytics()
        yield world
