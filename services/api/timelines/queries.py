"""Reads what a machine's timeline is made from: the facts in force, and the registry's versions that apply to them."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.wire.codes import Mode, State
from services.analytics import StateFact, UseVersion
from services.api.instants import INSTANT
from services.api.registry import queries
from services.api.registry.things import MACHINE
from services.api.timelines.models import TimelineCount
from services.core.times import from_us, rfc3339, seoul_midnight_us, to_us

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
    """Return the instant before which facts are no longer kept."""
    query = sa.select(sa.func.max(fact_horizon.c.sealed_before)).where(
        fact_horizon.c.table_name.in_(["state_event", "count_event"])
    )
    return to_us((await connection.execute(query)).scalar_one())


async def read_versions(connection: AsyncConnection, machine: int) -> list[UseVersion]:
    """Return a machine's registered time in use and TTL, in order of time."""
    versions = (await queries.read_versions(connection, MACHINE, [machine]))[machine]
    return [
        UseVersion(
            version.from_us,
            version.to_us,
            version.content.state_ttl_us,
            seoul_midnight_us(version.content.in_use_from),
            version.to_us if version.content.in_use_to is None else seoul_midnight_us(version.content.in_use_to),
        )
        for version in versions
    ]


async def read_states(
    connection: AsyncConnection, machine: int, start_us: int, end_us: int, reach_us: int
) -> list[StateFact]:
    """Return a machine's states in [start, end) and the last one within ``reach_us`` before, in order of time."""
    chosen = sa.select(state_event.c.at, state_event.c.state, state_event.c.mode, state_event.c.reason).where(
        state_event.c.machine == machine, sa.not_(state_event.c.retracted)
    )
    at = state_event.c.at
    reaching = chosen.where(at < from_us(start_us), at > from_us(start_us - reach_us))
    before = reaching.order_by(at.desc()).limit(1)
    within = chosen.where(at >= from_us(start_us), at < from_us(end_us)).order_by(at)
    rows = [*await connection.execute(before), *await connection.execute(within)]
    return [StateFact(to_us(row.at), State(row.state), Mode(row.mode), row.reason) for row in rows]


async def read_counts(
    connection: AsyncConnection, machine: int, spans: Sequence[tuple[int, int]], most: int
) -> list[TimelineCount]:
    """Return a machine's first counts within spans [from, to) of time, at most ``most``, in order of time."""
    c = count_event.c
    query = (
        sa.select(c.at, c.good, c.scrap, c.rework, c.product)
        .where(
            c.machine == machine,
            sa.not_(c.retracted),
            sa.or_(sa.false(), *(sa.and_(c.at >= from_us(start), c.at < from_us(end)) for start, end in spans)),
        )
        .order_by(c.at, c.product)
        .limit(most)
    )
    return [
        TimelineCount(rfc3339(to_us(row.at)), row.good, row.scrap, row.rework, row.product)
        for row in await connection.execute(query)
    ]
