"""The cohorts that simulated factories are in, and how these change: by level, region and size of enterprise. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

from services.core.times import FIRST_INSTANT_US, seoul_day
from services.simulator.country import LEVELS, REGIONS
from services.simulator.fleet import Enterprise, Factory, size_of, stream

CHANGED_SHARE = 0.08
"""Share of the factories that change during the whole history, before it is multiplied by the world's trouble."""
HIGHEST_CHANCE = 0.9
EMPLOYEES_AFTER = {None: 30, "1-9": 12, "10-49": 55, "50-299": 310, "300+": 250}
"""An enterprise's employees after a change, by the size that it had before: the largest shrink, all others grow."""


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """From an instant on, the registry has another version of a factory, or of an enterprise."""

    at_us: int
    new: Factory | Enterprise


@dataclass(frozen=True, slots=True)
class Cohort:
    """What a factory is grouped by; the fields are named as the API's scopes."""

    region: str
    sector: str
    zone: str | None
    sponsor: str | None
    level: str
    size: str | None


def draw_changes(
    seed: int, fleet: tuple[Factory, ...], from_us: int, to_us: int, trouble: float
) -> list[RegistryChange]:
    """Draw the changes in [from_us, to_us), ordered by instant; at most one for each factory and enterprise.

    Args:
        trouble: multiplies how many factories change.
    """
    changes: list[RegistryChange] = []
    resized: set[str] = set()
    for factory in fleet:
        rng = stream(seed, factory.factory_id, "changes")
        if rng.random() >= min(CHANGED_SHARE * trouble, HIGHEST_CHANCE):
            continue
        # Odd instants, in the middle of an hour, so that one hour belongs to two cohorts.
        at_us = from_us + round((to_us - from_us) * rng.uniform(0.15, 0.85)) // 1000 * 1000
        new = draw_new_version(rng, factory, at_us)
        if isinstance(new, Enterprise):
            if new.enterprise_id in resized:
                continue
            resized.add(new.enterprise_id)
        changes.append(RegistryChange(at_us, new))
    return sorted(changes, key=lambda change: change.at_us)


def draw_new_version(rng: Random, factory: Factory, at_us: int) -> Factory | Enterprise:
    """Draw what changes: the factory's level or region, or the size of its enterprise."""
    kind = rng.random()
    if kind < 0.5 and factory.level != LEVELS[-1]:
        level = LEVELS[LEVELS.index(factory.level) + 1]
        return replace(factory, level=level, established_on=factory.established_on or seoul_day(at_us))
    if kind < 0.75:
        regions = list(REGIONS)
        region = regions[(regions.index(factory.region) + rng.randint(1, 5)) % len(regions)]
        return replace(factory, region=region, zone=None)
    return replace(factory.enterprise, employees=EMPLOYEES_AFTER[size_of(factory.enterprise.employees)])


def cohort_history(factory: Factory, changes: Iterable[RegistryChange]) -> list[tuple[int, Cohort]]:
    """Return the factory's cohorts, each with the instant at which it begins; the first begins before all facts.

    Args:
        changes: of the whole fleet, ordered by instant.
    """
    site, owner = factory, factory.enterprise
    history = [(FIRST_INSTANT_US, cohort_of(site, owner))]
    for change in changes:
        match change.new:
            case Factory(factory_id=factory.factory_id):
                site = change.new
            case Enterprise(enterprise_id=owner.enterprise_id):
                owner = change.new
            case _:
                continue
        history.append((change.at_us, cohort_of(site, owner)))
    return history


def cohort_of(factory: Factory, owner: Enterprise) -> Cohort:
    return Cohort(
        factory.region, factory.sector, factory.zone, factory.sponsor, factory.level, size_of(owner.employees)
    )
