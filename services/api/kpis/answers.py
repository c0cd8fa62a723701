"""What KPI answers look like, for the OpenAPI description. The answers themselves are written with exact numbers."""

from pydantic import BaseModel, Field


class TimeAccount(BaseModel):
    """Seconds in each state; together they are the time in use."""

    producing: float
    setup: float
    delayed: float
    faulted: float
    idle: float
    planned_stop: float
    off_shift: float
    unknown: float


class ProducingByMode(BaseModel):
    """Seconds of producing in each mode."""

    automatic: float
    semi_automatic: float
    manual: float
    unknown: float


class Counts(BaseModel):
    """Pieces."""

    good: int
    scrap: int
    rework: int


class KpiAnswer(BaseModel):
    """A ratio of two sums, divided once."""

    value: float | None = Field(description="Null without a denominator; never 0 or 1 instead.")
    numerator: float = Field(description="In the unit of the definition: seconds or pieces.")
    denominator: float
    reason: str | None = Field(description="Why there is no value.")
    flags: list[str] = Field(description="low_coverage, above_range, suspect_ideal_cycle, declared_far_above.")


class KpiItem(BaseModel):
    """One scope and bucket."""

    scope: str
    from_: str = Field(alias="from")
    to: str
    partial: bool = Field(description="Not yet accounted to its end.")
    factories: int
    machines: int
    time_s: TimeAccount
    producing_by_mode_s: ProducingByMode
    counts: Counts
    kpis: dict[str, KpiAnswer]
    coverage: float | None
    suppressed: bool


class KpiPage(BaseModel):
    """Items in the order of scope and time."""

    items: list[KpiItem]
    accounted_until: str | None
    definition_version: int
    next_cursor: str | None
