"""Reads registered things and their versions."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.registry.arrays import is_any, rows_as_table
from services.api.registry.tables import Kind, factory, factory_version
from services.api.registry.timeline import Content, Version, version_at
from services.core.times import from_us, to_us

Key = tuple[int | None, str]
"""What finds a thing among those of its kind: the number of the factory that it belongs to, if any, and its id."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing stands in the registry: its kind, its id, and the number of the factory that it belongs to."""

    kind: Kind
    identifier: str
    factory: int | None = None


async def find(connection: AsyncConnection, place: Place) -> int | None:
    """A thing's number; None if it is not registered."""
    key = (place.factory, place.identifier)
    return (await find_all(connection, place.kind, [key])).get(key)


async def find_all(connection: AsyncConnection, kind: Kind, keys: Collection[Key]) -> dict[Key, int]:
    """The numbers of those that are registered."""
    if not keys:
        return {}
    things = kind.things
    said = rows_as_table(key_columns(kind), [key_row(kind, key) for key in keys])
    same = [things.c[column.name] == said.c[column.name] for column in key_columns(kind)]
    query = sa.select(things.c.id, *(things.c[column.name] for column in key_columns(kind))).join(said, sa.and_(*same))
    return {key_of(kind, key): number for number, *key in await connection.execute(query)}


def key_columns(kind: Kind) -> list[sa.Column[object]]:
    """The columns of things that a key is made of."""
    owner = [kind.things.c.factory] if kind.belongs_to_factory else []
    return [*owner, kind.things.c[kind.identifier]]


def key_row(kind: Kind, key: Key) -> tuple[object, ...]:
    return key if kind.belongs_to_factory else key[1:]


def key_of(kind: Kind, row: Sequence[object]) -> Key:
    """The key that a row of ``key_columns`` is."""
    owner, identifier = row if kind.belongs_to_factory else (None, row[0])
    assert owner is None or isinstance(owner, int)
    return owner, str(identifier)


async def find_ids(connection: AsyncConnection, kind: Kind, ids: Iterable[str]) -> dict[str, int]:
    """The numbers of those things that are registered, of a kind whose ids are unique in the country."""
    found = await find_all(connection, kind, {(None, identifier) for identifier in ids})
    return {identifier: number for (_, identifier), number in found.items()}


async def read_id(connection: AsyncConnection, kind: Kind, number: object) -> str:
    """The id of the registered thing of a number."""
    query = sa.select(kind.things.c[kind.identifier]).where(kind.things.c.id == number)
    return str((await connection.execute(query)).scalar_one())


async def read_versions(
    connection: AsyncConnection, kind: Kind, numbers: Collection[int]
) -> Mapping[int, Sequence[Version]]:
    """The present versions of things, by number, each in order."""
    found: dict[int, list[Version]] = defaultdict(list)
    if not numbers:
        return found
    versions = kind.versions
    query = (
        sa.select(kind.reference.label("number"), versions.c.effective_from, versions.c.effective_to, *kind.content)
        .where(is_any(kind.reference, list(numbers)), versions.c.retired_at.is_(None))
        .order_by(kind.reference, versions.c.effective_from)
    )
    for row in (await connection.execute(query)).mappings():
        found[row["number"]].append(
            Version(to_us(row["effective_from"]), to_us(row["effective_to"]), content_of(kind, row))
        )
    return found


def content_of(kind: Kind, row: sa.RowMapping) -> Content:
    """The columns that say something; instants in microseconds."""
    values = ((column.name, row[column.name]) for column in kind.content)
    return {name: to_us(value) if isinstance(value, dt.datetime) else value for name, value in values}


async def read_at(connection: AsyncConnection, place: Place, us: int) -> Version | None:
    """The version of a thing at an instant, or the one nearest before; None if it is not registered."""
    number = await find(connection, place)
    if number is None:
        return None
    return version_at((await read_versions(connection, place.kind, [number]))[number], us)


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
