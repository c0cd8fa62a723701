"""GET of collections: search, filters, order, pages, JSON or CSV. Who may read a thing may read it in a list."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.access import AnyReader, Reader, RoleKind, forbidden
from services.api.dependencies import Now, Pools
from services.api.pages import CSV_ANSWER, csv_response, wants_csv
from services.api.problems import unprocessable
from services.api.registry import bodies, list_queries, listings
from services.api.registry.dependencies import (
    FactoryId,
    check_may_see,
    check_may_see_keys,
    check_sees_everything,
    factory_number,
)
from services.api.registry.lists import Page, cells, read_page
from services.api.registry.tables import factory, factory_version, gateway_key, machine
from services.core.times import from_us

router = APIRouter(prefix="/v1", tags=["registry"])

E = TypeVar("E", bound=bodies.Held)


class ListAnswer(BaseModel, Generic[E]):
    """A page. As CSV, a ``Link`` header with ``rel="next"`` leads to the next one."""

    items: list[E]
    next_cursor: str | None = Field(description="Null: there is no further page.")


class EnterprisePage(ListAnswer[bodies.EnterpriseEntry]):
    """A page of enterprises."""


class ZonePage(ListAnswer[bodies.ZoneEntry]):
    """A page of zones."""


class SponsorPage(ListAnswer[bodies.SponsorEntry]):
    """A page of sponsors."""


class FactoryPage(ListAnswer[bodies.FactoryListEntry]):
    """A page of factories."""


class MachinePage(ListAnswer[bodies.MachineEntry]):
    """A page of a factory's machines."""


class GatewayKeyPage(ListAnswer[bodies.GatewayKeyEntry]):
    """A page of a factory's gateway keys."""


def answers(model: "type[BaseModel]") -> dict[int | str, dict[str, Any]]:
    """What an OpenAPI description says of a list's answer."""
    return {HTTPStatus.OK.value: {"model": model, "content": CSV_ANSWER}}


def answer(request: Request, entry: type[E], page: Page[E]) -> Response:
    """A page as what the caller prefers."""
    if wants_csv(request):
        columns, rows = cells(entry, page.items)
        return csv_response(request, columns, rows, page.next_cursor)
    body = ListAnswer[entry].model_construct(items=list(page.items), next_cursor=page.next_cursor)  # type: ignore[valid-type]
    return Response(body.model_dump_json(), media_type="application/json", headers={"Vary": "Accept"})


def seen_by(reader: Reader, now_us: int) -> Sequence[listings.Element]:
    """Which factories a reader may see: as for a single one, by where they are now.

    Raises:
        Problem: 403, none at all.
    """
    if reader.sees_everything:
        return ()
    if reader.kind is RoleKind.FACTORY:
        return (factory.c.factory_id == reader.subject,)
    if reader.kind is not RoleKind.REGION:
        raise forbidden()
    present = factory_version.alias()
    return (
        sa.exists().where(
            present.c.factory == factory.c.id,
            present.c.region == reader.subject,
            present.c.retired_at.is_(None),
            present.c.effective_from <= from_us(now_us),
            present.c.effective_to > from_us(now_us),
        ),
    )


async def page_of(
    connection: AsyncConnection,
    listing: listings.Listing,
    query: list_queries.ListQuery,
    entry: type[E],
    now_us: int,
    only: Sequence[listings.Element] = (),
    factory_id: str | None = None,
) -> Page[E]:
    """One page.

    Raises:
        Problem: 422, the cursor is not one of this list in this order.
    """
    try:
        return await read_page(connection, listing, query, entry, now_us, only, factory_id)
    except ValueError as error:
        raise unprocessable(f"Correct the cursor: {error}.") from error


@router.get("/enterprises", responses=answers(EnterprisePage))
async def list_enterprises(
    query: Annotated[list_queries.EnterprisesQuery, Query()],
    request: Request,
    reader: AnyReader,
    databases: Pools,
    now: Now,
) -> Response:
    """Enterprises by id or name."""
    check_sees_everything(reader)
    async with databases.read.connect() as connection:
        page = await page_of(connection, listings.ENTERPRISES, query, bodies.EnterpriseEntry, now)
    return answer(request, bodies.EnterpriseEntry, page)


@router.get("/zones", responses=answers(ZonePage))
async def list_zones(
    query: Annotated[list_queries.ZonesQuery, Query()], request: Request, reader: AnyReader, databases: Pools, now: Now
) -> Response:
    """Smart industrial zones by id or name."""
    check_sees_everything(reader)
    async with databases.read.connect() as connection:
        page = await page_of(connection, listings.ZONES, query, bodies.ZoneEntry, now)
    return answer(request, bodies.ZoneEntry, page)


@router.get("/sponsors", responses=answers(SponsorPage))
async def list_sponsors(
    query: Annotated[list_queries.SponsorsQuery, Query()],
    request: Request,
    reader: AnyReader,
    databases: Pools,
    now: Now,
) -> Response:
    """Sponsors by id or name."""
    check_sees_everything(reader)
    async with databases.read.connect() as connection:
        page = await page_of(connection, listings.SPONSORS, query, bodies.SponsorEntry, now)
    return answer(request, bodies.SponsorEntry, page)


@router.get("/factories", responses=answers(FactoryPage))
async def list_factories(
    query: Annotated[list_queries.FactoriesQuery, Query()],
    request: Request,
    reader: AnyReader,
    databases: Pools,
    now: Now,
) -> Response:
    """Factories by id, name or enterprise; a regional officer gets the region's, a factory itself."""
    only = seen_by(reader, now)
    by_machines = query.sort is list_queries.FactorySort.MACHINES
    listing = listings.FACTORIES_BY_MACHINES if by_machines else listings.FACTORIES
    async with databases.read.connect() as connection:
        page = await page_of(connection, listing, query, bodies.FactoryListEntry, now, only)
    return answer(request, bodies.FactoryListEntry, page)


@router.get("/factories/{factory_id}/machines", responses=answers(MachinePage))
async def list_machines(
    factory_id: FactoryId,
    query: Annotated[list_queries.MachinesQuery, Query()],
    request: Request,
    reader: AnyReader,
    databases: Pools,
    now: Now,
) -> Response:
    """A factory's machines, in use or not, by id, name or kind."""
    await check_may_see(databases, reader, factory_id, now)
    async with databases.read.connect() as connection:
        only = [machine.c.factory == await factory_number(connection, factory_id)]
        page = await page_of(connection, listings.MACHINES, query, bodies.MachineEntry, now, only, factory_id)
    return answer(request, bodies.MachineEntry, page)


@router.get("/factories/{factory_id}/gateway-keys", responses=answers(GatewayKeyPage))
async def list_gateway_keys(
    factory_id: FactoryId,
    query: Annotated[list_queries.GatewayKeysQuery, Query()],
    request: Request,
    reader: AnyReader,
    databases: Pools,
    now: Now,
) -> Response:
    """A factory's gateway keys: for admins and the factory."""
    check_may_see_keys(reader, factory_id)
    async with databases.read.connect() as connection:
        only = [gateway_key.c.factory == await factory_number(connection, factory_id)]
        page = await page_of(connection, listings.GATEWAY_KEYS, query, bodies.GatewayKeyEntry, now, only, factory_id)
    return answer(request, bodies.GatewayKeyEntry, page)
