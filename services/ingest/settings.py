"""Settings of the ingest service."""

from pydantic import Field, ValidationInfo, field_validator

from services.core.settings import MetricsSettings
from services.ingest.judging.quotas import FactoryLimits
from services.ingest.letters.letter_quota import LetterLimits


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
        description="Raw bytes kept per authentic factory and hour; of the rest, only hash and reason.",
    )
    dead_letter_shared_letters_per_hour: int = Field(
        2000,
        ge=0,
        description="Letters that nobody authenticated kept per partition and hour; the rest are counted.",
    )
    dead_letter_shared_bytes_per_hour: int = Field(
        3 * 1024 * 1024,
        ge=0,
        description="Raw bytes kept of them per partition and hour; the rest are counted.",
    )
    dead_letter_days: int = Field(90, ge=1, description="Days after which a dead letter is deleted.")
    quota_rows_per_hour: int = Field(20_000_000, ge=1, description="Rows accepted of a factory and hour of receipt.")
    quota_bytes_per_hour: int = Field(
        4 * 1024 * 1024 * 1024, ge=1, description="Bytes of values accepted of a factory and hour of receipt."
    )
    quota_metrics_per_hour: int = Field(
        1000, ge=0, description="New names of metrics accepted of a factory and hour of receipt."
    )
    quota_days_per_hour: int = Field(
        400, ge=0, description="Days without facts so far that a factory may begin in an hour of receipt."
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

    @property
    def letter_limits(self) -> LetterLimits:
        """Return the quotas of dead letters."""
        return LetterLimits(
            self.dead_letter_bytes_per_hour,
            self.dead_letter_shared_letters_per_hour,
            self.dead_letter_shared_bytes_per_hour,
        )

    @property
    def factory_limits(self) -> FactoryLimits:
        """Return the quotas of what an authentic factory sends."""
        return FactoryLimits(
            self.quota_rows_per_hour, self.quota_bytes_per_hour, self.quota_metrics_per_hour, self.quota_days_per_hour
        )
