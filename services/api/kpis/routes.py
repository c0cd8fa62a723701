"""``GET /v1/kpis`` and ``GET /v1/kpi-definitions``."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.kpi_definitions import PublishedDefinitions, publish, read_definitions
from services.api.access import AnyReader, Reader, RoleKind, authenticate, forbidden
from services.api.cursors import make_cursor, read_cursor
from services.api.database import Databases
from services.api.dependencies import Now, Pools
from services.api.kpis.items import csv_columns, csv_row, make_item
from services.api.kpis.models import KpiPage, KpiQuery
from services.api.kpis.questions import Question, Scope, parse_scopes
from services.api.kpis.sums import Key, Sums, choose_page, read_accounted_until, read_sums
from services.api.kpis.windows import Bucket, buckets
from services.api.models import described_as
from services.api.pages import CSV_ANSWER, csv_response, wants_csv
from services.api.problems import not_found, unprocessable
from services.api.registry.queries import find
from services.api.registry.things import FACTORY, MACHINE
from services.api.registry.visibility import check_may_see
from services.core.times import rfc3339

router = APIRouter(prefix="/v1", tags=["kpis"])
DEFINITIONS = read_definitions()
encoder = msgspec.json.Encoder(decimal_format="number")
T = TypeVar("T")


@router.get(
    "/kpi-definitions", dependencies=[Depends(authenticate)], responses={200: described_as(PublishedDefinitions)}
)
async def get_kpi_definitions() -> Response:
    """What each KPI is (formula, unit, range, source, why it may have no value), and each figure that it adds up."""
    return Response(encoder.encode(publish(DEFINITIONS)), media_type="application/json")


@router.get("/kpis", responses={200: described_as(KpiPage, CSV_ANSWER)})
async def get_kpis(
    request: Request,
    query: Annotated[KpiQuery, Query()],
    reader: AnyReader,
    databases: Pools,
    now: Now,
) -> Response:
    """KPIs of a scope over a window: one item for each bucket in which a machine is in use, data or not.

    As CSV where the caller prefers `text/csv`.
    """
    scope = parsed(lambda: parse_scopes(query.scope))
    whole = parsed(lambda: buckets(query.from_, query.to, query.interval))
    known = DEFINITIONS.by_id()
    ids = list(dict.fromkeys(query.kpi)) or list(known)
    for name in ids:
        if name not in known:
            raise unprocessable(f"There is no KPI {name}; GET /v1/kpi-definitions lists them.")
    after = None if query.cursor is None else parsed(lambda: read_cursor(query.cursor or "", tuple[str, int]))
    may_know = await check_may_ask(databases, reader, scope, now)
    async with databases.read.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        if may_know:
            await check_exists(connection, scope)
        until_us = await read_accounted_until(connection)
        begun = [Bucket(b.from_us, min(b.to_us, until_us)) for b in whole if until_us and b.from_us < until_us]
        sums: dict[Key, Sums] = {}
        if until_us and begun:
            question = Question(scope, query.group_by, query.interval, begun, until_us)
            question = await choose_page(connection, question, after, query.limit)
            wanted = frozenset(figure for name in ids for figure in known[name].figures)
            sums = await read_sums(connection, question, wanted)
    by_start = {bucket.from_us: bucket for bucket in whole}
    keys = [key for key in sorted(sums) if after is None or key > after]
    page = keys[: query.limit]
    items = [make_item(key[0], by_start[key[1]], sums[key], until_us or 0, DEFINITIONS, ids) for key in page]
    next_cursor = make_cursor(page[-1]) if len(keys) > len(page) else None
    if wants_csv(request):
        return csv_response(request, csv_columns(ids), (csv_row(item, ids) for item in items), next_cursor)
    accounted_until = None if until_us is None else rfc3339(until_us)
    answer = KpiPage(items, accounted_until, DEFINITIONS.definition_version, next_cursor)
    return Response(encoder.encode(answer), media_type="application/json", headers={"Vary": "Accept"})


def parsed(parse: Callable[[], T]) -> T:
    """Return the result of a parser of a parameter.

    Raises:
        Problem: 422 with the parser's sentence, if it raises ValueError.
    """
    try:
        return parse()
    except ValueError as error:
        sentence = str(error)
        raise unprocessable(sentence[:1].upper() + sentence[1:] + ".") from error


async def check_may_ask(databases: Databases, reader: Reader, scope: Scope, now_us: int) -> bool:
    """Check that a reader may ask about a scope: a regional officer may ask about anything within the region.

    Returns:
        Whether the reader may also learn if the scope's factory and machine are registered. An officer who asks about
        the region's part of some factory gets an empty answer for a factory that is elsewhere or not registered.

    Raises:
        Problem: 403 if the reader may not.
    """
    if reader.sees_everything:
        return True
    if reader.kind is RoleKind.REGION and scope.region == reader.subject:
        return False
    if scope.factory_id is None or scope.is_empty:
        raise forbidden()
    await check_may_see(databases, reader, scope.factory_id, now_us)
    return True


async def check_exists(connection: AsyncConnection, scope: Scope) -> None:
    """Check that a scope's factory and machine are registered.

    Raises:
        Problem: 404 if one is not.
    """
    if scope.factory_id is None or scope.is_empty:
        return
    number = await find(connection, FACTORY, scope.factory_id)
    if number is None:
        raise not_found(f"factory {scope.factory_id}")
    if scope.machine_id is not None and await find(connection, MACHINE, scope.machine_id, number) is None:
        raise not_found(f"machine {scope.factory_id}/{scope.machine_id}")
