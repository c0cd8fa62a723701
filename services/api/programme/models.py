"""Answers of the programme over HTTP."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, Field

from services.api.instants import Instant
from services.api.programme.targets import BilingualText


class FigurePoint(BaseModel):
    """A figure on a day."""

    on: dt.date
    value: int


class ProgrammeFigure(BaseModel):
    """One figure: what is counted, and how many there were."""

    id: str
    title: BilingualText
    definition: BilingualText = Field(description="What exactly is counted.")
    unit: str
    baseline: FigurePoint | None = Field(description="What the plan said of the day it began from.")
    reached: int
    history: list[FigurePoint] = Field(description="At the ends of the years since 2014, and today.")


class ProgrammeTarget(ProgrammeFigure):
    """One target of the programme; null where the plan names no number, or no day."""

    kind: Literal["measured"] = Field(description="From the registry alone.")
    target: int | None
    target_on: dt.date | None
    also: list[ProgrammeFigure] = Field(description="Figures that are shown with it.")


class Programme(BaseModel):
    """Where the programme stands."""

    as_of: Instant
    targets: list[ProgrammeTarget]
