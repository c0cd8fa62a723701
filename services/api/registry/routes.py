"""The registry's endpoints: PUT and GET of single things, and GET of lists."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from services.api.access import Admin, AnyReader
from services.api.dependencies import Now, Pools
from services.api.instants import Instant
from services.api.pages import CSV_ANSWER, csv_response, wants_csv
from services.api.problems import not_found, unprocessable
from services.api.registry import list_models, lists, models, queries
from services.api.registry.fields import FactoryId, LocalId
from services.api.registry.tables import TABLES
from services.api.registry.things import ENTERPRISE, FACTORY, GATEWAY_KEY, MACHINE, SPONSOR, ZONE, Content, Kind
from services.api.registry.versions import Version
from services.api.registry.visibility import (
    check_may_see,
    check_may_see_keys,
    check_sees_everything,
    factory_number,
    visible_factories,
)
from services.api.registry.writes import NotRegistered, Registration, write_all
from services.api.turns import in_turns

router = APIRouter(prefix="/v1", tags=["registry"])
WRITTEN_AT_ONCE = 200
"""Entries, which take a few ms."""

C = TypeVar("C", bound=Content)
E = TypeVar("E", bound=models.Held)


@dataclass(frozen=True, slots=True)
class Writer:
    """Registers what an admin PUTs, and sets the answer's status."""

    admin: Admin
    databases: Pools
    now_us: Now
    response: Response

    async def put(
        self,
        kind: Kind[C],
        identifier: str,
        content: C,
        effective_from_us: int | None,
        factory_id: str | None = None,
    ) -> Version[C]:
        """Registers content in a transaction of its own and returns its version; status 201 for a new thing, else 200.

        Raises:
            Problem: 404 if there is no such factory; 422 if the body names something that is not registered.
        """
        registration = Registration(kind, identifier, content, effective_from_us, factory_id)
        try:
            async with self.databases.write.begin() as connection:
                (written,) = await write_all(connection, [registration], self.now_us)
        except NotRegistered as error:
            owner = identifier if kind.one_of_factory else factory_id
            if owner is not None:
                raise not_found(f"factory {owner}") from error
            raise unprocessable(str(error)) from error
        self.response.status_code = HTTPStatus.CREATED if written.is_new else HTTPStatus.OK
        return Version(written.version.from_us, written.version.to_us, content)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Reads single things as of an instant."""

    reader: AnyReader
    databases: Pools
    now_us: Now
    at: Annotated[Instant | None, Query(description="As of this instant; default: now.")] = None

    async def get(self, kind: Kind[C], identifier: str) -> Version[C]:
        """Returns the version of a thing whose id is unique in the country.

        Raises:
            Problem: 404 if it is not registered.
        """
        async with self.databases.read.connect() as connection:
            version = await queries.read_at(connection, kind, identifier, self.at_us)
        if version is None:
            raise not_found(f"{kind.name} {identifier}")
        return version

    async def get_of_factory(self, kind: Kind[C], factory_id: str, identifier: str) -> Version[C]:
        """Returns the version of a factory's thing.

        Raises:
            Problem: 404 if there is no such factory or thing.
        """
        async with self.databases.read.connect() as connection:
            number = await factory_number(connection, factory_id)
            version = await queries.read_at(connection, kind, identifier, self.at_us, number)
        if version is None:
            raise not_found(f"{kind.name} {factory_id}/{identifier}")
        return version

    @property
    def at_us(self) -> int:
        return self.now_us if self.at is None else self.at


@dataclass(frozen=True, slots=True)
class Lister:
    """Reads pages of lists, and returns them in the format that the caller prefers."""

    request: Request
    reader: AnyReader
    databases: Pools
    now_us: Now

    async def answer(
        self,
        listing: lists.Listing[C],
        query: list_models.ListQuery,
        model: type[list_models.ListAnswer[E]],
        entry_of: Callable[[str, Version[C]], E],
        factory_id: str | None = None,
    ) -> Response:
        """Returns a page of entries; only those of one factory's things if a factory is given.

        Raises:
            Problem: 404 if the factory is not registered; 422 if the cursor is not one of this list in this order.
        """
        page = await self.page(listing, query, (), factory_id)
        entries = await in_turns(lambda item: entry_of(item.identifier, item.version), page.items)
        return await self.respond(model, entries, page.next_cursor)

    async def page(
        self,
        listing: lists.Listing[C],
        query: list_models.ListQuery,
        visible: Sequence[lists.Element],
        factory_id: str | None = None,
    ) -> lists.Page[C]:
        """Returns one page of what is visible; raises as ``answer`` does."""
        async with self.databases.read.connect() as connection:
            if factory_id is not None:
                owner = await factory_number(connection, factory_id)
                visible = [*visible, TABLES[listing.kind].things.c.factory == owner]
            try:
                return await lists.read_page(connection, listing, query.request(self.now_us), visible)
            except ValueError as error:
                raise unprocessable(f"Correct the cursor: {error}.") from error

    async def respond(
        self, model: type[list_models.ListAnswer[E]], entries: list[E], next_cursor: str | None
    ) -> Response:
        """Returns entries as JSON or CSV. Many are written in a thread, so that others are answered meanwhile."""
        if len(entries) <= WRITTEN_AT_ONCE:
            return self.write(model, entries, next_cursor)
        return await asyncio.to_thread(self.write, model, entries, next_cursor)

    def write(self, model: type[list_models.ListAnswer[E]], entries: list[E], next_cursor: str | None) -> Response:
        """Returns entries as JSON or CSV."""
        if wants_csv(self.request):
            columns = model.columns()
            dumped = (entry.model_dump(mode="json") for entry in entries)
            rows = ([values[name] for name in columns] for values in dumped)
            return csv_response(self.request, columns, rows, next_cursor)
        body = model.model_construct(items=entries, next_cursor=next_cursor)
        return Response(body.model_dump_json(), media_type="application/json", headers={"Vary": "Accept"})


WriterDep = Annotated[Writer, Depends()]
LookupDep = Annotated[Lookup, Depends()]
ListerDep = Annotated[Lister, Depends()]


def created(entry: type[models.Held]) -> dict[int | str, dict[str, Any]]:
    """Returns the OpenAPI response of the first PUT of a thing."""
    return {HTTPStatus.CREATED.value: {"model": entry, "description": "Registered; 200: it was registered before."}}


def pages(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Returns the OpenAPI response of a list."""
    return {HTTPStatus.OK.value: {"model": model, "content": CSV_ANSWER}}


@router.get("/enterprises", responses=pages(list_models.EnterprisePage))
async def list_enterprises(query: Annotated[list_models.EnterprisesQuery, Query()], lister: ListerDep) -> Response:
    """Enterprises by id or name."""
    check_sees_everything(lister.reader)
    return await lister.answer(lists.ENTERPRISES, query, list_models.EnterprisePage, models.EnterpriseEntry.of)


@router.get("/zones", responses=pages(list_models.ZonePage))
async def list_zones(query: Annotated[list_models.ZonesQuery, Query()], lister: ListerDep) -> Response:
    """Smart industrial zones by id or name."""
    check_sees_everything(lister.reader)
    return await lister.answer(lists.ZONES, query, list_models.ZonePage, models.ZoneEntry.of)


@router.get("/sponsors", responses=pages(list_models.SponsorPage))
async def list_sponsors(query: Annotated[list_models.SponsorsQuery, Query()], lister: ListerDep) -> Response:
    """Sponsors by id or name."""
    check_sees_everything(lister.reader)
    return await lister.answer(lists.SPONSORS, query, list_models.SponsorPage, models.SponsorEntry.of)


@router.get("/factories", responses=pages(list_models.FactoryPage))
async def list_factories(query: Annotated[list_models.FactoriesQuery, Query()], lister: ListerDep) -> Response:
    """Factories by id, name or enterprise; a regional officer gets the region's, a factory itself."""
    visible = visible_factories(lister.reader, lister.now_us)
    by_machines = query.sort is list_models.FactorySort.MACHINES
    page = await lister.page(lists.FACTORIES_BY_MACHINES if by_machines else lists.FACTORIES, query, visible)
    entries = await in_turns(list_models.FactoryListEntry.of_listed, page.items)
    return await lister.respond(list_models.FactoryPage, entries, page.next_cursor)


@router.get("/factories/{factory_id}/machines", responses=pages(list_models.MachinePage))
async def list_machines(
    factory_id: FactoryId, query: Annotated[list_models.MachinesQuery, Query()], lister: ListerDep
) -> Response:
    """A factory's machines, in use or not, by id, name or kind."""
    await check_may_see(lister.databases, lister.reader, factory_id, lister.now_us)
    return await lister.answer(
        lists.MACHINES, query, list_models.MachinePage, partial(models.MachineEntry.of, factory_id), factory_id
    )


@router.get("/factories/{factory_id}/gateway-keys", responses=pages(list_models.GatewayKeyPage))
async def list_gateway_keys(
    factory_id: FactoryId, query: Annotated[list_models.GatewayKeysQuery, Query()], lister: ListerDep
) -> Response:
    """A factory's gateway keys: for admins and the factory."""
    check_may_see_keys(lister.reader, factory_id)
    entry_of = partial(models.GatewayKeyEntry.of, factory_id)
    return await lister.answer(lists.GATEWAY_KEYS, query, list_models.GatewayKeyPage, entry_of, factory_id)


@router.put("/enterprises/{enterprise_id}", responses=created(models.EnterpriseEntry))
async def put_enterprise(
    enterprise_id: FactoryId, body: models.EnterprisePut, writer: WriterDep
) -> models.EnterpriseEntry:
    """Register an enterprise, or change it."""
    version = await writer.put(ENTERPRISE, enterprise_id, body.content(), body.effective_from)
    return models.EnterpriseEntry.of(enterprise_id, version)


@router.get("/enterprises/{enterprise_id}")
async def get_enterprise(enterprise_id: FactoryId, lookup: LookupDep) -> models.EnterpriseEntry:
    """An enterprise as it is registered now, or was or will be at an instant."""
    check_sees_everything(lookup.reader)
    return models.EnterpriseEntry.of(enterprise_id, await lookup.get(ENTERPRISE, enterprise_id))


@router.put("/zones/{zone_id}", responses=created(models.ZoneEntry))
async def put_zone(zone_id: LocalId, body: models.ZonePut, writer: WriterDep) -> models.ZoneEntry:
    """Register a zone, or change it."""
    return models.ZoneEntry.of(zone_id, await writer.put(ZONE, zone_id, body.content(), body.effective_from))


@router.get("/zones/{zone_id}")
async def get_zone(zone_id: LocalId, lookup: LookupDep) -> models.ZoneEntry:
    """A zone as it is registered now, or was or will be at an instant."""
    check_sees_everything(lookup.reader)
    return models.ZoneEntry.of(zone_id, await lookup.get(ZONE, zone_id))


@router.put("/sponsors/{sponsor_id}", responses=created(models.SponsorEntry))
async def put_sponsor(sponsor_id: LocalId, body: models.SponsorPut, writer: WriterDep) -> models.SponsorEntry:
    """Register a sponsor, or change it."""
    return models.SponsorEntry.of(
        sponsor_id, await writer.put(SPONSOR, sponsor_id, body.content(), body.effective_from)
    )


@router.get("/sponsors/{sponsor_id}")
async def get_sponsor(sponsor_id: LocalId, lookup: LookupDep) -> models.SponsorEntry:
    """A sponsor as it is registered now, or was or will be at an instant."""
    check_sees_everything(lookup.reader)
    return models.SponsorEntry.of(sponsor_id, await lookup.get(SPONSOR, sponsor_id))


@router.put("/factories/{factory_id}", responses=created(models.FactoryEntry))
async def put_factory(factory_id: FactoryId, body: models.FactoryPut, writer: WriterDep) -> models.FactoryEntry:
    """Register a factory, or change it; its enterprise, zone and sponsor must be registered."""
    return models.FactoryEntry.of(
        factory_id, await writer.put(FACTORY, factory_id, body.content(), body.effective_from)
    )


@router.get("/factories/{factory_id}")
async def get_factory(factory_id: FactoryId, lookup: LookupDep) -> models.FactoryEntry:
    """A factory as it is registered now, or was or will be at an instant."""
    await check_may_see(lookup.databases, lookup.reader, factory_id, lookup.now_us)
    return models.FactoryEntry.of(factory_id, await lookup.get(FACTORY, factory_id))


@router.put("/factories/{factory_id}/machines/{machine_id}", responses=created(models.MachineEntry))
async def put_machine(
    factory_id: FactoryId, machine_id: LocalId, body: models.MachinePut, writer: WriterDep
) -> models.MachineEntry:
    """Register a machine of a registered factory, or change it, which recomputes its accounts."""
    version = await writer.put(MACHINE, machine_id, body.content(), body.effective_from, factory_id)
    return models.MachineEntry.of(factory_id, machine_id, version)


@router.get("/factories/{factory_id}/machines/{machine_id}")
async def get_machine(factory_id: FactoryId, machine_id: LocalId, lookup: LookupDep) -> models.MachineEntry:
    """A machine as it is registered now, or was or will be at an instant."""
    await check_may_see(lookup.databases, lookup.reader, factory_id, lookup.now_us)
    return models.MachineEntry.of(factory_id, machine_id, await lookup.get_of_factory(MACHINE, factory_id, machine_id))


@router.put("/factories/{factory_id}/gateway-keys/{key_id}", responses=created(models.GatewayKeyEntry))
async def put_gateway_key(
    factory_id: FactoryId, key_id: LocalId, body: models.GatewayKeyPut, writer: WriterDep
) -> models.GatewayKeyEntry:
    """Register a gateway's public key, or end its validity."""
    version = await writer.put(GATEWAY_KEY, key_id, body.content(), body.effective_from, factory_id)
    return models.GatewayKeyEntry.of(factory_id, key_id, version)


@router.get("/factories/{factory_id}/gateway-keys/{key_id}")
async def get_gateway_key(factory_id: FactoryId, key_id: LocalId, lookup: LookupDep) -> models.GatewayKeyEntry:
    """A gateway's public key as it is registered now, or was or will be at an instant: for admins and the factory."""
    check_may_see_keys(lookup.reader, factory_id)
    return models.GatewayKeyEntry.of(factory_id, key_id, await lookup.get_of_factory(GATEWAY_KEY, factory_id, key_id))
