"""What ingest and analytics report about themselves: metrics and readiness over HTTP, and log lines with fields."""

import asyncio
import contextlib
import json
import time
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.analytics.metrics import TransactionKind
from services.core.database import connect
from tests.stack import Sender, Service, Stack, free_port, wait_for

AT = "2017-03-01T00:00:00Z"


class Figures:
    """The metrics of one service, requested each time."""

    def __init__(self) -> None:
        self.port = free_port()

    def __call__(self, name: str, **labels: str) -> float | None:
        """The value of one sample; None if it is missing."""
        return self.all().get((name, tuple(sorted(labels.items()))))

    def all(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        with contextlib.suppress(httpx.TransportError):
            text = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text
            samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
            return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}
        return {}


def record(*rows: dict[str, object]) -> bytes:
    return json.dumps({"factory_id": "F1", "gateway_id": "gw-1", "sent_at": AT, "states": rows}).encode()


def state(second: int, machine_id: str = "M1", state: str = "idle") -> dict[str, object]:
    return {"machine_id": machine_id, "at": f"2017-03-01T00:00:{second:02}Z", "state": state}


def send(sender: Sender, value: bytes, **changes: Any) -> Any:
    return sender.send(value, partition=0, **changes).get(timeout=30)


def start_ingest(stack: Stack, figures: Figures) -> tuple[Service, Sender]:
    stack.start_api()
    ingest = stack.start("ingest", JEJO_INGEST_METRICS_PORT=str(figures.port), JEJO_LOG_FORMAT="json")
    return ingest, stack.register_factory("F1", "M1")


def test_ingest_counts_its_work_and_logs_what_it_refused(stack: Stack) -> None:
    figures = Figures()
    ingest, sender = start_ingest(stack, figures)
    wait_for("ingest to be ready", ingest.is_ready)
    assert figures("jejo_ingest_records_total", fate="authentic") == 0
    send(sender, record(state(1), state(2)))
    send(sender, record(state(1), state(2, state="setup"), state(3, "M9")))
    bad = send(sender, b"{")
    stack.wait_until_ingested()

    def rows(fate: str) -> float | None:
        return figures("jejo_ingest_rows_total", kind="states", fate=fate)

    wait_for("the count of the last", lambda: figures("jejo_ingest_records_total", fate="refused") == 1)
    assert figures("jejo_ingest_records_total", fate="authentic") == 2
    assert [rows(fate) for fate in ("stored", "duplicate", "clashed", "refused")] == [2, 1, 1, 1]
    assert figures("jejo_ingest_rows_total", kind="counts", fate="stored") == 0
    assert figures("jejo_ingest_dead_letters_total", reason="bad_json") == 1
    assert figures("jejo_ingest_dead_letters_total", reason="unknown_machine") == 1
    assert figures("jejo_ingest_dead_letters_total", reason="too_large") == 0
    batches = figures("jejo_ingest_batch_seconds_count")
    assert batches is not None
    assert batches >= 1
    committed = figures("jejo_ingest_last_commit_timestamp_seconds")
    assert committed is not None
    assert abs(time.time() - committed) < 60
    wait_for("no lag", lambda: figures("jejo_ingest_lag_records", partition="0") == 0)
    assert figures("jejo_ingest_lag_records", partition="23") == 0
    assert figures("jejo_ingest_paused") == 0
    assert figures("jejo_ingest_buffered_bytes") == 0

    assert ingest.stop() == 0
    lines = [json.loads(line) for line in ingest.output.splitlines()]
    refused = {line["reason"]: line for line in lines if "reason" in line}
    assert refused.keys() == {"bad_json", "unknown_machine"}
    assert (refused["bad_json"]["partition"], refused["bad_json"]["offset"]) == (0, bad.offset)
    assert refused["unknown_machine"]["factory"] == "F1"


def test_ingest_reports_its_lag_and_why_a_batch_was_dropped(stack: Stack) -> None:
    figures = Figures()
    ingest, sender = start_ingest(stack, figures)
    send(sender, record(state(1)))
    stack.wait_until_ingested()

    async def hold_the_offsets(first_second: int) -> None:
        connection = await connect(stack.database_url)
        try:
            async with connection.transaction():
                await connection.execute("SELECT FROM ingest_offset WHERE partition = 0 FOR UPDATE")
                for second in range(first_second, first_second + 3):
                    send(sender, record(state(second)))
                wait_for("the lag", lambda: figures("jejo_ingest_lag_records", partition="0") == 3, 15)
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'jejo ingest' AND datname = current_database()"
                )
                wait_for("the failure", lambda: figures("jejo_ingest_failures_total", cause="database_away"))
        finally:
            await connection.close()

    # If the group rebalances just then, positions are loaded and the last figures stand: try again.
    for attempt in range(5):
        try:
            asyncio.run(hold_the_offsets(2 + 3 * attempt))
            break
        except AssertionError:
            assert attempt < 4
            stack.wait_until_ingested()
            wait_for("no lag", lambda: figures("jejo_ingest_lag_records", partition="0") == 0)
    stack.wait_until_ingested()
    wait_for("no lag", lambda: figures("jejo_ingest_lag_records", partition="0") == 0)
    assert ingest.stop() == 0
    lines = [json.loads(line) for line in ingest.output.splitlines()]
    (failed, *_) = [line for line in lines if line.get("cause") == "database_away"]
    assert failed["level"] == "WARNING"
    assert failed["offsets"]["0"] == 1 + 3 * attempt


def test_analytics_counts_its_work(stack: Stack) -> None:
    figures = Figures()
    _, sender = start_ingest(stack, Figures())
    send(sender, record(state(1)))
    stack.wait_until_ingested()
    analytics = stack.start("analytics", JEJO_ANALYTICS_METRICS_PORT=str(figures.port))
    stack.wait_until_accounted()
    wait_for("an hour", lambda: (figures("jejo_analytics_hours_accounted_total") or 0) >= 1)
    wait_for("its sums", lambda: (figures("jejo_analytics_sums_rolled_up_total") or 0) >= 2)
    counts = [figures("jejo_analytics_transaction_seconds_count", work=work) for work in TransactionKind]
    assert all(counts), counts
    until = figures("jejo_analytics_accounted_until_timestamp_seconds")
    assert until is not None
    assert abs(time.time() - until) < 30
    assert figures("jejo_analytics_marks_waiting") == 0
    assert figures("jejo_analytics_oldest_mark_age_seconds") == 0
    assert figures("jejo_analytics_failures_total") == 0
    assert analytics.stop() == 0
    assert figures.all() == {}


def readyz(service: Service) -> tuple[int, Any]:
    """The status and the JSON of ``/readyz``, once the worker listens."""

    def ask() -> httpx.Response | None:
        assert service.process.poll() is None, service.output
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{service.port}/readyz")
        return None

    answer: httpx.Response = wait_for("an answer", ask)
    return answer.status_code, answer.json()


def test_workers_without_their_servers_report_what_they_wait_for(stack: Stack) -> None:
    nowhere = free_port()
    no_kafka = stack.start("ingest", JEJO_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{nowhere}")
    no_database = {"JEJO_DATABASE_URL": f"postgresql://jejo@127.0.0.1:{nowhere}/jejo"}
    ingest, analytics = stack.start("ingest", **no_database), stack.start("analytics", **no_database)
    assert readyz(no_kafka) == (503, {"status": "not ready", "waiting_for": "Kafka"})
    assert readyz(analytics) == (503, {"status": "not ready", "waiting_for": "the database"})
    waiting = (503, {"status": "not ready", "waiting_for": "the stored offsets of its partitions"})
    wait_for("ingest to have partitions", lambda: readyz(ingest) == waiting)
    base = f"http://127.0.0.1:{no_kafka.port}"
    assert "jejo_ingest_records_total" in httpx.get(f"{base}/metrics").text
    assert httpx.get(f"{base}/elsewhere").status_code == 404


def test_workers_are_ready_once_they_work(stack: Stack) -> None:
    workers = [stack.start("ingest") for _ in range(2)]
    wait_for("both workers at once", lambda: all(worker.is_ready() for worker in workers))
    assert readyz(workers[0]) == (200, {"status": "ready"})
    assert stack.query("SELECT count(*) FROM ingest_offset") == [(24,)]
    analytics = stack.start("analytics")
    wait_for("analytics", analytics.is_ready)
    assert stack.query("SELECT count(*) FROM analytics_state") == [(1,)]
    assert workers[1].stop() == 0
    wait_for("the first to take over", workers[0].is_ready)


@pytest.mark.parametrize(
    ("command", "setting"), [("ingest", "JEJO_INGEST_METRICS_PORT"), ("analytics", "JEJO_ANALYTICS_METRICS_PORT")]
)
def test_a_taken_port_is_reported(stack: Stack, command: str, setting: str) -> None:
    taken = str(stack.kafka.port)
    service = stack.start(command, **{setting: taken})
    wait_for("the end", lambda: service.process.poll() is not None)
    assert service.process.returncode == 2
    assert f"set {setting} to another port" in service.output
