"""Parameters and answers of KPIs over HTTP.

Answers are msgspec's structs instead of pydantic's models: an answer may have 10,000 items, with exact numbers.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.kpi_definitions import Meanings
from services.api.instants import Instant, Timestamp
from services.api.kpis.questions import GroupBy
from services.api.kpis.windows import Interval
from services.api.numbers import read_integer

if TYPE_CHECKING:
    Number = int | Decimal
else:
    # As the OpenAPI document has it; encoding checks no types.
    Number = float


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
    order_by: str | None = Field(
        None,
        max_length=100,
        description="Id of a KPI: items come in the order of its exact value, with `-` before it the highest first. "
        "Items without a value come last, equal ones in the order of their scopes. For one bucket a scope only.",
    )
    definition_version: str | None = Field(
        None,
        max_length=20,
        description="A version of the definitions, whose formulas are applied to what is known today; default: the one "
        "in force. GET /v1/kpi-definitions lists the versions.",
    )
    limit: Annotated[int, Field(ge=1, le=10_000), BeforeValidator(read_integer)] = 1000
    cursor: str | None = Field(None, max_length=500, description="`next_cursor` of the page before.")


class TimeAccount(msgspec.Struct, frozen=True):
    """Seconds in each state; together they are the time in use."""

    producing: Number
    setup: Number
    delayed: Number
    faulted: Number
    idle: Number
    planned_stop: Number
    off_shift: Number
    unknown: Number


class ProducingByMode(msgspec.Struct, frozen=True):
    """Seconds of producing in each mode."""

    automatic: Number
    semi_automatic: Number
    manual: Number
    unknown: Number


class PieceCounts(msgspec.Struct, frozen=True):
    """Pieces made."""

    good: int
    scrap: int
    rework: int


class KpiValue(msgspec.Struct, frozen=True):
    """A ratio of two sums, divided once."""

    value: Annotated[float | None, msgspec.Meta(description="Null without a denominator; never 0 or 1 instead.")]
    numerator: Annotated[Number, msgspec.Meta(description="In the definition's `unit`.")]
    denominator: Annotated[Number, msgspec.Meta(description="In the definition's `denominator_unit`.")]
    reason: Annotated[str | None, msgspec.Meta(description="Why there is no value.")]
    flags: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="`low_coverage`, `above_range`, and the flags of the definition that apply."),
    ]


class KpiItem(msgspec.Struct, frozen=True):
    """One scope and bucket."""

    scope: str
    from_: Timestamp = msgspec.field(name="from")
    to: Timestamp
    partial: Annotated[bool, msgspec.Meta(description="Not yet accounted to its end.")]
    factories: int
    machines: int
    time_s: TimeAccount
    producing_by_mode_s: ProducingByMode
    counts: PieceCounts
    kpis: Annotated[dict[str, KpiValue], msgspec.Meta(description="By the id of the KPI.")]
    coverage: float | None
    suppressed: bool


class KpiPage(msgspec.Struct, frozen=True):
    """Items in the order of scope and time, or of the KPI that was asked for."""

    items: list[KpiItem]
    accounted_until: Timestamp | None
    definition_version: int
    meanings: Annotated[Meanings, msgspec.Meta(description="What flags and reasons of these KPIs mean.")]
    next_cursor: Annotated[str | None, msgspec.Meta(description="Null: there is no further page.")]
