"""The simulated fleet is a function of its seed and of time: cut anywhere, the pieces are the whole."""

import datetime as dt
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.wire.codes import State
from services.core.times import DAY_US, HOUR_US, SECOND_US, seoul_midnight_us
from services.gateway.fleet import Factory, make_factory
from services.gateway.rows import CountRow, ReadingRow, StateRow
from services.gateway.simulated_rows import factory_rows
from services.gateway.workday import plan_day

START_US = seoul_midnight_us(dt.date(2024, 3, 4))
FACTORIES = st.builds(make_factory, st.integers(0, 50), st.integers(1, 6), st.just(2))


@settings(max_examples=30, deadline=None)
@given(FACTORIES, st.lists(st.integers(0, 2 * DAY_US), min_size=1, max_size=5))
def test_any_cuts_give_the_rows_of_the_whole(factory: Factory, cuts: list[int]) -> None:
    bounds = sorted({0, 2 * DAY_US, *cuts})
    whole = factory_rows(1, factory, START_US, START_US + 2 * DAY_US, 600 * SECOND_US)
    pieces = [
        row
        for a, b in pairwise(bounds)
        for row in factory_rows(1, factory, START_US + a, START_US + b, 600 * SECOND_US)
    ]
    assert pieces == whole


@settings(max_examples=50, deadline=None)
@given(FACTORIES, st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 9))
def test_a_day_is_without_gap_and_without_overlap(factory: Factory, day: dt.date, seed: int) -> None:
    for machine in factory.machines:
        segments = plan_day(seed, factory.factory_id, machine, factory.shifts, day)
        midnight_us = seoul_midnight_us(day)
        assert segments[0].start_us == midnight_us
        assert segments[-1].end_us == midnight_us + DAY_US
        assert all(a.end_us == b.start_us for a, b in pairwise(segments))
        assert all(segment.start_us < segment.end_us for segment in segments)


@settings(max_examples=20, deadline=None)
@given(FACTORIES, st.integers(0, 40 * 24))
def test_rows_are_ones_that_the_platform_takes(factory: Factory, hour: int) -> None:
    rows = factory_rows(1, factory, START_US + hour * HOUR_US, START_US + (hour + 3) * HOUR_US, 60 * SECOND_US)
    states = [(row.machine_id, row.at_us) for row in rows if isinstance(row, StateRow)]
    counts = [(row.machine_id, row.at_us, row.product) for row in rows if isinstance(row, CountRow)]
    readings = [(row.machine_id, row.metric, row.at_us) for row in rows if isinstance(row, ReadingRow)]
    for identities in (states, counts, readings):
        assert len(identities) == len(set(identities))
    # A state is asserted often enough never to run out under the platform's hold of 600 s.
    for machine in factory.machines:
        times = sorted(at_us for machine_id, at_us in states if machine_id == machine.machine_id)
        assert all(b - a <= 60 * SECOND_US for a, b in pairwise(times))
    assert all(row.good + row.scrap + row.rework == 1 for row in rows if isinstance(row, CountRow))
    assert not any(row.state is State.unknown for row in rows if isinstance(row, StateRow))
