"""Parameters and answers of timelines over HTTP."""

from typing import Annotated

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from schemas.wire.codes import Mode, State
from services.api.instants import Instant, Timestamp

LONGEST_DAYS = 7
MOST_COUNTS = 20_000

StateName = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [state.name for state in State]})]
ModeName = Annotated[
    str, msgspec.Meta(extra_json_schema={"enum": [mode.name for mode in Mode if mode is not Mode.unknown]})
]


class TimelineQuery(BaseModel):
    """The parameters of a timeline; others are refused."""

    model_config = ConfigDict(extra="forbid")

    from_: Instant = Field(alias="from", description="RFC 3339, or a date, which is its midnight in Seoul.")
    to: Instant = Field(description=f"As `from`; exclusive; at most {LONGEST_DAYS} days later.")


class TimelineSegment(msgspec.Struct, frozen=True):
    """Time in one state, mode and reason: `unknown` where none holds; idle or unknown outside shifts, `off_shift`."""

    from_: Timestamp = msgspec.field(name="from")
    to: Timestamp
    state: StateName
    mode: ModeName | None
    reason: str | None


class ShiftOfTimeline(msgspec.Struct, frozen=True):
    """Time within the factory's shifts; shifts that touch are one."""

    from_: Timestamp = msgspec.field(name="from")
    to: Timestamp


class TimelineCount(msgspec.Struct, frozen=True):
    """Pieces made since the machine's last count."""

    at: Timestamp
    good: int
    scrap: int
    rework: int
    product: str


class Timeline(msgspec.Struct, frozen=True):
    """A machine's time in use within a window, whole, and what it made."""

    machine: Annotated[str, msgspec.Meta(description="`FACTORY/ID`.")]
    from_: Timestamp = msgspec.field(name="from")
    to: Timestamp
    partial: Annotated[
        bool, msgspec.Meta(description="Not yet accounted to its end; segments and counts end at `accounted_until`.")
    ]
    accounted_until: Timestamp | None
    segments: Annotated[list[TimelineSegment], msgspec.Meta(description="They add up to the machine's time account.")]
    shifts: Annotated[
        list[ShiftOfTimeline], msgspec.Meta(description="The machine's time in use within its factory's shifts.")
    ]
    has_calendar: Annotated[
        bool, msgspec.Meta(description="A calendar is in force at some time of the window; else all time is scheduled.")
    ]
    counts: list[TimelineCount]
    counts_truncated: Annotated[
        bool, msgspec.Meta(description=f"There are more than {MOST_COUNTS} counts; these are the first.")
    ]
