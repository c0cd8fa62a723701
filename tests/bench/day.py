"""What a day costs analytics: its first hour, which opens every machine's day, its last one, and all of it at once.

A sixth of the country reports at its full rate, for a whole day of all would take half an hour to write. Everything
that is compared here grows with the machines, an hour's work and a day's marks alike. ``day_national`` has all of them.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.analytics.crowded_hours import Country, crowded_hour
from services.analytics.engine import start_accounting
from services.analytics.queries import SHARDS
from services.core.database import Connection
from services.core.times import HOUR_US, SECOND_US
from tests.bench.accounting import connections, let_pass, settle_country
from tests.bench.country import ORIGIN_US, add_facts_by_time, add_marks, register
from tests.bench.figures import Figure, progress
from tests.bench.stacks import Servers

FACTORIES = 5000
NATIONAL_FACTORIES = 30_000
MACHINES = 20
STATES_AN_HOUR = 10
COUNTS_AN_HOUR = 4
TTL_US = 600 * SECOND_US
HOURS = 24
FIRST_US = ORIGIN_US - HOUR_US
"""The hour before the day is accounted first, so that no hour that is measured is the first of its database."""
CHUNK_ENDS_US = ORIGIN_US + 33 * HOUR_US
"""A chunk of facts is a day in UTC, which ends at 09:00 in Seoul; it is full, so the day's 24th hour is one of 24."""
LATE_HOURS = 3
ROUNDS = 3

ADD_SHARD_MARKS = """
INSERT INTO dirty_shard (shard, hour)
SELECT shard, hour FROM unnest($1::timestamptz[]) AS hour, generate_series(0, $2::integer - 1) AS shard
"""


@dataclass(slots=True)
class Times:
    """Seconds until an hour, or all of a day, is stored and added up to everything.

    Attributes:
        hours: of the day's hours, one after the other, each for the first time.
        alone, alone_by_shard: of the day's last hour again, marked by machine or by shard.
        replayed, replayed_by_shard: of all hours again.
        finding: to find the first hour to account, with all marks of the day waiting.
    """

    hours: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    alone_by_shard: list[float] = field(default_factory=list)
    replayed: float = 0.0
    replayed_by_shard: float = 0.0
    finding: float = 0.0


def figures(servers: Servers) -> Iterator[Figure]:
    """Measure the day of a sixth of the country."""
    yield from figures_of(servers, FACTORIES)


def figures_national(servers: Servers) -> Iterator[Figure]:
    """Measure the day of the whole country."""
    yield from figures_of(servers, NATIONAL_FACTORIES)


def figures_of(servers: Servers, factories: int) -> Iterator[Figure]:
    """Account a day hour by hour, then again as a whole."""
    times = Times()
    with servers.stack("bench_day") as stack:
        asyncio.run(measure(stack.database_url, factories, times))
    first, late = times.hours[0], statistics.median(times.hours[-LATE_HOURS:])
    early = statistics.median(times.hours[1 : 1 + LATE_HOURS])
    yield Figure("analytics.day_machines", factories * MACHINES, "machines")
    yield Figure("analytics.first_hour_of_day_s", first, "s")
    yield Figure("analytics.early_hour_of_day_s", early, "s")
    yield Figure("analytics.late_hour_of_day_s", late, "s")
    yield Figure("analytics.late_hour_of_day_ratio", late / first, "ratio", "<= 1.2")
    yield Figure("analytics.late_to_early_hour_ratio", late / early, "ratio", "<= 1.2")
    yield Figure("analytics.first_hour_of_day_ratio", first / early, "ratio", "<= 1.2")
    alone, by_shard = statistics.median(times.alone), statistics.median(times.alone_by_shard)
    yield Figure("analytics.hour_again_s", alone, "s")
    yield Figure("analytics.replayed_day_s", times.replayed, "s")
    yield Figure("analytics.replayed_day_ratio", times.replayed / alone, "ratio", "<= 22")
    yield Figure("analytics.replayed_day_by_shard_ratio", times.replayed_by_shard / by_shard, "ratio", "<= 22")
    yield Figure("analytics.finding_an_hour_s", times.finding, "s")


async def measure(url: str, factories: int, times: Times) -> None:
    """Fill a day, account it as time passes, and then as if it had been sent again."""
    starts = range(ORIGIN_US, ORIGIN_US + HOURS * HOUR_US, HOUR_US)
    async with connections(url) as (owner, country):
        await fill(owner, url, factories)
        await start_accounting(country.writer, FIRST_US)
        for start_us in (FIRST_US, *starts):
            await let_pass(owner, start_us, start_us + HOUR_US)
            stored, added_up = await settle_country(country)
            progress(f"hour {(start_us - ORIGIN_US) // HOUR_US + 1}: {stored:.2f} s, added up in {added_up:.2f} s")
            if start_us >= ORIGIN_US:
                times.hours.append(stored + added_up)
        assert await owner.fetchval("SELECT count(*) FROM machine_hour_pack") == (HOURS + 1) * factories
        await replay(owner, country, starts, times)


async def fill(owner: Connection, url: str, factories: int) -> None:
    """Register factories, and add facts from the hour before the day until their chunk is full."""
    progress(f"registering {factories} factories")
    await register(owner, factories, str(MACHINES), TTL_US)
    for start_us in range(FIRST_US, CHUNK_ENDS_US, HOUR_US):
        began = time.perf_counter()
        await add_facts_by_time(url, start_us, start_us + HOUR_US, STATES_AN_HOUR, COUNTS_AN_HOUR)
        nth, last = (start_us - FIRST_US) // HOUR_US + 1, (CHUNK_ENDS_US - FIRST_US) // HOUR_US
        progress(f"facts of hour {nth} of {last}: {time.perf_counter() - began:.1f} s")
    await owner.execute("ANALYZE state_event; ANALYZE count_event")


async def replay(owner: Connection, country: Country, starts: Sequence[int], times: Times) -> None:
    """Account the last hour alone and the whole day, marked by machine and by shard.

    Only the last hour has none after it in which its states may still hold, which would be accounted with it.
    """
    for _ in range(ROUNDS):
        times.alone.append(await again(owner, country, starts[-1:]))
        times.alone_by_shard.append(await again_by_shard(owner, country, starts[-1:]))
    await mark_hours(owner, starts)
    began = time.perf_counter()
    assert await crowded_hour(country) is not None
    times.finding = time.perf_counter() - began
    times.replayed = sum(await settle_country(country))
    progress(f"the day again, marked by machine: {times.replayed:.1f} s")
    times.replayed_by_shard = await again_by_shard(owner, country, starts)
    progress(f"the day again, marked by shard: {times.replayed_by_shard:.1f} s")


async def again(owner: Connection, country: Country, starts: Sequence[int]) -> float:
    """Seconds to account hours of which every machine is marked."""
    await mark_hours(owner, starts)
    return sum(await settle_country(country))


async def again_by_shard(owner: Connection, country: Country, starts: Sequence[int]) -> float:
    """Seconds to account hours in which every shard is marked."""
    await owner.execute(ADD_SHARD_MARKS, list(starts), SHARDS)
    await owner.execute("CHECKPOINT")
    return sum(await settle_country(country))


async def mark_hours(owner: Connection, starts: Sequence[int]) -> None:
    """Mark every machine in each hour, as ingest does when the hours' records are sent again."""
    for start_us in starts:
        await add_marks(owner, start_us, start_us + HOUR_US)
    await owner.execute("ANALYZE dirty_mark; CHECKPOINT")
