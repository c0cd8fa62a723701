"""What follows from a change of the registry, in the same transaction: spans in use, accounts to make again, counts.

``follow`` is called with everything that is written, once for some things of one kind: what must keep step with the
registry belongs here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.registry.arrays import is_any, rows_as_table
from services.api.registry.bodies import Size
from services.api.registry.tables import (
    ENTERPRISE,
    FACTORY,
    MACHINE,
    Kind,
    dirty_mark,
    factory_in_use,
    factory_in_use_steps,
    factory_version,
    machine,
)
from services.api.registry.timeline import Revision, Version
from services.core.times import from_us

DECISIVE = {
    MACHINE.name: ("automation", "state_ttl_us", "ideal_cycle_us", "in_use_from", "in_use_to"),
    FACTORY.name: ("enterprise", "region", "sector", "zone", "sponsor", "level"),
}
"""What of a machine's and a factory's content spans and accounts depend on."""

COUNTED_BY = ("in_use_from", "in_use_to")
"""What of a machine's content the number of machines in use depends on."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of one thing.

    Attributes:
        revisions: one for each statement, in order.
        retired: versions believed before and no longer; ``added``: those believed instead. Both empty: nothing changed.
    """

    kind: Kind
    number: int
    is_new: bool
    revisions: tuple[Revision, ...]
    retired: tuple[Version, ...]
    added: tuple[Version, ...]

    @property
    def said(self) -> Version:
        """The version that now says what was said last."""
        return self.revisions[-1].said


async def follow(connection: AsyncConnection, kind: Kind, changed: Sequence[Changed]) -> None:
    """Have everything keep step with changes of things of one kind. Their versions are already written."""
    felt = [thing for thing in changed if any(is_felt(kind, revision) for revision in thing.revisions)]
    if felt:
        await refresh_spans(connection, kind, felt)
        await mark_accounts(connection, kind, felt)
    if kind is MACHINE:
        await count_machines(connection, changed)


def is_felt(kind: Kind, revision: Revision) -> bool:
    """Whether machines' spans or accounts depend on what a revision changes."""
    if kind is not ENTERPRISE:
        return changes(revision, DECISIVE.get(kind.name, ()))
    said, replaced = revision.said, revision.replaced
    return bool(revision.added) and (replaced is None or size_at(said) != size_at(replaced))


def size_at(enterprise: Version) -> Size | None:
    """The size of an enterprise as a version has it."""
    employees = enterprise.content["employees"]
    return Size.of(employees if isinstance(employees, int) else None)


def machines_of(kind: Kind, things: sa.TableValuedAlias) -> "sa.Select[tuple[int]]":
    """The machines that things have to do with; ``things`` has their numbers in its column ``number``."""
    if kind is MACHINE:
        return sa.select(machine.c.id).join(things, things.c.number == machine.c.id)
    if kind is FACTORY:
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


NUMBER = sa.column("number", sa.Integer)


async def refresh_spans(connection: AsyncConnection, kind: Kind, changed: Sequence[Changed]) -> None:
    """Make the spans in use of machines anew."""
    things = rows_as_table([NUMBER], [(thing.number,) for thing in changed])
    machines = sa.func.array(machines_of(kind, things).distinct().scalar_subquery())
    await connection.execute(sa.select(sa.func.refresh_machine_spans(machines)))


async def mark_accounts(connection: AsyncConnection, kind: Kind, changed: Sequence[Changed]) -> None:
    """Have machines accounted again over the spans of versions.

    A new machine has no facts, hence no accounts; a new factory or enterprise has no machine yet.
    """
    rows = [
        (thing.number, from_us(revision.felt_from_us), from_us(revision.said.to_us))
        for thing in changed
        if not thing.is_new
        for revision in thing.revisions
        if is_felt(kind, revision)
    ]
    if not rows:
        return
    said = rows_as_table([NUMBER, dirty_mark.c.from_at, dirty_mark.c.to_at], rows)
    marks = machines_of(kind, said).with_only_columns(machine.c.shard, machine.c.id, said.c.from_at, said.c.to_at)
    await connection.execute(sa.insert(dirty_mark).from_select(["shard", "machine", "from_at", "to_at"], marks))


def changes(revision: Revision, names: Sequence[str]) -> bool:
    """Whether a revision changes one of these columns, or says them of a time of which nothing was said."""
    said, replaced = revision.said, revision.replaced
    return bool(revision.added and names) and (
        replaced is None or any(said.content[name] != replaced.content[name] for name in names)
    )


async def count_machines(connection: AsyncConnection, changed: Sequence[Changed]) -> None:
    """Make again the steps of how many machines are in use, for the factories of these machines."""
    numbers = [thing.number for thing in changed if any(changes(r, COUNTED_BY) for r in thing.revisions)]
    if not numbers:
        return
    owners = sa.select(machine.c.factory).where(is_any(machine.c.id, numbers)).distinct()
    factories = list((await connection.execute(owners)).scalars())
    await connection.execute(sa.delete(factory_in_use).where(is_any(factory_in_use.c.factory, factories)))
    steps = sa.select(*factory_in_use_steps.c).where(is_any(factory_in_use_steps.c.factory, factories))
    await connection.execute(sa.insert(factory_in_use).from_select([c.name for c in factory_in_use.c], steps))
