"""``GET /v1/programme``."""

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.api.access import AnyReader, forbidden
from services.api.instants import Instant
from services.api.programme.standings import Standing, days_to_tell, read_standings
from services.api.programme.targets import PLAN_BEGINS, TARGETS, Counted, Target
from services.api.registry.dependencies import Now, Pools
from services.core.times import MINUTE_US, floor_to

router = APIRouter(prefix="/v1", tags=["programme"])


class WordsEntry(BaseModel):
    """The same in both languages."""

    model_config = ConfigDict(from_attributes=True)

    en: str
    ko: str


class PointEntry(BaseModel):
    """A figure on a day."""

    on: dt.date
    value: int


class FigureEntry(BaseModel):
    """One figure: what is counted, and how many there were."""

    id: str
    title: WordsEntry
    definition: WordsEntry = Field(description="What exactly is counted.")
    unit: str
    baseline: PointEntry | None = Field(description="What the plan said of the day it began from.")
    reached: int
    history: list[PointEntry] = Field(description="At the ends of the years since 2014, and today.")


class TargetEntry(FigureEntry):
    """One target of the programme; null where the plan names no number, or no day."""

    kind: Literal["measured"] = Field(description="From the registry alone.")
    target: int | None
    target_on: dt.date | None
    also: list[FigureEntry] = Field(description="Figures that are shown with it.")


class Programme(BaseModel):
    """Where the programme stands."""

    as_of: Instant
    targets: list[TargetEntry]


@router.get("/programme")
async def get_programme(reader: AnyReader, databases: Pools, now: Now) -> Programme:
    """The programme's targets, and how far they are reached, from the registry as of the running minute."""
    if not reader.sees_everything:
        raise forbidden()
    as_of = floor_to(now, MINUTE_US)
    async with databases.read.connect() as connection:
        standings = await read_standings(connection, days_to_tell(as_of), as_of)
    return Programme.model_construct(as_of=as_of, targets=[target_entry(target, standings) for target in TARGETS])


def target_entry(target: Target, standings: Sequence[Standing]) -> TargetEntry:
    return TargetEntry(
        **figure_entry(target.counted, standings).model_dump(),
        kind="measured",
        target=target.target,
        target_on=target.target_on,
        also=[figure_entry(counted, standings) for counted in target.also],
    )


def figure_entry(counted: Counted, standings: Sequence[Standing]) -> FigureEntry:
    history = [PointEntry(on=standing.on, value=standing.figures[counted.figure]) for standing in standings]
    return FigureEntry(
        id=counted.id,
        title=WordsEntry.model_validate(counted.title),
        definition=WordsEntry.model_validate(counted.definition),
        unit=counted.unit,
        baseline=None if counted.baseline is None else PointEntry(on=PLAN_BEGINS, value=counted.baseline),
        reached=history[-1].value,
        history=history,
    )
