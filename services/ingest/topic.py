"""The telemetry topic: made if it is not there, held to the contract, and named by its ids."""

from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from schemas.wire.topic import CONFIGURATION, PARTITIONS
from services.core.errors import ConfigurationError, TransientError

BOOTSTRAP_MS = 5000
"""How long a broker may take to answer at all, before it counts as away."""


@dataclass(frozen=True, slots=True)
class TopicName:
    """A topic as Kafka tells it from every other, also from one of the same name that was deleted."""

    topic: str
    cluster_id: str
    topic_id: str


@dataclass(frozen=True, slots=True)
class LogBounds:
    """The first offset that a partition still has, and the end of what may be read."""

    start: int
    end: int


def open_topic(bootstrap_servers: str, topic: str) -> TopicName:
    """Make the topic if it is missing, and hold it to the contract.

    Raises:
        ConfigurationError: its time stamps are not the broker's.
        TransientError: Kafka cannot be reached now.
    """
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap_servers.split(","),
            client_id="jejo-ingest-admin",
            bootstrap_timeout_ms=BOOTSTRAP_MS,
        )
        try:
            make_topic(admin, topic)
            kind = timestamp_type(admin, topic)
            found = admin.describe_topics([topic])[0]
            cluster_id = admin.describe_cluster()["cluster_id"]
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        raise TransientError(f"Kafka at {bootstrap_servers} does not answer ({error}); see that it runs.") from error
    if kind != "LogAppendTime":
        raise ConfigurationError(
            f"Topic {topic} has message.timestamp.type={kind}: set LogAppendTime, as receipt is the broker's time."
        )
    return TopicName(topic, cluster_id, str(found["topic_id"]))


def log_of(bootstrap_servers: str, topic: str, partition: int) -> LogBounds:
    """What one partition's log holds.

    Raises:
        ConfigurationError: the topic has no such partition.
        TransientError: Kafka cannot be reached now.
    """
    place = TopicPartition(topic, partition)
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=bootstrap_servers.split(","),
            client_id="jejo-ingest-admin",
            isolation_level="read_committed",
            bootstrap_timeout_ms=BOOTSTRAP_MS,
        )
        try:
            if partition not in (consumer.partitions_for_topic(topic) or ()):
                raise ConfigurationError(f"Topic {topic} has no partition {partition}.")
            return LogBounds(consumer.beginning_offsets([place])[place], consumer.end_offsets([place])[place])
        finally:
            consumer.close(autocommit=False)
    except (KafkaError, OSError) as error:
        raise TransientError(f"Kafka at {bootstrap_servers} does not answer ({error}); see that it runs.") from error


def make_topic(admin: KafkaAdminClient, topic: str) -> None:
    """Create the topic as the contract says, unless it is there."""
    if any(found["name"] == topic for found in admin.describe_topics()):
        return
    try:
        admin.create_topics(
            {topic: {"num_partitions": PARTITIONS, "replication_factor": -1, "configs": CONFIGURATION}},
            wait_for_metadata=True,
        )
    except TopicAlreadyExistsError:
        return


def timestamp_type(admin: KafkaAdminClient, topic: str) -> str:
    """The topic's ``message.timestamp.type``."""
    described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all")
    return described["topic"][topic]["message.timestamp.type"]["value"]
