"""Reads and writes registered things and their versions.

Every change locks the one row of ``registry_version`` first, so changes follow each other, and a reader that sees the
version sees everything before it. A correction retires versions and adds others; nothing is overwritten.
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.registry.effects import spread
from services.api.registry.tables import (
    Kind,
    factory,
    factory_version,
    registry_version,
)
from services.api.registry.timeline import Content, Revision, Version, revise, version_at
from services.core.times import from_us, to_us


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing stands in the registry: its kind, its id, and the number of the factory that it belongs to."""

    kind: Kind
    identifier: str
    factory: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The version that now says what the PUT said, and whether the thing is new."""

    version: Version
    is_new: bool


async def find(connection: AsyncConnection, place: Place) -> int | None:
    """A thing's number; None if it is not registered."""
    things = place.kind.things
    query = sa.select(things.c.id).where(things.c[place.kind.identifier] == place.identifier)
    if place.factory is not None:
        query = query.where(things.c.factory == place.factory)
    return (await connection.execute(query)).scalar_one_or_none()


async def read_versions(connection: AsyncConnection, kind: Kind, number: int) -> list[Version]:
    """A thing's present versions, in order."""
    versions = kind.versions
    query = (
        sa.select(versions.c.effective_from, versions.c.effective_to, *kind.content)
        .where(kind.reference == number, versions.c.retired_at.is_(None))
        .order_by(versions.c.effective_from)
    )
    return [
        Version(to_us(row["effective_from"]), to_us(row["effective_to"]), content_of(kind, row))
        for row in (await connection.execute(query)).mappings()
    ]


def content_of(kind: Kind, row: sa.RowMapping) -> Content:
    """The columns that say something; instants in microseconds."""
    return {c.name: to_us(row[c.name]) if isinstance(row[c.name], dt.datetime) else row[c.name] for c in kind.content}


async def read_at(connection: AsyncConnection, place: Place, us: int) -> Version | None:
    """The version of a thing at an instant, or the one nearest before; None if it is not registered."""
    number = await find(connection, place)
    if number is None:
        return None
    return version_at(await read_versions(connection, place.kind, number), us)


async def write(
    connection: AsyncConnection, place: Place, content: Content, effective_from_us: int | None, now_us: int
) -> Written:
    """Say something of a thing, within the caller's transaction."""
    version = sa.select(registry_version.c.version).with_for_update()
    change = (await connection.execute(version)).scalar_one() + 1
    number = await find(connection, place)
    is_new = number is None
    if number is None:
        number = await add_thing(connection, place)
    revision = revise(await read_versions(connection, place.kind, number), content, effective_from_us, now_us)
    if revision.added:
        await connection.execute(sa.update(registry_version).values(version=change))
        await replace_versions(connection, place.kind, number, revision, change)
        await spread(connection, place.kind, number, revision, is_new=is_new)
    return Written(revision.said, is_new)


async def add_thing(connection: AsyncConnection, place: Place) -> int:
    values: dict[str, object] = {place.kind.identifier: place.identifier}
    if place.factory is not None:
        values["factory"] = place.factory
    added = sa.insert(place.kind.things).values(values).returning(place.kind.things.c.id)
    return int((await connection.execute(added)).scalar_one())


async def replace_versions(
    connection: AsyncConnection, kind: Kind, number: int, revision: Revision, change: int
) -> None:
    """Retire and add versions, as of this transaction."""
    versions = kind.versions
    if revision.retired:
        await connection.execute(
            sa.update(versions)
            .where(
                kind.reference == number,
                versions.c.retired_at.is_(None),
                versions.c.effective_from.in_([from_us(v.from_us) for v in revision.retired]),
            )
            .values(retired_at=sa.func.now())
        )
    instants = {column.name for column in kind.content if isinstance(column.type, sa.TIMESTAMP)}
    await connection.execute(
        sa.insert(versions),
        [
            {
                kind.reference.name: number,
                "effective_from": from_us(version.from_us),
                "effective_to": from_us(version.to_us),
                "changed_in": change,
                **{
                    name: from_us(value) if name in instants and isinstance(value, int) else value
                    for name, value in version.content.items()
                },
            }
            for version in revision.added
        ],
    )


async def region_of(connection: AsyncConnection, factory_id: str, us: int) -> str | None:
    """The region that a factory is in at an instant; None if it is not registered then."""
    query = (
        sa.select(factory_version.c.region)
        .join(factory, factory.c.id == factory_version.c.factory)
        .where(
            factory.c.factory_id == factory_id,
            factory_version.c.retired_at.is_(None),
            factory_version.c.effective_from <= from_us(us),
            factory_version.c.effective_to > from_us(us),
        )
    )
    return (await connection.execute(query)).scalar_one_or_none()
