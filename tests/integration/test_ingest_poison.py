"""Records that no gateway sends but any producer can: each gets its result, and none stops the records after it."""

import json
from typing import Any, Literal

import pytest
from kafka import KafkaProducer

from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, sign
from tests.stack import Sender, Stack

AT = "2017-03-01T00:00:00Z"
COMPRESSIONS: tuple[Literal["gzip", "snappy", "lz4", "zstd"], ...] = ("gzip", "snappy", "lz4", "zstd")


class RawName(str):
    """A header name whose bytes are not UTF-8."""

    def encode(self, *_: object) -> bytes:
        return str.encode(self, "latin-1")


def record(states: list[Any], **more: object) -> bytes:
    return json.dumps({"factory_id": "F1", "gateway_id": "gw-1", "sent_at": AT, "states": states, **more}).encode()


def state(second: int, state: str = "idle", machine_id: str = "M1", **more: object) -> dict[str, object]:
    at = f"2017-03-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    return {"machine_id": machine_id, "at": at, "state": state, **more}


@pytest.fixture
def sender(stack: Stack) -> Sender:
    stack.start_api()
    stack.start("ingest")
    return stack.register_factory("F1", "M1")


def letters(stack: Stack) -> dict[str, int]:
    return dict(stack.query("SELECT reason, count(*) FROM dead_letter GROUP BY reason"))


def test_no_record_stops_its_partition(stack: Stack, sender: Sender) -> None:
    producer, topic = sender.producer, sender.topic

    def raw(value: bytes | None, key: bytes | None = b"F1", headers: list[tuple[str, bytes]] | None = None) -> None:
        producer.send(topic, key=key, value=value, headers=headers or [], partition=0)

    def signed(value: bytes, *more: tuple[str, bytes]) -> None:
        own = [(KEY_ID_HEADER, sender.key_id.encode()), (SIGNATURE_HEADER, sign(value, sender.seed))]
        raw(value, headers=[*own, *more])

    raw(None)
    raw(b"", key=None)
    raw(b"[" * 1_000_000)
    raw(record([state(0)], padding="\x00"), headers=[(KEY_ID_HEADER, b""), (SIGNATURE_HEADER, b"")])
    raw(b'{"factory_id": "F1", "x": "\\ud800"}')
    signed(record([state(1)]), (RawName("\xff\xfe"), b""), ("jejo", b"\xff"))
    signed(record([state(2, reason="a\x00b"), state(3, reason="\ud83d\ude00"), state(10**9 % 86_400)], sequence=10**30))
    signed(record([state(4, reason="a\x00b"), state(5, reason="\ud83d\ude00"), {"at": 10**300, "machine_id": "M1"}]))
    signed(record([state(6)] * 8000))
    signed(record([0] * 30_000))
    signed(record([state(7)]))
    producer.flush(timeout=60)
    stack.wait_until_ingested()
    assert letters(stack) == {"bad_json": 4, "bad_signature": 1, "bad_schema": 30_003}
    assert stack.query("SELECT count(*) FROM state_event") == [(4,)]
    assert stack.query(
        "SELECT rows_stored, rows_duplicate, rows_clashed, rows_refused FROM ingest_record ORDER BY record_offset"
    ) == [(1, 0, 0, 0), (1, 0, 0, 2), (1, 7999, 0, 0), (0, 0, 0, 30_000), (1, 0, 0, 0)]
    shown = stack.run("dead-letters", "show", str(stack.query("SELECT min(id) FROM dead_letter")[0][0]))
    assert shown.returncode == 0, shown.stderr
    assert "judged again, 0 turned" in stack.run("dead-letters", "replay", "--reason", "bad_json").stdout


def test_every_compression_is_read_and_aborted_transactions_are_not(stack: Stack, sender: Sender) -> None:
    values = [record([state(n, reason="x" * 100)]) for n in range(400)]
    for turn, compression in enumerate(COMPRESSIONS):
        producer = KafkaProducer(
            bootstrap_servers=stack.kafka.bootstrap, compression_type=compression, linger_ms=50, batch_size=1_000_000
        )
        own = Sender("F1", sender.key_id, sender.seed, producer, sender.topic)
        for value in values[turn * 100 : turn * 100 + 100]:
            own.send(value, partition=1)
        producer.flush(timeout=60)
        producer.close()
    producer = KafkaProducer(
        bootstrap_servers=stack.kafka.bootstrap, transactional_id=f"{stack.topic}-tx", transaction_timeout_ms=10_000
    )
    producer.init_transactions()
    for second, commit in ((1000, False), (1001, True), (1002, False)):
        producer.begin_transaction()
        Sender("F1", sender.key_id, sender.seed, producer, sender.topic).send(record([state(second)]), partition=1)
        producer.flush(timeout=60)
        if commit:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()
    # The log ends with the marker of an aborted transaction, which no consumer ever returns.
    stack.wait_until_ingested(30)
    assert stack.query("SELECT count(*), count(*) FILTER (WHERE reason IS NULL) FROM state_event") == [(401, 1)]
    assert letters(stack) == {}


def test_reading_a_partition_again_changes_nothing(stack: Stack, sender: Sender) -> None:
    for n in range(20):
        sender.send(record([state(n), state(n, machine_id="GHOST")]), partition=2)
    sender.send(b"{", partition=2)
    sender.producer.flush(timeout=60)
    stack.wait_until_ingested()
    everything = (
        "SELECT (SELECT count(*) FROM state_event), (SELECT count(*) FROM dead_letter), count(*), sum(rows_stored), "
        "sum(rows_duplicate), sum(rows_refused) FROM ingest_record"
    )
    before = stack.query(everything)
    assert before == [(20, 21, 20, 20, 0, 20)]
    assert "holds 0 to 21" in stack.run("offsets", "move", "--partition", "2", "--to", "22").stderr
    moved = stack.run("offsets", "move", "--partition", "2", "--to", "0")
    assert moved.returncode == 0, moved.stderr
    sender.send(record([state(100)]), partition=2)
    sender.producer.flush(timeout=60)
    stack.wait_until_ingested()
    assert stack.query(everything) == [(21, 21, 21, 21, 0, 20)]
