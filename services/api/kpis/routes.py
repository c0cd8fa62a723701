"""``GET /v1/kpis`` and ``GET /v1/kpi-definitions``."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.kpi_definitions import KpiDefinition, PublishedDefinitions, publish
from services.api.access import AnyReader, Reader, RoleKind, authenticate, forbidden, keep_place
from services.api.cursors import read_cursor
from services.api.database import Databases
from services.api.dependencies import Now, Pools
from services.api.kpis.answers import Answer, CsvForm, JsonForm, encoder
from services.api.kpis.bulk import BulkAnswer, Wanted
from services.api.kpis.costs import bound_of, check_cost, check_window
from services.api.kpis.definitions import CURRENT, DEFINED_AT, MEANINGS, VERSIONS, definitions_of, meanings_for
from services.api.kpis.forms import OTHER_CONTENT, FormKind, preferred_form
from services.api.kpis.models import KpiPage, KpiQuery
from services.api.kpis.paging import Page, check_cursor
from services.api.kpis.questions import Question, Scope, parse_scopes
from services.api.kpis.ranking import Ranking, parse_ranking
from services.api.kpis.sums import Key, read_accounted_until
from services.api.kpis.windows import buckets
from services.api.models import described_as
from services.api.pages import CSV_MEDIA_TYPE, csv_headers, page_link, wants_byte_order_mark
from services.api.problems import not_found, unprocessable
from services.api.registry.queries import find
from services.api.registry.things import FACTORY, MACHINE
from services.api.registry.visibility import check_may_see
from services.api.spool import SpoolResponse
from services.api.streams import StreamResponse
from services.core.times import rfc3339

router = APIRouter(prefix="/v1", tags=["kpis"])
T = TypeVar("T")


@router.get(
    "/kpi-definitions", dependencies=[Depends(authenticate)], responses={200: described_as(PublishedDefinitions)}
)
async def get_kpi_definitions(
    definition_version: Annotated[
        str | None, Query(max_length=20, description="An older version; default: the one in force.")
    ] = None,
) -> Response:
    """What each KPI is (formula, unit, range, source, why it may have no value), and each figure that it adds up.

    `meanings` says what flags and reasons mean, `versions` which versions there are.
    """
    definitions = parsed(lambda: definitions_of(definition_version))
    return Response(encoder.encode(publish(definitions, MEANINGS, VERSIONS)), media_type="application/json")


@router.get("/kpis", responses={200: described_as(KpiPage, OTHER_CONTENT)})
async def get_kpis(
    request: Request,
    query: Annotated[KpiQuery, Query()],
    reader: AnyReader,
    databases: Pools,
    now: Now,
) -> Response:
    """KPIs of a scope over a window: one item for each bucket in which a machine is in use, data or not.

    In the order of scope and time, or of a KPI (`order_by`): `order_by=-oee&limit=20` gives the 20 highest.
    As CSV where the caller prefers `text/csv`. A question of more than 1,000,000 buckets in all is refused. Parquet
    and Arrow streams have all items at once, unless `limit` or `cursor` is given, and up to 20,000,000 buckets.
    """
    form = preferred_form(request.headers.getlist("accept"))
    most = bound_of(is_bulk=form.is_bulk)
    scope = parsed(lambda: parse_scopes(query.scope))
    whole = parsed(lambda: buckets(query.from_, query.to, query.interval))
    check_window(whole, most)
    definitions = parsed(lambda: definitions_of(query.definition_version))
    known = definitions.by_id()
    ids = list(dict.fromkeys(query.kpi)) or list(known)
    for name in ids:
        if name not in known:
            raise unprocessable(unknown_kpi(name, definitions.definition_version))
    asked = Question(scope, query.group_by, query.interval, whole, whole.to_us)
    ranking = parsed(lambda: read_ranking(query, asked, known))
    after = parsed(lambda: read_place(query.cursor, asked)) if ranking is None else None
    may_know = await check_may_ask(databases, reader, scope, now)
    if form.is_bulk:
        async with databases.read.connect() as connection:
            if may_know:
                await check_exists(connection, scope)
            labels = await check_cost(connection, asked, most)
        limit = query.limit if {"limit", "cursor"} & query.model_fields_set else None
        return stream(
            request, databases, Wanted(form, asked, whole, labels * len(whole), definitions, ids, ranking, after, limit)
        )
    as_csv = form is FormKind.CSV
    version = definitions.definition_version
    as_bom = wants_byte_order_mark(request)
    writer = CsvForm(ids, version, byte_order_mark=as_bom) if as_csv else JsonForm(ids, version)
    answer = Answer(writer, definitions, ids, whole)
    try:
        async with databases.read.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            if may_know:
                await check_exists(connection, scope)
            labels = await check_cost(connection, asked, most)
            until_us = await read_accounted_until(connection)
            begun = whole.until(until_us or 0)
            page = Page((), None)
            if until_us and begun:
                question = replace(asked, buckets=begun, until_us=until_us)
                if ranking is None:
                    page = await answer.write_page(connection, question, begun, after, query.limit, labels)
                else:
                    page = await answer.write_ranked_page(connection, question, begun, ranking, query.limit)
        return finish(request, form, answer, page, until_us)
    except BaseException:
        answer.spool.close()
        raise


def read_place(cursor: str | None, asked: Question) -> Key | None:
    """Return the key of the item that a page begins after.

    Raises:
        ValueError: the cursor is not one of the question.
    """
    if cursor is None:
        return None
    after = read_cursor(cursor, tuple[str, int])
    check_cursor(asked, after[0])
    return after


def unknown_kpi(name: str, version: int) -> str:
    """Return what to do about an unknown KPI."""
    if name in CURRENT.by_id():
        return f"Version {version} of the definitions has no {name}; ask for version {CURRENT.definition_version}."
    return f"There is no KPI {name}; GET /v1/kpi-definitions lists them."


def read_ranking(query: KpiQuery, asked: Question, known: Mapping[str, KpiDefinition]) -> Ranking | None:
    """Return the order by a KPI, with the place that a page begins after; None without ``order_by``.

    Raises:
        ValueError: there is no such order, or the cursor is not one of it or of the question.
    """
    if query.order_by is None:
        return None
    ranking = parse_ranking(query.order_by, query.cursor, known, len(asked.buckets))
    if ranking.after is not None:
        check_cursor(asked, ranking.after.label)
    return ranking


def finish(request: Request, form: FormKind, answer: Answer, page: Page, until_us: int | None) -> Response:
    """Return the response that an answer with all its items is sent as."""
    accounted_until = None if until_us is None else rfc3339(until_us)
    definitions, meanings = answer.definitions, meanings_for(answer.definitions, answer.ids)
    answer.end(KpiPage([], accounted_until, definitions.definition_version, meanings, page.next_cursor))
    if form is FormKind.CSV:
        headers = csv_headers(request, page.next_cursor)
        described = f'<{DEFINED_AT.format(version=definitions.definition_version)}>; rel="describedby"'
        headers["Link"] = ", ".join(filter(None, (headers.get("Link"), described)))
        return SpoolResponse(answer.spool, CSV_MEDIA_TYPE, headers)
    return SpoolResponse(answer.spool, "application/json", {"Vary": "Accept"})


def stream(request: Request, databases: Databases, wanted: Wanted) -> Response:
    """Return the response that makes a bulk answer while it is sent."""
    state = request.app.state
    answer = BulkAnswer(
        wanted, databases, state.workshop, keep_place(request), state.bulk_deadline_s, lambda at: page_link(request, at)
    )
    return StreamResponse(answer.make, wanted.form.value)


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
