"""``GET /v1/programme``."""

from collections.abc import Sequence

import msgspec
from fastapi import APIRouter, Response

from services.api.access import AnyReader, forbidden
from services.api.dependencies import Now, Pools
from services.api.models import described_as
from services.api.programme.models import FigurePoint, Programme, ProgrammeFigure, ProgrammeTarget
from services.api.programme.queries import Standing, read_standings, reported_days
from services.api.programme.targets import PLAN_BEGINS, TARGETS, Counted, Target
from services.core.times import MINUTE_US, floor_to, rfc3339

router = APIRouter(prefix="/v1", tags=["programme"])


@router.get("/programme", responses={200: described_as(Programme)})
async def get_programme(reader: AnyReader, databases: Pools, now: Now) -> Response:
    """The programme's targets, and how far they are reached, from the registry as of the running minute."""
    if not reader.sees_everything:
        raise forbidden()
    as_of = floor_to(now, MINUTE_US)
    async with databases.read.connect() as connection:
        standings = await read_standings(connection, reported_days(as_of), as_of)
    answer = Programme(rfc3339(as_of), [describe_target(target, standings) for target in TARGETS])
    return Response(msgspec.json.encode(answer), media_type="application/json")


def describe_target(target: Target, standings: Sequence[Standing]) -> ProgrammeTarget:
    """Return a target with what is reached of it, and the figures shown with it."""
    return ProgrammeTarget(
        **msgspec.structs.asdict(describe_figure(target.counted, standings)),
        kind="measured",
        target=target.target,
        target_on=target.target_on,
        also=[describe_figure(counted, standings) for counted in target.also],
    )


def describe_figure(counted: Counted, standings: Sequence[Standing]) -> ProgrammeFigure:
    """Return a figure with its history."""
    history = [FigurePoint(standing.on, standing.counts[counted.count]) for standing in standings]
    return ProgrammeFigure(
        id=counted.id,
        title=counted.title,
        definition=counted.definition,
        unit=counted.unit,
        baseline=None if counted.baseline is None else FigurePoint(PLAN_BEGINS, counted.baseline),
        reached=history[-1].value,
        history=history,
    )
