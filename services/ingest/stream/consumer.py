"""The Kafka consumer of ingest's group, its assignment, and records as ingest reads them."""

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError

from services.core.errors import ConfigurationError, TransientError
from services.core.kafka_batches import UnreadableBatch, read_batches_within_bounds
from services.ingest.model import BusRecord, Unreadable
from services.ingest.settings import IngestSettings
from services.ingest.stream.topic import BOOTSTRAP_MS

LOG_APPEND_TIME = 1


class Assignment(ConsumerRebalanceListener):
    """Counts changes of the assignment in ``generation``. Called during polls, so it does no work of its own.

    A new partition is paused at a placeholder position, so that nothing is fetched before its stored offset is known.
    """

    def __init__(self, consumer: KafkaConsumer) -> None:
        self.consumer = consumer
        self.generation = 0

    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        self.generation += 1

    def on_partitions_lost(self, lost: set[TopicPartition]) -> None:
        self.generation += 1

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self.generation += 1
        for partition in assigned:
            self.consumer.seek(partition, 0)
            self.consumer.pause(partition)


def make_consumer(settings: IngestSettings) -> KafkaConsumer:
    """Return the group's consumer. It manages no offsets of its own accord and skips aborted transactions.

    Raises:
        TransientError: Kafka cannot be reached now.
    """
    read_batches_within_bounds()
    try:
        return KafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap_servers.split(","),
            group_id=settings.ingest_group,
            client_id="jejo-ingest",
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            session_timeout_ms=settings.kafka_session_timeout_ms,
            heartbeat_interval_ms=settings.kafka_heartbeat_ms,
            max_poll_records=1000,
            fetch_max_bytes=settings.ingest_batch_bytes,
            max_partition_fetch_bytes=2 * 1024 * 1024,
            metadata_max_age_ms=settings.kafka_metadata_max_age_ms,
            fetch_max_wait_ms=100,
            # kafka-python waits up to 30 s otherwise before it tries a broker again that has restarted.
            reconnect_backoff_max_ms=1000,
            bootstrap_timeout_ms=BOOTSTRAP_MS,
        )
    except (KafkaError, OSError) as error:
        raise TransientError(f"Kafka does not answer ({error}); check that it is running.") from error


def bus_record(record: ConsumerRecord) -> BusRecord:
    """Convert a record of kafka-python's, which may stand for a batch that cannot be read.

    Raises:
        ConfigurationError: its timestamp is not the broker's.
    """
    if record.timestamp_type != LOG_APPEND_TIME:
        raise ConfigurationError(
            f"Record {record.partition}/{record.offset} was not stamped by the broker: set message.timestamp.type of "
            f"{record.topic} to LogAppendTime, and decide with `jejo offsets move` what to do about earlier records."
        )
    value = record.value
    unreadable = None
    if isinstance(value, UnreadableBatch):
        unreadable = Unreadable(value.first_offset, value.last_offset, value.why)
    return BusRecord(
        *(record.partition, record.offset, record.timestamp * 1000, record.key, value, tuple(record.headers)),
        unreadable,
    )
