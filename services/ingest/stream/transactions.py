"""Transactions that a producer has left open in the topic, for services that watch ingest from outside.

Ingest reads a partition no further than the first of them, and lags count no further: so nothing else shows them. Like
``progress``, this module loads Kafka's client only when it is called.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.core.errors import TransientError
from services.ingest.stream.progress import TopicLogs

if TYPE_CHECKING:
    from kafka import KafkaConsumer, TopicPartition

POLL_MS = 100
FETCH_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """The first open transaction of a partition: its first offset, and how many records it and those behind are.

    ``since_us`` is when the broker appended its first record, in microseconds since the epoch.
    """

    partition: int
    offset: int
    records: int
    since_us: int


def read_open_transactions(
    bootstrap_servers: str, topic: str, logs: TopicLogs, *, client_id: str, timeout_ms: int
) -> tuple[OpenTransaction, ...]:
    """Return the transactions now open in a topic, at most one a partition, of whatever age.

    Args:
        logs: the topic's, whose ends are those of what is committed.
        timeout_ms: how long each question to Kafka may take.

    Raises:
        TransientError: Kafka does not answer.
    """
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    from services.core.kafka_batches import read_batches_within_bounds

    read_batches_within_bounds()
    committed = {TopicPartition(topic, partition): log.end for partition, log in logs.partitions.items()}
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=bootstrap_servers.split(","),
            client_id=client_id,
            isolation_level="read_uncommitted",
            auto_offset_reset="none",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=FETCH_BYTES,
            bootstrap_timeout_ms=timeout_ms,
        )
        try:
            ends = consumer.end_offsets(list(committed), timeout_ms=timeout_ms) if committed else {}
            held = {partition: ends[partition] - end for partition, end in committed.items() if ends[partition] > end}
            since_us = first_receipts(consumer, {partition: committed[partition] for partition in held}, timeout_ms)
        finally:
            consumer.close(autocommit=False)
    except (KafkaError, OSError, KeyError) as error:
        raise TransientError(
            f"Kafka at {bootstrap_servers} does not show its open transactions ({error!r}); check that it is running."
        ) from error
    return tuple(
        OpenTransaction(partition.partition, committed[partition], held[partition], us)
        for partition, us in sorted(since_us.items())
    )


def first_receipts(
    consumer: "KafkaConsumer", offsets: "dict[TopicPartition, int]", timeout_ms: int
) -> "dict[TopicPartition, int]":
    """Return when the first record at or after each offset was appended.

    Partitions with nothing but control records there are left out: the transaction has ended meanwhile.

    Raises:
        KafkaError: Kafka does not return the records within the time.
    """
    from kafka.errors import KafkaTimeoutError

    consumer.assign(list(offsets))
    for partition, offset in offsets.items():
        consumer.seek(partition, offset)
    found: dict[TopicPartition, int] = {}
    waiting = set(offsets)
    deadline = time.monotonic() + timeout_ms / 1000
    while waiting:
        for partition, records in consumer.poll(timeout_ms=POLL_MS).items():
            found.setdefault(partition, records[0].timestamp * 1000)
        passed = {p for p in waiting if p in found or (consumer.position(p) or 0) > offsets[p]}
        consumer.pause(*passed)
        waiting -= passed
        if waiting and time.monotonic() > deadline:
            raise KafkaTimeoutError(f"no record of partitions {sorted(p.partition for p in waiting)}")
    return found
