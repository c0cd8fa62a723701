"""Writes the registry, always through ``write_all``: one thing by a PUT, hundreds of thousands by an import.

Every change locks the one row of ``registry_version`` first, so changes follow each other, and a reader that sees the
version sees everything before it. A correction retires versions and adds others; nothing is overwritten.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.registry.arrays import rows_as_table
from services.api.registry.consequences import Changed, follow
from services.api.registry.store import Key, find_all, find_ids, key_columns, key_of, key_row, read_versions
from services.api.registry.tables import FACTORY, KINDS, Kind, Reference, registry_version
from services.api.registry.timeline import Content, Version, believe, revise
from services.core.errors import JejoError
from services.core.times import from_us

Statement = tuple[Content, int | None]
"""What is said of a thing, and from when."""

THINGS_AT_A_TIME = 20_000
"""Things read and written by one statement: bounds what is held in memory beside the changes themselves."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something said of a thing, from an instant on, or of its current version. Other things are named by their ids."""

    kind: Kind
    identifier: str
    content: Content
    effective_from_us: int | None = None
    factory_id: str | None = None

    def names(self) -> Iterator[tuple[str, Kind, str]]:
        """Each thing that must be registered for this one: the body's field, the kind, the id."""
        if self.factory_id is not None:
            yield "factory_id", FACTORY, self.factory_id
        for reference in self.kind.references:
            identifier = self.content[reference.column]
            if identifier is not None:
                yield reference.field, reference.kind, str(identifier)


@dataclass(frozen=True, slots=True)
class Missing:
    """A change, by its index among the changes, that names a thing which is not registered."""

    index: int
    field: str
    kind: Kind
    identifier: str

    @property
    def sentence(self) -> str:
        return f"Register {self.kind.name} {self.identifier} first, or correct {self.field}."


class NotRegistered(JejoError):
    """Changes name things that are not registered: register those first."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(" ".join(one.sentence for one in missing))
        self.missing = missing


async def write_all(connection: AsyncConnection, changes: Sequence[Change], now_us: int) -> list[Changed]:
    """Make all changes within the caller's transaction, as one change of the registry.

    Changes of different things may come in any order; those of one thing apply in theirs.

    Returns:
        What became of each thing.

    Raises:
        NotRegistered: nothing was written.
    """
    locked = sa.select(registry_version.c.version).with_for_update()
    change = (await connection.execute(locked)).scalar_one() + 1
    missing = await find_missing(connection, changes)
    if missing:
        raise NotRegistered(missing)
    changed: list[Changed] = []
    for kind in KINDS:
        changed += await write_kind(connection, kind, [c for c in changes if c.kind is kind], change, now_us)
    if any(thing.added for thing in changed):
        await connection.execute(sa.update(registry_version).values(version=change))
    return changed


async def find_missing(
    connection: AsyncConnection, changes: Sequence[Change], announced: Collection[tuple[str, str]] = ()
) -> list[Missing]:
    """Every naming of a thing that is neither registered, nor among the changes, nor announced (by kind and id)."""
    will_be = {(change.kind.name, change.identifier) for change in changes if change.factory_id is None}
    will_be.update(announced)
    named: dict[str, set[str]] = {kind.name: set() for kind in KINDS}
    for change in changes:
        for _, kind, identifier in change.names():
            if (kind.name, identifier) not in will_be:
                named[kind.name].add(identifier)
    absent = {
        (kind.name, identifier)
        for kind in KINDS
        if named[kind.name]
        for identifier in named[kind.name] - set(await find_ids(connection, kind, named[kind.name]))
    }
    if not absent:
        return []
    return [
        Missing(index, where, kind, identifier)
        for index, change in enumerate(changes)
        for where, kind, identifier in change.names()
        if (kind.name, identifier) in absent
    ]


async def write_kind(
    connection: AsyncConnection, kind: Kind, changes: Sequence[Change], change: int, now_us: int
) -> list[Changed]:
    """Write what is said of the things of one kind; whatever they name is registered."""
    owners = await find_ids(connection, FACTORY, {c.factory_id for c in changes if c.factory_id is not None})
    numbers = {
        reference: await find_ids(connection, reference.kind, named_by(reference, changes))
        for reference in kind.references
        if reference.by_number
    }
    said: dict[Key, list[Statement]] = {}
    for one in changes:
        content = with_numbers(one.content, numbers)
        owner = None if one.factory_id is None else owners[one.factory_id]
        said.setdefault((owner, one.identifier), []).append((content, one.effective_from_us))
    # A factory's machines come together, so that its counts are made once.
    keys = iter(sorted(said, key=lambda key: key[0] or 0))
    changed: list[Changed] = []
    while some := list(islice(keys, THINGS_AT_A_TIME)):
        changed += await write_things(connection, kind, {key: said[key] for key in some}, change, now_us)
    return changed


def named_by(reference: Reference, changes: Sequence[Change]) -> set[str]:
    """The ids that a column of the changes names."""
    return {str(one.content[reference.column]) for one in changes if one.content[reference.column] is not None}


def with_numbers(content: Content, numbers: Mapping[Reference, Mapping[str, int]]) -> Content:
    """Content with numbers in place of ids, where the database has numbers."""
    if not numbers:
        return content
    return {**content, **{r.column: by_id.get(str(content[r.column])) for r, by_id in numbers.items()}}


async def write_things(
    connection: AsyncConnection, kind: Kind, said: Mapping[Key, Sequence[Statement]], change: int, now_us: int
) -> list[Changed]:
    """Write what is said of some things, in a fixed number of statements."""
    known = await find_all(connection, kind, said.keys())
    new = await add_things(connection, kind, [key for key in said if key not in known])
    before = await read_versions(connection, kind, known.values())
    changed = [
        rewrite(kind, known.get(key) or new[key], key in new, before.get(known.get(key, 0), ()), one, now_us)
        for key, one in said.items()
    ]
    await retire(connection, kind, changed)
    await add_versions(connection, kind, changed, change)
    await follow(connection, kind, changed)
    return changed


def rewrite(
    kind: Kind, number: int, is_new: bool, before: Sequence[Version], said: Sequence[Statement], now_us: int
) -> Changed:
    """What becomes of a thing's versions. Those that come and go within the same transaction are never written."""
    versions = before
    revisions = []
    for content, effective_from_us in said:
        revision = revise(versions, content, effective_from_us, now_us)
        versions = believe(versions, revision)
        revisions.append(revision)
    retired = tuple(version for version in before if version not in versions)
    added = tuple(version for version in versions if version not in before)
    return Changed(kind, number, is_new, tuple(revisions), retired, added)


async def add_things(connection: AsyncConnection, kind: Kind, keys: Sequence[Key]) -> dict[Key, int]:
    """Give numbers to new things."""
    if not keys:
        return {}
    columns = key_columns(kind)
    rows = rows_as_table(columns, [key_row(kind, key) for key in keys])
    added = (
        sa.insert(kind.things)
        .from_select([column.name for column in columns], sa.select(*rows.c))
        .returning(kind.things.c.id, *columns)
    )
    return {key_of(kind, key): number for number, *key in await connection.execute(added)}


async def retire(connection: AsyncConnection, kind: Kind, changed: Sequence[Changed]) -> None:
    """Stop believing versions, as of this transaction."""
    rows = [(thing.number, from_us(version.from_us)) for thing in changed for version in thing.retired]
    if not rows:
        return
    versions = kind.versions
    gone = rows_as_table([kind.reference, versions.c.effective_from], rows)
    await connection.execute(
        sa.update(versions)
        .where(
            kind.reference == gone.c[kind.reference.name],
            versions.c.effective_from == gone.c.effective_from,
            versions.c.retired_at.is_(None),
        )
        .values(retired_at=sa.func.now())
    )


async def add_versions(connection: AsyncConnection, kind: Kind, changed: Sequence[Changed], change: int) -> None:
    """Believe versions, as of this transaction."""
    content = [(column.name, isinstance(column.type, sa.TIMESTAMP)) for column in kind.content]
    rows = [
        (
            thing.number,
            from_us(version.from_us),
            from_us(version.to_us),
            change,
            *(as_stored(version.content[name], is_instant) for name, is_instant in content),
        )
        for thing in changed
        for version in thing.added
    ]
    if not rows:
        return
    c = kind.versions.c
    columns = [kind.reference, c.effective_from, c.effective_to, c.changed_in, *kind.content]
    said = rows_as_table(columns, rows)
    added = sa.insert(kind.versions).from_select([column.name for column in columns], sa.select(*said.c))
    await connection.execute(added)


def as_stored(value: object, is_instant: bool) -> object:
    return from_us(value) if is_instant and isinstance(value, int) else value
