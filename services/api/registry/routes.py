"""PUT and GET of registered things."""

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.wire.limits import FACTORY_ID_PATTERN, LOCAL_ID_PATTERN
from services.api.access import Admin, AnyReader, RoleKind, forbidden
from services.api.database import Databases, databases_of
from services.api.instants import Instant
from services.api.problems import not_found, unprocessable
from services.api.registry import bodies, store
from services.api.registry.tables import ENTERPRISE, FACTORY, GATEWAY_KEY, MACHINE, enterprise
from services.api.registry.timeline import Content, Version
from services.core.times import LAST_INSTANT_US, SECOND_US

router = APIRouter(prefix="/v1", tags=["registry"])

Pools = Annotated[Databases, Depends(databases_of)]
FactoryId = Annotated[str, Path(pattern=f"^(?:{FACTORY_ID_PATTERN})$")]
LocalId = Annotated[str, Path(pattern=f"^(?:{LOCAL_ID_PATTERN})$")]
At = Annotated[Instant | None, Query(description="As of this instant; default: now.")]


def held(version: Version) -> dict[str, object]:
    """When a version holds, as answers say it."""
    return {
        "effective_from": version.from_us,
        "effective_to": None if version.to_us == LAST_INSTANT_US else version.to_us,
    }


def now_of(request: Request) -> int:
    now = request.app.state.clock()
    assert isinstance(now, int)
    return now


Now = Annotated[int, Depends(now_of)]


async def write(
    databases: Databases, response: Response, place: store.Place, body: bodies.Dated, content: Content, now_us: int
) -> Version:
    """Write in a transaction of its own, and set the status: 201 for a new thing, else 200."""
    async with databases.write.begin() as connection:
        written = await store.write(connection, place, content, body.effective_from, now_us)
    response.status_code = HTTPStatus.CREATED if written.is_new else HTTPStatus.OK
    return written.version


async def factory_number(connection: AsyncConnection, factory_id: str) -> int:
    """The number of a registered factory.

    Raises:
        Problem: 404, it is not registered.
    """
    number = await store.find(connection, store.Place(FACTORY, factory_id))
    if number is None:
        raise not_found(f"factory {factory_id}")
    return number


async def check_may_see(databases: Databases, reader: AnyReader, factory_id: str, now_us: int) -> None:
    """Hold a reader against a factory.

    Raises:
        Problem: 403, also where the factory does not exist, so that nobody learns which ones do.
    """
    region = None
    if reader.kind is RoleKind.REGION:
        async with databases.read.connect() as connection:
            region = await store.region_of(connection, factory_id, now_us)
    if not reader.sees_factory(factory_id, region):
        raise forbidden()


CREATED = {HTTPStatus.CREATED.value: {"description": "Registered; 200: it was registered before."}}


@router.put("/enterprises/{enterprise_id}", responses=CREATED)  # type: ignore[arg-type]
async def put_enterprise(
    enterprise_id: FactoryId, body: bodies.EnterprisePut, response: Response, databases: Pools, now: Now, _: Admin
) -> bodies.EnterpriseEntry:
    """Register an enterprise, or say something new of it."""
    content = body.model_dump(exclude={"effective_from"})
    version = await write(databases, response, store.Place(ENTERPRISE, enterprise_id), body, content, now)
    return enterprise_entry(enterprise_id, version)


@router.get("/enterprises/{enterprise_id}")
async def get_enterprise(
    enterprise_id: FactoryId, databases: Pools, now: Now, reader: AnyReader, at: At = None
) -> bodies.EnterpriseEntry:
    """An enterprise as it is registered now, or was or will be at an instant."""
    if not reader.sees_everything:
        raise forbidden()
    async with databases.read.connect() as connection:
        version = await store.read_at(connection, store.Place(ENTERPRISE, enterprise_id), now if at is None else at)
    if version is None:
        raise not_found(f"enterprise {enterprise_id}")
    return enterprise_entry(enterprise_id, version)


def enterprise_entry(enterprise_id: str, version: Version) -> bodies.EnterpriseEntry:
    return bodies.EnterpriseEntry.model_construct(enterprise_id=enterprise_id, **version.content, **held(version))  # type: ignore[arg-type]


@router.put("/factories/{factory_id}", responses=CREATED)  # type: ignore[arg-type]
async def put_factory(
    factory_id: FactoryId, body: bodies.FactoryPut, response: Response, databases: Pools, now: Now, _: Admin
) -> bodies.FactoryEntry:
    """Register a factory of a registered enterprise, or say something new of it."""
    async with databases.write.begin() as connection:
        owner = await store.find(connection, store.Place(ENTERPRISE, body.enterprise_id))
    if owner is None:
        raise unprocessable(f"Register enterprise {body.enterprise_id} first, or correct enterprise_id.")
    content = body.model_dump(exclude={"effective_from", "enterprise_id"}) | {"enterprise": owner}
    version = await write(databases, response, store.Place(FACTORY, factory_id), body, content, now)
    return factory_entry(factory_id, body.enterprise_id, version)


@router.get("/factories/{factory_id}")
async def get_factory(
    factory_id: FactoryId, databases: Pools, now: Now, reader: AnyReader, at: At = None
) -> bodies.FactoryEntry:
    """A factory as it is registered now, or was or will be at an instant."""
    await check_may_see(databases, reader, factory_id, now)
    async with databases.read.connect() as connection:
        version = await store.read_at(connection, store.Place(FACTORY, factory_id), now if at is None else at)
        if version is None:
            raise not_found(f"factory {factory_id}")
        owner = sa.select(enterprise.c.enterprise_id).where(enterprise.c.id == version.content["enterprise"])
        enterprise_id = (await connection.execute(owner)).scalar_one()
    return factory_entry(factory_id, enterprise_id, version)


def factory_entry(factory_id: str, enterprise_id: str, version: Version) -> bodies.FactoryEntry:
    said = {name: value for name, value in version.content.items() if name != "enterprise"}
    said |= {"region": bodies.Region(str(said["region"])), "level": bodies.Level(str(said["level"]))}
    return bodies.FactoryEntry.model_construct(
        factory_id=factory_id,
        enterprise_id=enterprise_id,
        **said,  # type: ignore[arg-type]
        **held(version),  # type: ignore[arg-type]
    )


@router.put("/factories/{factory_id}/machines/{machine_id}", responses=CREATED)  # type: ignore[arg-type]
async def put_machine(
    factory_id: FactoryId,
    machine_id: LocalId,
    body: bodies.MachinePut,
    response: Response,
    databases: Pools,
    now: Now,
    _: Admin,
) -> bodies.MachineEntry:
    """Register a machine of a registered factory, or say something new of it; its accounts follow."""
    async with databases.write.begin() as connection:
        owner = await factory_number(connection, factory_id)
    content = body.model_dump(exclude={"effective_from", "state_ttl_s", "ideal_cycle_s"}) | {
        "state_ttl_us": int(body.state_ttl_s * SECOND_US),
        "ideal_cycle_us": None if body.ideal_cycle_s is None else int(body.ideal_cycle_s * SECOND_US),
    }
    version = await write(databases, response, store.Place(MACHINE, machine_id, owner), body, content, now)
    return machine_entry(factory_id, machine_id, version)


@router.get("/factories/{factory_id}/machines/{machine_id}")
async def get_machine(
    factory_id: FactoryId, machine_id: LocalId, databases: Pools, now: Now, reader: AnyReader, at: At = None
) -> bodies.MachineEntry:
    """A machine as it is registered now, or was or will be at an instant."""
    await check_may_see(databases, reader, factory_id, now)
    async with databases.read.connect() as connection:
        place = store.Place(MACHINE, machine_id, await factory_number(connection, factory_id))
        version = await store.read_at(connection, place, now if at is None else at)
    if version is None:
        raise not_found(f"machine {factory_id}/{machine_id}")
    return machine_entry(factory_id, machine_id, version)


def machine_entry(factory_id: str, machine_id: str, version: Version) -> bodies.MachineEntry:
    said = {**version.content, "automation": bodies.Automation(str(version.content["automation"]))}
    seconds = {
        f"{name}_s": None if (us := said.pop(f"{name}_us")) is None else Decimal(str(us)) / SECOND_US
        for name in ("state_ttl", "ideal_cycle")
    }
    return bodies.MachineEntry.model_construct(
        factory_id=factory_id,
        machine_id=machine_id,
        **seconds,  # type: ignore[arg-type]
        **said,  # type: ignore[arg-type]
        **held(version),  # type: ignore[arg-type]
    )


@router.put("/factories/{factory_id}/gateway-keys/{key_id}", responses=CREATED)  # type: ignore[arg-type]
async def put_gateway_key(
    factory_id: FactoryId,
    key_id: LocalId,
    body: bodies.GatewayKeyPut,
    response: Response,
    databases: Pools,
    now: Now,
    _: Admin,
) -> bodies.GatewayKeyEntry:
    """Register a gateway's public key, or end its validity."""
    async with databases.write.begin() as connection:
        owner = await factory_number(connection, factory_id)
    content = body.model_dump(exclude={"effective_from"}, mode="python")
    version = await write(databases, response, store.Place(GATEWAY_KEY, key_id, owner), body, content, now)
    return gateway_key_entry(factory_id, key_id, version)


@router.get("/factories/{factory_id}/gateway-keys/{key_id}")
async def get_gateway_key(
    factory_id: FactoryId, key_id: LocalId, databases: Pools, now: Now, reader: AnyReader, at: At = None
) -> bodies.GatewayKeyEntry:
    """A gateway's public key as it is registered now, or was or will be at an instant: for admins and the factory."""
    if reader.kind is not RoleKind.ADMIN and reader.subject != factory_id:
        raise forbidden()
    async with databases.read.connect() as connection:
        place = store.Place(GATEWAY_KEY, key_id, await factory_number(connection, factory_id))
        version = await store.read_at(connection, place, now if at is None else at)
    if version is None:
        raise not_found(f"gateway key {factory_id}/{key_id}")
    return gateway_key_entry(factory_id, key_id, version)


def gateway_key_entry(factory_id: str, key_id: str, version: Version) -> bodies.GatewayKeyEntry:
    return bodies.GatewayKeyEntry.model_construct(
        factory_id=factory_id,
        key_id=key_id,
        **version.content,  # type: ignore[arg-type]
        **held(version),  # type: ignore[arg-type]
    )
