"""Checks what of the registry a reader may see, by role: the same for single things and for lists."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.access import Reader, RoleKind, forbidden
from services.api.database import Databases
from services.api.problems import not_found
from services.api.registry import queries
from services.api.registry.tables import factory, factory_version
from services.api.registry.things import FACTORY


async def factory_number(connection: AsyncConnection, factory_id: str) -> int:
    """Returns the number of a registered factory.

    Raises:
        Problem: 404 if it is not registered.
    """
    number = await queries.find(connection, FACTORY, factory_id)
    if number is None:
        raise not_found(f"factory {factory_id}")
    return number


async def check_may_see(databases: Databases, reader: Reader, factory_id: str, now_us: int) -> None:
    """Checks that a reader may see a factory.

    Raises:
        Problem: 403 if not, also if the factory does not exist, so that nobody learns which ones do.
    """
    region = None
    if reader.kind is RoleKind.REGION:
        async with databases.read.connect() as connection:
            region = await queries.read_region(connection, factory_id, now_us)
    if not reader.sees_factory(factory_id, region):
        raise forbidden()


def check_sees_everything(reader: Reader) -> None:
    """Checks that a reader may see what belongs to no single factory.

    Raises:
        Problem: 403 if not.
    """
    if not reader.sees_everything:
        raise forbidden()


def check_may_see_keys(reader: Reader, factory_id: str) -> None:
    """Checks that a reader may see a factory's gateway keys: they are for admins and the factory.

    Raises:
        Problem: 403 if not.
    """
    if reader.kind is not RoleKind.ADMIN and (reader.kind is not RoleKind.FACTORY or reader.subject != factory_id):
        raise forbidden()


def visible_factories(reader: Reader, now_us: int) -> Sequence[sa.ColumnElement[bool]]:
    """Returns conditions on the factories that a reader may see in a list: by where they are now, as for a single one.

    Raises:
        Problem: 403 if the reader may see no factory.
    """
    if reader.sees_everything:
        return ()
    if reader.kind is RoleKind.FACTORY:
        return (factory.c.factory_id == reader.subject,)
    if reader.kind is not RoleKind.REGION:
        raise forbidden()
    present = factory_version.alias().c
    return (
        sa.exists().where(
            present.factory == factory.c.id,
            present.region == reader.subject,
            present.retired_at.is_(None),
            present.effective_from <= now_us,
            present.effective_to > now_us,
        ),
    )
