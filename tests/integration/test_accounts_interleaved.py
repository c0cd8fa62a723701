"""Writers, the registry, two accountants and an inspector at once: accounts are exact at every moment."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from services.analytics import crowded_hours, engine
from services.analytics.cohort_sums import roll_up
from services.analytics.crowded_hours import Country, crowded_hour
from services.analytics.engine import advance, settle, shards_with_work, start_accounting
from services.analytics.verification.run import Comparison, Task, compare_task
from services.analytics.verification.snapshot import Window
from services.analytics.whole_hours import settle_whole_hour
from services.core.database import Connection, connect
from services.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, floor_to, seoul_day, seoul_midnight_us
from tests.accounted import IN_USE_FROM, Count, Fleet, State, registered_fleet, write_rows
from tests.calendars import random_calendar

START_US = 1_488_326_400_000_000 + 2 * HOUR_US
WINDOW = Window(1_488_326_400_000_000 - 9 * HOUR_US - 3 * DAY_US, 1_488_326_400_000_000 - 9 * HOUR_US + 9 * DAY_US)
SECONDS = 4.0
PATIENCE = 60.0
FACTORIES = 3


class Play:
    """One random run. Its clock mostly advances, by seconds or hours, and sometimes steps back a little."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self.fleet = fleet
        self.random = random.Random(seed)
        self.now_us = START_US
        self.ends = 0.0
        self.inspected = 0
        self.whole_hours = 0

    async def run(self) -> None:
        """Let all work at once until the time is up."""
        self.ends = asyncio.get_running_loop().time() + SECONDS
        async with AsyncExitStack() as stack:

            async def enter(role: str) -> Connection:
                connection = await connect(self.fleet.url, role)
                stack.push_async_callback(connection.close)
                return connection

            writers: list[Callable[[Connection], Awaitable[None]]] = [self.ingest, self.ingest, self.register]
            accountants = [self.settle_any, self.settle_any, self.advance]
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.tick())
                for act in writers:
                    tasks.create_task(self.repeat(act, await connect_owner(stack, self.fleet.url), yielding=True))
                for act in (*accountants, self.advance):
                    tasks.create_task(self.repeat(act, await enter("jejo_analytics")))
                for _ in range(2):
                    country = Country(
                        await enter("jejo_analytics"), (await enter("jejo_analytics"), await enter("jejo_analytics"))
                    )
                    tasks.create_task(self.repeat_whole_hours(country))
                tasks.create_task(self.repeat(self.inspect, await enter("jejo_verify")))

    def goes_on(self) -> bool:
        """Return whether to continue: for SECONDS, and until an inspection and a whole hour have succeeded."""
        now = asyncio.get_running_loop().time()
        return now < self.ends or (not (self.inspected and self.whole_hours) and now < self.ends + PATIENCE)

    async def repeat(
        self, act: Callable[[Connection], Awaitable[None]], connection: Connection, *, yielding: bool = False
    ) -> None:
        """Act repeatedly. When yielding, act ever more slowly after SECONDS, so that accountants catch up."""
        while self.goes_on():
            await act(connection)
            late_s = max(0.0, asyncio.get_running_loop().time() - self.ends) if yielding else 0.0
            await asyncio.sleep(self.random.choice((0, 0.001, 0.02)) + late_s / 10)

    async def repeat_whole_hours(self, country: Country) -> None:
        """Account hours in which most machines of a shard are marked."""
        while self.goes_on():
            crowded = await crowded_hour(country)
            if crowded is not None:
                self.whole_hours += await settle_whole_hour(country, crowded)
            await asyncio.sleep(self.random.choice((0, 0.001, 0.02)))

    async def tick(self) -> None:
        while self.goes_on():
            step = self.random.choice((SECOND_US, MINUTE_US, 10 * MINUTE_US, HOUR_US, -MINUTE_US))
            self.now_us = min(self.now_us + self.random.randint(0, abs(step)) * (1 if step > 0 else -1), LATEST_US)
            await asyncio.sleep(0.02)

    def instant(self) -> int:
        """Return an instant for a row: now, late, or up to five minutes ahead; often on an edge, or another row's."""
        reach = self.random.choice((MINUTE_US, HOUR_US, DAY_US))
        at = self.random.randint(self.now_us - reach, self.now_us + 5 * MINUTE_US)
        return self.random.choice((at, floor_to(at, MINUTE_US), floor_to(at, 10 * MINUTE_US), floor_to(at, HOUR_US)))

    async def ingest(self, connection: Connection) -> None:
        """Write rows and marks in one transaction, which may take a while to commit."""
        rows: dict[tuple[type, int, int], State | Count] = {}
        for _ in range(self.random.randint(1, 12)):
            machine, at = self.random.choice(self.fleet.machines), self.instant()
            retracted = self.random.random() < 0.2
            if self.random.random() < 0.7:
                state, mode = self.random.choice((0, 1, 1, 2, 3, 4, 4, 5, 6, 7)), self.random.randint(0, 3)
                rows[State, machine, at] = State(machine, at, state, mode, retracted)
            else:
                rows[Count, machine, at] = Count(machine, at, self.random.choice((0, 3, 2**31 - 1)), retracted)
        async with connection.transaction():
            await write_rows(connection, list(rows.values()))
            await asyncio.sleep(self.random.choice((0, 0, 0.01, 0.05)))

    async def register(self, connection: Connection) -> None:
        """Change the registry as a PUT would, from the beginning, from the past or from a future instant.

        Whole hours need machines that do not change in them: the first hour goes before any change.
        """
        await asyncio.sleep(0.1)
        if not self.whole_hours:
            return
        from_us = self.random.choice((None, self.instant(), self.now_us + self.random.randint(0, DAY_US)))
        whom = self.random.random()
        if whom < 0.3:
            region, zone = self.random.choice(("KR-11", "KR-48")), self.random.choice((None, "Z1"))
            number = self.random.randint(1, FACTORIES)
            await self.fleet.move("factory", number, from_us, connection, region=region, zone=zone)
            return
        if whom > 0.75:
            day_us = seoul_midnight_us(seoul_day(self.now_us + self.random.randint(-3, 2) * DAY_US))
            content = None if self.random.random() < 0.2 else random_calendar(self.random, self.now_us)
            await self.fleet.schedule(self.random.randint(1, FACTORIES), day_us, content, connection)
            return
        if whom < 0.4:
            await self.fleet.move("enterprise", 1, from_us, connection, employees=self.random.choice((None, 9, 300)))
            return
        await self.fleet.register(
            self.random.choice(self.fleet.machines),
            from_us,
            connection,
            state_ttl_us=self.random.choice((1, 600, 600, 3600, 86_400)) * SECOND_US,
            in_use_from=self.random.choice((IN_USE_FROM, seoul_day(self.now_us - DAY_US))),
            in_use_to=self.random.choice((None, None, seoul_day(self.now_us + DAY_US))),
            ideal_cycle_us=self.random.choice((None, 1, 10 * SECOND_US, 86_400 * SECOND_US)),
        )

    async def settle_any(self, connection: Connection) -> None:
        """Settle some shards, and leave the others to those who account whole hours."""
        for shard in await shards_with_work(connection):
            if self.random.random() < 0.5:
                await settle(connection, shard)
        await roll_up(connection)

    async def advance(self, connection: Connection) -> None:
        await advance(connection, self.now_us)

    async def inspect(self, connection: Connection) -> None:
        """Check that every factory without a mark is exact at this moment, the running hour included."""
        for number in self.random.sample(range(1, FACTORIES + 1), FACTORIES):
            comparison = Comparison()
            waiting = await compare_task(connection, Task(number, f"F{number}", WINDOW), None, comparison)
            assert comparison.differences == 0
            self.inspected += not waiting


LATEST_US = START_US + 4 * DAY_US


async def connect_owner(stack: AsyncExitStack, url: str) -> Connection:
    connection = await connect(url)
    stack.push_async_callback(connection.close)
    return connection


@pytest.mark.parametrize("seed", [1, 2])
def test_everybody_at_once(database: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HOURS_AT_ONCE", 100)
    monkeypatch.setattr(engine, "MARKS_AT_ONCE", 7)
    monkeypatch.setattr(engine, "MACHINES_AT_ONCE", 2)
    monkeypatch.setattr(engine, "DUE_AT_ONCE", 12)
    monkeypatch.setattr(crowded_hours, "LEAST_MACHINES", 1)

    async def run() -> None:
        async with registered_fleet(database, FACTORIES) as fleet:
            # Facts are kept from here on, so that a change of all time does not take the test's time.
            await fleet.owner.execute("UPDATE fact_horizon SET sealed_before = $1", WINDOW.from_us)
            await start_accounting(fleet.analytics, START_US)
            play = Play(fleet, seed)
            await play.run()
            assert play.inspected > 0
            assert play.whole_hours > 0
            for rest_us in (0, 1, 90 * SECOND_US, HOUR_US, DAY_US + HOUR_US):
                while await advance(fleet.analytics, play.now_us + rest_us):
                    await fleet.settle_all()
                await fleet.settle_all()
                assert await fleet.verify(WINDOW.from_us, WINDOW.to_us - DAY_US) == 0

    asyncio.run(run())
