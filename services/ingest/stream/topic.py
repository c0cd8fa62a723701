"""The telemetry topic in Kafka: created if it is missing, checked against the contract, identified by its ids."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import InvalidConfigurationError, KafkaError, TopicAlreadyExistsError

from schemas.wire.topic import CONFIGURATION, OPTIONAL, PARTITIONS
from services.core.errors import ConfigurationError, TransientError
from services.ingest.stream.progress import LogBounds, read_logs

ADMIN_CLIENT = "jejo-ingest-admin"
BOOTSTRAP_MS = 5000
"""How long a broker may take to answer before it counts as away."""


@dataclass(frozen=True, slots=True)
class TopicName:
    """A topic's name, and the ids that distinguish it from a deleted topic of the same name."""

    topic: str
    cluster_id: str
    topic_id: str


def open_topic(bootstrap_servers: str, topic: str) -> TopicName:
    """Create the topic if it is missing, and check it against the contract.

    Raises:
        ConfigurationError: its timestamps are not the broker's.
        TransientError: Kafka cannot be reached now.
    """
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap_servers.split(","),
            client_id=ADMIN_CLIENT,
            bootstrap_timeout_ms=BOOTSTRAP_MS,
        )
        try:
            create_topic(admin, topic)
            kind = timestamp_type(admin, topic)
            found = admin.describe_topics([topic])[0]
            cluster_id = admin.describe_cluster()["cluster_id"]
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        raise TransientError(
            f"Kafka at {bootstrap_servers} does not answer ({error}); check that it is running."
        ) from error
    if kind != "LogAppendTime":
        raise ConfigurationError(
            f"Topic {topic} has message.timestamp.type={kind}: set LogAppendTime, as receipt is the broker's time."
        )
    return TopicName(topic, cluster_id, str(found["topic_id"]))


def log_of(bootstrap_servers: str, topic: str, partition: int) -> LogBounds:
    """Return the bounds of one partition's log.

    Raises:
        ConfigurationError: the topic has no such partition.
        TransientError: Kafka cannot be reached now.
    """
    logs = read_logs(bootstrap_servers, topic, client_id=ADMIN_CLIENT, timeout_ms=BOOTSTRAP_MS)
    if partition not in logs.partitions:
        raise ConfigurationError(f"Topic {topic} has no partition {partition}.")
    return logs.partitions[partition]


def create_topic(
    admin: KafkaAdminClient,
    topic: str,
    configuration: Mapping[str, str] = CONFIGURATION,
    optional: Collection[str] = OPTIONAL,
) -> None:
    """Create the topic as the contract says, unless it exists; without ``optional`` where the broker refuses them."""
    if any(found["name"] == topic for found in admin.describe_topics()):
        return
    try:
        send_creation(admin, topic, configuration)
    except InvalidConfigurationError:
        # A broker refuses the whole topic for one setting that it does not know.
        send_creation(admin, topic, {name: value for name, value in configuration.items() if name not in optional})


def send_creation(admin: KafkaAdminClient, topic: str, configuration: Mapping[str, str]) -> None:
    """Create the topic, unless somebody else just has."""
    with suppress(TopicAlreadyExistsError):
        admin.create_topics(
            {topic: {"num_partitions": PARTITIONS, "replication_factor": -1, "configs": configuration}},
            wait_for_metadata=True,
        )


def timestamp_type(admin: KafkaAdminClient, topic: str) -> str:
    """Return the topic's ``message.timestamp.type``."""
    described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all")
    return described["topic"][topic]["message.timestamp.type"]["value"]
