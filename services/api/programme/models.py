"""Answers of the programme over HTTP."""

import datetime as dt
from typing import Annotated, Literal

import msgspec

from schemas.figure_definitions import Wording
from services.api.instants import Timestamp


class FigurePoint(msgspec.Struct, frozen=True):
    """A figure on a day."""

    on: dt.date
    value: int


class ProgrammeFigure(msgspec.Struct, frozen=True):
    """One figure: what is counted, and how many there are."""

    id: str
    title: Wording
    definition: Annotated[Wording, msgspec.Meta(description="What exactly is counted.")]
    unit: str
    baseline: Annotated[FigurePoint | None, msgspec.Meta(description="The plan's figure for the day it began from.")]
    reached: int
    history: Annotated[list[FigurePoint], msgspec.Meta(description="At the end of each year since 2014, and today.")]


class ProgrammeTarget(ProgrammeFigure, frozen=True):
    """One target of the programme; null where the plan names no number, or no day."""

    kind: Annotated[Literal["measured"], msgspec.Meta(description="From the registry alone.")]
    target: int | None
    target_on: dt.date | None
    also: Annotated[list[ProgrammeFigure], msgspec.Meta(description="Figures that are shown with it.")]


class Programme(msgspec.Struct, frozen=True):
    """Where the programme stands."""

    as_of: Timestamp
    targets: list[ProgrammeTarget]
