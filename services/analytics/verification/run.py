"""Recomputes every stored figure of a window, and says where one differs."""

import asyncio
import datetime as dt
import time

from services.analytics.verification.compare import Difference, compare_factory, compare_machine, recompute
from services.analytics.verification.snapshot import (
    FACTORIES,
    LEDGER,
    Status,
    Window,
    read_machine,
    read_machines,
    read_status,
    read_sums,
)
from services.core.database import Connection, connect
from services.core.errors import ConfigurationError, TransientError
from services.core.times import DAY_US, SEOUL, seoul_day, seoul_midnight_us, to_us

PAUSE_S = 0.3


async def verify(database_url: str, window: Window, machine: str | None, wait_s: float, *, ledger: bool) -> int:
    """Wait for rest, then compare in one snapshot.

    Raises:
        ConfigurationError: the window or the machine makes no sense, or accounts were never begun.
        TransientError: analytics does not come to rest.
    """

    connection = await connect(database_url, "jejo_verify", application="jejo verify")
    try:
        status = await rest(connection, wait_s)
        if status.accounted_until_us is None:
            raise ConfigurationError("Nothing was ever accounted here: start `jejo analytics` first.")
        machines, differences = await compare_window(connection, window, status, status.accounted_until_us, machine)
        if machine is None and ledger:
            differences += await compare_ledger(connection, status)
    finally:
        await connection.close()
    print(f"{machines} machines compared, {differences} differences")
    return 1 if differences else 0


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


async def rest(connection: Connection, seconds: float) -> Status:
    """Wait until no mark lies before ``accounted_until``, and leave a read-only snapshot of that moment open.

    Raises:
        TransientError: that did not come within the time.
    """

    deadline = time.monotonic() + seconds
    while True:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        status = await read_status(connection)
        if status.marks == 0:
            return status
        await connection.execute("ROLLBACK")
        if time.monotonic() > deadline:
            raise TransientError(
                f"{status.marks} dirty marks still wait to be accounted; see that `jejo analytics` runs, and try again."
            )
        await asyncio.sleep(PAUSE_S)


async def compare_window(
    connection: Connection, window: Window, status: Status, until_us: int, machine: str | None
) -> tuple[int, int]:
    """Compare factory by factory, printing each difference.

    Returns:
        How many machines were compared, and how many differences there are.
    """

    machines = differences = 0
    first_us = max(window.from_us, status.sealed_before_us)
    for factory in await connection.fetch(FACTORIES):
        recomputed = []
        for number, (machine_id, versions) in (await read_machines(connection, factory["id"])).items():
            name = f"{factory['factory_id']}/{machine_id}"
            if machine not in (None, name):
                continue
            facts = await read_machine(connection, number, machine_id, versions, window)
            found = recompute(facts, window, until_us, status.sealed_before_us)
            recomputed.append(found)
            machines += 1
            for difference in compare_machine(name, facts, found, first_us):
                print(difference)
                differences += 1
        if machine is None:
            sums = await read_sums(connection, factory["id"], window)
            for difference in compare_factory(factory["factory_id"], sums, recomputed, first_us):
                print(difference)
                differences += 1
    if machine is not None and machines == 0:
        raise ConfigurationError(f"There is no machine {machine}: write FACTORY/MACHINE as registered.")
    return machines, differences


async def compare_ledger(connection: Connection, status: Status) -> int:
    """Hold what each record is said to have stored against the facts that name it.

    Returns:
        The number of differences, each printed.
    """

    if status.facts_dropped:
        print("records were not held against their facts: some facts are past their horizon and no longer kept")
        return 0
    count = 0
    for record, said_stored, stored, said_clashed, clashed in await connection.fetch(LEDGER):
        for figure, said, found in (("rows_stored", said_stored, stored), ("rows_clashed", said_clashed, clashed)):
            if said != found:
                print(Difference(f"record {record}", figure, said or 0, found))
                count += 1
    return count
