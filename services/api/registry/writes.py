"""Writes the registry, always through ``write_all``: one thing by a PUT, hundreds of thousands by an import.

Every change locks the one row of ``registry_version`` first, so changes follow each other, and a reader that sees the
version sees everything before it. A correction retires versions and adds others; nothing is overwritten. What depends
on the versions (spans in use, accounts, counts of machines) changes in the same transaction.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.registry import queries
from services.api.registry.queries import Key
from services.api.registry.things import CALENDAR, FACTORY, KINDS, Content, Kind, Machine, Reference
from services.api.registry.versions import Revision, Version, apply, revise
from services.core.errors import JejoError
from services.core.times import LAST_INSTANT_US

C_co = TypeVar("C_co", bound=Content, covariant=True)

THINGS_AT_A_TIME = 20_000
"""Things per statement, which bounds the memory used beside the registrations themselves."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What to register of a thing from an instant on; without an instant, a correction of its current version."""

    kind: Kind[Content]
    identifier: str
    content: Content
    effective_from_us: int | None = None
    factory_id: str | None = None

    def references(self) -> Iterator[Reference]:
        """Yields everything that must be registered before this thing."""
        owner = self.identifier if self.kind.one_of_factory else self.factory_id
        if owner is not None:
            yield Reference("factory_id", FACTORY, owner)
        yield from self.content.references()


@dataclass(frozen=True, slots=True)
class Missing:
    """A registration, by its index, that names a thing which is not registered."""

    index: int
    reference: Reference

    @property
    def sentence(self) -> str:
        """What the caller should do."""
        field, kind, identifier = self.reference
        return f"Register {kind.name} {identifier} first, or correct {field}."


class NotRegistered(JejoError):
    """Registrations name things that are not registered: register those first."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(" ".join(one.sentence for one in missing))
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Written(Generic[C_co]):
    """How one thing's versions changed.

    Attributes:
        revisions: one for each registration, in order.
        retired: versions that were current and no longer are; ``added``: those that take their place. Both empty:
            nothing changed.
    """

    kind: Kind[C_co]
    number: int
    is_new: bool
    revisions: tuple[Revision[C_co], ...]
    retired: tuple[Version[C_co], ...]
    added: tuple[Version[C_co], ...]

    @property
    def version(self) -> Version[C_co]:
        """The version that holds the content registered last."""
        return self.revisions[-1].version

    def revisions_for_accounts(self) -> list[Revision[C_co]]:
        """The revisions that change what machines' spans and accounts depend on."""
        return [revision for revision in self.revisions if changes_accounts(self.kind, revision)]


async def write_all(
    connection: AsyncConnection, registrations: Sequence[Registration], now_us: int
) -> list[Written[Content]]:
    """Registers everything within the caller's transaction, as one change of the registry.

    Different things may come in any order; registrations of one thing apply in theirs.

    Raises:
        NotRegistered: if something named is not registered; nothing was written.
    """
    change = await queries.lock_registry(connection) + 1
    missing = await find_missing(connection, registrations)
    if missing:
        raise NotRegistered(missing)
    written: list[Written[Content]] = []
    for kind in KINDS:
        written += await write_kind(connection, kind, [r for r in registrations if r.kind is kind], change, now_us)
    if any(thing.added for thing in written):
        await queries.set_registry_version(connection, change)
    return written


async def find_missing(
    connection: AsyncConnection, registrations: Sequence[Registration], announced: Collection[tuple[str, str]] = ()
) -> list[Missing]:
    """Returns every reference to a thing that is neither registered, nor being registered, nor announced.

    Args:
        announced: names of kinds and ids.
    """
    expected = {(one.kind.name, one.identifier) for one in registrations if one.factory_id is None}
    expected.update(announced)
    named: dict[Kind[Content], set[str]] = {kind: set() for kind in KINDS}
    for one in registrations:
        for _, kind, identifier in one.references():
            if (kind.name, identifier) not in expected:
                named[kind].add(identifier)
    absent = {
        (kind, identifier)
        for kind, ids in named.items()
        for identifier in ids.difference(await queries.find_ids(connection, kind, ids))
    }
    if not absent:
        return []
    return [
        Missing(index, reference)
        for index, one in enumerate(registrations)
        for reference in one.references()
        if (reference.kind, reference.identifier) in absent
    ]


async def write_kind(
    connection: AsyncConnection, kind: Kind[Content], registrations: Sequence[Registration], change: int, now_us: int
) -> list[Written[Content]]:
    """Registers things of one kind; everything that they name must be registered."""
    owners = await queries.find_ids(connection, FACTORY, {r.factory_id for r in registrations if r.factory_id})
    by_thing: dict[Key, list[Registration]] = {}
    for one in registrations:
        owner = None if one.factory_id is None else owners[one.factory_id]
        by_thing.setdefault((owner, one.identifier), []).append(one)
    # A factory's machines come together, so that it is read once for all of them.
    keys = iter(sorted(by_thing, key=lambda key: key[0] or 0))
    written: list[Written[Content]] = []
    while some := list(islice(keys, THINGS_AT_A_TIME)):
        written += await write_things(connection, kind, {key: by_thing[key] for key in some}, change, now_us)
    # Counted once for all: each count reads the versions of all machines in the country.
    recounted = [thing.number for thing in written if any(changes_machines_in_use(r) for r in thing.revisions)]
    if recounted:
        await queries.recount_machines(connection, recounted)
    return written


async def write_things(
    connection: AsyncConnection,
    kind: Kind[Content],
    by_thing: Mapping[Key, Sequence[Registration]],
    change: int,
    now_us: int,
) -> list[Written[Content]]:
    """Registers some things of one kind, in a fixed number of statements."""
    known = await queries.find_all(connection, kind, by_thing.keys())
    new = await queries.add_things(connection, kind, [key for key in by_thing if key not in known])
    current = await queries.read_versions(connection, kind, known.values())
    written = [
        rewrite(kind, number, current.get(number, ()), registrations, now_us)
        for number, registrations in (
            (known.get(key) or new[key], registrations) for key, registrations in by_thing.items()
        )
    ]
    retired = [(thing.number, version) for thing in written for version in thing.retired]
    await queries.retire_versions(connection, kind, retired)
    added = [(thing.number, version) for thing in written for version in thing.added]
    await queries.add_versions(connection, kind, added, change)
    await update_dependents(connection, kind, written)
    return written


def rewrite(
    kind: Kind[Content],
    number: int,
    current: Sequence[Version[Content]],
    registrations: Sequence[Registration],
    now_us: int,
) -> Written[Content]:
    """Returns how registrations change a thing's versions, without those that later registrations replace."""
    versions = current
    revisions = []
    for one in registrations:
        revision = revise(versions, one.content, one.effective_from_us, now_us)
        versions = apply(versions, revision)
        revisions.append(revision)
    retired = tuple(version for version in current if version not in versions)
    added = tuple(version for version in versions if version not in current)
    return Written(kind, number, not current, tuple(revisions), retired, added)


async def update_dependents(
    connection: AsyncConnection, kind: Kind[Content], written: Sequence[Written[Content]]
) -> None:
    """Updates the spans and marks that depend on the versions of things of one kind, which are already written.

    A new machine has no facts, hence no accounts; a new factory or enterprise has no machines yet. The first calendar
    of a factory, though, changes the accounts that there are.
    """
    affected = [thing for thing in written if thing.revisions_for_accounts()]
    if affected:
        await queries.refresh_spans(connection, kind, [thing.number for thing in affected])
        spans = [
            (thing.number, revision.affected_from_us, min(revision.version.to_us + kind.reach_us, LAST_INSTANT_US))
            for thing in affected
            if not thing.is_new or kind is CALENDAR
            for revision in thing.revisions_for_accounts()
        ]
        await queries.mark_dirty(connection, kind, spans)


def changes_accounts(kind: Kind[Content], revision: Revision[Content]) -> bool:
    """Whether a revision changes what spans and accounts depend on, or is the first one for its span of time."""
    key = revision.version.content.accounting_key()
    before = kind.unregistered if revision.replaced is None else revision.replaced.content
    return bool(revision.added and key) and (before is None or before.accounting_key() != key)


def changes_machines_in_use(revision: Revision[Content]) -> bool:
    """Whether a revision changes the days in which a machine is in use."""
    content, replaced = revision.version.content, revision.replaced
    if not isinstance(content, Machine) or not revision.added:
        return False
    before = None if replaced is None else replaced.content
    return not isinstance(before, Machine) or before.days_in_use() != content.days_in_use()
