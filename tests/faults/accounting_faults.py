"""What can happen to analytics: killed within each kind of transaction, at any moment, and beside another process."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from services.analytics.queries import LOCK_CLASS
from services.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, seoul_day, seoul_midnight_us
from tests.faults.accountants import IDLE_MS, Accountant
from tests.faults.accounting_world import FACTORIES, AccountingWorld, next_hour, until
from tests.faults.strikes import Kind, Point, Strike

MOST_STATEMENTS = 15
HOLDING = 5
"""Shards that hold something at the end of an hour; so few are accounted one by one."""
GOES_ON_WITHIN_S = 20.0
HOURS = "jejo_analytics_hours_accounted_total"
FAILURES = "jejo_analytics_failures_total"
# The other process is not idle for so long.
LOCKED_BY_FROZEN = """
SELECT l.objid::integer
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.classid = $1::bigint AND l.granted AND a.datname = current_database()
  AND a.state = 'idle in transaction' AND clock_timestamp() - a.state_change > INTERVAL '300 ms'
"""
MARKED_SHARDS = "SELECT DISTINCT shard FROM dirty_mark WHERE from_at < (SELECT accounted_until FROM analytics_state)"
ACCOUNTED_UNTIL = "SELECT accounted_until FROM analytics_state"


async def kills(world: AccountingWorld) -> dict[str, int]:
    """A process is killed in each kind of transaction at two or three points, and at random moments.

    What a killed transaction was to do is left to the next process, which is killed at the next point.
    """
    world.start(is_watched=True)
    kinds = list(Kind)
    world.random.shuffle(kinds)
    for kind in kinds:
        await prepare(world, kind)
        before = world.random.sample([Point.AMID, Point.WRITTEN], 2 if world.long else 1)
        await provoke_deaths(world, kind, [*before, Point.COMMITTING])
        await world.check()
    struck = Counter({f"{kind.value}, {point.value}": n for (kind, point), n in world.strikes.struck.items()})
    missed = [kind.value for kind in Kind if kind not in {struck for struck, _ in world.strikes.struck}]
    assert not missed, f"no process was killed in: {missed}"
    await kill_at_random(world, struck)
    await world.check()
    await world.verify()
    return dict(struck)


async def prepare(world: AccountingWorld, kind: Kind) -> None:
    """Bring the world to where the next thing that happens leads to a transaction of that kind."""
    match kind:
        case Kind.SHARD_HOUR | Kind.END_OF_HOUR:
            # Holds that have ended are closed at the end of the hour; by then, all of the present ones are.
            await world.go_to(next_hour(world.now_us) + HOUR_US)
            await world.go_to(world.now_us + 55 * MINUTE_US)
            await world.add_holding(world.some(HOLDING))
            await world.wait_until_quiet()
        case Kind.MIDNIGHT:
            midnight_us = seoul_midnight_us(seoul_day(world.now_us + 6 * MINUTE_US)) + DAY_US
            await world.go_to(midnight_us - 5 * MINUTE_US)
            await world.add_holding(world.some(HOLDING))
            await world.go_to(midnight_us)
        case Kind.ADVANCE if next_hour(world.now_us) - world.now_us < 2 * MINUTE_US:
            await world.go_to(next_hour(world.now_us) + MINUTE_US)
        case _:
            await world.wait_until_quiet()


async def provoke(world: AccountingWorld, kind: Kind) -> None:
    """Let happen what leads to a transaction of that kind."""
    match kind:
        case Kind.SINGLE_MARKS | Kind.ROLL_UP:
            await world.add_late(world.some(HOLDING))
        case Kind.WHOLE_HOUR:
            await world.add_hour()
        case Kind.SHARD_HOUR | Kind.END_OF_HOUR:
            world.set_clock(next_hour(world.now_us))
        case Kind.ADVANCE | Kind.MIDNIGHT:
            await world.add_due(world.some(HOLDING))
            world.set_clock(world.now_us + MINUTE_US)


async def provoke_deaths(world: AccountingWorld, kind: Kind, points: list[Point]) -> None:
    """Have a process killed at each point of a kind of transaction, the last time when it is committed."""
    accountant = world.office.accountants[-1]
    for point in points:
        world.strikes.arm(Strike(kind, point, world.random.randint(2, MOST_STATEMENTS)))
        if point is points[0]:
            await provoke(world, kind)
        else:
            accountant = world.start(is_watched=True)
        await until(f"the end of a process in {kind.value}, {point.value}", is_killed(world, accountant, kind))
        if world.long or point is not points[-1]:
            await world.inspect()
    world.start(is_watched=True)


async def kill_at_random(world: AccountingWorld, killed: Counter[str]) -> None:
    """Kill a process at random moments, while rows of all ages come and time passes, and count in what it was."""
    for _ in range(20 if world.long else 3):
        accountant = world.office.accountants[-1]
        deadline = time.monotonic() + world.random.uniform(0, 0.5)
        while time.monotonic() < deadline:
            await world.random.choice((world.add_hour, lambda: world.add_late(world.some(HOLDING))))()
            await world.add_holding(world.some(FACTORIES))
            world.set_clock(world.now_us + world.random.randint(1, 10 * MINUTE_US))
            await asyncio.sleep(0.05)
        accountant.check()
        accountant.kill()
        kinds = sorted(kind.value for kind in world.strikes.open_kinds()) or ["between transactions"]
        killed.update(f"{kind}, at random" for kind in kinds)
        await world.inspect()
        world.start(is_watched=True)


def is_killed(world: AccountingWorld, accountant: Accountant, kind: Kind) -> Callable[[], Awaitable[bool]]:
    """Return a check whether a process was killed.

    It provokes the kind of transaction again if another kind did the work: rows of a whole hour are settled shard by
    shard if they come after the process has looked for whole hours.
    """

    async def check() -> bool:
        if world.strikes.armed is not None and await world.is_quiet():
            await provoke(world, kind)
        return accountant.is_killed()

    return check


async def two_at_once(world: AccountingWorld) -> dict[str, int]:
    """Two processes share the work; where one stands still the other goes on, and completes what a killed one began."""
    other = world.start(is_watched=False)
    kinds = (Kind.SINGLE_MARKS, Kind.ROLL_UP, Kind.WHOLE_HOUR) if world.long else (Kind.SINGLE_MARKS,)
    for kind in kinds:
        frozen = world.start(is_watched=True)
        await share(world, frozen, other)
        await freeze(world, frozen, kind)
        await go_on_beside(world, kind)
        frozen.kill()
        await world.check()
    await wake(world, other)
    await world.check()
    await world.verify()
    other.check()
    return {"processes that stood still beside another one": len(kinds) + 1, "of these, killed": len(kinds)}


async def share(world: AccountingWorld, *accountants: Accountant) -> None:
    """Send work until all processes have accounted some of it."""
    before = [accountant.metric(HOURS) for accountant in accountants]

    async def have_all_worked() -> bool:
        await world.add_late(world.some(FACTORIES))
        await asyncio.sleep(0.1)
        for accountant in accountants:
            accountant.check()
        return all(a.metric(HOURS) > hours for a, hours in zip(accountants, before, strict=True))

    await until("all processes to work", have_all_worked)


async def freeze(world: AccountingWorld, accountant: Accountant, kind: Kind) -> None:
    """Stop a process within a transaction of that kind; the other one may be first, several times."""
    await prepare(world, kind)
    world.strikes.arm(Strike(kind, Point.AMID, number=signal.SIGSTOP))

    async def is_frozen() -> bool:
        accountant.check()
        await provoke(world, kind)
        await asyncio.sleep(0.2)
        return world.strikes.armed is None

    await until(f"a process to be stopped in {kind.value}", is_frozen)


async def go_on_beside(world: AccountingWorld, kind: Kind) -> None:
    """Check that the other process accounts all shards but those of the process that stands still, again and again."""
    fetch = world.fleet.owner.fetch
    locked: set[int] = set()

    async def is_locked() -> bool:
        locked.update([row["objid"] for row in await fetch(LOCKED_BY_FROZEN, LOCK_CLASS)])
        return bool(locked)

    await until("the lock of the process that stands still", is_locked)
    reached_us = await world.fleet.owner.fetchval(ACCOUNTED_UNTIL)
    for _ in range(3 if world.long else 2):
        world.set_clock(world.now_us + SECOND_US)
        await world.add_late(world.fleet.machines)

        async def are_others_done() -> bool:
            return {row["shard"] for row in await fetch(MARKED_SHARDS)} <= locked

        what = f"the other shards, while a process stands still in {kind.value}"
        await until(what, are_others_done, GOES_ON_WITHIN_S)
    assert await world.fleet.owner.fetchval(ACCOUNTED_UNTIL) == reached_us
    await world.inspect()


async def wake(world: AccountingWorld, other: Accountant) -> None:
    """A process stands still where it has all locks: it loses them after a while, and when woken it works again."""
    frozen = world.start(is_watched=True, idle_ms=IDLE_MS)
    await freeze(world, frozen, Kind.ADVANCE)
    await world.add_late(world.some(HOLDING))
    await world.wait_until_quiet()
    frozen.send_signal(signal.SIGCONT)

    async def has_noticed() -> bool:
        frozen.check()
        return frozen.metric(FAILURES) > 0

    await until("the woken process to begin again", has_noticed)
    await share(world, frozen, other)


ACCOUNTING: dict[str, Callable[[AccountingWorld], Awaitable[dict[str, int]]]] = {
    "kill -9 of analytics": kills,
    "two analytics at once": two_at_once,
}
"""Scenarios on a database of their own, by name; each checks the law itself, and returns counts of what happened."""
