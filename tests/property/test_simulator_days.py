"""The simulated fleet is a function of its seed and of time: any windows add up to the whole."""

import datetime as dt
from collections import defaultdict
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.wire.codes import State
from services.core.times import DAY_US, SECOND_US, seoul_day, seoul_midnight_us
from services.gateway.records import CountRow, StateRow
from services.simulator.fleet import Connection, Factory, make_factory
from services.simulator.mishaps import LONGEST_DELAY_DAYS, factory_day
from services.simulator.registration import STATE_TTL_S
from services.simulator.source import Source, World
from services.simulator.workday import plan_day

MIDNIGHT_US = seoul_midnight_us(dt.date(2024, 3, 4))
FACTORIES = st.builds(make_factory, st.integers(0, 50), st.integers(1, 40), st.just(2))
WORLDS = st.builds(
    lambda seed, begin_ms, trouble: World(seed, MIDNIGHT_US + begin_ms * 1000, trouble),
    st.integers(0, 9),
    st.integers(0, DAY_US // 1000),
    st.sampled_from([0.0, 1.0, 20.0]),
)


@settings(max_examples=40, deadline=None)
@given(FACTORIES, WORLDS, st.lists(st.integers(0, 3 * DAY_US), min_size=1, max_size=5))
def test_the_deliveries_of_any_windows_add_up_to_the_whole(factory: Factory, world: World, cuts: list[int]) -> None:
    end_us = world.begin_us + 3 * DAY_US
    whole = Source(world, factory).deliveries(world.begin_us, end_us)
    bounds = sorted({world.begin_us, end_us, *(world.begin_us + cut for cut in cuts)})
    source = Source(world, factory)
    assert [delivery for a, b in pairwise(bounds) for delivery in source.deliveries(a, b)] == whole
    assert all(world.begin_us <= delivery.row.at_us <= delivery.due_us < end_us for delivery in whole)


@settings(max_examples=30, deadline=None)
@given(FACTORIES, WORLDS, st.lists(st.integers(0, DAY_US), min_size=1, max_size=5))
def test_the_readings_of_any_windows_add_up_to_the_whole(factory: Factory, world: World, cuts: list[int]) -> None:
    end_us = world.begin_us + DAY_US
    whole = Source(world, factory).readings(world.begin_us, end_us, 600 * SECOND_US)
    bounds = sorted({world.begin_us, end_us, *(world.begin_us + cut for cut in cuts)})
    source = Source(world, factory)
    assert [row for a, b in pairwise(bounds) for row in source.readings(a, b, 600 * SECOND_US)] == whole


@settings(max_examples=50, deadline=None)
@given(FACTORIES, st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 9))
def test_a_day_has_no_gaps_and_no_overlaps(factory: Factory, day: dt.date, seed: int) -> None:
    for machine in factory.machines:
        segments = plan_day(seed, factory.factory_id, machine, factory.shifts, day)
        midnight_us = seoul_midnight_us(day)
        assert segments[0].start_us == midnight_us
        assert segments[-1].end_us == midnight_us + DAY_US
        assert all(a.end_us == b.start_us for a, b in pairwise(segments))
        assert all(segment.start_us < segment.end_us for segment in segments)
        assert all(segment.start_us % 1000 == 0 for segment in segments)


@settings(max_examples=40, deadline=None)
@given(FACTORIES, st.integers(0, 9))
def test_without_mishaps_the_platform_accepts_every_row(factory: Factory, seed: int) -> None:
    day = seoul_day(MIDNIGHT_US)
    deliveries = factory_day(seed, factory, day, 0).deliveries
    identities = [
        (type(row), row.machine_id, row.at_us, row.product if isinstance(row, CountRow) else None)
        for _, row, _ in deliveries
    ]
    assert len(identities) == len(set(identities))
    assert all(seoul_day(row.at_us) == day and row.at_us % 1000 == 0 for _, row, _ in deliveries)
    assert not any(revision or row.retracted for _, row, revision in deliveries)
    states = defaultdict(list)
    for _, row, _ in deliveries:
        if isinstance(row, StateRow):
            states[row.machine_id].append(row.at_us)
            assert row.state is not State.unknown
    # A state is asserted often enough never to run out under the hold time that is registered.
    assert bool(states) == (factory.connection is Connection.STATES)
    for times in states.values():
        assert times[0] == MIDNIGHT_US
        assert all(0 < b - a < STATE_TTL_S * SECOND_US for a, b in pairwise([*times, MIDNIGHT_US + DAY_US]))


@settings(max_examples=40, deadline=None)
@given(FACTORIES, st.integers(0, 9))
def test_the_pieces_counted_are_the_pieces_made(factory: Factory, seed: int) -> None:
    day = seoul_day(MIDNIGHT_US)
    counts = [row for _, row, _ in factory_day(seed, factory, day, 0).deliveries if isinstance(row, CountRow)]
    for machine in factory.machines:
        done = [
            at_us
            for s in plan_day(seed, factory.factory_id, machine, factory.shifts, day)
            if s.state is State.producing
            for at_us in range(s.start_us + s.cycle_us, s.end_us, s.cycle_us)
        ]
        own = [row for row in counts if row.machine_id == machine.machine_id]
        assert sum(row.good + row.scrap + row.rework for row in own) == (
            0 if factory.connection is Connection.NOTHING else len(done)
        )
        assert {row.at_us for row in own if row.good + row.scrap + row.rework} <= set(done)


@settings(max_examples=40, deadline=None)
@given(FACTORIES, st.integers(0, 9))
def test_mishaps_delay_rows_by_a_bounded_time(factory: Factory, seed: int) -> None:
    day = seoul_day(MIDNIGHT_US)
    known = factory_day(seed, factory, day, 30)
    assert known.due_us == [delivery.due_us for delivery in known.deliveries] == sorted(known.due_us)
    latest_us = MIDNIGHT_US + (1 + LONGEST_DELAY_DAYS) * DAY_US
    assert all(delivery.row.at_us <= delivery.due_us < latest_us for delivery in known.deliveries)
    assert all(delivery.revision > 0 for delivery in known.deliveries if delivery.row.retracted)
    if factory.connection is Connection.NOTHING:
        assert not known.deliveries
