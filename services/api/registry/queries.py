"""The registry's SQL: finding things, reading and writing their versions, and what must change with them.

Each function runs as many statements for one thing as for 20,000: rows travel as one array for each column.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.registry.calendars import Plan
from services.api.registry.tables import (
    NUMBERED,
    TABLES,
    Numbered,
    calendar,
    dirty_mark,
    factory,
    factory_in_use,
    factory_in_use_steps,
    factory_version,
    machine,
    registry_version,
)
from services.api.registry.things import CALENDAR, FACTORY, MACHINE, Calendar, Content, Kind
from services.api.registry.versions import Version, version_at

C = TypeVar("C", bound=Content)

Key = tuple[int | None, str]
"""What identifies a thing among those of its kind: the number of the factory that it belongs to, if any, and its id."""
NUMBER = sa.column("number", sa.Integer)


def rows_as_table(
    columns: Sequence[sa.ColumnClause[Any]], rows: Sequence[Sequence[object]], name: str = "given"
) -> sa.TableValuedAlias:
    """Returns rows as a table within a statement, with the names and types of the columns."""
    arrays = list(zip(*rows, strict=True)) or [()] * len(columns)
    sent = [array_of(column, values) for column, values in zip(columns, arrays, strict=True)]
    named = [sa.column(column.name, column.type) for column in columns]
    return sa.func.unnest(*sent).table_valued(*named, name=name).render_derived(name=name)


def array_of(column: sa.ColumnClause[Any], values: Sequence[object]) -> sa.BindParameter[Any]:
    """Returns values of a column's type as one parameter."""
    return sa.literal(list(values), ARRAY(column.type))


def is_any(column: sa.Column[Any], values: Sequence[object]) -> sa.ColumnElement[bool]:
    """Returns the condition that a column has one of the values."""
    return column == sa.any_(array_of(column, values))


async def lock_registry(connection: AsyncConnection) -> int:
    """Returns the registry's version, and locks it until the transaction ends, so that changes follow each other."""
    query = sa.select(registry_version.c.version).with_for_update()
    return int((await connection.execute(query)).scalar_one())


async def set_registry_version(connection: AsyncConnection, version: int) -> None:
    """Sets the registry's version, which tells readers that the registry has changed."""
    await connection.execute(sa.update(registry_version).values(version=version))


async def find(
    connection: AsyncConnection, kind: Kind[Content], identifier: str, factory: int | None = None
) -> int | None:
    """Returns a thing's number, None if it is not registered; ``factory`` is the number of the factory that owns it."""
    # Of one thing, the expression is simpler: to build it takes longer than to find the thing.
    things, columns = TABLES[kind].things, key_columns(kind)
    own = (column == value for column, value in zip(columns, key_row(kind, (factory, identifier)), strict=True))
    number = (await connection.execute(sa.select(things.c.id).where(*own))).scalar_one_or_none()
    return None if number is None else int(number)


async def find_ids(connection: AsyncConnection, kind: Kind[Content], ids: Iterable[str]) -> dict[str, int]:
    """Returns the numbers of registered things by id, for a kind whose ids are unique in the country."""
    found = await find_all(connection, kind, {(None, identifier) for identifier in ids})
    return {identifier: number for (_, identifier), number in found.items()}


async def find_all(connection: AsyncConnection, kind: Kind[Content], keys: Collection[Key]) -> dict[Key, int]:
    """Returns the numbers of registered things by key."""
    if not keys:
        return {}
    things, columns = TABLES[kind].things, key_columns(kind)
    given = rows_as_table(columns, [key_row(kind, key) for key in keys])
    same = sa.and_(*(column == given.c[column.name] for column in columns))
    query = sa.select(things.c.id, *columns).join(given, same)
    return {key_of(kind, key): number for number, *key in await connection.execute(query)}


async def add_things(connection: AsyncConnection, kind: Kind[Content], keys: Sequence[Key]) -> dict[Key, int]:
    """Adds new things, and returns their numbers by key."""
    if not keys:
        return {}
    things, columns = TABLES[kind].things, key_columns(kind)
    given = rows_as_table(columns, [key_row(kind, key) for key in keys])
    added = (
        sa.insert(things)
        .from_select([column.name for column in columns], sa.select(*given.c))
        .returning(things.c.id, *columns)
    )
    return {key_of(kind, key): number for number, *key in await connection.execute(added)}


def key_columns(kind: Kind[Content]) -> list[sa.Column[Any]]:
    """Returns the columns of things that make up a key."""
    tables = TABLES[kind]
    return [*([tables.things.c.factory] if kind.belongs_to_factory else []), tables.identifier]


def key_row(kind: Kind[Content], key: Key) -> tuple[object, ...]:
    """Returns a key as a row of ``key_columns``."""
    return key if kind.belongs_to_factory else key[1:]


def key_of(kind: Kind[Content], row: Sequence[Any]) -> Key:
    """Returns the key in a row of ``key_columns``."""
    return (row[0], row[1]) if kind.belongs_to_factory else (None, row[0])


def version_columns(kind: Kind[Content]) -> list[sa.ColumnElement[Any]]:
    """Returns the columns that ``version_of`` reads; those of ``NUMBERED`` are of joined tables."""
    c = TABLES[kind].versions.c
    content = ((NUMBERED[name].value if name in NUMBERED else c[name]).label(name) for name in kind.fields)
    return [c.effective_from, c.effective_to, *content]


def version_of(kind: Kind[C], row: sa.RowMapping) -> Version[C]:
    """Returns the version in a row of ``version_columns``."""
    make: Callable[..., C] = kind.content
    return Version(row["effective_from"], row["effective_to"], make(**{name: row[name] for name in kind.fields}))


def numbered_fields(kind: Kind[Content]) -> list[Numbered]:
    """Returns how those fields of contents are stored that are stored by number."""
    return [NUMBERED[name] for name in kind.fields if name in NUMBERED]


async def read_versions(
    connection: AsyncConnection, kind: Kind[C], numbers: Collection[int]
) -> Mapping[int, Sequence[Version[C]]]:
    """Returns the current versions of things by number, in order of time."""
    found: dict[int, list[Version[C]]] = defaultdict(list)
    if not numbers:
        return found
    tables = TABLES[kind]
    source: sa.FromClause = tables.versions
    for field in numbered_fields(kind):
        source = source.outerjoin(field.rows, field.rows.c.id == tables.versions.c[field.column])
    query = (
        sa.select(tables.thing.label("number"), *version_columns(kind))
        .select_from(source)
        .where(is_any(tables.thing, list(numbers)), tables.versions.c.retired_at.is_(None))
        .order_by(tables.thing, tables.versions.c.effective_from)
    )
    for row in (await connection.execute(query)).mappings():
        found[row["number"]].append(version_of(kind, row))
    return found


async def read_at(
    connection: AsyncConnection, kind: Kind[C], identifier: str, us: int, factory: int | None = None
) -> Version[C] | None:
    """Returns the version of a thing as ``version_at`` does; None if the thing is not registered."""
    number = await find(connection, kind, identifier, factory)
    if number is None:
        return None
    return version_at((await read_versions(connection, kind, [number]))[number], us)


async def read_region(connection: AsyncConnection, factory_id: str, us: int) -> str | None:
    """Returns the region of a factory at an instant; None if it is not registered then."""
    c = factory_version.c
    query = (
        sa.select(c.region)
        .join(factory, factory.c.id == c.factory)
        .where(
            factory.c.factory_id == factory_id,
            c.retired_at.is_(None),
            c.effective_from <= us,
            c.effective_to > us,
        )
    )
    return (await connection.execute(query)).scalar_one_or_none()


async def retire_versions(
    connection: AsyncConnection, kind: Kind[C], retired: Sequence[tuple[int, Version[C]]]
) -> None:
    """Retires versions, each given with its thing's number, as of this transaction."""
    if not retired:
        return
    thing, c = TABLES[kind].thing, TABLES[kind].versions.c
    given = rows_as_table([NUMBER, c.effective_from], [(number, version.from_us) for number, version in retired])
    await connection.execute(
        sa.update(TABLES[kind].versions)
        .where(thing == given.c.number, c.effective_from == given.c.effective_from, c.retired_at.is_(None))
        .values(retired_at=sa.func.now())
    )


async def add_versions(
    connection: AsyncConnection, kind: Kind[C], added: Sequence[tuple[int, Version[C]]], registry_version: int
) -> None:
    """Adds versions, each given with its thing's number, as of this transaction."""
    if not added:
        return
    contents = [version.content for _, version in added]
    await add_calendars(connection, {one.calendar for one in contents if isinstance(one, Calendar)})
    thing, versions = TABLES[kind].thing, TABLES[kind].versions
    c = versions.c
    stored = [thing, c.effective_from, c.effective_to, c.changed_in]
    sent: list[sa.ColumnClause[Any]] = [*stored]
    for name in kind.fields:
        field = NUMBERED.get(name)
        stored.append(c[name if field is None else field.column])
        sent.append(c[name] if field is None else sa.column(name, field.value.type))
    rows = [
        (number, v.from_us, v.to_us, registry_version, *(getattr(v.content, name) for name in kind.fields))
        for number, v in added
    ]
    given = rows_as_table(sent, rows)
    source: sa.FromClause = given
    values = [given.c[column.name] for column in sent]
    for position, name in enumerate(kind.fields, len(sent) - len(kind.fields)):
        if name in NUMBERED:
            field = NUMBERED[name]
            source = source.outerjoin(field.rows, field.key(field.stored) == field.key(given.c[name]))
            values[position] = field.rows.c.id
    await connection.execute(sa.insert(versions).from_select(stored, sa.select(*values).select_from(source)))


async def add_calendars(connection: AsyncConnection, plans: Collection[Plan | None]) -> None:
    """Stores calendars that were never registered before; each is stored once."""
    new = [(plan,) for plan in plans if plan is not None]
    if not new:
        return
    given = rows_as_table([sa.column("content", NUMBERED["calendar"].value.type)], new)
    field = NUMBERED["calendar"]
    is_stored = sa.exists().where(field.key(calendar.c.content) == field.key(given.c.content))
    contents = sa.select(sa.cast(given.c.content, JSONB)).where(~is_stored)
    await connection.execute(sa.insert(calendar).from_select(["content"], contents))


def machines_of(kind: Kind[Content], things: sa.TableValuedAlias) -> "sa.Select[Any]":
    """Returns the machines that depend on things, whose numbers are in the column ``number`` of ``things``."""
    if kind is MACHINE:
        return sa.select(machine.c.id).join(things, things.c.number == machine.c.id)
    if kind in (FACTORY, CALENDAR):
        return sa.select(machine.c.id).join(things, things.c.number == machine.c.factory)
    owned = (
        sa.select(factory_version.c.factory, factory_version.c.enterprise)
        .where(factory_version.c.retired_at.is_(None))
        .distinct()
        .subquery("owned")
    )
    return (
        sa.select(machine.c.id)
        .join(owned, owned.c.factory == machine.c.factory)
        .join(things, things.c.number == owned.c.enterprise)
    )


async def refresh_spans(connection: AsyncConnection, kind: Kind[Content], numbers: Sequence[int]) -> None:
    """Recomputes the spans in use of the machines that depend on things."""
    things = rows_as_table([NUMBER], [(number,) for number in numbers])
    machines = sa.func.array(machines_of(kind, things).distinct().scalar_subquery())
    await connection.execute(sa.select(sa.func.refresh_machine_spans(machines)))


async def mark_dirty(connection: AsyncConnection, kind: Kind[Content], spans: Sequence[tuple[int, int, int]]) -> None:
    """Marks the accounts of machines dirty.

    Args:
        spans: the number of a thing that machines depend on, and the span [from, to), in microseconds.
    """
    if not spans:
        return
    given = rows_as_table([NUMBER, dirty_mark.c.from_at, dirty_mark.c.to_at], spans)
    marks = machines_of(kind, given).with_only_columns(machine.c.shard, machine.c.id, given.c.from_at, given.c.to_at)
    await connection.execute(sa.insert(dirty_mark).from_select(["shard", "machine", "from_at", "to_at"], marks))


async def recount_machines(connection: AsyncConnection, machines: Sequence[int]) -> None:
    """Recomputes the steps of how many machines are in use, for the factories of these machines."""
    owners = sa.select(machine.c.factory).where(is_any(machine.c.id, machines)).distinct()
    factories = list((await connection.execute(owners)).scalars())
    await connection.execute(sa.delete(factory_in_use).where(is_any(factory_in_use.c.factory, factories)))
    steps = sa.select(*factory_in_use_steps.c).where(is_any(factory_in_use_steps.c.factory, factories))
    await connection.execute(sa.insert(factory_in_use).from_select([c.name for c in factory_in_use.c], steps))
