"""Cohorts of simulated factories, and how they change."""

import datetime as dt
from collections import Counter

from services.core.times import DAY_US, FIRST_INSTANT_US, seoul_midnight_us
from services.simulator.cohorts import cohort_history, draw_changes
from services.simulator.fleet import Enterprise, Factory, make_fleet, size_of

MONDAY = dt.date(2024, 3, 4)
COUNTRY = make_fleet(1, 300)


def test_changes_are_of_every_kind_and_within_the_window() -> None:
    start_us = seoul_midnight_us(MONDAY)
    changes = draw_changes(1, COUNTRY, start_us, start_us + 90 * DAY_US, 1)
    assert changes == sorted(changes, key=lambda change: change.at_us)
    assert all(start_us < change.at_us < start_us + 90 * DAY_US for change in changes)
    before = {factory.factory_id: factory for factory in COUNTRY}
    kinds: Counter[str] = Counter()
    for change in changes:
        if isinstance(change.new, Enterprise):
            kinds["size"] += 1
            continue
        old = before[change.new.factory_id]
        kinds["level"] += old.level != change.new.level
        kinds["region"] += old.region != change.new.region
        assert change.new.level == "none" or change.new.established_on is not None
    assert min(kinds[kind] for kind in ("size", "level", "region")) > 0


def test_a_factory_is_in_each_cohort_until_the_next() -> None:
    start_us = seoul_midnight_us(MONDAY)
    changes = draw_changes(1, COUNTRY, start_us, start_us + 90 * DAY_US, 1)
    moved = next(change for change in changes if isinstance(change.new, Factory))
    assert isinstance(moved.new, Factory)
    factory = next(f for f in COUNTRY if f.factory_id == moved.new.factory_id)
    history = cohort_history(factory, changes)
    assert history[0][0] == FIRST_INSTANT_US
    assert (history[0][1].region, history[0][1].level) == (factory.region, factory.level)
    assert moved.at_us in [at_us for at_us, _ in history]
    assert (history[-1][1].region, history[-1][1].level) == (moved.new.region, moved.new.level)
    grown = next(change for change in changes if isinstance(change.new, Enterprise))
    assert isinstance(grown.new, Enterprise)
    owned = next(f for f in COUNTRY if f.enterprise.enterprise_id == grown.new.enterprise_id)
    resized = cohort_history(owned, changes)[-1][1]
    assert resized.size == size_of(grown.new.employees) != size_of(owned.enterprise.employees)
