"""What follows from a change of the registry, in the same transaction: accounts to make again, counts of machines.

``follow`` is called with everything that is written, once for some things of one kind: what must keep step with the
registry belongs here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.registry.arrays import is_any, rows_as_table
from services.api.registry.tables import (
    MACHINE,
    Kind,
    dirty_mark,
    factory_in_use,
    factory_in_use_steps,
    machine,
)
from services.api.registry.timeline import Revision, Version
from services.core.times import from_us

ACCOUNTED_BY = ("state_ttl_us", "ideal_cycle_us", "in_use_from", "in_use_to")
"""What of a machine's content its time accounts depend on."""

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
    if kind is MACHINE:
        await mark_accounts(connection, changed)
        await count_machines(connection, changed)


async def mark_accounts(connection: AsyncConnection, changed: Sequence[Changed]) -> None:
    """Have machines accounted again over the spans of versions, where their accounts depend on what changed.

    A new machine has no facts, hence no accounts.
    """
    rows = [
        (thing.number, from_us(revision.said.from_us), from_us(revision.said.to_us))
        for thing in changed
        if not thing.is_new
        for revision in thing.revisions
        if changes(revision, ACCOUNTED_BY)
    ]
    if not rows:
        return
    spans = rows_as_table([dirty_mark.c.machine, dirty_mark.c.from_at, dirty_mark.c.to_at], rows)
    marks = sa.select(machine.c.shard, spans.c.machine, spans.c.from_at, spans.c.to_at).join(
        machine, machine.c.id == spans.c.machine
    )
    await connection.execute(sa.insert(dirty_mark).from_select(["shard", "machine", "from_at", "to_at"], marks))


def changes(revision: Revision, names: Sequence[str]) -> bool:
    """Whether a revision changes one of these columns, or says them of a time of which nothing was said."""
    said, replaced = revision.said, revision.replaced
    return bool(revision.added) and (
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
