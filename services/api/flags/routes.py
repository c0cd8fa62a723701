"""``GET /v1/flags``, ``GET /v1/factories/{factory_id}/flags``, ``POST /v1/flags/{id}/closing``."""

import datetime as dt
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response

from schemas.plausibility_rules import RULES, RuleId
from services.api.access import AnyReader, Reader, RoleKind, forbidden
from services.api.cursors import make_cursor, read_cursor
from services.api.database import Databases
from services.api.dependencies import Now, Pools
from services.api.flags.models import Closing, FactoryFlagsQuery, Flag, FlagMeaning, FlagPage, FlagsQuery
from services.api.flags.queries import Wanted, close_flag, read_flag, read_flags, seen_factories
from services.api.kpis.questions import Scope, parse_scopes
from services.api.kpis.routes import check_exists, check_may_ask, parsed
from services.api.models import described_as
from services.api.pages import CSV_ANSWER, csv_response, wants_csv
from services.api.problems import Problem, not_found, unprocessable
from services.api.registry.fields import FactoryId
from services.core.times import rfc3339, seoul_day

router = APIRouter(prefix="/v1", tags=["flags"])

CSV_COLUMNS = (
    *("id", "rule", "rule_version", "kind", "factory_id", "machine_id", "days", "open", "opened_at", "judged_at"),
    *("closed_at", "closed_by", "closed_why", "evidence"),
)
LARGEST_ID = 2**63 - 1


@router.get("/flags", responses={200: described_as(FlagPage, CSV_ANSWER)})
async def get_flags(
    query: Annotated[FlagsQuery, Query()], databases: Pools, now: Now, reader: AnyReader, request: Request
) -> Response:
    """Plausibility flags of a scope, open and closed: what looks made up or wrong in what was sent, and why."""
    return await answer(request, databases, reader, now, parsed(lambda: parse_scopes(query.scope)), query)


@router.get("/factories/{factory_id}/flags", responses={200: described_as(FlagPage, CSV_ANSWER)})
async def get_factory_flags(
    factory_id: FactoryId,
    query: Annotated[FactoryFlagsQuery, Query()],
    databases: Pools,
    now: Now,
    reader: AnyReader,
    request: Request,
) -> Response:
    """A factory's plausibility flags, open and closed."""
    scope = parse_scopes([f"factory:{factory_id}"])
    return await answer(request, databases, reader, now, scope, query)


@router.post("/flags/{flag_id}/closing", responses={200: described_as(Flag)})
async def close(
    flag_id: Annotated[int, Path(ge=1, le=LARGEST_ID)], closing: Closing, databases: Pools, now: Now, reader: AnyReader
) -> Response:
    """Close a flag by an inspector's word: of the ministry, or of the factory's region.

    It stays closed as long as its evidence is the same; other evidence opens it again.
    """
    if reader.kind not in (RoleKind.ADMIN, RoleKind.MINISTRY, RoleKind.REGION):
        raise forbidden()
    async with databases.write.begin() as connection:
        found = await read_flag(connection, flag_id)
        if found is None:
            # Whoever does not see everything does not learn which ids there are.
            raise not_found(f"flag {flag_id}") if reader.sees_everything else forbidden()
        if not await seen_factories(connection, reader, [found.factory_id], now):
            raise forbidden()
        by = str(reader.kind) if reader.subject is None else f"{reader.kind}:{reader.subject}"
        if not await close_flag(connection, flag_id, by, closing.why, now):
            raise Problem(HTTPStatus.CONFLICT, f"Flag {flag_id} is closed already; leave it, or wait for new evidence.")
        closed = await read_flag(connection, flag_id)
        assert closed is not None
        seen = await seen_factories(connection, reader, named_factories(closed.evidence), now)
    return json(describe(closed, seen))


async def answer(
    request: Request, databases: Databases, reader: Reader, now_us: int, scope: Scope, query: FactoryFlagsQuery
) -> Response:
    """Return a page of a scope's flags as JSON or CSV.

    Raises:
        Problem: 403 if the reader may not ask; 404 if the scope's factory or machine is not registered; 422 if the
            window is empty or the cursor is invalid.
    """
    may_know = await check_may_ask(databases, reader, scope, now_us)
    if query.from_ is not None and query.to is not None and query.from_ >= query.to:
        raise unprocessable("Let `from` be before `to`.")
    cursor = query.cursor
    after = 0 if cursor is None else parsed(lambda: read_cursor(cursor, int))
    first = None if query.from_ is None else seoul_day(query.from_)
    end = None if query.to is None else seoul_day(query.to - 1) + dt.timedelta(days=1)
    async with databases.read.connect() as connection:
        if may_know:
            await check_exists(connection, scope)
        rows = await read_flags(connection, Wanted(scope, query.rule, first, end), after, query.limit + 1)
        named = {name for row in rows for name in named_factories(row.evidence)}
        seen = await seen_factories(connection, reader, named, now_us)
    flags = [describe(row, seen) for row in rows[: query.limit]]
    next_cursor = make_cursor(flags[-1].id) if len(rows) > query.limit else None
    if wants_csv(request):
        return csv_response(request, CSV_COLUMNS, (list(cells(flag)) for flag in flags), next_cursor)
    return json(FlagPage(flags, next_cursor))


def json(value: Flag | FlagPage) -> Response:
    """Return a response of JSON."""
    return Response(msgspec.json.encode(value), media_type="application/json", headers={"Vary": "Accept"})


def describe(row: "sa.Row[Any]", seen: set[str]) -> Flag:
    """Return a flag as the API shows it to a reader who may see some factories."""
    meaning = RULES[RuleId(row.rule)].meaning
    return Flag(
        id=row.id,
        rule=row.rule,
        rule_version=row.rule_version,
        kind=row.kind,
        meaning=FlagMeaning(meaning.en, meaning.ko),
        factory_id=row.factory_id,
        machine_id=row.machine_id,
        days=[day.isoformat() for day in row.days],
        evidence=without_others(row.evidence, seen) | {"usual": row.usual},
        open=row.closed_at is None,
        opened_at=rfc3339(row.opened_at),
        judged_at=rfc3339(row.judged_at),
        closed_at=None if row.closed_at is None else rfc3339(row.closed_at),
        closed_by=row.closed_by,
        closed_why=row.closed_why,
    )


def named_factories(evidence: Any) -> Iterator[str]:
    """Yield the factories of the machines, as ``FACTORY/ID``, that evidence names."""
    if isinstance(evidence, dict):
        if isinstance(name := evidence.get("machine"), str):
            yield name.partition("/")[0]
        for value in evidence.values():
            yield from named_factories(value)
    elif isinstance(evidence, list):
        for value in evidence:
            yield from named_factories(value)


def without_others(evidence: Any, seen: set[str]) -> Any:
    """Return evidence with null instead of the machines of factories that the reader may not see."""
    if isinstance(evidence, dict):
        hidden = isinstance(name := evidence.get("machine"), str) and name.partition("/")[0] not in seen
        shown = {key: without_others(value, seen) for key, value in evidence.items()}
        return {**shown, "machine": None} if hidden else shown
    if isinstance(evidence, list):
        return [without_others(value, seen) for value in evidence]
    return evidence


def cells(flag: Flag) -> Iterator[object]:
    """Yield a flag's cells in the order of CSV_COLUMNS; evidence is JSON."""
    yield from (flag.id, flag.rule, flag.rule_version, flag.kind, flag.factory_id, flag.machine_id)
    yield " ".join(flag.days)
    yield from (flag.open, flag.opened_at, flag.judged_at, flag.closed_at, flag.closed_by, flag.closed_why)
    yield msgspec.json.encode(flag.evidence).decode()
