"""Parameters and answers of timelines over HTTP."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from schemas.wire.codes import Mode, State
from services.api.instants import Instant, Timestamp

LONGEST_DAYS = 7
MOST_COUNTS = 20_000

StateName = Annotated[str, WithJsonSchema({"type": "string", "enum": [state.name for state in State]})]
ModeName = Annotated[
    str, WithJsonSchema({"type": "string", "enum": [mode.name for mode in Mode if mode is not Mode.unknown]})
]


class TimelineQuery(BaseModel):
    """The parameters of a timeline; others are refused."""

    model_config = ConfigDict(extra="forbid")

    from_: Instant = Field(alias="from", description="RFC 3339, or a date, which is its midnight in Seoul.")
    to: Instant = Field(description=f"As `from`; exclusive; at most {LONGEST_DAYS} days later.")


class TimelineSegment(BaseModel):
    """Time in one state, mode and reason."""

    from_: Timestamp = Field(alias="from")
    to: Timestamp
    state: StateName = Field(description="`unknown` where no state holds.")
    mode: ModeName | None
    reason: str | None


class TimelineCount(BaseModel):
    """Pieces made since the machine's last count."""

    at: Timestamp
    good: int
    scrap: int
    rework: int
    product: str


class Timeline(BaseModel):
    """A machine's time in use within a window, whole, and what it made."""

    machine: str = Field(description="`FACTORY/ID`.")
    from_: Timestamp = Field(alias="from")
    to: Timestamp
    partial: bool = Field(description="Not yet accounted to its end; segments and counts end at `accounted_until`.")
    accounted_until: Timestamp | None
    segments: list[TimelineSegment] = Field(description="They add up to the machine's time account.")
    counts: list[TimelineCount]
    counts_truncated: bool = Field(description=f"There are more than {MOST_COUNTS} counts; these are the first.")
