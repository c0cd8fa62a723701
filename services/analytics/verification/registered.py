"""The registry as the second implementation reads it: versions of machines, factories and enterprises, overlaid.

It does not use the spans that the registry keeps for the first implementation, but compares them with its own.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from services.analytics.verification import queries
from services.analytics.verification.days import day_of
from services.analytics.verification.reference import Cohort, MachineVersion
from services.analytics.verification.shifts import Pattern, Schedule
from services.core.database import Connection

NOWHERE: Cohort = (None,) * 6
LAST_DAY = dt.date(9999, 12, 30)


@dataclass(frozen=True, slots=True)
class Membership:
    """The cohort of a factory for [from, to)."""

    from_us: int
    to_us: int
    cohort: Cohort


@dataclass(frozen=True, slots=True)
class Span:
    """A machine's time in use, [from, to), of one cohort; and the Seoul days [first, end) that count as its own."""

    from_us: int
    to_us: int
    automated: bool
    cohort: Cohort
    first_day: dt.date
    end_day: dt.date
    pattern: Pattern | None = None


async def read_machines(
    connection: Connection, factory: int, schedule: Schedule
) -> dict[int, tuple[str, list[MachineVersion]]]:
    """Return a factory's machines by number: id and versions, cut where the factory's cohort or calendar changes."""
    membership = await read_membership(connection, factory)
    found: dict[int, tuple[str, list[MachineVersion]]] = {}
    for row in await connection.fetch(queries.MACHINE_VERSIONS, factory):
        number, machine_id, start, end, ttl, cycle, in_use_from, in_use_to, automated = row.values()
        versions = found.setdefault(number, (machine_id, []))[1]
        if start is None:
            continue
        changes = {us for m in membership for us in (m.from_us, m.to_us)} | schedule.changes()
        cuts = {start, end} | {us for us in changes if start < us < end}
        for piece_start, piece_end in pairwise(sorted(cuts)):
            cohort = next((m.cohort for m in membership if m.from_us <= piece_start < m.to_us), NOWHERE)
            content = (ttl, cycle, in_use_from, in_use_to, automated, cohort, schedule.pattern(piece_start))
            versions.append(MachineVersion(piece_start, piece_end, *content))
    return found


async def read_membership(connection: Connection, factory: int) -> list[Membership]:
    """Return the cohorts that a factory was in, from its versions and those of its enterprises."""
    places = await connection.fetch(queries.FACTORY_VERSIONS, factory)
    owners = await connection.fetch(queries.ENTERPRISE_VERSIONS, sorted({row["enterprise"] for row in places}))
    found = []
    for place in places:
        start, end, enterprise, *attributes = place.values()
        own = [row for row in owners if row["enterprise"] == enterprise]
        bounds = {us for row in own for us in (row["effective_from"], row["effective_to"])}
        for piece_start, piece_end in pairwise(sorted({start, end} | {us for us in bounds if start < us < end})):
            employees = next(
                (row["employees"] for row in own if row["effective_from"] <= piece_start < row["effective_to"]), None
            )
            found.append(Membership(piece_start, piece_end, (*attributes, size_of(employees))))
    return found


def size_of(employees: int | None) -> str | None:
    """Return the size class of a number of employees."""
    if not employees:
        return None
    names = ((300, "300+"), (50, "50-299"), (10, "10-49"), (1, "1-9"))
    return next(name for least, name in names if employees >= least)


def expected_spans(versions: Sequence[MachineVersion], from_us: int) -> list[Span]:
    """Return the spans that should be stored for a machine, from an instant on."""
    stretches: list[tuple[int, int, bool, Cohort, Pattern | None]] = []
    for version in versions:
        start = max(version.effective_from_us, version.in_use_from_us)
        end = min(version.effective_to_us, version.in_use_to_us)
        if start >= end:
            continue
        content = version.automated, version.cohort, version.pattern
        if stretches and stretches[-1][1:] == (start, *content):
            start = stretches.pop()[0]
        stretches.append((start, end, *content))
    spans = []
    for n, (start, end, automated, cohort, pattern) in enumerate(stretches):
        following = [day_of(s[0]) for s in stretches[n + 1 : n + 2]]
        days = [min(day_of(end - 1), LAST_DAY) + dt.timedelta(days=1), *following]
        spans.append(Span(start, end, automated, cohort, day_of(start), min(days), pattern))
    return spans_from(spans, from_us)


def spans_from(spans: Iterable[Span], us: int) -> list[Span]:
    """Return the parts of spans from an instant on."""
    return [
        replace(span, from_us=max(span.from_us, us), first_day=max(span.first_day, day_of(us)))
        for span in spans
        if span.to_us > us
    ]


async def read_spans(connection: Connection, factory: int, from_us: int) -> dict[int, list[Span]]:
    """Return the stored spans by machine, from an instant on."""
    found: dict[int, list[Span]] = {}
    for row in await connection.fetch(queries.SPANS, factory):
        machine, start, end, automated, first_day, end_day, calendar, run_in, *cohort = row.values()
        pattern = None if calendar is None else (calendar, run_in or 0)
        found.setdefault(machine, []).append(Span(start, end, automated, tuple(cohort), first_day, end_day, pattern))
    return {machine: spans_from(spans, from_us) for machine, spans in found.items()}


def day_owner(spans: Iterable[Span], day: dt.date) -> Cohort | None:
    """Return the cohort to which a machine's day belongs, if it is in use."""
    return next((span.cohort for span in spans if span.first_day <= day < span.end_day), None)
