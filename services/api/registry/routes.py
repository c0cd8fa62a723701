"""PUT and GET of enterprises, zones, sponsors and factories."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response

from services.api.access import Admin, AnyReader
from services.api.database import Databases
from services.api.dependencies import Now, Pools
from services.api.problems import not_found, unprocessable
from services.api.registry import bodies, store
from services.api.registry.dependencies import (
    At,
    FactoryId,
    LocalId,
    check_may_see,
    check_sees_everything,
)
from services.api.registry.entries import change_of, make_entry
from services.api.registry.tables import ENTERPRISE, FACTORY, SPONSOR, ZONE, Kind
from services.api.registry.timeline import Version
from services.api.registry.writes import Change, NotRegistered, write_all

router = APIRouter(prefix="/v1", tags=["registry"])


def created(entry: type[bodies.Held]) -> dict[int | str, dict[str, Any]]:
    """What an OpenAPI description says of the first PUT of a thing."""
    return {HTTPStatus.CREATED.value: {"model": entry, "description": "Registered; 200: it was registered before."}}


async def write(databases: Databases, response: Response, change: Change, now_us: int) -> Version:
    """Write in a transaction of its own, and set the status: 201 for a new thing, else 200.

    Raises:
        Problem: 404, there is no such factory; 422, the body names something that is not registered.
    """
    try:
        async with databases.write.begin() as connection:
            (changed,) = await write_all(connection, [change], now_us)
    except NotRegistered as error:
        if change.factory_id is not None:
            raise not_found(f"factory {change.factory_id}") from error
        raise unprocessable(str(error)) from error
    response.status_code = HTTPStatus.CREATED if changed.is_new else HTTPStatus.OK
    return changed.said


async def read(databases: Databases, kind: Kind, identifier: str, us: int) -> tuple[Version, str | None]:
    """The version of a thing at an instant, and the id of the enterprise that it names, if any.

    Raises:
        Problem: 404, it is not registered.
    """
    async with databases.read.connect() as connection:
        version = await store.read_at(connection, store.Place(kind, identifier), us)
        if version is None:
            raise not_found(f"{kind.name} {identifier}")
        number = version.content.get("enterprise")
        named = None if number is None else await store.read_id(connection, ENTERPRISE, number)
    return version, named


@router.put("/enterprises/{enterprise_id}", responses=created(bodies.EnterpriseEntry))
async def put_enterprise(
    enterprise_id: FactoryId, body: bodies.EnterprisePut, response: Response, databases: Pools, now: Now, _: Admin
) -> bodies.EnterpriseEntry:
    """Register an enterprise, or say something new of it."""
    version = await write(databases, response, change_of(ENTERPRISE, enterprise_id, body), now)
    return make_entry(bodies.EnterpriseEntry, version, {"enterprise_id": enterprise_id})


@router.get("/enterprises/{enterprise_id}")
async def get_enterprise(
    enterprise_id: FactoryId, databases: Pools, now: Now, reader: AnyReader, at: At = None
) -> bodies.EnterpriseEntry:
    """An enterprise as it is registered now, or was or will be at an instant."""
    check_sees_everything(reader)
    version, _ = await read(databases, ENTERPRISE, enterprise_id, now if at is None else at)
    return make_entry(bodies.EnterpriseEntry, version, {"enterprise_id": enterprise_id})


@router.put("/zones/{zone_id}", responses=created(bodies.ZoneEntry))
async def put_zone(
    zone_id: LocalId, body: bodies.ZonePut, response: Response, databases: Pools, now: Now, _: Admin
) -> bodies.ZoneEntry:
    """Register a zone, or say something new of it."""
    version = await write(databases, response, change_of(ZONE, zone_id, body), now)
    return make_entry(bodies.ZoneEntry, version, {"zone_id": zone_id})


@router.get("/zones/{zone_id}")
async def get_zone(zone_id: LocalId, databases: Pools, now: Now, reader: AnyReader, at: At = None) -> bodies.ZoneEntry:
    """A zone as it is registered now, or was or will be at an instant."""
    check_sees_everything(reader)
    version, _ = await read(databases, ZONE, zone_id, now if at is None else at)
    return make_entry(bodies.ZoneEntry, version, {"zone_id": zone_id})


@router.put("/sponsors/{sponsor_id}", responses=created(bodies.SponsorEntry))
async def put_sponsor(
    sponsor_id: LocalId, body: bodies.SponsorPut, response: Response, databases: Pools, now: Now, _: Admin
) -> bodies.SponsorEntry:
    """Register a sponsor, or say something new of it."""
    version = await write(databases, response, change_of(SPONSOR, sponsor_id, body), now)
    return make_entry(bodies.SponsorEntry, version, {"sponsor_id": sponsor_id, "enterprise_id": body.enterprise_id})


@router.get("/sponsors/{sponsor_id}")
async def get_sponsor(
    sponsor_id: LocalId, databases: Pools, now: Now, reader: AnyReader, at: At = None
) -> bodies.SponsorEntry:
    """A sponsor as it is registered now, or was or will be at an instant."""
    check_sees_everything(reader)
    version, enterprise_id = await read(databases, SPONSOR, sponsor_id, now if at is None else at)
    return make_entry(bodies.SponsorEntry, version, {"sponsor_id": sponsor_id, "enterprise_id": enterprise_id})


@router.put("/factories/{factory_id}", responses=created(bodies.FactoryEntry))
async def put_factory(
    factory_id: FactoryId, body: bodies.FactoryPut, response: Response, databases: Pools, now: Now, _: Admin
) -> bodies.FactoryEntry:
    """Register a factory, or say something new of it; enterprise, zone and sponsor must be registered."""
    version = await write(databases, response, change_of(FACTORY, factory_id, body), now)
    return make_entry(bodies.FactoryEntry, version, {"factory_id": factory_id, "enterprise_id": body.enterprise_id})


@router.get("/factories/{factory_id}")
async def get_factory(
    factory_id: FactoryId, databases: Pools, now: Now, reader: AnyReader, at: At = None
) -> bodies.FactoryEntry:
    """A factory as it is registered now, or was or will be at an instant."""
    await check_may_see(databases, reader, factory_id, now)
    version, enterprise_id = await read(databases, FACTORY, factory_id, now if at is None else at)
    return make_entry(bodies.FactoryEntry, version, {"factory_id": factory_id, "enterprise_id": enterprise_id})
