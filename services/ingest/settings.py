"""Settings of the ingest service."""

from pydantic import Field, ValidationInfo, field_validator

from services.core.settings import MetricsSettings


class IngestSettings(MetricsSettings):
    """How the worker reads the topic, and how much it holds in memory and keeps of dead letters."""

    login = "jejo_ingest"

    ingest_group: str = Field(
        "jejo-ingest", description="Kafka consumer group; workers of one group share the partitions."
    )
    ingest_batch_bytes: int = Field(
        16 * 1024 * 1024, ge=1, description="Bytes of records buffered for one transaction."
    )
    ingest_batch_records: int = Field(5000, ge=1, description="Records buffered for one transaction.")
    kafka_session_timeout_ms: int = Field(10_000, ge=1000, description="How soon a silent worker's partitions move on.")
    kafka_heartbeat_ms: int = Field(1000, ge=100, description="How soon a worker learns of another joining or leaving.")
    kafka_metadata_max_age_ms: int = Field(
        30_000, ge=100, description="How soon a worker learns of partitions added to the topic."
    )
    dead_letter_bytes_per_hour: int = Field(
        10 * 1024 * 1024,
        ge=0,
        description="Raw bytes kept per claimed factory and hour; of the rest, only hash and reason.",
    )
    ingest_metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port of ingest's `/metrics` and `/readyz`; without one neither is served."
    )

    @field_validator("kafka_heartbeat_ms")
    @classmethod
    def below_the_session_timeout(cls, heartbeat_ms: int, info: ValidationInfo) -> int:
        """Refuse what Kafka's client would refuse."""
        if heartbeat_ms >= info.data.get("kafka_session_timeout_ms", heartbeat_ms + 1):
            raise ValueError("write less than JEJO_KAFKA_SESSION_TIMEOUT_MS")
        return heartbeat_ms
