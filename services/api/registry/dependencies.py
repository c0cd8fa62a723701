"""What the registry's routes ask of a request: its parameters, the time, and whether the reader may see a factory."""

from typing import Annotated

from fastapi import Path, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.wire.limits import FACTORY_ID_PATTERN, LOCAL_ID_PATTERN
from services.api.access import Reader, RoleKind, forbidden
from services.api.database import Databases
from services.api.instants import Instant
from services.api.problems import not_found
from services.api.registry import store
from services.api.registry.tables import FACTORY

FactoryId = Annotated[str, Path(pattern=f"^(?:{FACTORY_ID_PATTERN})$")]
LocalId = Annotated[str, Path(pattern=f"^(?:{LOCAL_ID_PATTERN})$")]
At = Annotated[Instant | None, Query(description="As of this instant; default: now.")]


async def factory_number(connection: AsyncConnection, factory_id: str) -> int:
    """The number of a registered factory.

    Raises:
        Problem: 404, it is not registered.
    """
    number = await store.find(connection, store.Place(FACTORY, factory_id))
    if number is None:
        raise not_found(f"factory {factory_id}")
    return number


async def check_may_see(databases: Databases, reader: Reader, factory_id: str, now_us: int) -> None:
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


def check_sees_everything(reader: Reader) -> None:
    """Hold a reader against what is about no single factory.

    Raises:
        Problem: 403.
    """
    if not reader.sees_everything:
        raise forbidden()


def check_may_see_keys(reader: Reader, factory_id: str) -> None:
    """Hold a reader against a factory's gateway keys: they are for admins and the factory.

    Raises:
        Problem: 403.
    """
    if reader.kind is not RoleKind.ADMIN and (reader.kind is not RoleKind.FACTORY or reader.subject != factory_id):
        raise forbidden()
