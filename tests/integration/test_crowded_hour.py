"""Which hour is accounted as a whole: the earliest in which most machines of some shards are marked."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.analytics import crowded_hours, fleet_queries
from services.analytics.crowded_hours import Country, crowded_hour
from services.analytics.engine import start_accounting
from services.core.database import Connection, connect
from services.core.times import HOUR_US, MINUTE_US, SECOND_US
from tests.bench.country import ORIGIN_US, add_facts, register

FACTORIES = 40
MACHINES = FACTORIES * 20
UNTIL_US = ORIGIN_US + 5 * HOUR_US + 30 * MINUTE_US

ADD_MARKS = """
INSERT INTO dirty_mark (shard, machine, from_at, to_at)
SELECT shard, id, $2::timestamptz, $3::timestamptz FROM machine WHERE id <= $1
"""

Story = Callable[[Connection, Country], Awaitable[None]]


@pytest.fixture(autouse=True)
def small_country(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowded_hours, "LEAST_MACHINES", MACHINES // 2)


def play_out(database: str, story: Story) -> None:
    async def run() -> None:
        owner = await connect(database)
        own = [await connect(database, "jejo_analytics") for _ in range(3)]
        try:
            await register(owner, FACTORIES, "20", 600 * SECOND_US)
            await start_accounting(own[0], UNTIL_US)
            await story(owner, Country(own[0], (own[1], own[2])))
        finally:
            for connection in (owner, *own):
                await connection.close()

    asyncio.run(run())


async def mark(owner: Connection, machines: int, hour: int, minutes: int = 10) -> None:
    from_us = ORIGIN_US + hour * HOUR_US + MINUTE_US
    await owner.execute(ADD_MARKS, machines, from_us, from_us + minutes * MINUTE_US)


async def hour_found(country: Country) -> int | None:
    crowded = await crowded_hour(country)
    return None if crowded is None else (crowded.hour_us - ORIGIN_US) // HOUR_US


def test_nothing_is_found_without_marks_or_with_few_or_only_ahead(database: str) -> None:
    async def story(owner: Connection, country: Country) -> None:
        assert await hour_found(country) is None
        await mark(owner, MACHINES // 4, 1)
        await mark(owner, MACHINES, 6)
        assert await hour_found(country) is None

    play_out(database, story)


def test_the_earliest_of_several_is_found_whichever_was_marked_first(database: str) -> None:
    async def story(owner: Connection, country: Country) -> None:
        await mark(owner, MACHINES, 4)
        assert await hour_found(country) == 4
        await mark(owner, MACHINES, 2)
        assert await hour_found(country) == 2

    play_out(database, story)


def test_hours_with_few_marks_or_with_long_ones_are_passed_over(database: str) -> None:
    async def story(owner: Connection, country: Country) -> None:
        await mark(owner, MACHINES // 4, 0)
        await mark(owner, MACHINES, 1, minutes=61)
        await mark(owner, MACHINES, 3)
        assert await hour_found(country) == 3

    play_out(database, story)


def test_a_marked_shard_counts_for_all_of_its_machines_in_its_hour_alone(database: str) -> None:
    async def story(owner: Connection, country: Country) -> None:
        await mark(owner, MACHINES, 3)
        sql = "INSERT INTO dirty_shard (shard, hour) SELECT DISTINCT shard, $1::timestamptz FROM machine WHERE id > $2"
        await owner.execute(sql, ORIGIN_US + HOUR_US, MACHINES - 20)
        assert await hour_found(country) == 3
        await owner.execute(sql, ORIGIN_US + HOUR_US, 0)
        crowded = await crowded_hour(country)
        assert crowded is not None
        assert crowded.hour_us == ORIGIN_US + HOUR_US
        assert crowded.shards == [row[0] for row in await owner.fetch("SELECT DISTINCT shard FROM machine ORDER BY 1")]

    play_out(database, story)


def test_facts_of_a_bulk_load_are_summarized_before_they_are_read(database: str) -> None:
    async def story(owner: Connection, country: Country) -> None:
        await add_facts(owner, ORIGIN_US, ORIGIN_US + HOUR_US, 200, 4)
        hour = (ORIGIN_US, ORIGIN_US + HOUR_US)
        assert await country.readers[0].fetchval(fleet_queries.SUMMARIZE_FACTS, *hour) > 0
        assert await country.readers[0].fetchval(fleet_queries.SUMMARIZE_FACTS, *hour) == 0

    play_out(database, story)
