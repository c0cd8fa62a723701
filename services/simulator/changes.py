"""What changes in a simulated fleet's registration while it runs: levels, regions, sizes of enterprises. Pure."""

from dataclasses import dataclass, replace
from random import Random

from services.core.times import FIRST_INSTANT_US, seoul_day
from services.simulator.country import LEVELS, REGIONS
from services.simulator.fleet import Enterprise, Factory, size_of, stream

CHANGED_SHARE = 0.08
"""Of the factories, over the whole history, times the world's trouble."""
MOST_OFTEN = 0.9
GROWS_TO = {None: 30, "1-9": 12, "10-49": 55, "50-299": 310, "300+": 250}
"""Employees of an enterprise, by the size that it was, after it grew; the largest shrink."""


@dataclass(frozen=True, slots=True)
class Change:
    """From an instant on a factory, or the enterprise behind factories, is another one."""

    at_us: int
    now: Factory | Enterprise


@dataclass(frozen=True, slots=True)
class Cohort:
    """What a factory is grouped by."""

    region: str
    sector: str
    zone: str | None
    sponsor: str | None
    level: str
    size: str | None


def changes(seed: int, fleet: tuple[Factory, ...], from_us: int, to_us: int, trouble: float) -> list[Change]:
    """The changes of [from_us, to_us), in the order of their instants, at most one a factory."""
    found: list[Change] = []
    grown: set[str] = set()
    for factory in fleet:
        rng = stream(seed, factory.factory_id, "changes")
        if rng.random() >= min(CHANGED_SHARE * trouble, MOST_OFTEN):
            continue
        # Odd instants, in the middle of an hour, so that an hour has two owners.
        at_us = from_us + round((to_us - from_us) * rng.uniform(0.15, 0.85)) // 1000 * 1000
        now = another(rng, factory, at_us)
        if isinstance(now, Enterprise):
            if now.enterprise_id in grown:
                continue
            grown.add(now.enterprise_id)
        found.append(Change(at_us, now))
    return sorted(found, key=lambda change: change.at_us)


def another(rng: Random, factory: Factory, at_us: int) -> Factory | Enterprise:
    """What the factory, or its enterprise, becomes."""
    kind = rng.random()
    if kind < 0.5 and factory.level != LEVELS[-1]:
        level = LEVELS[LEVELS.index(factory.level) + 1]
        return replace(factory, level=level, established_on=factory.established_on or seoul_day(at_us))
    if kind < 0.75:
        regions = list(REGIONS)
        region = regions[(regions.index(factory.region) + rng.randint(1, 5)) % len(regions)]
        return replace(factory, region=region, zone=None)
    return replace(factory.enterprise, employees=GROWS_TO[size_of(factory.enterprise.employees)])


def cohorts(factory: Factory, changed: list[Change]) -> list[tuple[int, Cohort]]:
    """Which cohort the factory is in, from which instant on; the first from the beginning of time."""
    place, owner = factory, factory.enterprise
    found = [(FIRST_INSTANT_US, cohort_of(place, owner))]
    for change in changed:
        match change.now:
            case Factory(factory_id=factory.factory_id):
                place = change.now
            case Enterprise(enterprise_id=owner.enterprise_id):
                owner = change.now
            case _:
                continue
        found.append((change.at_us, cohort_of(place, owner)))
    return found


def cohort_of(factory: Factory, owner: Enterprise) -> Cohort:
    return Cohort(
        factory.region, factory.sector, factory.zone, factory.sponsor, factory.level, size_of(owner.employees)
    )
