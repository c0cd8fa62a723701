"""How far ingest has read, for services that watch it from outside.

The package exports this module, and the command line imports the package for its help: so nothing here may load Kafka's
or the database's client until a function is called.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.core.errors import TransientError
from services.ingest.stream import queries

if TYPE_CHECKING:
    from kafka import KafkaConsumer, TopicPartition

    from services.core.database import Connection

TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class LogBounds:
    """The first offset that a partition's log still has, and the end of what may be read."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TopicLogs:
    """A topic in Kafka: its id (None: there is no such topic) and the bounds of each partition's log."""

    topic_id: str | None
    partitions: dict[int, LogBounds]


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """The topic that ingest reads: its id, the next offset of each partition, and when one last moved.

    ``moved_us`` is microseconds since the epoch by the database's clock; None if no offset is stored yet.
    """

    topic_id: str
    offsets: dict[int, int]
    moved_us: int | None


def read_logs(bootstrap_servers: str, topic: str, *, client_id: str, timeout_ms: int) -> TopicLogs:
    """Return what Kafka holds of a topic; creates nothing.

    Args:
        timeout_ms: how long each question to Kafka may take.

    Raises:
        TransientError: Kafka does not answer.
    """
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    from services.core.kafka_compatibility import latest_topic_id

    try:
        consumer = KafkaConsumer(
            bootstrap_servers=bootstrap_servers.split(","),
            client_id=client_id,
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=timeout_ms,
        )
        try:
            partitions = [TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic) or ()]
            if not partitions:
                return TopicLogs(None, {})
            return TopicLogs(latest_topic_id(consumer, topic), log_bounds(consumer, partitions, timeout_ms))
        finally:
            consumer.close(autocommit=False)
    except (KafkaError, OSError) as error:
        raise TransientError(
            f"Kafka at {bootstrap_servers} does not answer ({error!r}); check that it is running."
        ) from error


def log_bounds(
    consumer: "KafkaConsumer", partitions: "list[TopicPartition]", timeout_ms: int = TIMEOUT_MS
) -> dict[int, LogBounds]:
    """Return the bounds of each partition's log.

    Raises:
        TransientError: Kafka does not answer, or does not know one of the partitions at present.
    """
    from kafka.errors import KafkaError

    try:
        starts = consumer.beginning_offsets(partitions, timeout_ms=timeout_ms)
        ends = consumer.end_offsets(partitions, timeout_ms=timeout_ms)
    except (KafkaError, KeyError) as error:
        raise TransientError(
            f"Kafka does not report the bounds of its logs ({error!r}); check that it is running."
        ) from error
    return {p.partition: LogBounds(starts[p], ends[p]) for p in partitions}


async def read_progress(connection: "Connection", topic: str) -> IngestProgress | None:
    """Return how far the topic of this name has been read; None if ingest has never opened it."""
    current = await connection.fetchrow(queries.CURRENT_TOPIC, topic)
    if current is None:
        return None
    rows = await connection.fetch(queries.PROGRESS, current["cluster_id"], current["topic_id"])
    return IngestProgress(
        topic_id=current["topic_id"],
        offsets={row["partition"]: row["next_offset"] for row in rows},
        moved_us=max((row["moved_at"] for row in rows), default=None),
    )
