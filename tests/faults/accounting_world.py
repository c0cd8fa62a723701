"""A database with a fleet, and accountants at work on it, whose clock and whose ends a scenario decides."""

import asyncio
import contextlib
import io
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.analytics.verification.run import Comparison, Task, compare_task
from services.analytics.verification.snapshot import Window
from services.core.database import Connection, connect
from services.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, ceil_to, floor_to, seoul_day, seoul_midnight_us
from tests.accounted import MACHINES_A_FACTORY, Count, Fleet, State, registered_fleet
from tests.faults.accountants import Accountant, Office
from tests.faults.proxy import proxy_of
from tests.faults.strikes import Strikes
from tests.servers import PostgresServer
from tests.stack import ROOT

FACTORIES = 12
"""Each in a shard of its own, with three machines."""
CROWDED = 9
"""Factories with more machines together than are accounted shard by shard."""
START_US = 1_488_326_400_000_000 + 13 * HOUR_US + 20 * MINUTE_US
"""2017-03-01 22:20 in Seoul: the first midnight is near."""
PATIENCE_S = 60.0
IS_QUIET = """
SELECT accounted_until = $1
   AND NOT EXISTS (SELECT FROM dirty_mark WHERE from_at < accounted_until) AND NOT EXISTS (SELECT FROM dirty_shard)
   AND NOT EXISTS (SELECT FROM dirty_cohort_hour) AND NOT EXISTS (SELECT FROM dirty_cohort_day)
FROM analytics_state
"""


async def until(what: str, check: Callable[[], Awaitable[object]], seconds: float = PATIENCE_S) -> None:
    """Poll until ``check`` returns something true.

    Raises:
        AssertionError: it did not within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < deadline, f"timed out after {seconds} s waiting for {what}"
        await asyncio.sleep(0.02)


@dataclass
class AccountingWorld:
    """A fleet with facts, the present instant, and accountants; those started with ``is_watched`` can be struck."""

    fleet: Fleet
    inspector: Connection
    office: Office
    strikes: Strikes
    watched_url: str
    random: random.Random
    long: bool = False
    now_us: int = START_US

    def start(self, *, is_watched: bool, idle_ms: int | None = None) -> Accountant:
        """Start an accountant, at most one of them watched."""
        if not is_watched:
            return self.office.start(self.fleet.url)
        with self.strikes.starting:
            self.strikes.forget()
            accountant = self.office.start(self.watched_url, idle_ms)
            self.strikes.pid = accountant.pid
        return accountant

    async def go_to(self, now_us: int) -> None:
        """Let time pass, and wait until everything before that instant is accounted."""
        self.set_clock(now_us)
        await self.wait_until_quiet()

    def set_clock(self, now_us: int) -> None:
        """Let time pass."""
        self.now_us = now_us
        self.office.set_clock(now_us)

    async def wait_until_quiet(self) -> None:
        """Wait until nothing is left to do."""
        await until("analytics to catch up", self.is_quiet)

    async def is_quiet(self) -> bool:
        """Return whether the present is reached and no mark before it waits; not before the first process runs."""
        return bool(await self.fleet.owner.fetchval(IS_QUIET, self.now_us))

    def some(self, count: int) -> list[int]:
        """Return a machine of each of so many shards."""
        factories = self.random.sample(range(FACTORIES), count)
        return [factory * MACHINES_A_FACTORY + self.random.randint(1, MACHINES_A_FACTORY) for factory in factories]

    async def add_late(self, machines: Iterable[int]) -> None:
        """Write rows of the past 30 hours for machines, each in another hour."""
        rows: list[State | Count] = []
        for machine in machines:
            at_us = self.now_us - self.random.randint(1, 30 * HOUR_US)
            rows += [State(machine, at_us, self.random.choice((1, 3, 4))), Count(machine, at_us, 7)]
        await self.fleet.add(rows)

    async def add_hour(self) -> None:
        """Write rows of one past hour for most machines: all of those in CROWDED factories."""
        hour_us = floor_to(self.now_us, HOUR_US) - self.random.randint(1, 20) * HOUR_US
        rows: list[State | Count] = []
        for machine in self.fleet.machines[: CROWDED * MACHINES_A_FACTORY]:
            at_us = hour_us + self.random.randrange(HOUR_US - MINUTE_US)
            rows += [State(machine, at_us, self.random.choice((1, 3, 4))), Count(machine, at_us + SECOND_US, 3)]
        await self.fleet.add(rows)

    async def add_holding(self, machines: Iterable[int]) -> None:
        """Write rows of the last minute for machines, whose states hold for ten minutes."""
        at_us = self.now_us - self.random.randint(1, MINUTE_US)
        await self.fleet.add(State(machine, at_us, self.random.choice((1, 3, 4))) for machine in machines)

    async def add_due(self, machines: Iterable[int]) -> None:
        """Write rows of the next minute for machines."""
        at_us = self.now_us + self.random.randrange(MINUTE_US)
        await self.fleet.add(Count(machine, at_us, 5) for machine in machines)

    async def inspect(self) -> None:
        """Check that every factory without a mark is exact at this moment.

        Raises:
            AssertionError: one is not.
        """
        window = Window(self._midnight_us - DAY_US, self._midnight_us + DAY_US)
        comparison, report = Comparison(), io.StringIO()
        with contextlib.redirect_stdout(report):
            for number in range(1, FACTORIES + 1):
                await compare_task(self.inspector, Task(number, f"F{number}", window), None, comparison)
        assert comparison.differences == 0, report.getvalue()[-3000:]

    async def check(self) -> None:
        """Wait until nothing is left to do, and check that all sums are exact.

        Raises:
            AssertionError: there are differences.
        """
        await self.wait_until_quiet()
        report = io.StringIO()
        with contextlib.redirect_stdout(report):
            differences = await self.fleet.verify(self._midnight_us - DAY_US, self._midnight_us)
        assert differences == 0, report.getvalue()[-3000:]

    async def verify(self) -> None:
        """Run ``jejo verify`` over all time.

        Raises:
            AssertionError: it has found differences.
        """
        first, last = (f"{seoul_day(us):%Y-%m-%d}" for us in (START_US - 2 * DAY_US, self.now_us + 2 * DAY_US))
        verified = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "services", "verify", "--from", first, "--to", last, "--no-ledger"],
            cwd=ROOT,
            env={**os.environ, "JEJO_DATABASE_URL": self.fleet.url},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert verified.returncode == 0, verified.stdout[-3000:] + verified.stderr[-3000:]

    @property
    def _midnight_us(self) -> int:
        return seoul_midnight_us(seoul_day(self.now_us))


def next_hour(now_us: int) -> int:
    """Return the end of the hour of an instant; its own end if it is one."""
    return ceil_to(now_us, HOUR_US)


@asynccontextmanager
async def accounting_world(
    server: PostgresServer, database_url: str, seed: int, *, long: bool = False
) -> AsyncIterator[AccountingWorld]:
    """Register a fleet on a migrated database; end at the end what was started on it."""
    strikes = Strikes()
    with ExitStack() as stack:
        proxy = stack.enter_context(proxy_of(server, strikes.watch))
        office = Office(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(office.close)
        async with registered_fleet(database_url, FACTORIES) as fleet:
            await fleet.owner.execute("UPDATE fact_horizon SET sealed_before = $1", START_US - 2 * DAY_US)
            inspector = await connect(database_url, "jejo_verify")
            try:
                watched_url = database_url.replace(f":{server.port}/", f":{proxy.port}/")
                world = AccountingWorld(fleet, inspector, office, strikes, watched_url, random.Random(seed), long)
                world.set_clock(START_US)
                yield world
            finally:
                await inspector.close()
                # Their locks may hold up the connections of the fleet.
                office.close()
