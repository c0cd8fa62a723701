"""PUT and GET of what belongs to a factory: machines and gateway keys."""

from fastapi import APIRouter, Response

from services.api.access import Admin, AnyReader
from services.api.database import Databases
from services.api.dependencies import Now, Pools
from services.api.problems import not_found
from services.api.registry import bodies, store
from services.api.registry.dependencies import (
    At,
    FactoryId,
    LocalId,
    check_may_see,
    check_may_see_keys,
    factory_number,
)
from services.api.registry.entries import change_of, make_entry
from services.api.registry.routes import created, write
from services.api.registry.tables import GATEWAY_KEY, MACHINE, Kind
from services.api.registry.timeline import Version

router = APIRouter(prefix="/v1/factories/{factory_id}", tags=["registry"])


async def read(databases: Databases, kind: Kind, factory_id: str, identifier: str, us: int) -> Version:
    """The version of a factory's thing at an instant.

    Raises:
        Problem: 404, there is no such factory or thing.
    """
    async with databases.read.connect() as connection:
        place = store.Place(kind, identifier, await factory_number(connection, factory_id))
        version = await store.read_at(connection, place, us)
    if version is None:
        raise not_found(f"{kind.name} {factory_id}/{identifier}")
    return version


@router.put("/machines/{machine_id}", responses=created(bodies.MachineEntry))
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
    version = await write(databases, response, change_of(MACHINE, machine_id, body, factory_id), now)
    return make_entry(bodies.MachineEntry, version, {"factory_id": factory_id, "machine_id": machine_id})


@router.get("/machines/{machine_id}")
async def get_machine(
    factory_id: FactoryId, machine_id: LocalId, databases: Pools, now: Now, reader: AnyReader, at: At = None
) -> bodies.MachineEntry:
    """A machine as it is registered now, or was or will be at an instant."""
    await check_may_see(databases, reader, factory_id, now)
    version = await read(databases, MACHINE, factory_id, machine_id, now if at is None else at)
    return make_entry(bodies.MachineEntry, version, {"factory_id": factory_id, "machine_id": machine_id})


@router.put("/gateway-keys/{key_id}", responses=created(bodies.GatewayKeyEntry))
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
    version = await write(databases, response, change_of(GATEWAY_KEY, key_id, body, factory_id), now)
    return make_entry(bodies.GatewayKeyEntry, version, {"factory_id": factory_id, "key_id": key_id})


@router.get("/gateway-keys/{key_id}")
async def get_gateway_key(
    factory_id: FactoryId, key_id: LocalId, databases: Pools, now: Now, reader: AnyReader, at: At = None
) -> bodies.GatewayKeyEntry:
    """A gateway's public key as it is registered now, or was or will be at an instant: for admins and the factory."""
    check_may_see_keys(reader, factory_id)
    version = await read(databases, GATEWAY_KEY, factory_id, key_id, now if at is None else at)
    return make_entry(bodies.GatewayKeyEntry, version, {"factory_id": factory_id, "key_id": key_id})
