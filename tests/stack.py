"""Jejo's services as a test runs them: real processes, a database and a topic of the test's own, real servers."""

import asyncio
import base64
import contextlib
import gc
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from nacl.signing import SigningKey

from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, sign
from services.core.database import connect
from services.ingest.topic import open_topic
from tests.servers import KafkaServer

ROOT = Path(__file__).parent.parent
PORT_SETTINGS = {
    "api": "JEJO_API_PORT",
    "ingest": "JEJO_INGEST_METRICS_PORT",
    "analytics": "JEJO_ANALYTICS_METRICS_PORT",
}
numbers = itertools.count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, check: Callable[[], object], seconds: float = 60.0) -> Any:
    """Poll until a check answers something true.

    Raises:
        AssertionError: it did not within the time.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.05)


@dataclass
class Service:
    """One process of Jejo. ``port`` is that of its ``/readyz``, if it has one."""

    process: "subprocess.Popen[bytes]"
    log: Path
    port: int | None = None

    def is_ready(self) -> bool:
        """Return whether the service answers that it is ready.

        Raises:
            AssertionError: it has ended.
        """
        assert self.process.poll() is None, self.output
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10).status_code == httpx.codes.OK
        return False

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self.process.kill()
        self.process.wait()

    @property
    def output(self) -> str:
        return self.log.read_text()


@dataclass
class Sender:
    """A factory's gateway as a test writes it: signs bytes with its key and sends them."""

    factory_id: str
    key_id: str
    seed: bytes
    producer: KafkaProducer
    topic: str

    def send(self, value: bytes, **changes: Any) -> Any:
        """Send one record; ``key``, ``key_id``, ``signature`` and ``partition`` may be other than they should."""
        signature = changes.get("signature", sign(value, self.seed))
        key_id = changes.get("key_id", self.key_id).encode()
        return self.producer.send(
            self.topic,
            key=changes.get("key", self.factory_id.encode()),
            value=value,
            headers=[(KEY_ID_HEADER, key_id), (SIGNATURE_HEADER, signature)],
            partition=changes.get("partition"),
        )


@dataclass
class Stack:
    """What one test runs. Everything it starts is stopped with it."""

    database_url: str
    kafka: KafkaServer
    topic: str
    folder: Path
    services: list[Service] = field(default_factory=list)
    producers: list[KafkaProducer] = field(default_factory=list)
    api_url: str = ""
    admin_key: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "JEJO_DATABASE_URL": self.database_url,
            "JEJO_KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap,
            "JEJO_TELEMETRY_TOPIC": self.topic,
            "JEJO_INGEST_GROUP": self.topic,
            "JEJO_KAFKA_SESSION_TIMEOUT_MS": "6000",
            "JEJO_KAFKA_HEARTBEAT_MS": "300",
            "JEJO_ANALYTICS_CYCLE_S": "0.2",
        }

    def start(self, *command: str, **environment: str) -> Service:
        """Start a long-lived command of ``jejo``, with a port of its own for ``/readyz`` unless it is given one."""
        setting = PORT_SETTINGS.get(command[0])
        if setting is not None:
            environment.setdefault(setting, str(free_port()))
        log = self.folder / f"{command[0]}-{next(numbers)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "services", *command],
                cwd=ROOT,
                env={**self.environment, **environment},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        service = Service(process, log, None if setting is None else int(environment[setting]))
        self.services.append(service)
        return service

    def run(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ``jejo`` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "services", *command],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def start_api(self) -> None:
        """Start the API on a free port, with an admin's key at hand."""
        made = self.run("keys", "create", "--role", "admin", "--name", "test")
        assert made.returncode == 0, made.stderr
        self.admin_key = made.stdout.strip()
        api = self.start("api")
        self.api_url = f"http://127.0.0.1:{api.port}"
        wait_for("the API", api.is_ready)

    def get(self, path: str, **parameters: Any) -> Any:
        """GET from the API as admin; the JSON of a 200."""
        answer = httpx.get(self.api_url + path, params=parameters, headers=self.headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """PUT to the API as admin; the JSON of a 200 or 201."""
        answer = httpx.put(self.api_url + path, json=body, headers=self.headers, timeout=30)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.admin_key}"}

    def register_factory(self, factory_id: str, *machines: str, key_id: str = "k1", **machine: Any) -> Sender:
        """Register a factory with machines in use since 2016 and one key; returns its sender."""
        self.put("/v1/enterprises/E0001", {"name": "Hanbit Precision", "employees": 42})
        self.put(
            f"/v1/factories/{factory_id}",
            {"name": factory_id, "enterprise_id": "E0001", "region": "KR-48", "sector": "C29", "level": "basic"},
        )
        for machine_id in machines:
            self.register_machine(factory_id, machine_id, **machine)
        return self.register_key(factory_id, key_id)

    def register_machine(self, factory_id: str, machine_id: str, **fields: Any) -> None:
        body = {"name": machine_id, "kind": "machining_centre", "automation": "automatic", "in_use_from": "2016-01-01"}
        self.put(f"/v1/factories/{factory_id}/machines/{machine_id}", {**body, **fields})

    def register_key(self, factory_id: str, key_id: str, **fields: Any) -> Sender:
        seed = os.urandom(32)
        public = base64.b64encode(bytes(SigningKey(seed).verify_key)).decode()
        body = {"public_key": public, "valid_from": "2016-01-01T00:00:00Z", **fields}
        self.put(f"/v1/factories/{factory_id}/gateway-keys/{key_id}", body)
        return Sender(factory_id, key_id, seed, self.producer(), self.topic)

    def producer(self) -> KafkaProducer:
        """The test's own producer, which lets wrong records through."""
        if not self.producers:
            self.producers.append(
                KafkaProducer(bootstrap_servers=self.kafka.bootstrap, max_request_size=3_000_000, linger_ms=5)
            )
        return self.producers[0]

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query, as the database's owner; instants in microseconds."""

        async def fetch() -> list[tuple[Any, ...]]:
            connection = await connect(self.database_url, application="test")
            try:
                return [tuple(row) for row in await connection.fetch(sql, *parameters)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def wait_until_ingested(self, seconds: float = 120.0) -> None:
        """Wait until ingest has moved past everything that is in the topic."""
        consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap, isolation_level="read_committed")
        try:
            partitions = [TopicPartition(self.topic, p) for p in consumer.partitions_for_topic(self.topic) or ()]
            ends = {p.partition: end for p, end in consumer.end_offsets(partitions).items()}
        finally:
            consumer.close()

        def caught_up() -> bool:
            stored = dict(self.query("SELECT partition, next_offset FROM ingest_offset"))
            return all(stored.get(partition, 0) >= end for partition, end in ends.items())

        wait_for("the end of the topic", caught_up, seconds)

    def wait_until_accounted(self, seconds: float = 120.0) -> None:
        """Wait until analytics has nothing left to do in the past."""
        sql = """
            SELECT (SELECT count(*) FROM dirty_mark, analytics_state WHERE from_at < accounted_until)
                 + (SELECT count(*) FROM dirty_cohort_hour) + (SELECT count(*) FROM dirty_cohort_day)
        """
        wait_for("rest", lambda: self.query(sql)[0][0] == 0 and self.query("SELECT 1 FROM analytics_state"), seconds)

    def stop(self) -> None:
        for service in self.services:
            if service.process.poll() is None:
                # Killed, a process cannot write down what of it was run.
                service.stop() if "COVERAGE_PROCESS_CONFIG" in os.environ else service.kill()
        for producer in self.producers:
            producer.close(timeout=5)
        self.producers.clear()
        # kafka-python leaves the sockets of connections that a broker refused to the garbage collector.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture
def stack(database: str, kafka_server: KafkaServer, tmp_path: Path) -> Iterator[Stack]:
    """A migrated database and a topic of the test's own; services are started by the test."""
    topic = f"telemetry-{os.getpid()}-{next(numbers)}"
    open_topic(kafka_server.bootstrap, topic)
    stack = Stack(database, kafka_server, topic, tmp_path)
    yield stack
    stack.stop()
