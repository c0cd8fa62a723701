"""``GET /v1/programme``."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.api.access import AnyReader, forbidden
from services.api.dependencies import Now, Pools
from services.api.programme.models import FigurePoint, Programme, ProgrammeFigure, ProgrammeTarget
from services.api.programme.queries import Standing, days_to_tell, read_standings
from services.api.programme.targets import PLAN_BEGINS, TARGETS, Counted, Target
from services.core.times import MINUTE_US, floor_to

router = APIRouter(prefix="/v1", tags=["programme"])


@router.get("/programme")
async def get_programme(reader: AnyReader, databases: Pools, now: Now) -> Programme:
    """The programme's targets, and how far they are reached, from the registry as of the running minute."""
    if not reader.sees_everything:
        raise forbidden()
    as_of = floor_to(now, MINUTE_US)
    async with databases.read.connect() as connection:
        standings = await read_standings(connection, days_to_tell(as_of), as_of)
    return Programme.model_construct(as_of=as_of, targets=[target_entry(target, standings) for target in TARGETS])


def target_entry(target: Target, standings: Sequence[Standing]) -> ProgrammeTarget:
    return ProgrammeTarget(
        **figure_entry(target.counted, standings).model_dump(),
        kind="measured",
        target=target.target,
        target_on=target.target_on,
        also=[figure_entry(counted, standings) for counted in target.also],
    )


def figure_entry(counted: Counted, standings: Sequence[Standing]) -> ProgrammeFigure:
    history = [FigurePoint(on=standing.on, value=standing.figures[counted.figure]) for standing in standings]
    return ProgrammeFigure(
        id=counted.id,
        title=counted.title,
        definition=counted.definition,
        unit=counted.unit,
        baseline=None if counted.baseline is None else FigurePoint(on=PLAN_BEGINS, value=counted.baseline),
        reached=history[-1].value,
        history=history,
    )
