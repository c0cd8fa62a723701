"""Parameters and answers of plausibility flags over HTTP."""

from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from schemas.plausibility_rules import FlagKind, RuleId
from services.api.instants import Instant, Timestamp
from services.api.numbers import read_integer

RuleName = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [rule.value for rule in RuleId]})]
KindName = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [kind.value for kind in FlagKind]})]
Day = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"})]


class FactoryFlagsQuery(BaseModel):
    """The parameters of a factory's flags; others are refused."""

    model_config = ConfigDict(extra="forbid")

    rule: RuleId | None = None
    from_: Instant | None = Field(None, alias="from", description="Only flags with a Seoul day from then on.")
    to: Instant | None = Field(None, description="Only flags with a Seoul day before.")
    limit: Annotated[int, Field(ge=1, le=10_000), BeforeValidator(read_integer)] = 100
    cursor: str | None = Field(None, max_length=100, description="`next_cursor` of the page before.")


class FlagsQuery(FactoryFlagsQuery):
    """The parameters of a scope's flags; others are refused."""

    scope: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="As of `/v1/kpis`: by the cohort to which the machine belonged on the flag's days.",
    )


class Closing(BaseModel):
    """An inspector's word on a flag."""

    model_config = ConfigDict(extra="forbid")

    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class FlagMeaning(msgspec.Struct, frozen=True):
    """What a rule's flag means."""

    en: str
    ko: str


class Flag(msgspec.Struct, frozen=True):
    """What looks made up or wrong in what a factory sent."""

    id: Annotated[int, msgspec.Meta(description="Stays the same however often the days are judged.")]
    rule: RuleName
    rule_version: int
    kind: KindName
    meaning: FlagMeaning
    factory_id: str
    machine_id: Annotated[str | None, msgspec.Meta(description="Null: all of the factory.")]
    days: list[Day]
    evidence: Annotated[
        dict[str, Any],
        msgspec.Meta(
            description="The values behind it, most of them by day. `usual` has what they are to be seen beside, and "
            "the rule's thresholds. Machines of factories that the reader may not see are null."
        ),
    ]
    open: bool
    opened_at: Timestamp
    judged_at: Annotated[Timestamp, msgspec.Meta(description="When its days or evidence last changed.")]
    closed_at: Timestamp | None
    closed_by: Annotated[
        str | None,
        msgspec.Meta(description="`data`: corrected data no longer show it; else the role of who closed it."),
    ]
    closed_why: str | None


class FlagPage(msgspec.Struct, frozen=True):
    """Flags in the order in which they were first raised, open and closed ones."""

    items: list[Flag]
    next_cursor: Annotated[str | None, msgspec.Meta(description="Null: there is no further page.")]
