"""Reads what a machine's timeline is made from: the facts in force, and the registry's versions that apply to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.wire.codes import Mode, State
from services.analytics import StateFact, UseVersion
from services.api.instants import INSTANT
from services.api.kpis.tables import machine_span
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


@dataclass(frozen=True, slots=True)
class ShiftsInUse:
    """Stretches [from, to) of a machine's time in use under a calendar: within its shifts, and outside them."""

    within: list[tuple[int, int]]
    outside: list[tuple[int, int]]


async def read_shifts(connection: AsyncConnection, machine: int, start_us: int, end_us: int) -> ShiftsInUse:
    """Return a machine's shifts in [start, end), in order; both are empty where no calendar is in force."""
    s = machine_span.c
    start, end = from_us(start_us), from_us(end_us)
    spans = sa.select(s.from_at, s.to_at, s.pattern).where(
        s.machine == machine, s.pattern.is_not(None), s.from_at < end, s.to_at > start
    )
    found = ShiftsInUse([], [])
    for span_from, span_to, pattern in (await connection.execute(spans.order_by(s.from_at))).all():
        bounds = max(span_from, start), min(span_to, end)
        arguments = sa.literal([pattern], ARRAY(sa.Integer)), *(sa.literal(us, INSTANT) for us in bounds)
        columns = sa.column("pattern", sa.Integer), sa.column("from_at", INSTANT), sa.column("to_at", INSTANT)
        x = sa.func.shifts_between(*arguments).table_valued(*columns).render_derived(name="x").c
        at_us = to_us(bounds[0])
        for shift in await connection.execute(sa.select(x.from_at, x.to_at).order_by(x.from_at)):
            extend(found.outside, at_us, to_us(shift.from_at))
            at_us = to_us(shift.to_at)
            extend(found.within, to_us(shift.from_at), at_us)
        extend(found.outside, at_us, to_us(bounds[1]))
    return found


def extend(stretches: list[tuple[int, int]], start_us: int, end_us: int) -> None:
    """Add a stretch at the end, as one with the last if they touch; one of no length is left out."""
    if stretches and stretches[-1][1] == start_us:
        start_us = stretches.pop()[0]
    if start_us < end_us:
        stretches.append((start_us, end_us))


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
