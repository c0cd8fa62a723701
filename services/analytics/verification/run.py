"""Recomputes every stored figure of a window, and says where one differs."""

import asyncio
import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.analytics.verification.cohort_sums import compare_cohorts
from services.analytics.verification.compare import Difference, compare_factory, compare_machine, recompute
from services.analytics.verification.registered import read_machines, read_spans
from services.analytics.verification.snapshot import (
    ACCOUNTING_BEGAN,
    FACTORIES,
    FACTS_DROPPED,
    LEDGER,
    STRAY,
    Window,
    read_machine,
    read_status,
    read_sums,
)
from services.core.database import Connection, connect
from services.core.errors import ConfigurationError, TransientError
from services.core.times import DAY_US, HOUR_US, SEOUL, ceil_to, seoul_day, seoul_midnight_us, to_us

PAUSE_S = 0.3
DAYS_AT_ONCE = 31
"""It bounds the memory: a factory's rows and hours of so many days."""


@dataclass(frozen=True, slots=True)
class Task:
    """A factory (number and id) in a part of the window: compared in one snapshot."""

    factory: int
    factory_id: str
    window: Window


@dataclass(slots=True)
class Findings:
    """What was compared, and how many differences there are."""

    machines: set[str] = field(default_factory=set)
    differences: int = 0

    def tell(self, differences: Iterable[Difference]) -> None:
        """Print differences, and count them."""
        for difference in differences:
            print(difference)
            self.differences += 1


async def verify(database_url: str, window: Window, machine: str | None, wait_s: float, *, ledger: bool) -> int:
    """Compare every factory as soon as it is at rest.

    Raises:
        ConfigurationError: the window or the machine makes no sense, or accounts were never begun.
        TransientError: analytics does not come to rest.
    """
    connection = await connect(database_url, "jejo_verify", application="jejo verify")
    try:
        findings = await compare_window(connection, window, machine, wait_s)
        if machine is None:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                rows = await connection.fetch(STRAY, window.from_us, window.to_us, *window.days)
                findings.tell(Difference(place, "rows", count, 0) for place, count in rows)
                findings.tell(await compare_cohorts(connection, window))
                if ledger:
                    await compare_ledger(connection, findings)
    finally:
        await connection.close()
    print(f"{len(findings.machines)} machines compared, {findings.differences} differences")
    return 1 if findings.differences else 0


def parse_window(start: str, end: str) -> Window:
    """The window, widened to whole days of Seoul, since days are compared too.

    Raises:
        ConfigurationError: it is none.
    """

    def parse(text: str) -> int:
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            raise ConfigurationError(f"{text!r} is no time: write 2017-03-01 or 2017-03-01T00:00:00Z.") from None
        return to_us(moment if moment.tzinfo else moment.replace(tzinfo=SEOUL))

    first = seoul_midnight_us(seoul_day(parse(start)))
    last = seoul_midnight_us(seoul_day(parse(end) + DAY_US - 1))
    if first >= last:
        raise ConfigurationError("--from must lie before --to.")
    return Window(first, last)


async def compare_window(connection: Connection, window: Window, machine: str | None, wait_s: float) -> Findings:
    """Compare all factories, or the one of a machine: those with marks again and again, while others go on.

    Raises:
        ConfigurationError: accounts were never begun, or there is no such machine.
        TransientError: for so many seconds no factory came to rest.
    """
    if not await connection.fetchval(ACCOUNTING_BEGAN):
        raise ConfigurationError("Nothing was ever accounted here: start `jejo analytics` first.")
    findings = Findings()
    tasks = [
        Task(row["id"], row["factory_id"], part)
        for row in await connection.fetch(FACTORIES)
        for part in window.parts(DAYS_AT_ONCE)
        if machine is None or machine.startswith(row["factory_id"] + "/")
    ]
    deadline = time.monotonic() + wait_s
    while tasks:
        waiting: list[Task] = []
        marks = 0
        for task in tasks:
            found = await compare_task(connection, task, machine, findings)
            if found:
                waiting.append(task)
                marks += found
            else:
                deadline = time.monotonic() + wait_s
        if waiting and time.monotonic() > deadline:
            raise TransientError(
                f"{marks} dirty marks still wait to be accounted; see that `jejo analytics` runs, and try again."
            )
        tasks = waiting
        if tasks:
            await asyncio.sleep(PAUSE_S)
    if machine is not None and not findings.machines:
        raise ConfigurationError(f"There is no machine {machine}: write FACTORY/MACHINE as registered.")
    return findings


async def compare_task(connection: Connection, task: Task, machine: str | None, findings: Findings) -> int:
    """Compare a factory, in a snapshot, unless marks still wait that reach the window.

    Returns:
        How many marks wait; 0: it is compared.
    """
    window = task.window
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        status = await read_status(connection, task.factory, window)
        if status.marks:
            return status.marks
        # An hour is accounted as a whole, so what lies before the horizon ends with an hour.
        horizon_us = ceil_to(status.sealed_before_us, HOUR_US)
        first_us = max(window.from_us, horizon_us)
        recomputed = []
        spans = await read_spans(connection, task.factory, horizon_us)
        for number, (machine_id, versions) in (await read_machines(connection, task.factory)).items():
            name = f"{task.factory_id}/{machine_id}"
            if machine not in (None, name):
                continue
            facts = await read_machine(connection, number, machine_id, versions, spans.get(number, []), window)
            found = recompute(facts, window, status.accounted_until_us, horizon_us)
            recomputed.append(found)
            findings.machines.add(name)
            findings.tell(compare_machine(name, facts, found, first_us))
        if machine is None:
            sums = await read_sums(connection, task.factory, window)
            findings.tell(compare_factory(task.factory_id, sums, recomputed, first_us))
    return 0


async def compare_ledger(connection: Connection, findings: Findings) -> None:
    """Hold what each record is said to have stored against the facts that name it."""
    if await connection.fetchval(FACTS_DROPPED):
        print("records were not held against their facts: some facts are past their horizon and no longer kept")
        return
    for record, said_stored, stored, said_clashed, clashed in await connection.fetch(LEDGER):
        for figure, said, found in (("rows_stored", said_stored, stored), ("rows_clashed", said_clashed, clashed)):
            if said != found:
                findings.tell([Difference(f"record {record}", figure, said or 0, found)])
