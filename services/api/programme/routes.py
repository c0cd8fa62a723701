"""``GET /v1/programme``, and the populations of the programme by year."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Response

from services.api.access import AnyReader, Ministry, forbidden
from services.api.dependencies import Now, Pools
from services.api.instants import Instant
from services.api.models import described_as
from services.api.problems import Problem
from services.api.programme.models import FigurePoint, Programme, ProgrammeFigure, ProgrammeTarget
from services.api.programme.population_models import FIRST_YEAR, LAST_YEAR, Population, PopulationBody
from services.api.programme.population_queries import read_population, report_population
from services.api.programme.queries import Standing, read_standings, reported_days
from services.api.programme.targets import PLAN_BEGINS, TARGETS, Counted, Target
from services.core.times import MINUTE_US, floor_to, rfc3339

router = APIRouter(prefix="/v1", tags=["programme"])

Year = Annotated[int, Path(ge=FIRST_YEAR, le=LAST_YEAR, description="A year in Seoul.")]


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


@router.put(
    "/programme/populations/{year}",
    responses={HTTPStatus.CREATED.value: {"model": Population, "description": "The first report of the year."}},
)
async def put_population(
    year: Year, body: PopulationBody, reader: Ministry, databases: Pools, now: Now, response: Response
) -> Population:
    """Report how many enterprises the programme is for in a year, by region and sector: all rows of the year at once.

    A report supersedes the one before, which stays in the history.
    """
    async with databases.write.begin() as connection:
        is_first = await report_population(connection, year, body.rows, reader.name, now)
        found = await read_population(connection, year)
    assert found is not None
    response.status_code = HTTPStatus.CREATED if is_first else HTTPStatus.OK
    return found


@router.get("/programme/populations/{year}")
async def get_population(
    year: Year,
    reader: Ministry,
    databases: Pools,
    at: Annotated[Instant | None, Query(description="As reported by this instant; default: by now.")] = None,
) -> Population:
    """The population of a year by region and sector, who reported it when, and what was reported before."""
    async with databases.read.connect() as connection:
        found = await read_population(connection, year, at)
    if found is None:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            f"No population of {year} is reported; PUT /v1/programme/populations/{year} reports it.",
        )
    return found


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
