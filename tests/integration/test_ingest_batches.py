"""Batches that unpack to too much, or not at all, among honest ones: each is one dead letter, and costs little memory.

tests/unreadable_batches.py has those that a broker accepts.
"""

import json
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient

from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, sign
from services.ingest.stream.topic import create_topic, open_topic, timestamp_type
from tests.record_batches import batch, pack, produce, record
from tests.stack import Sender, Service, Stack
from tests.unreadable_batches import MIB, PACKING, unreadable_batches

PARTITION = 5
ADDED_MIB = 64
"""How much memory a worker may take for unreadable batches, beyond what it takes for others."""


def honest(sender: Sender, second: int) -> bytes:
    """Return a batch of one valid record."""
    at = f"2017-03-01T00:{second // 60:02}:{second % 60:02}Z"
    states = [{"machine_id": "M1", "at": at, "state": "idle"}]
    value = json.dumps({"factory_id": "F1", "gateway_id": "gw-1", "sent_at": at, "states": states}).encode()
    headers = [(KEY_ID_HEADER.encode(), sender.key_id.encode()), (SIGNATURE_HEADER.encode(), sign(value, sender.seed))]
    return batch(record(value, headers=headers), 1)


def memory_mib(service: Service, name: str) -> float:
    """Return a process's memory: ``VmRSS`` now, or ``VmHWM`` at most so far."""
    lines = Path(f"/proc/{service.process.pid}/status").read_text().splitlines()
    (kib,) = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(kib) / 1024


@pytest.fixture
def sender(stack: Stack) -> Sender:
    stack.start_api()
    return stack.register_factory("F1", "M1")


def test_unreadable_batches_are_letters_and_honest_ones_facts(stack: Stack, sender: Sender) -> None:
    ingest = stack.start("ingest")
    count = 0

    def send_honest() -> None:
        nonlocal count
        assert produce(stack.kafka.bootstrap, stack.topic, PARTITION, honest(sender, count)).error == 0
        count += 1

    send_honest()
    stack.wait_until_ingested()
    before = memory_mib(ingest, "VmRSS")
    expected = []
    for broken in unreadable_batches():
        answer = produce(stack.kafka.bootstrap, stack.topic, PARTITION, broken.raw)
        assert answer.error == 0, (broken.name, answer)
        first, last = answer.first_offset, answer.first_offset + broken.count - 1
        expected.append((first, f"The batch of offsets {first} to {last} ", broken.why))
        send_honest()
        stack.wait_until_ingested()
        print(f"{broken.name}: {len(broken.raw):,} bytes, {memory_mib(ingest, 'VmHWM') - before:.1f} MiB added so far")
    assert stack.query("SELECT count(*) FROM state_event") == [(count,)]
    letters = stack.query(
        "SELECT record_offset, message, reason, partition, authentic, claimed_factory, length(raw) <= 4096 "
        "FROM dead_letter ORDER BY record_offset"
    )
    assert len(letters) == len(expected)
    for (offset, message, *more), (first, beginning, part) in zip(letters, expected, strict=True):
        assert (offset, more) == (first, ["unreadable_batch", PARTITION, False, None, True])
        assert message.startswith(beginning)
        assert part in message
    assert memory_mib(ingest, "VmHWM") - before < ADDED_MIB
    replayed = stack.run("dead-letters", "replay")
    assert replayed.stdout.startswith("0 dead letters judged again"), replayed.stdout + replayed.stderr
    assert stack.query("SELECT count(*) FROM dead_letter WHERE replayed_at IS NULL") == [(len(expected),)]


def test_a_partition_read_again_has_the_same_letters(stack: Stack, sender: Sender) -> None:
    bomb = next(broken for broken in unreadable_batches() if broken.name == "zstd bomb")
    for raw in (honest(sender, 0), bomb.raw, honest(sender, 1)):
        assert produce(stack.kafka.bootstrap, stack.topic, PARTITION, raw).error == 0
    ingest = stack.start("ingest")
    stack.wait_until_ingested()
    assert ingest.stop() == 0
    everything = "SELECT (SELECT count(*) FROM state_event), count(*), min(record_offset) FROM dead_letter"
    assert stack.query(everything) == [(2, 1, 1)]
    # In the middle of the bomb, and before it.
    for offset in (1 + bomb.count // 2, 0):
        moved = stack.run("offsets", "move", "--partition", str(PARTITION), "--to", str(offset))
        assert moved.returncode == 0, moved.stderr
        ingest = stack.start("ingest")
        stack.wait_until_ingested()
        assert ingest.stop() == 0
        assert stack.query(everything) == [(2, 1, 1)]


def test_the_broker_refuses_records_that_unpack_to_too_much(stack: Stack) -> None:
    for codec in PACKING:
        # One byte more than a value may have is for ingest to refuse, by name.
        assert (
            produce(stack.kafka.bootstrap, stack.topic, 0, batch(pack(codec, record(bytes(MIB + 1))), 1, codec)).error
            == 0
        )
        answer = produce(stack.kafka.bootstrap, stack.topic, 0, batch(pack(codec, record(bytes(3 * MIB))), 1, codec))
        assert answer.error == 87, answer


def test_a_broker_that_does_not_know_a_setting_gets_the_topic_without_it(stack: Stack) -> None:
    admin = KafkaAdminClient(bootstrap_servers=stack.kafka.bootstrap)
    try:
        name = f"{stack.topic}-older"
        settings = {"message.timestamp.type": "LogAppendTime", "no.such.setting": "1"}
        create_topic(admin, name, settings, optional={"no.such.setting"})
        assert timestamp_type(admin, name) == "LogAppendTime"
        assert open_topic(stack.kafka.bootstrap, name).topic == name
    finally:
        admin.close()
