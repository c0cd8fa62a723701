"""``GET /v1/factories/{factory_id}/machines/{machine_id}/timeline``."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from schemas.wire.codes import Mode
from services.analytics import Segment, UseVersion, segments
from services.api.access import AnyReader
from services.api.dependencies import Now, Pools
from services.api.kpis.sums import read_accounted_until
from services.api.models import described_as
from services.api.problems import not_found, unprocessable
from services.api.registry.fields import FactoryId, LocalId
from services.api.registry.queries import find
from services.api.registry.things import MACHINE
from services.api.registry.visibility import check_may_see, factory_number
from services.api.timelines.models import (
    LONGEST_DAYS,
    MOST_COUNTS,
    ShiftOfTimeline,
    Timeline,
    TimelineQuery,
    TimelineSegment,
)
from services.api.timelines.queries import (
    read_counts,
    read_sealed_before,
    read_shifts,
    read_states,
    read_versions,
)
from services.core.times import DAY_US, rfc3339

router = APIRouter(prefix="/v1", tags=["machines"])


@router.get("/factories/{factory_id}/machines/{machine_id}/timeline", responses={200: described_as(Timeline)})
async def get_timeline(
    factory_id: FactoryId,
    machine_id: LocalId,
    query: Annotated[TimelineQuery, Query()],
    databases: Pools,
    now: Now,
    reader: AnyReader,
) -> Response:
    """A machine's states, for as long as each counts in its time accounts, and its counts."""
    if not 0 < query.to - query.from_ <= LONGEST_DAYS * DAY_US:
        raise unprocessable(f"Let `from` be before `to`, by at most {LONGEST_DAYS} days.")
    await check_may_see(databases, reader, factory_id, now)
    async with databases.read.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        number = await find(connection, MACHINE, machine_id, await factory_number(connection, factory_id))
        if number is None:
            raise not_found(f"machine {factory_id}/{machine_id}")
        sealed_before_us = await read_sealed_before(connection)
        if query.from_ < sealed_before_us:
            raise unprocessable(
                f"Facts before {rfc3339(sealed_before_us)} are no longer kept; ask from then on, "
                "or ask GET /v1/kpis, whose accounts are kept."
            )
        until_us = await read_accounted_until(connection)
        end_us = query.from_ if until_us is None else min(query.to, max(until_us, query.from_))
        versions = await read_versions(connection, number)
        longest_ttl_us = max((version.ttl_us for version in versions), default=0)
        states = await read_states(connection, number, query.from_, end_us, longest_ttl_us)
        shifts = await read_shifts(connection, number, query.from_, query.to)
        spans = in_use(versions, query.from_, end_us)
        counts = await read_counts(connection, number, spans, MOST_COUNTS + 1)
    answer = Timeline(
        machine=f"{factory_id}/{machine_id}",
        from_=rfc3339(query.from_),
        to=rfc3339(query.to),
        partial=end_us < query.to,
        accounted_until=None if until_us is None else rfc3339(until_us),
        segments=[describe(s) for s in segments(states, versions, query.from_, end_us, shifts.outside)],
        shifts=[ShiftOfTimeline(rfc3339(start), rfc3339(end)) for start, end in shifts.within],
        has_calendar=bool(shifts.within or shifts.outside),
        counts=counts[:MOST_COUNTS],
        counts_truncated=len(counts) > MOST_COUNTS,
    )
    return Response(msgspec.json.encode(answer), media_type="application/json")


def in_use(versions: list[UseVersion], from_us: int, to_us: int) -> list[tuple[int, int]]:
    """Return the spans of a window in which a machine is in use, one per version."""
    found = [(max(v.from_us, v.in_use_from_us, from_us), min(v.to_us, v.in_use_to_us, to_us)) for v in versions]
    return [(start, end) for start, end in found if start < end]


def describe(segment: Segment) -> TimelineSegment:
    """Return a segment as the API shows it."""
    return TimelineSegment(
        from_=rfc3339(segment.from_us),
        to=rfc3339(segment.to_us),
        state=segment.state.name,
        mode=None if segment.mode is Mode.unknown else segment.mode.name,
        reason=segment.reason,
    )
