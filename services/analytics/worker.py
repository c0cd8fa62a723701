"""The loop of the analytics service: settle what changed in the past, advance to the present, again and again."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from services.analytics.cohort_sums import roll_up
from services.analytics.crowded_hours import Country, crowded_hour
from services.analytics.engine import advance, settle, shards_with_work, start_accounting
from services.analytics.flags.judging import keep_flags
from services.analytics.metrics import AnalyticsMetrics, TransactionKind
from services.analytics.quality.days import keep_quality
from services.analytics.settings import AnalyticsSettings
from services.analytics.whole_hours import settle_whole_hour
from services.core.clock import Clock
from services.core.database import RETRYABLE, Connection, connect
from services.core.errors import TransientError
from services.core.monitoring import Readiness, serve_monitoring

log = logging.getLogger(__name__)

ROLE = "jejo_analytics"
SETTLE_S = 3.0
"""How long work on the past may delay the present."""
QUALITY_S = 1.0
"""How long computing days of data quality may delay the accounts, which people wait for."""
FLAGS_S = 1.0
"""How long judging days may do so."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
IDLE_MS = 300_000
"""A process that stands still within a transaction loses it after so long, and with it the locks of its shards."""


@dataclass(slots=True)
class Turn:
    """The shard to begin with next, so that a busy shard does not keep the others waiting."""

    shard: int = 0


async def run(settings: AnalyticsSettings, clock: Clock, stopping: Callable[[], bool]) -> None:
    """Work until ``stopping()`` is true; a transaction under way is finished first.

    While the database is away, tries again with growing pauses; nothing is lost, since the marks stay.
    """
    metrics, readiness = AnalyticsMetrics(), Readiness("the database")
    port, setting = settings.analytics_metrics_port, "JEJO_ANALYTICS_METRICS_PORT"
    with serve_monitoring(metrics.registry, readiness, settings.metrics_host, port, setting):
        await keep_accounting(settings, clock, stopping, metrics, readiness)


async def keep_accounting(
    settings: AnalyticsSettings,
    clock: Clock,
    stopping: Callable[[], bool],
    metrics: AnalyticsMetrics,
    readiness: Readiness,
) -> None:
    """Connect, work until the database goes away, and connect again. Ready from a connection's first cycle on."""
    pause_s = FIRST_PAUSE_S
    turn = Turn()
    while not stopping():
        try:
            country = await open_country(settings.database_url)
            try:
                await start_accounting(country.writer, clock())
                log.info("accounting as %s", ROLE)
                readiness.set_waiting("the first cycle of accounting")
                while not stopping():
                    await cycle(country, settings, clock, stopping, turn, metrics)
                    readiness.set_ready()
                    pause_s = FIRST_PAUSE_S
            finally:
                for connection in (country.writer, *country.readers):
                    connection.terminate()
        except (TransientError, *RETRYABLE) as error:
            metrics.failed()
            readiness.set_waiting("the database")
            log.warning("%s; trying again in %.1f s", str(error).rstrip("."), pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def open_country(database_url: str) -> Country:
    """Open a worker's connections.

    Their queries are not split over processes of the server: the worker reads on several connections at once, and
    megabytes of columns would be passed from one process to another.

    Raises:
        TransientError: the server is unavailable.
        ConfigurationError: the server refuses the address or the login, or the database has not been migrated.
    """
    async with AsyncExitStack() as opened:
        connections = []
        for _ in range(3):
            connections.append(await connect(database_url, ROLE, application="jejo analytics"))
            opened.callback(connections[-1].terminate)
            await connections[-1].execute(
                f"SET idle_in_transaction_session_timeout = {IDLE_MS}; SET max_parallel_workers_per_gather = 0"
            )
        opened.pop_all()
    writer, first, second = connections
    return Country(writer, (first, second))


async def cycle(
    country: Country,
    settings: AnalyticsSettings,
    clock: Clock,
    stopping: Callable[[], bool],
    turn: Turn,
    metrics: AnalyticsMetrics,
) -> None:
    """Settle the past, roll up, advance to the present, keep data quality, judge days; pause if nothing is left."""
    began, connection = time.monotonic(), country.writer
    await settle_whole_hours(country, stopping, began + SETTLE_S, metrics)
    left = await settle_past(connection, stopping, began + SETTLE_S, turn, metrics)
    more = True
    while more:
        with metrics.transaction(TransactionKind.roll_up) as done:
            more = await roll_up(connection, done)
    now_us = clock()
    with metrics.transaction(TransactionKind.advance) as done:
        behind_us = await advance(connection, now_us, done)
    metrics.accounted_until(now_us - behind_us)
    quality_left = await keep_quality(connection, now_us, stopping, QUALITY_S)
    flags_left = await keep_flags(connection, now_us - behind_us, stopping, FLAGS_S)
    if settings.analytics_metrics_port is not None:
        await metrics.count_marks(connection, now_us)
    took = time.monotonic() - began
    log.debug("a cycle took %.3f s, %d us behind the present", took, behind_us)
    if not (left or behind_us or quality_left or flags_left or stopping()):
        await asyncio.sleep(max(0.0, settings.analytics_cycle_s - took))


async def settle_whole_hours(
    country: Country, stopping: Callable[[], bool], deadline: float, metrics: AnalyticsMetrics
) -> None:
    """Settle hours in which most machines of some shards are marked, until there are none or the deadline passes."""
    crowded = await crowded_hour(country)
    while crowded is not None and not stopping():
        with metrics.transaction(TransactionKind.settle) as done:
            any_were_free = await settle_whole_hour(country, crowded, done)
        if not any_were_free or time.monotonic() > deadline:
            return
        crowded = await crowded_hour(country)


async def settle_past(
    connection: Connection, stopping: Callable[[], bool], deadline: float, turn: Turn, metrics: AnalyticsMetrics
) -> bool:
    """Settle the shards in turn, one transaction each, until nothing is left or the deadline passes.

    Returns:
        Whether work is left.
    """
    shards = await shards_with_work(connection)
    while shards:
        left: list[int] = []
        for shard in sorted(shards, key=lambda shard: (shard < turn.shard, shard)):
            with metrics.transaction(TransactionKind.settle) as done:
                more = await settle(connection, shard, done)
            if more:
                left.append(shard)
            turn.shard = shard + 1
            if stopping() or time.monotonic() > deadline:
                return True
        shards = left
    return False
