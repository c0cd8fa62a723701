"""The simulated fleet: reproducible, and with the country's proportions."""

import datetime as dt
from collections import Counter

from schemas.wire.codes import Mode, State
from services.core.times import DAY_US, SECOND_US, seoul_midnight_us
from services.gateway.records import CountRow, StateRow
from services.simulator.country import HISTORY, REGIONS, SECTORS, SMART_LEVELS, SPONSORS, ZONES, established_at
from services.simulator.fleet import Connection, ShiftPattern, make_fleet, size_of
from services.simulator.mishaps import factory_day

MONDAY = dt.date(2024, 3, 4)
COUNTRY = make_fleet(1, 300)


def shares(values: list[str | None]) -> dict[str | None, float]:
    """Percentages."""
    return {value: 100 * count / len(values) for value, count in Counter(values).items()}


def test_a_seed_gives_one_fleet_whose_first_factories_do_not_depend_on_its_size() -> None:
    assert make_fleet(7, 5, 3) == make_fleet(7, 5, 3)
    assert make_fleet(7, 9, 3)[:5] == make_fleet(7, 5, 3)
    assert make_fleet(7, 5, 3) != make_fleet(8, 5, 3)


def test_ids_are_the_documented_ones() -> None:
    fleet = make_fleet(1, 2, 2)
    assert fleet[0].enterprise.enterprise_id == "E0001"
    assert [f.factory_id for f in fleet] == ["F000001", "F000002"]
    assert [m.machine_id for m in fleet[0].machines] == ["M01", "M02"]


def test_regions_and_sectors_have_the_countrys_proportions() -> None:
    regions = shares([factory.region for factory in COUNTRY])
    assert regions.keys() == REGIONS.keys()
    assert all(abs(regions[region] - share) < 1.5 for region, share in REGIONS.items())
    sectors = shares([factory.sector for factory in COUNTRY])
    whole = sum(sector.share for sector in SECTORS.values())
    assert all(abs(sectors.get(code, 0) - 100 * sector.share / whole) < 1.5 for code, sector in SECTORS.items())


def test_three_quarters_of_the_smart_factories_are_basic_and_most_of_these_only_count() -> None:
    levels = shares([factory.level for factory in COUNTRY])
    assert 12 < levels["none"] < 18
    smart = shares([factory.level for factory in COUNTRY if factory.level != "none"])
    assert all(abs(smart[level] - share) < 3 for level, share in SMART_LEVELS.items())
    basic = Counter(factory.connection for factory in COUNTRY if factory.level == "basic")
    assert basic[Connection.COUNTS] > 3 * basic[Connection.STATES]
    ghosts = [f for f in COUNTRY if f.level != "none" and f.connection is Connection.NOTHING]
    assert 1 <= len(ghosts) <= 15
    assert all(ghost.machines for ghost in ghosts)


def test_most_enterprises_are_small_and_some_have_several_factories() -> None:
    sizes = shares([size_of(factory.enterprise.employees) for factory in COUNTRY])
    assert sizes["10-49"] > 50
    assert set(sizes) >= {"1-9", "10-49", "50-299", "300+"}
    owners = Counter(factory.enterprise for factory in COUNTRY)
    assert max(owners.values()) >= 2
    assert len({owner.enterprise_id for owner in owners}) == len(owners)
    machines = [len(factory.machines) for factory in COUNTRY]
    assert 4 <= sum(machines) / len(machines) <= 5


def test_smart_factories_were_built_at_the_historical_pace() -> None:
    built = [factory.established_on for factory in COUNTRY if factory.established_on is not None]
    assert len(built) == sum(factory.level != "none" for factory in COUNTRY)
    for day, known in HISTORY:
        reached = sum(on <= day for on in built) / len(built)
        assert abs(reached - known / HISTORY[-1][1]) < 0.03, day
    assert established_at(0.0) == HISTORY[0][0]


def test_zones_are_in_their_regions_and_sponsors_are_known() -> None:
    place = {zone.zone_id: zone.region for zone in ZONES}
    in_zones = [factory for factory in COUNTRY if factory.zone is not None]
    assert len({factory.zone for factory in in_zones}) >= 8
    assert all(place[str(factory.zone)] == factory.region for factory in in_zones)
    sponsored = [factory for factory in COUNTRY if factory.sponsor is not None]
    assert {factory.sponsor for factory in sponsored} == {sponsor.sponsor_id for sponsor in SPONSORS}
    assert all(factory.level != "none" for factory in sponsored)


def test_the_first_factory_works_around_the_clock() -> None:
    first = make_fleet(1, 1, 1)[0]
    assert first.shifts is ShiftPattern.ROUND_THE_CLOCK
    assert first.connection is Connection.STATES
    assert {factory.shifts for factory in COUNTRY} == set(ShiftPattern)


def test_a_working_day_is_plausible() -> None:
    """The bounds suit any seed, but not a day of nothing but faults."""
    start_us = seoul_midnight_us(MONDAY)
    seconds: Counter[State] = Counter()
    made: list[CountRow] = []
    for factory in [factory for factory in COUNTRY if factory.connection is Connection.STATES][:20]:
        sent = [delivery.row for delivery in factory_day(3, factory, MONDAY, 0).deliveries]
        made += [row for row in sent if isinstance(row, CountRow)]
        for machine in factory.machines:
            states = [row for row in sent if isinstance(row, StateRow) and row.machine_id == machine.machine_id]
            ends = [*(row.at_us for row in states[1:]), start_us + DAY_US]
            for row, end_us in zip(states, ends, strict=True):
                seconds[row.state] += (end_us - row.at_us) // SECOND_US
    scheduled = sum(seconds.values()) - seconds[State.off_shift]
    assert 0.55 < seconds[State.producing] / scheduled < 0.9
    assert 0 < seconds[State.faulted] / scheduled < 0.2
    assert all(seconds[state] > 0 for state in State if state is not State.unknown)
    scrap = sum(row.scrap for row in made)
    assert 0 < scrap / sum(row.good + row.scrap + row.rework for row in made) < 0.05


def test_a_sunday_is_off_shift_in_a_factory_that_works_on_weekdays() -> None:
    factory = next(f for f in COUNTRY if f.connection is Connection.STATES and f.shifts is ShiftPattern.DAY)
    sent = [delivery.row for delivery in factory_day(1, factory, dt.date(2024, 3, 10), 0).deliveries]
    assert sent
    assert all(isinstance(row, StateRow) and row.state is State.off_shift for row in sent)
    assert all(isinstance(row, StateRow) and row.mode is Mode.unknown for row in sent)
