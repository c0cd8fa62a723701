"""Recomputes every stored figure of a window and reports each difference."""

import asyncio
import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from services.analytics.verification import queries
from services.analytics.verification.cohort_sums import compare_cohorts
from services.analytics.verification.compare import (
    Difference,
    Recomputed,
    compare_factory,
    compare_machine,
    recompute,
)
from services.analytics.verification.data_quality import compare_quality
from services.analytics.verification.group_steps import compare_steps
from services.analytics.verification.open_holds import compare_holds, read_holds
from services.analytics.verification.registered import read_machines, read_spans
from services.analytics.verification.shifts import read_schedule
from services.analytics.verification.snapshot import MachineFacts, Window, read_machine, read_status, read_sums
from services.core.database import Connection, connect
from services.core.errors import ConfigurationError, TransientError
from services.core.times import DAY_US, HOUR_US, SEOUL, ceil_to, seoul_day, seoul_midnight_us, to_us

PAUSE_S = 0.3
DAYS_AT_ONCE = 31
"""Bounds the memory: rows and hours of one factory over that many days."""


@dataclass(frozen=True, slots=True)
class Task:
    """A factory (number and id) in a part of the window, to be compared in one snapshot."""

    factory: int
    factory_id: str
    window: Window


@dataclass(slots=True)
class Comparison:
    """The machines compared so far, and the number of differences."""

    machines: set[str] = field(default_factory=set)
    differences: int = 0

    def report(self, differences: Iterable[Difference]) -> None:
        """Print differences and count them."""
        for difference in differences:
            print(difference)
            self.differences += 1


async def verify(database_url: str, window: Window, machine: str | None, wait_s: float, *, ledger: bool) -> int:
    """Compare every factory as soon as none of its marks waits; return the exit code.

    Raises:
        ConfigurationError: the machine is not registered, or nothing was ever accounted.
        TransientError: analytics did not catch up within ``wait_s``.
    """
    connection = await connect(database_url, "jejo_verify", application="jejo verify")
    try:
        comparison = await compare_window(connection, window, machine, wait_s)
        if machine is None:
            comparison.report(await compare_quality(connection, window, wait_s))
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                rows = await connection.fetch(queries.STRAY, window.from_us, window.to_us, *window.days)
                comparison.report(Difference(place, "rows", count, 0) for place, count in rows)
                rows = await connection.fetch(queries.REPEATED, window.from_us, window.to_us, *window.days)
                comparison.report(Difference(place, "rows", count, 1) for place, count in rows)
                rows = await connection.fetch(queries.HOURS_OF_DAYS, window.from_us, window.to_us, *window.days)
                comparison.report(Difference(place, "hours", stored, found) for place, stored, found in rows)
                comparison.report(await compare_cohorts(connection, window))
                comparison.report(await compare_steps(connection))
                if ledger:
                    await compare_ledger(connection, comparison)
    finally:
        await connection.close()
    print(f"{len(comparison.machines)} machines compared, {comparison.differences} differences")
    return 1 if comparison.differences else 0


def parse_window(start: str, end: str) -> Window:
    """Return the window, widened to whole days in Seoul, since days are compared, too.

    Raises:
        ConfigurationError: an end is not a time, or the window is empty.
    """

    def parse(text: str) -> int:
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            raise ConfigurationError(f"{text!r} is not a time: write 2017-03-01 or 2017-03-01T00:00:00Z.") from None
        return to_us(moment if moment.tzinfo else moment.replace(tzinfo=SEOUL))

    first = seoul_midnight_us(seoul_day(parse(start)))
    last = seoul_midnight_us(seoul_day(parse(end) + DAY_US - 1))
    if first >= last:
        raise ConfigurationError("--from must be earlier than --to.")
    return Window(first, last)


async def compare_window(connection: Connection, window: Window, machine: str | None, wait_s: float) -> Comparison:
    """Compare all factories, or a machine's; those whose marks still wait are tried again after the others.

    Raises:
        ConfigurationError: the machine is not registered, or nothing was ever accounted.
        TransientError: for ``wait_s`` seconds, no further factory could be compared.
    """
    if not await connection.fetchval(queries.ACCOUNTING_BEGAN):
        raise ConfigurationError("Nothing has been accounted in this database yet: start `jejo analytics` first.")
    comparison = Comparison()
    tasks = [
        Task(row["id"], row["factory_id"], part)
        for row in await connection.fetch(queries.FACTORIES)
        for part in window.parts(DAYS_AT_ONCE)
        if machine is None or machine.startswith(row["factory_id"] + "/")
    ]
    deadline = time.monotonic() + wait_s
    while tasks:
        waiting: list[Task] = []
        marks = 0
        for task in tasks:
            found = await compare_task(connection, task, machine, comparison)
            if found:
                waiting.append(task)
                marks += found
            else:
                deadline = time.monotonic() + wait_s
        if waiting and time.monotonic() > deadline:
            raise TransientError(
                f"{marks} dirty marks are still waiting; check that `jejo analytics` runs, and try again."
            )
        tasks = waiting
        if tasks:
            await asyncio.sleep(PAUSE_S)
    if machine is not None and not comparison.machines:
        raise ConfigurationError(f"Machine {machine} is not registered: write FACTORY/MACHINE.")
    return comparison


async def compare_task(connection: Connection, task: Task, machine: str | None, comparison: Comparison) -> int:
    """Compare a factory in one snapshot, unless marks that affect the window are waiting.

    Returns:
        The number of waiting marks; 0 means that the factory was compared.
    """
    window = task.window
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        status = await read_status(connection, task.factory, window)
        if status.marks:
            return status.marks
        # Hours are accounted as a whole, so the accounts that are still recomputed begin with a full hour.
        horizon_us = ceil_to(status.sealed_before_us, HOUR_US)
        first_us = max(window.from_us, horizon_us)
        recomputed: dict[int, Recomputed] = {}
        facts: dict[int, MachineFacts] = {}
        names: dict[int, str] = {}
        spans = await read_spans(connection, task.factory, horizon_us)
        schedule = await read_schedule(connection, task.factory)
        # States hold for a day at most, before the window and after it.
        shifts = schedule.shifts(window.from_us - DAY_US, window.to_us + DAY_US)
        for number, (machine_id, versions) in (await read_machines(connection, task.factory, schedule)).items():
            name = f"{task.factory_id}/{machine_id}"
            if machine not in (None, name):
                continue
            own = await read_machine(connection, number, machine_id, versions, shifts, spans.get(number, []), window)
            found = recompute(own, window, status.accounted_until_us, horizon_us)
            names[number], facts[number], recomputed[number] = name, own, found
            comparison.machines.add(name)
            comparison.report(compare_machine(name, own, found, first_us))
        until_us = status.accounted_until_us
        if window.from_us <= until_us < window.to_us and horizon_us <= until_us and (machine is None or names):
            holds = await read_holds(connection, task.factory, until_us)
            if machine is not None:
                holds = replace(holds, stored=[hold for hold in holds.stored if hold.machine in names])
            comparison.report(compare_holds(names, facts, recomputed, holds, first_us))
        if machine is None:
            sums = await read_sums(connection, task.factory, window)
            comparison.report(compare_factory(task.factory_id, sums, list(recomputed.values()), first_us))
    return 0


async def compare_ledger(connection: Connection, comparison: Comparison) -> None:
    """Compare each record's counts of stored and clashed rows with the facts that refer to it."""
    if await connection.fetchval(queries.FACTS_DROPPED):
        print("records were not compared with their facts: some facts are before the horizon and no longer kept")
        return
    for record, rows_stored, stored, rows_clashed, clashed in await connection.fetch(queries.LEDGER):
        for figure, recorded, found in (("rows_stored", rows_stored, stored), ("rows_clashed", rows_clashed, clashed)):
            if recorded != found:
                comparison.report([Difference(f"record {record}", figure, recorded or 0, found)])
