"""Runs Jejo's services in tests: as real processes on real servers, with a database and a topic for each test."""

import asyncio
import base64
import contextlib
import gc
import itertools
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from nacl.signing import SigningKey

from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, sign
from services.core.database import connect
from services.ingest.stream.topic import open_topic
from tests.servers import KafkaServer

ROOT = Path(__file__).parent.parent
PORT_SETTINGS = {
    "api": "JEJO_API_PORT",
    "ingest": "JEJO_INGEST_METRICS_PORT",
    "analytics": "JEJO_ANALYTICS_METRICS_PORT",
}
WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Given to httpx, which otherwise reads all certificates of the machine for each request."""

serial_numbers = itertools.count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, check: Callable[[], object], seconds: float = 60.0) -> Any:
    """Poll until ``check`` returns something true, and return that.

    Raises:
        AssertionError: it did not within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        assert time.monotonic() < deadline, f"timed out after {seconds} s waiting for {what}"
        time.sleep(0.05)


@dataclass
class Service:
    """A running service. ``port`` is where it serves ``/readyz``, if it does."""

    process: "subprocess.Popen[bytes]"
    log: Path
    port: int | None = None

    def is_ready(self) -> bool:
        """Return whether the service reports that it is ready.

        Raises:
            AssertionError: it has exited.
        """
        assert self.process.poll() is None, self.output
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10, verify=WITHOUT_TLS)
            return answer.status_code == httpx.codes.OK
        return False

    def stop(self) -> int:
        """Send SIGTERM, wait, and return the exit code.

        Raises:
            TimeoutExpired: it did not exit within 30 s, and was killed.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """Send SIGKILL and wait."""
        self.process.kill()
        self.process.wait()

    @property
    def output(self) -> str:
        return self.log.read_text()


def start_service(command: Sequence[str], environment: dict[str, str], log: Path, port: int | None) -> Service:
    """Start a service by its ``jejo`` command, and write what it prints into a file."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "services", *command],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    return Service(process, log, port)


@dataclass
class Sender:
    """A factory's gateway in a test: signs bytes with its key and sends them."""

    factory_id: str
    key_id: str
    seed: bytes
    producer: KafkaProducer
    topic: str

    def send(self, value: bytes, **changes: Any) -> Any:
        """Send one record; ``changes`` may replace its ``key``, ``key_id``, ``signature`` and ``partition``."""
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
    """The services of one test, its database and its topic. ``stop`` stops everything that it started."""

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
        """Start a service by its ``jejo`` command, with a free port for ``/readyz`` unless ``environment`` sets one."""
        setting = PORT_SETTINGS.get(command[0])
        if setting is not None:
            environment.setdefault(setting, str(free_port()))
        log = self.folder / f"{command[0]}-{next(serial_numbers)}.log"
        port = None if setting is None else int(environment[setting])
        service = start_service(command, {**self.environment, **environment}, log, port)
        self.services.append(service)
        return service

    def run(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ``jejo`` to completion."""
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
        """Create an admin's key while the API starts on a free port, and wait until it is ready."""
        api = self.start("api")
        created = self.run("keys", "create", "--role", "admin", "--name", "test")
        assert created.returncode == 0, created.stderr
        self.admin_key = created.stdout.strip()
        self.api_url = f"http://127.0.0.1:{api.port}"
        wait_for("the API", api.is_ready)

    def get(self, path: str, **parameters: Any) -> Any:
        """GET from the API as admin, and return the JSON of a 200."""
        response = httpx.get(
            self.api_url + path, params=parameters, headers=self.headers, timeout=30, verify=WITHOUT_TLS
        )
        assert response.status_code == 200, response.text
        return response.json()

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """PUT to the API as admin, and return the JSON of a 200 or 201."""
        response = httpx.put(self.api_url + path, json=body, headers=self.headers, timeout=30, verify=WITHOUT_TLS)
        assert response.status_code in (200, 201), response.text
        return response.json()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.admin_key}"}

    def register_factory(self, factory_id: str, *machines: str, key_id: str = "k1", **machine: Any) -> Sender:
        """Register a factory with machines in use since 2016 and one key, and return its sender."""
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
        """Return the test's producer, which also sends invalid records."""
        if not self.producers:
            self.producers.append(
                KafkaProducer(bootstrap_servers=self.kafka.bootstrap, max_request_size=3_000_000, linger_ms=5)
            )
        return self.producers[0]

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a query as the superuser and return its rows, with instants in microseconds."""

        async def fetch() -> list[tuple[Any, ...]]:
            connection = await connect(self.database_url, application="test")
            try:
                return [tuple(row) for row in await connection.fetch(sql, *parameters)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def wait_until_ingested(self, seconds: float = 120.0) -> None:
        """Wait until ingest has processed everything that is in the topic."""
        consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap, isolation_level="read_committed")
        try:
            partitions = [TopicPartition(self.topic, p) for p in consumer.partitions_for_topic(self.topic) or ()]
            ends = {p.partition: end for p, end in consumer.end_offsets(partitions).items()}
        finally:
            consumer.close()

        def caught_up() -> bool:
            stored = dict(self.query("SELECT partition, next_offset FROM ingest_offset"))
            return all(stored.get(partition, 0) >= end for partition, end in ends.items())

        wait_for("ingest to reach the end of the topic", caught_up, seconds)

    def wait_until_accounted(self, seconds: float = 120.0) -> None:
        """Wait until analytics has processed all marks of the past."""
        sql = """
            SELECT (SELECT count(*) FROM dirty_mark, analytics_state WHERE from_at < accounted_until)
                 + (SELECT count(*) FROM dirty_shard)
                 + (SELECT count(*) FROM dirty_cohort_hour) + (SELECT count(*) FROM dirty_cohort_day)
        """
        wait_for(
            "analytics to catch up",
            lambda: self.query(sql)[0][0] == 0 and self.query("SELECT 1 FROM analytics_state"),
            seconds,
        )

    def wait_until_judged(self, seconds: float = 60.0) -> None:
        """Wait until analytics has judged all days that are over by the plausibility rules."""
        sql = """
            SELECT NOT EXISTS (SELECT FROM flag_mark WHERE day < ended_before)
            FROM flag_state, analytics_state WHERE timezone('Asia/Seoul', accounted_until)::date <= ended_before
        """
        wait_for("analytics to judge days", lambda: self.query(sql) == [(True,)], seconds)

    def stop(self) -> None:
        for service in self.services:
            if service.process.poll() is None:
                # A killed process would not write its coverage data.
                service.stop() if "COVERAGE_PROCESS_CONFIG" in os.environ else service.kill()
        for producer in self.producers:
            producer.close(timeout=5)
        self.producers.clear()
        # kafka-python leaves sockets of failed connections to the garbage collector.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture
def stack(database: str, kafka_server: KafkaServer, tmp_path: Path) -> Iterator[Stack]:
    """A stack with a migrated database and a topic of its own; the test starts the services."""
    topic = f"telemetry-{os.getpid()}-{next(serial_numbers)}"
    open_topic(kafka_server.bootstrap, topic)
    stack = Stack(database, kafka_server, topic, tmp_path)
    yield stack
    stack.stop()
