"""Parameters and answers of KPIs over HTTP.

Answers are described by these models, but not built from them: an answer of 10,000 items is written by msgspec, with
exact numbers. Tests validate real answers against the OpenAPI document.
"""

from pydantic import BaseModel, ConfigDict, Field

from services.api.instants import Instant, Timestamp
from services.api.kpis.scopes import GroupBy
from services.api.kpis.windows import Interval


class KpiQuery(BaseModel):
    """The parameters of a KPI query; others are refused."""

    model_config = ConfigDict(extra="forbid")

    scope: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="`nation`, `region:KR-48`, `sector:C25`, `zone:ID`, `sponsor:ID`, `level:basic`, `size:10-49`, "
        "`factory:ID`, `machine:FACTORY/ID`; repeat to intersect.",
    )
    group_by: GroupBy | None = None
    interval: Interval = Interval.TOTAL
    from_: Instant = Field(alias="from", description="RFC 3339, or a date, which is its midnight in Seoul.")
    to: Instant = Field(description="As `from`; exclusive.")
    kpi: list[str] = Field(default_factory=list, max_length=100, description="Ids of KPIs; default: all.")
    limit: int = Field(1000, ge=1, le=10_000)
    cursor: str | None = Field(None, max_length=500, description="`next_cursor` of the page before.")


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


class PieceCounts(BaseModel):
    """Pieces."""

    good: int
    scrap: int
    rework: int


class KpiValue(BaseModel):
    """A ratio of two sums, divided once."""

    value: float | None = Field(description="Null without a denominator; never 0 or 1 instead.")
    numerator: float = Field(description="In the definition's `unit`.")
    denominator: float = Field(description="In the definition's `denominator_unit`.")
    reason: str | None = Field(description="Why there is no value.")
    flags: list[str] = Field(description="low_coverage, above_range, suspect_ideal_cycle, declared_far_above.")


class KpiItem(BaseModel):
    """One scope and bucket."""

    scope: str
    from_: Timestamp = Field(alias="from")
    to: Timestamp
    partial: bool = Field(description="Not yet accounted to its end.")
    factories: int
    machines: int
    time_s: TimeAccount
    producing_by_mode_s: ProducingByMode
    counts: PieceCounts
    kpis: dict[str, KpiValue] = Field(description="By the id of the KPI.")
    coverage: float | None
    suppressed: bool


class KpiPage(BaseModel):
    """Items in the order of scope and time."""

    items: list[KpiItem]
    accounted_until: Timestamp | None
    definition_version: int
    next_cursor: str | None = Field(description="Null: there is no further page.")
