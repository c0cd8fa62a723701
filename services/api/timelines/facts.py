"""Reads what a machine's timeline is made of: facts in force, and the registry's versions that say how they count."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.wire.codes import Mode, State
from services.analytics import StateRow, UseVersion
from services.api.registry import store
from services.api.registry.tables import INSTANT, MACHINE
from services.core.times import from_us, seoul_midnight_us, to_us

state_event = sa.table(
    "state_event",
    *(sa.column(name) for name in ("machine", "state", "mode", "reason", "retracted")),
    sa.column("at", INSTANT),
)
count_event = sa.table(
    "count_event",
    *(sa.column(name) for name in ("machine", "product", "good", "scrap", "rework", "retracted")),
    sa.column("at", INSTANT),
)
fact_horizon = sa.table("fact_horizon", sa.column("table_name"), sa.column("sealed_before", INSTANT))


async def read_sealed_before(connection: AsyncConnection) -> int:
    """The instant before which facts are no longer kept."""
    query = sa.select(sa.func.max(fact_horizon.c.sealed_before)).where(
        fact_horizon.c.table_name.in_(["state_event", "count_event"])
    )
    return to_us((await connection.execute(query)).scalar_one())


async def read_versions(connection: AsyncConnection, machine: int) -> list[UseVersion]:
    """What the registry says of a machine's use, in order."""
    found = []
    for version in (await store.read_versions(connection, MACHINE, [machine]))[machine]:
        said = version.content
        begins, ends = said["in_use_from"], said["in_use_to"]
        found.append(
            UseVersion(
                version.from_us,
                version.to_us,
                said["state_ttl_us"],  # type: ignore[arg-type]
                seoul_midnight_us(begins),  # type: ignore[arg-type]
                version.to_us if ends is None else seoul_midnight_us(ends),  # type: ignore[arg-type]
            )
        )
    return found


async def read_states(
    connection: AsyncConnection, machine: int, start_us: int, end_us: int, reach_us: int
) -> list[StateRow]:
    """The states of a machine in [start, end), and the last one of ``reach_us`` before, in order."""
    chosen = sa.select(state_event.c.at, state_event.c.state, state_event.c.mode, state_event.c.reason).where(
        state_event.c.machine == machine, sa.not_(state_event.c.retracted)
    )
    at = state_event.c.at
    reaching = chosen.where(at < from_us(start_us), at > from_us(start_us - reach_us))
    before = reaching.order_by(at.desc()).limit(1)
    within = chosen.where(at >= from_us(start_us), at < from_us(end_us)).order_by(at)
    rows = [*await connection.execute(before), *await connection.execute(within)]
    return [StateRow(to_us(row.at), State(row.state), Mode(row.mode), row.reason) for row in rows]


async def read_counts(
    connection: AsyncConnection, machine: int, spans: Sequence[tuple[int, int]], most: int
) -> "Sequence[sa.Row[tuple[object, ...]]]":
    """The first counts of a machine within spans [from, to) of time, at most so many, in order."""
    at = count_event.c.at
    query = (
        sa.select(at, *(count_event.c[name] for name in ("good", "scrap", "rework", "product")))
        .where(
            count_event.c.machine == machine,
            sa.not_(count_event.c.retracted),
            sa.or_(sa.false(), *(sa.and_(at >= from_us(start), at < from_us(end)) for start, end in spans)),
        )
        .order_by(at, count_event.c.product)
        .limit(most)
    )
    return (await connection.execute(query)).all()
