"""What a change of the registry does to machines: their spans in use are made anew, and their accounts marked.

Both happen in the transaction of the change: whoever sees it sees its effects, or the marks that lead to them.
"""

from bisect import bisect_right

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.registry.tables import (
    ENTERPRISE,
    FACTORY,
    INSTANT,
    MACHINE,
    Kind,
    dirty_mark,
    factory_version,
    machine,
)
from services.api.registry.timeline import Content, Revision
from services.core.times import from_us

DECISIVE = {
    MACHINE.name: ("automation", "state_ttl_us", "ideal_cycle_us", "in_use_from", "in_use_to"),
    FACTORY.name: ("enterprise", "region", "sector", "zone", "sponsor", "level"),
}
"""What of a machine's and a factory's content spans and accounts depend on."""
SIZES = (1, 10, 50, 300)
"""From how many employees on an enterprise is of the next size, as ``size_of`` in the database has it."""


def machines_of(kind: Kind, number: int) -> "sa.Select[tuple[int]]":
    """The numbers of the machines that a thing has to do with."""
    chosen = sa.select(machine.c.id)
    if kind is MACHINE:
        return chosen.where(machine.c.id == number)
    if kind is FACTORY:
        return chosen.where(machine.c.factory == number)
    owned = sa.select(factory_version.c.factory).where(
        factory_version.c.enterprise == number, factory_version.c.retired_at.is_(None)
    )
    return chosen.where(machine.c.factory.in_(owned))


def is_felt(kind: Kind, revision: Revision) -> bool:
    """Whether spans or accounts depend on what a change says."""
    said, replaced = revision.said, revision.replaced
    if kind is ENTERPRISE:
        return replaced is None or size_of(said.content) != size_of(replaced.content)
    names = DECISIVE.get(kind.name, ())
    return any(replaced is None or said.content[name] != replaced.content[name] for name in names)


def size_of(content: Content) -> int:
    """Which size an enterprise is of, as a number; 0 where its employees are not known."""
    employees = content["employees"]
    return bisect_right(SIZES, employees) if isinstance(employees, int) else 0


async def spread(connection: AsyncConnection, kind: Kind, number: int, revision: Revision, *, is_new: bool) -> None:
    """Let machines feel a change. A new thing marks nothing: no fact of a machine comes before its registration."""
    if not is_felt(kind, revision):
        return
    chosen = machines_of(kind, number)
    await connection.execute(sa.select(sa.func.refresh_machine_spans(sa.func.array(chosen.scalar_subquery()))))
    if is_new:
        return
    said = revision.said
    marks = sa.select(
        machine.c.shard,
        machine.c.id,
        sa.literal(from_us(said.from_us), INSTANT),
        sa.literal(from_us(said.to_us), INSTANT),
    ).where(machine.c.id.in_(chosen))
    await connection.execute(sa.insert(dirty_mark).from_select(["shard", "machine", "from_at", "to_at"], marks))
