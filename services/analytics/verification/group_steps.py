"""Compares the steps of what is in use in each group with those that the spans in use give, machine by machine.

The spans themselves were compared with the registry's versions. Everything here is counted one by one, in Python.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.analytics.verification import queries
from services.analytics.verification.compare import Difference
from services.analytics.verification.days import midnight
from services.analytics.verification.reference import Cohort
from services.analytics.verification.registered import Span
from services.analytics.verification.shifts import Stretch, united
from services.core.database import Connection
from services.core.times import rfc3339

KINDS = ("region", "sector", "zone", "sponsor", "level", "size")
"""In the order of a cohort's attributes."""
NEVER = None
CHANGES = ("machines_in", "machines_out", "factories_in", "factories_out", "automated", "days")

Group = tuple[str, str, str]
"""Kind, region within which it is taken (or empty), and value."""
Place = tuple[Group, int, int | None]
"""A group, an instant, and until when what begins then was last in use in the group; None if it never was."""


@dataclass(frozen=True, slots=True)
class Site:
    """A factory's spans in use, by machine, by the number of their cohort, and with that of their pattern of shifts."""

    factory: int
    machines: Mapping[int, Sequence[Span]]
    in_cohorts: Mapping[int, Sequence[Stretch]]
    in_patterns: Sequence[tuple[int, Span]]


def groups_of(cohort: Cohort) -> Iterator[Group]:
    """Yield the groups of which a cohort is part."""
    region, *others = cohort
    yield "nation", "", ""
    yield "region", "", region or ""
    for kind, value in zip(KINDS[1:], others, strict=True):
        if value is not None:
            yield kind, "", value
            if region is not None:
                yield kind, region, value


class Steps:
    """The changes at each place, added up."""

    def __init__(self) -> None:
        self.changes: dict[Place, dict[str, int]] = defaultdict(lambda: dict.fromkeys(CHANGES, 0))

    def add_site(self, site: Site) -> None:
        """Add what a factory's spans change."""
        of_factory: dict[Group, list[Stretch]] = defaultdict(list)
        for spans in site.machines.values():
            own: dict[Group, list[Stretch]] = defaultdict(list)
            for span in spans:
                for group in groups_of(span.cohort):
                    own[group].append((span.from_us, span.to_us))
                    self._add_span(group, span)
            for group, stretches in own.items():
                self._add_stretches(group, "machines", united(stretches))
                of_factory[group] += stretches
        for group, stretches in of_factory.items():
            self._add_stretches(group, "factories", united(stretches))

    def _add_span(self, group: Group, span: Span) -> None:
        """Add a machine's days, and its being automated, which change with every span."""
        for sign, us, day in ((1, span.from_us, span.first_day), (-1, span.to_us, span.end_day)):
            if span.automated:
                self.changes[group, us, NEVER]["automated"] += sign
            self.changes[group, midnight(day), NEVER]["days"] += sign

    def _add_stretches(self, group: Group, of: str, stretches: Sequence[Stretch]) -> None:
        """Add what begins and ends with stretches that do not touch each other."""
        seen_to: int | None = NEVER
        for start, end in stretches:
            self.changes[group, start, seen_to][f"{of}_in"] += 1
            self.changes[group, end, NEVER][f"{of}_out"] += 1
            seen_to = end

    def with_effect(self) -> dict[Place, dict[str, int]]:
        """Return the places at which anything changes."""
        return {place: changes for place, changes in self.changes.items() if any(changes.values())}


async def read_sites(connection: Connection) -> AsyncIterator[Site]:
    """Yield every factory's spans in use."""
    site = Site(0, {}, {}, [])
    machines: dict[int, list[Span]] = {}
    in_cohorts: dict[int, list[Stretch]] = {}
    in_patterns: list[tuple[int, Span]] = []
    async for row in connection.cursor(queries.ALL_SPANS, prefetch=10_000):
        factory, number, machine, start, end, automated, first_day, end_day, pattern, *cohort = row.values()
        if factory != site.factory:
            if machines:
                yield site
            machines, in_cohorts, in_patterns = {}, {}, []
            site = Site(factory, machines, in_cohorts, in_patterns)
        span = Span(start, end, automated, tuple(cohort), first_day, end_day)
        machines.setdefault(machine, []).append(span)
        if pattern is not None:
            in_patterns.append((pattern, span))
        in_cohorts.setdefault(number, []).append((start, end))
    if machines:
        yield site


async def compare_steps(connection: Connection) -> list[Difference]:
    """Return the differences of all stored steps and factories' spans from those that the spans of machines give.

    And those of the groups that cohorts are part of.
    """
    steps = Steps()
    factory_spans: set[tuple[int, int, int, int]] = set()
    scheduled: dict[tuple[Group, int, int], int] = defaultdict(int)
    async for site in read_sites(connection):
        steps.add_site(site)
        for cohort, stretches in site.in_cohorts.items():
            factory_spans |= {(site.factory, cohort, *stretch) for stretch in united(stretches)}
        for pattern, span in site.in_patterns:
            for group in groups_of(span.cohort):
                scheduled[group, pattern, span.from_us] += 1
                scheduled[group, pattern, span.to_us] -= 1
    expected = steps.with_effect()
    stored: dict[Place, dict[str, int]] = {}
    for kind, within, value, at, seen_to, *changes in await connection.fetch(queries.STORED_STEPS):
        stored[(kind, within, value), at, seen_to] = dict(zip(CHANGES, changes, strict=True))
    found: list[Difference] = []
    for place in sorted(stored.keys() | expected.keys(), key=lambda place: (place[0], place[1], place[2] or 0)):
        left, right = stored.get(place), expected.get(place)
        if left != right:
            found += differences(place, left or dict.fromkeys(CHANGES, 0), right or dict.fromkeys(CHANGES, 0))
    found += await compare_schedule_steps(connection, scheduled)
    return [*found, *await compare_factory_spans(connection, factory_spans), *await compare_memberships(connection)]


async def compare_schedule_steps(
    connection: Connection, expected: Mapping[tuple[Group, int, int], int]
) -> list[Difference]:
    """Return the differences of how many machines of each group have each pattern of shifts."""
    stored = {
        ((kind, within, value), pattern, at): machines
        for kind, within, value, pattern, at, machines in await connection.fetch(queries.STORED_SCHEDULE_STEPS)
    }
    places = stored.keys() | {place for place, machines in expected.items() if machines}
    return [
        Difference(
            f"schedule step {name_of(group)} of pattern {pattern} at {rfc3339(at)}",
            "machines",
            stored.get((group, pattern, at), 0),
            expected.get((group, pattern, at), 0),
        )
        for group, pattern, at in sorted(places)
        if stored.get((group, pattern, at), 0) != expected.get((group, pattern, at), 0)
    ]


def differences(place: Place, stored: Mapping[str, int], recomputed: Mapping[str, int]) -> Iterator[Difference]:
    """Yield the differences at one place, or one of rows if there is one without any effect."""
    group, at, seen_to = place
    since = "" if seen_to is None else f" since {rfc3339(seen_to)}"
    name = f"groups' step {name_of(group)} at {rfc3339(at)}{since}"
    differing = [change for change in CHANGES if stored[change] != recomputed[change]]
    for change in differing:
        yield Difference(name, change, stored[change], recomputed[change])
    if not differing:
        yield Difference(name, "rows", 1, 0)


def name_of(group: Group) -> str:
    """Return a group's name, as differences print it."""
    kind, within, value = group
    return f"{kind} {value or '-'}{f' in {within}' if within else ''}"


async def compare_factory_spans(connection: Connection, expected: set[tuple[int, int, int, int]]) -> list[Difference]:
    """Return the differences of the time in which each factory is in use in a cohort."""
    stored = {tuple(row.values()) for row in await connection.fetch(queries.STORED_FACTORY_SPANS)}
    return [
        Difference(
            f"factory {factory} in cohort {cohort} from {rfc3339(start)} to {rfc3339(end)}",
            "rows",
            int((factory, cohort, start, end) in stored),
            int((factory, cohort, start, end) in expected),
        )
        for factory, cohort, start, end in sorted(stored ^ expected)
    ]


async def compare_memberships(connection: Connection) -> list[Difference]:
    """Return the differences of the groups that are stored for each cohort."""
    expected = {
        (cohort, group)
        for cohort, *attributes in await connection.fetch(queries.COHORTS)
        for group in groups_of(tuple(attributes))
    }
    stored = {(cohort, tuple(group)) for cohort, *group in await connection.fetch(queries.STORED_MEMBERSHIPS)}
    return [
        Difference(
            f"cohort {cohort} in group {'/'.join(group)}",
            "rows",
            int((cohort, group) in stored),
            0 if (cohort, group) in stored else 1,
        )
        for cohort, group in sorted(stored ^ expected)
    ]
