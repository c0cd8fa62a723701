"""Transactions that somebody leaves open: reported with what to do, ended by the broker, denied where it can."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import (
    ACL,
    AbortTransactionSpec,
    ACLOperation,
    ACLPermissionType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError, TransactionalIdAuthorizationFailedError

from services.ingest import LogBounds, OpenTransaction, read_logs, read_open_transactions
from services.ingest.stream.topic import open_topic
from tests.record_batches import batch, produce, records
from tests.servers import private_kafka
from tests.stack import Stack, wait_for

PARTITION = 3
TIMEOUT_MS = 4000
BROKERS_DELAY_S = 1.0
SLACK_S = 5.0
WITHOUT_VERIFICATION = """
transaction.partition.verification.enable=false
"""
"""Brokers before Kafka 3.6 did not ask the coordinator before a producer wrote for the first time."""
AUTHORIZER = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""


def record(second: int) -> bytes:
    at = f"2017-03-01T00:00:{second:02}Z"
    states = [{"machine_id": "M1", "at": at, "state": "idle"}]
    return json.dumps({"factory_id": "F1", "gateway_id": "gw-1", "sent_at": at, "states": states}).encode()


def transactional(bootstrap: str, name: str, timeout_ms: int = TIMEOUT_MS) -> KafkaProducer:
    return KafkaProducer(bootstrap_servers=bootstrap, transactional_id=name, transaction_timeout_ms=timeout_ms)


@contextmanager
def left_open(stack: Stack) -> Iterator[None]:
    """Begin a transaction with two records, and never end it."""
    producer = transactional(stack.kafka.bootstrap, f"{stack.topic}-open")
    try:
        producer.init_transactions()
        producer.begin_transaction()
        for _ in range(2):
            producer.send(stack.topic, b"{}", key=b"F1", partition=PARTITION).get(timeout=30)
        yield
    finally:
        producer.close(timeout=0)


def status(stack: Stack) -> dict[str, Any]:
    done = stack.run("status", "--json", JEJO_STATUS_TRANSACTION_S="1")
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def held(stack: Stack) -> tuple[OpenTransaction, ...]:
    logs = read_logs(stack.kafka.bootstrap, stack.topic, client_id="test", timeout_ms=5000)
    return read_open_transactions(stack.kafka.bootstrap, stack.topic, logs, client_id="test", timeout_ms=5000)


def test_a_transaction_left_open_is_reported_and_ended(stack: Stack) -> None:
    stack.start_api()
    sender = stack.register_factory("F1", "M1")
    stack.start("ingest")
    sender.send(record(0), partition=PARTITION).get(timeout=30)
    stack.wait_until_ingested()
    assert held(stack) == ()
    began = time.time()
    with left_open(stack):
        sender.send(record(1), partition=PARTITION).get(timeout=30)
        sent = time.monotonic()
        sender.send(record(2), partition=PARTITION + 1).get(timeout=30)
        (found,) = held(stack)
        assert (found.partition, found.offset, found.records) == (PARTITION, 1, 3)
        assert abs(found.since_us / 1_000_000 - began) < SLACK_S
        reported = wait_for(
            "the report", lambda: [p for p in status(stack)["problems"] if p["section"] == "a-transaction-left-open"], 4
        )
        assert reported[0]["message"].startswith(f"Partition {PARTITION} stands still at offset 1 since ")
        assert f"abort --topic {stack.topic} --partition {PARTITION} --start-offset 1`" in reported[0]["message"]
        facts = "SELECT count(*) FROM state_event"
        assert stack.query(facts) == [(2,)]
        wait_for("the honest row behind it", lambda: stack.query(facts) == [(3,)], 30)
        print(f"the row came {time.monotonic() - sent:.1f} s late, at a timeout of {TIMEOUT_MS / 1000} s")
        assert time.monotonic() - sent < TIMEOUT_MS / 1000 + BROKERS_DELAY_S + SLACK_S
    assert held(stack) == ()
    assert stack.query("SELECT count(*) FROM dead_letter") == [(0,)]
    assert status(stack)["open_transactions"] == []


def test_a_transaction_that_has_just_ended_is_not_reported(stack: Stack) -> None:
    producer = transactional(stack.kafka.bootstrap, f"{stack.topic}-ended")
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(stack.topic, b"{}", partition=PARTITION).get(timeout=30)
    producer.commit_transaction()
    producer.close()
    logs = read_logs(stack.kafka.bootstrap, stack.topic, client_id="test", timeout_ms=5000)
    assert logs.partitions[PARTITION].end == 2
    # As if it had ended between the two questions to Kafka: only its marker is beyond the end that was read.
    logs.partitions[PARTITION] = LogBounds(0, 1)
    assert read_open_transactions(stack.kafka.bootstrap, stack.topic, logs, client_id="test", timeout_ms=5000) == ()


def test_a_transaction_that_the_coordinator_does_not_know_hangs_until_it_is_aborted() -> None:
    with private_kafka(WITHOUT_VERIFICATION) as kafka:
        open_topic(kafka.bootstrap, "t")
        producer_id = 77
        hanging = batch(records([b"{}"]), 1, transaction_of=producer_id)
        assert produce(kafka.bootstrap, "t", 0, hanging, transactional_id="lost").error == 0
        assert produce(kafka.bootstrap, "t", 0, batch(records([b"{}"] * 4), 4)).error == 0

        def held() -> list[tuple[int, int, int]]:
            logs = read_logs(kafka.bootstrap, "t", client_id="test", timeout_ms=5000)
            found = read_open_transactions(kafka.bootstrap, "t", logs, client_id="test", timeout_ms=5000)
            return [(t.partition, t.offset, t.records) for t in found]

        assert held() == [(0, 0, 5)]
        admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        admin.abort_transaction(AbortTransactionSpec(TopicPartition("t", 0), producer_id, 0))
        admin.close()
        wait_for("the end of the transaction", lambda: held() == [], 10)


def test_the_broker_refuses_long_transactions(stack: Stack) -> None:
    producer = transactional(stack.kafka.bootstrap, f"{stack.topic}-long", 60_000)
    with pytest.raises(KafkaError, match=r"(?i)timeout"):
        producer.init_transactions()
    producer.close(timeout=0)


def test_a_broker_with_an_authorizer_denies_transactions_and_nothing_else() -> None:
    with private_kafka(AUTHORIZER) as kafka:
        open_topic(kafka.bootstrap, "t")
        admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        everybody, every_id = "User:*", ResourcePattern(ResourceType.TRANSACTIONAL_ID, "*")
        denied = admin.create_acls([ACL(everybody, "*", ACLOperation.ALL, ACLPermissionType.DENY, every_id)])
        assert denied["failed"] == []
        admin.close()
        producer = transactional(kafka.bootstrap, "any")
        with pytest.raises(TransactionalIdAuthorizationFailedError):
            producer.init_transactions()
        producer.close(timeout=0)
        idempotent = KafkaProducer(bootstrap_servers=kafka.bootstrap, enable_idempotence=True, acks="all")
        idempotent.send("t", b"{}", partition=0).get(timeout=30)
        idempotent.close()
