"""Parameters and answers of data quality over HTTP."""

from typing import Annotated

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from services.api.instants import Instant

LONGEST_DAYS = 366

Day = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"}, description="Day of receipt in Seoul.")]


class QualityQuery(BaseModel):
    """The parameters of data quality; others are refused."""

    model_config = ConfigDict(extra="forbid")

    from_: Instant = Field(alias="from", description="A date, or RFC 3339 of a midnight in Seoul.")
    to: Instant = Field(description=f"As `from`; exclusive; at most {LONGEST_DAYS} days later.")


class QualityRows(msgspec.Struct, frozen=True):
    """What became of the rows received on a day. Each is accepted, duplicate, clashed or refused."""

    accepted: Annotated[int, msgspec.Meta(description="Stored as facts, those that revised a fact included.")]
    duplicate: Annotated[int, msgspec.Meta(description="Repeated what was known.")]
    clashed: Annotated[int, msgspec.Meta(description="Contradicted a known row at the same revision, and lost.")]
    revised: Annotated[int, msgspec.Meta(description="Of those accepted: another version of the fact came before.")]
    refused: Annotated[
        dict[str, int],
        msgspec.Meta(description="By reason code; a record refused whole counts as one. Empty if there are none."),
    ]


class QualityPercentiles(msgspec.Struct, frozen=True):
    """The median and the 99th percentile by nearest rank, in seconds; null if there is nothing to measure."""

    p50: float | None
    p99: float | None


class QualityItem(msgspec.Struct, frozen=True):
    """A factory's data quality on a day of receipt."""

    day: Day
    records: Annotated[int, msgspec.Meta(description="Authentic records that were read, each as often as it was sent.")]
    rows: QualityRows
    sequence_gaps: Annotated[
        int,
        msgspec.Meta(
            description="Runs of sequence numbers of a gateway's boot that no record has, and after which the next "
            "number was first received on this day."
        ),
    ]
    lost_records: Annotated[int, msgspec.Meta(description="How many numbers these runs have.")]
    late_share: Annotated[
        float | None,
        msgspec.Meta(
            description="Of the rows accepted, those received more than 24 hours after their instant; null if none was "
            "accepted, or if it was not recorded at the time."
        ),
    ]
    receipt_delay_s: Annotated[
        QualityPercentiles,
        msgspec.Meta(description="Receipt less sending, of all records; negative where the sender's clock is ahead."),
    ]
    clock_offset_s: Annotated[
        QualityPercentiles,
        msgspec.Meta(description="Sending less the newest instant among a record's rows accepted or clashed."),
    ]


class QualityDays(msgspec.Struct, frozen=True):
    """The days of a window on which anything authentic was received, in order of time."""

    items: list[QualityItem]
