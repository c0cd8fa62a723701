"""Settings of the analytics service."""

from pydantic import Field

from services.core.settings import MetricsSettings


class AnalyticsSettings(MetricsSettings):
    """How often accounts are brought up to date."""

    login = "jejo_analytics"

    analytics_cycle_s: float = Field(1.0, gt=0, description="Least seconds between two moves of accounted_until.")
    analytics_metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port of analytics' `/metrics` and `/readyz`; without one neither is served."
    )
