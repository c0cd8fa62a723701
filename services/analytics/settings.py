"""Settings of the analytics service."""

from pydantic import Field

from services.core.settings import Settings


class AnalyticsSettings(Settings):
    """How often accounts are brought up to date."""

    analytics_cycle_s: float = Field(1.0, gt=0, description="Least seconds between two moves of accounted_until.")
