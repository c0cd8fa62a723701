"""A prepared file, sent to a real Kafka, leaves in the topic what sending directly would have left there."""

import json
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from services.gateway.record_files import read_records
from services.ingest.stream.topic import open_topic
from tests.servers import KafkaServer
from tests.stack import Stack

Sent = tuple[bytes, bytes, tuple[tuple[str, bytes], ...]]
"""A record's key, value and headers."""

HISTORY = (
    *("gateway", "simulate", "--factories", "20", "--machines", "3", "--trouble", "20"),
    *("--backfill-days", "2", "--until", "2024-03-06T00:00:00+09:00"),
)


def run(stack: Stack, *command: str) -> str:
    done = stack.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def records_in(stack: Stack) -> list[Sent]:
    """Return the topic's records, each factory's in their order."""
    consumer = KafkaConsumer(bootstrap_servers=stack.kafka.bootstrap)
    try:
        partitions = [TopicPartition(stack.topic, n) for n in consumer.partitions_for_topic(stack.topic) or ()]
        ends: dict[TopicPartition, int] = consumer.end_offsets(partitions)
        found: list[Sent] = []
        for partition, end in ends.items():
            consumer.assign([partition])
            consumer.seek_to_beginning()
            while (consumer.position(partition) or 0) < end:
                for one in consumer.poll(timeout_ms=1000).get(partition, ()):
                    assert one.key is not None
                    assert one.value is not None
                    found.append((one.key, one.value, tuple((name, value or b"") for name, value in one.headers)))
    finally:
        consumer.close()
    return sorted(found, key=by_key)


def by_key(record: Sent) -> bytes:
    return record[0]


def contents(sent: list[Sent]) -> list[dict[str, object]]:
    """Return what records say, without what differs between two runs of a gateway."""
    return [{**json.loads(value), "sent_at": None, "boot_id": None} for _, value, _ in sent]


def test_prepared_then_sent_equals_sent_directly(kafka_server: KafkaServer, tmp_path: Path) -> None:
    prepared, direct = (
        Stack("postgresql://127.0.0.1:1/none", kafka_server, topic, tmp_path)
        for topic in ("telemetry-prepared", "telemetry-direct")
    )
    for stack in (prepared, direct):
        open_topic(kafka_server.bootstrap, stack.topic)
    file = tmp_path / "records"
    printed = run(prepared, *HISTORY, "--prepare", str(file))
    in_file = list(read_records(file))
    assert f"{len(in_file)} records with {sum(record.rows for record in in_file)} rows of 20 factories" in printed
    assert records_in(prepared) == []
    printed = run(prepared, "gateway", "send", str(file))
    assert f"{len(in_file)} records with {sum(record.rows for record in in_file)} rows arrived" in printed
    sent = records_in(prepared)
    assert sent == sorted(((one.key, one.value, one.headers) for one in in_file), key=by_key)
    run(direct, *HISTORY)
    expected = records_in(direct)
    assert len(sent) == len(expected) > 20
    assert contents(sent) == contents(expected)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    done = prepared.run("gateway", "send", str(file))
    assert done.returncode != 0
    assert f"{file} is damaged after record" in done.stderr
