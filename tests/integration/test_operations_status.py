"""`jejo status` on real servers: what is behind, what is away, and that it is quick on big tables."""

import json
import time
from typing import Any

import pytest

from tests.stack import Stack, free_port, wait_for

AT = "2017-03-01T00:00:00Z"


def status(stack: Stack, **environment: str) -> tuple[int, Any]:
    """Exit code and JSON."""
    done = stack.run("status", "--json", **environment)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def record(second: int, machine_id: str = "M1") -> bytes:
    at = f"2017-03-01T00:00:{second:02}Z"
    states = [{"machine_id": machine_id, "at": at, "state": "idle"}]
    return json.dumps({"factory_id": "F1", "gateway_id": "gw-1", "sent_at": at, "states": states}).encode()


def test_a_platform_that_works_is_fine(stack: Stack) -> None:
    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    sender = stack.register_factory("F1", "M1")
    for second in range(5):
        sender.send(record(second)).get(timeout=30)
    sender.send(record(9, "M9")).get(timeout=30)
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    code, found = wait_for("fine", lambda: (seen := status(stack))[0] == 0 and seen, 30)
    assert (code, found["verdict"], found["problems"]) == (0, "fine", [])
    assert found["lag"]["records"] == 0
    assert len(found["lag"]["partitions"]) == 24
    assert found["ingest"]["factories_heard"] == {"count": 1, "at_least": False}
    assert found["ingest"]["records_per_s"] == pytest.approx(6 / 60, abs=1e-3)
    assert found["ingest"]["rows_per_s"] == pytest.approx(6 / 60, abs=1e-3)
    letters = {letter["reason"]: letter for letter in found["dead_letters"]}
    assert letters["unknown_machine"]["waiting"]["count"] == letters["unknown_machine"]["total"]["count"] == 1
    assert letters["bad_json"]["total"]["count"] == 0
    assert found["analytics"]["fresh_until"]["seconds_ago"] < 60

    stack.register_machine("F1", "M9")
    assert stack.run("dead-letters", "replay").returncode == 0
    letters = {letter["reason"]: letter for letter in status(stack)[1]["dead_letters"]}
    assert letters["unknown_machine"]["waiting"]["count"] == 0
    assert letters["unknown_machine"]["last_hour"]["count"] == letters["unknown_machine"]["total"]["count"] == 1

    table = stack.run("status")
    assert table.returncode == 0
    assert table.stdout.splitlines()[0].endswith(": fine")
    assert "unknown_machine" in table.stdout


def test_an_unread_topic_is_behind(stack: Stack) -> None:
    for _ in range(3):
        stack.producer().send(stack.topic, b"{}", partition=7).get(timeout=30)
    code, found = status(stack)
    assert code == 1
    assert {problem["section"] for problem in found["problems"]} == {"ingest-lags", "analytics-behind"}
    assert found["lag"]["records"] == 3
    assert found["lag"]["partitions"][7] == {"partition": 7, "records": 3}
    assert found["analytics"]["fresh_until"] is None


def test_a_missing_topic_is_not_created(stack: Stack) -> None:
    for _ in range(2):
        code, found = status(stack, JEJO_TELEMETRY_TOPIC="nowhere")
        assert code == 1
        assert found["problems"][0]["message"].startswith("Kafka has no topic nowhere")


def test_without_kafka_the_rest_is_reported(stack: Stack) -> None:
    stack.query("INSERT INTO analytics_state (accounted_until) VALUES (now())")
    code, found = status(stack, JEJO_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}")
    assert code == 2
    assert (found["kafka"]["answers"], found["lag"]) == (False, None)
    assert found["database"]["answers"] is True
    assert found["ingest"]["rows_per_s"] == 0
    (problem,) = found["problems"]
    assert problem["section"] == "kafka-is-away"


def test_without_the_database_it_cannot_tell(stack: Stack) -> None:
    code, found = status(stack, JEJO_DATABASE_URL=f"postgresql://jejo@127.0.0.1:{free_port()}/jejo")
    assert code == 2
    assert (found["kafka"]["answers"], found["database"]["answers"]) == (True, False)
    assert found["analytics"] is None


FILL = """
INSERT INTO ingest_topic (cluster_id, topic_id, topic) VALUES ('c', 't', 'other');
INSERT INTO analytics_state (accounted_until) VALUES (now());
INSERT INTO dead_letter
    (topic, partition, record_offset, received_at, authentic, reason, message, raw_length, raw_sha256)
SELECT 1, n % 24, n, now(), false, (ARRAY['bad_json', 'bad_signature', 'too_large'])[n % 3 + 1], 'x', 1, ''
FROM generate_series(1, 300000) AS n;
INSERT INTO dirty_mark (shard, machine, from_at, to_at, marked_at)
SELECT n % 64, n, now() - INTERVAL '1 day', now() - INTERVAL '1 day', now() - INTERVAL '1 hour'
FROM generate_series(1, 300000) AS n;
INSERT INTO ingest_record
    (id, topic, partition, record_offset, received_at, sent_at, ingested_at, factory, gateway_id, signed, revision,
     rows_stored, rows_duplicate, rows_clashed, rows_refused, unknown_fields)
SELECT n, 1, n % 24, n, now() - n * INTERVAL '10 us', now(), now() - n * INTERVAL '10 us', n % 30000, 'gw', true, 0,
     37, 1, 1, 1, 0
FROM generate_series(1, 400000) AS n;
"""
A_MINUTE_OF_WHAT_IS_LOOKED_AT = 40 * 100_000 / 60


def test_counts_of_big_tables_stop_early(stack: Stack) -> None:
    for statement in FILL.strip().rstrip(";").split(";\n"):
        stack.query(statement)
    began = time.monotonic()
    code, found = status(stack)
    took_s = time.monotonic() - began
    assert code == 1
    letters = {letter["reason"]: letter for letter in found["dead_letters"]}
    assert letters["bad_json"]["waiting"] == {"count": 10_000, "at_least": True}
    assert letters["bad_schema"]["waiting"] == {"count": 0, "at_least": False}
    assert found["analytics"]["marks_waiting"] == {"count": 32_000, "at_least": True}
    assert found["analytics"]["oldest_mark"]["seconds_ago"] >= 3600
    assert found["ingest"]["factories_heard"] == {"count": 30_000, "at_least": True}
    # More records came within the minute than are read, so the rate is that of the few seconds they took.
    assert found["ingest"]["rows_per_s"] > A_MINUTE_OF_WHAT_IS_LOOKED_AT
    assert took_s < 5, "far more than the second it should take, on a machine however busy"
    print(f"status on big tables: {took_s:.2f} s")
