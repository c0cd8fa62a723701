"""Settings of ``jejo status``: the limits beyond which it reports that something is behind."""

from pydantic import Field

from services.core.settings import Settings


class StatusSettings(Settings):
    """The most that is still fine."""

    login = "jejo_status"

    status_lag_records: int = Field(100_000, ge=0, description="Records that ingest may be behind.")
    status_transaction_s: float = Field(
        30.0, gt=0, description="Seconds for which a transaction in Kafka may hold back the records behind it."
    )
    status_freshness_s: float = Field(
        60.0, gt=0, description="Seconds by which KPIs may be older than what was ingested."
    )
    status_dead_letters_per_hour: int = Field(1000, ge=0, description="Dead letters that an hour may bring.")
