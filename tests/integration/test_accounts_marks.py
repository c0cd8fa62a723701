"""Accounts equal a recomputation wherever marks lie relative to ``accounted_until`` and to the horizon."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.analytics import engine
from services.analytics.engine import advance, shards_with_work, start_accounting
from services.analytics.metrics import AnalyticsMetrics
from services.analytics.worker import Turn, settle_past
from services.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from tests.accounted import Count, Fleet, State, registered_fleet

NOON_US = 1_488_326_400_000_000 + 3 * HOUR_US
"""Noon in Seoul."""

Story = Callable[[Fleet], Awaitable[None]]


def play_out(database: str, story: Story, factories: int = 1) -> None:
    async def run() -> None:
        async with registered_fleet(database, factories) as fleet:
            await story(fleet)

    asyncio.run(run())


async def marks_left(fleet: Fleet) -> int:
    return int(await fleet.owner.fetchval("SELECT count(*) FROM dirty_mark"))


async def catch_up(fleet: Fleet, now_us: int) -> int:
    """Advance to the present and return the number of steps."""
    steps = 1
    while await advance(fleet.analytics, now_us):
        await fleet.settle_all()
        steps += 1
    return steps


def test_a_week_behind_every_row_of_a_long_mark_is_accounted(database: str) -> None:
    """The rows are an hour apart, so none lies in the hour that accounting has reached."""

    async def story(fleet: Fleet) -> None:
        began = NOON_US + 55 * MINUTE_US
        await start_accounting(fleet.analytics, began)
        await fleet.add(State(1, began - 25 * MINUTE_US + n * 50 * MINUTE_US, 1) for n in range(200))
        await fleet.add(Count(2, began - 25 * MINUTE_US + n * 55 * MINUTE_US, n) for n in range(200))
        await fleet.settle_all()
        now = began + 7 * DAY_US + 1
        assert await catch_up(fleet, now) == 7 * 24 + 1
        assert await fleet.owner.fetchval("SELECT sum(state_rows) FROM machine_hour WHERE machine = 1") == 200
        assert await fleet.owner.fetchval("SELECT sum(count_rows) FROM machine_hour WHERE machine = 2") == 184
        assert await fleet.verify(began - HOUR_US, now) == 0

    play_out(database, story)


def test_a_change_from_the_beginning_is_settled_in_parts_and_leaves_no_mark(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "HOURS_AT_ONCE", 20)

    async def story(fleet: Fleet) -> None:
        await start_accounting(fleet.analytics, NOON_US + 40 * DAY_US)
        await fleet.owner.execute("UPDATE fact_horizon SET sealed_before = '2017-02-01'")
        for machine in fleet.machines:
            await fleet.add(State(machine, NOON_US + n * (5 * HOUR_US + machine), 1 + n % 5) for n in range(200))
        await fleet.add([State(1, NOON_US + 40 * DAY_US + MINUTE_US, 1)])
        await fleet.register(1, None, state_ttl_us=86_400 * SECOND_US)
        await fleet.register(2, NOON_US + 3 * DAY_US + 1, state_ttl_us=6 * HOUR_US, ideal_cycle_us=None)
        await fleet.settle_all()
        assert await fleet.verify(NOON_US, NOON_US + 41 * DAY_US) == 0
        await catch_up(fleet, NOON_US + 43 * DAY_US)
        assert await fleet.verify(NOON_US, NOON_US + 43 * DAY_US) == 0
        # Only the future is marked: silent machines are not accounted again and again.
        assert await marks_left(fleet) == await fleet.owner.fetchval(
            "SELECT count(*) FROM state_event WHERE at > $1 OR machine = 1 AND at > $1 - interval '1 day'",
            NOON_US + 43 * DAY_US,
        )

    play_out(database, story)


def test_a_busy_shard_does_not_keep_the_others_waiting(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HOURS_AT_ONCE", 20)

    async def story(fleet: Fleet) -> None:
        await start_accounting(fleet.analytics, NOON_US + 40 * DAY_US)
        await fleet.owner.execute("UPDATE fact_horizon SET sealed_before = '2017-02-01'")
        await fleet.add(State(1, NOON_US + n * DAY_US, 1) for n in range(40))
        await fleet.register(1, None, state_ttl_us=1_000_000)
        await fleet.add([State(4, NOON_US, 1)])
        turn = Turn()
        for _ in range(2):
            assert await settle_past(fleet.analytics, lambda: False, 0.0, turn, AnalyticsMetrics())
        assert await shards_with_work(fleet.analytics) == [1]

    play_out(database, story, factories=2)


def test_rows_ahead_and_a_clock_that_steps_back(database: str) -> None:
    """Rows and versions that lie ahead enter the accounts as time passes; ``accounted_until`` never moves back."""

    async def story(fleet: Fleet) -> None:
        hour = NOON_US + HOUR_US
        await start_accounting(fleet.analytics, hour - 2 * SECOND_US)
        await fleet.add([State(1, hour - MINUTE_US, 1), State(1, hour, 4), State(1, hour + 4 * MINUTE_US, 1)])
        await fleet.add([Count(1, hour, 7), Count(1, hour - 1, 5), Count(1, hour + 5 * MINUTE_US, 2**31 - 1)])
        await fleet.register(
            1, hour + 7 * MINUTE_US, state_ttl_us=86_400 * SECOND_US, ideal_cycle_us=86_400 * SECOND_US
        )
        for step in (0, 1, 2, 3, 1, 240, 241, 100, 420, 3000, 2999, 90_000):
            await fleet.settle_all()
            await advance(fleet.analytics, hour + step * SECOND_US - SECOND_US)
            await catch_up(fleet, hour + step * SECOND_US - SECOND_US)
            await fleet.settle_all()
            assert await fleet.verify(hour, hour) == 0
        sums = "SELECT sum(good), sum(failures), sum(evidence_us) FROM machine_hour"
        assert tuple(await fleet.owner.fetchrow(sums) or ()) == (2**31 + 11, 1, 86_400_000_000 + 5 * 60_000_000)

    play_out(database, story)


def test_a_machine_that_falls_silent(database: str) -> None:
    """Its state ends within an hour, or at midnight, and others go on; verify says so, and sees an altered end."""

    async def story(fleet: Fleet) -> None:
        midnight = NOON_US + 12 * HOUR_US
        started, from_us, to_us = midnight - 20 * MINUTE_US, NOON_US - DAY_US, NOON_US + 2 * DAY_US
        await fleet.owner.execute("UPDATE fact_horizon SET sealed_before = $1", from_us)
        await start_accounting(fleet.analytics, started)
        ttl_us = await fleet.owner.fetchval("SELECT state_ttl_us FROM machine_version WHERE machine = 1")
        await fleet.add([State(1, started, 4), State(2, midnight - ttl_us, 1), State(3, midnight - 1, 3)])
        for after_us in (
            1,
            ttl_us - 1,
            ttl_us,
            ttl_us + 1,
            20 * MINUTE_US,
            29 * MINUTE_US,
            40 * MINUTE_US,
            2 * HOUR_US,
        ):
            await catch_up(fleet, started + after_us)
            await fleet.settle_all()
            assert await fleet.verify(from_us, to_us) == 0
            await fleet.add([Count(3, started + after_us - 1, 1)])
            await fleet.settle_all()
            assert await fleet.verify(from_us, to_us) == 0
        await fleet.add([State(1, started + 2 * HOUR_US + 1, 1)])
        await catch_up(fleet, started + 2 * HOUR_US + 2)
        await catch_up(fleet, started + 2 * HOUR_US + ttl_us + 2)
        assert await fleet.verify(from_us, to_us) == 0
        await fleet.owner.execute(
            "UPDATE open_hold SET from_at = ARRAY(SELECT a + interval '1 us' FROM unnest(from_at) a)"
        )
        assert await fleet.verify(from_us, to_us) > 0

    play_out(database, story)


def test_a_day_belongs_at_once_to_the_cohort_in_which_it_will_end(database: str) -> None:
    """When a move this evening is registered at noon, the day's counts move with the day at once."""

    async def story(fleet: Fleet) -> None:
        owner = (
            "SELECT string_agg(region, ',') FROM factory_day d JOIN cohort c ON c.id = d.cohort"
            " WHERE day = '2017-03-01' AND count_days = 1 AND counted_days = 1"
        )
        await start_accounting(fleet.analytics, NOON_US)
        await fleet.add([State(1, NOON_US - HOUR_US, 1), Count(1, NOON_US - HOUR_US, 1)])
        await fleet.settle_all()
        assert await fleet.owner.fetchval(owner) == "KR-48"
        await fleet.move("factory", 1, NOON_US + 6 * HOUR_US, region="KR-11")
        await fleet.settle_all()
        assert await fleet.owner.fetchval(owner) == "KR-11"
        assert await fleet.verify(NOON_US, NOON_US) == 0
        await catch_up(fleet, NOON_US + DAY_US)
        assert await fleet.verify(NOON_US, NOON_US) == 0

    play_out(database, story)
