"""Judges factories' days by the plausibility rules, once they are over and whenever they are accounted again.

A day of a factory is marked in the transaction that accounts it again, and when it is over. Whoever judges takes marks,
and reads facts and accounts only in later statements of READ COMMITTED, so whatever is committed later has a mark of
its own. What the rules look at is kept by machine and day; a mark has one day read again, and the months judged that
it may concern. Days of other machines that equal one that came or went are marked in turn.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable
from uuid import UUID

import msgspec

from schemas.plausibility_rules import RULES, RuleId
from services.analytics.flags import queries
from services.analytics.flags.raising import (
    MACHINES_NAMED,
    Identical,
    Raised,
    Replayed,
    clock_flags,
    date_of,
    identity_flags,
    machine_flags,
    replay_flags,
)
from services.analytics.flags.reading import (
    FactoryDays,
    read_day_facts,
    read_machines,
    read_receipt_days,
    read_traits,
    replace_traits,
)
from services.analytics.flags.traits import Prints, changes_of, prints_of, traits_of
from services.core.database import Connection
from services.core.times import seoul_day

DAYS_AT_ONCE = 50
"""Factories' days in one transaction: with 20 machines that assert their states every minute, 1.4 million rows."""
ONE_DAY = dt.timedelta(days=1)
DAYS_BEFORE = int(RULES[RuleId.replayed_day].thresholds["days_before"])
REACH = ONE_DAY * int(
    max(
        RULES[RuleId.pieces_without_production].thresholds["within_days"],
        RULES[RuleId.never_varies].thresholds["days_running"],
    )
)
"""How far from a day one may be that a rule looks at together with it."""


async def keep_flags(connection: Connection, until_us: int, stopping: Callable[[], bool], seconds: float) -> bool:
    """Judge days that are over at ``until_us``, which accounts have reached, for about so many seconds.

    Returns:
        Whether something may be left.
    """
    deadline = time.monotonic() + seconds
    running = seoul_day(until_us)
    is_work = await connection.fetchval(queries.IS_WORK, running)
    if is_work is None:
        await connection.execute(queries.START, until_us)
    elif not is_work:
        return False
    while await judge_days(connection, running):
        if stopping() or time.monotonic() > deadline:
            return True
    return False


async def judge_days(connection: Connection, running: dt.date) -> bool:
    """Judge some of the days that are marked, all before ``running``; leaves them to another worker that is at it.

    Returns:
        Whether some may be left; then call it again.
    """
    async with connection.transaction(isolation="read_committed"):
        ended_before = await connection.fetchval(queries.LOCK)
        if ended_before is None:
            return False
        if ended_before < running:
            await connection.execute(queries.MARK_ENDED, ended_before, running)
            await connection.execute(queries.MOVE_ENDED, running)
        marks = await connection.fetch(queries.TAKE_MARKS, running, DAYS_AT_ONCE)
        kept_from = await connection.fetchval(queries.SEALED_BEFORE)
        whole = [(row["factory"], row["day"]) for row in marks if row["day"] >= kept_from]
        if whole:
            await judge(connection, whole)
        return len(marks) > 0


async def judge(connection: Connection, marks: list[tuple[int, dt.date]]) -> None:
    """Read factories' days again, and judge the months that they may concern."""
    factories = sorted({factory for factory, _ in marks})
    factory_of = await read_machines(connection, factories)
    machines: dict[int, list[int]] = {}
    for machine, factory in factory_of.items():
        machines.setdefault(factory, []).append(machine)
    days = FactoryDays([factory for factory, _ in marks], [day for _, day in marks], machines)
    facts = await read_day_facts(connection, days)
    changes = changes_of(facts.states, facts.counts)
    await replace_traits(connection, days, traits_of(facts, changes), factory_of)
    await replace_prints(connection, days, prints_of(changes))
    await replace_receipts(connection, days)
    first, end = months_about(min(days.day), max(days.day))
    equal = [
        row["machine"] for row in await connection.fetch(queries.EQUAL_MACHINES, days.factory, days.day, DAYS_BEFORE)
    ]
    raised = [
        *await judge_alone(connection, factory_of, factories, (first, end)),
        *await judge_equal(connection, equal, (first, end)),
    ]
    await store(connection, factories, (first, end), raised)


def months_about(first: dt.date, last: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first day of the first month, and the end of the last, that days from first to last may concern."""
    end = (last + REACH).replace(day=1) + 31 * ONE_DAY
    return (first - REACH).replace(day=1), end.replace(day=1)


async def replace_prints(connection: Connection, days: FactoryDays, prints: Prints) -> None:
    """Store fingerprints instead of those that are there, and mark the days that equal one that came or went."""
    gone = await connection.fetch(queries.DROP_PRINTS, days.factory, days.day)
    dates = [date_of(day) for day in prints.day.tolist()]
    own = list(zip(prints.machine.tolist(), dates, (UUID(bytes=digest) for digest in prints.digest), strict=True))
    columns: list[list[object]] = [list(column) for column in zip(*own, strict=True)] or [[], [], []]
    await connection.execute(queries.ADD_PRINTS, *columns, prints.changes.tolist())
    differing = set(own) ^ {(row["machine"], row["day"], row["print"]) for row in gone}
    if differing:
        changed = sorted({(day, UUID(bytes=print_.bytes)) for _, day, print_ in differing})
        places = ([day for day, _ in changed], [print_ for _, print_ in changed])
        await connection.execute(queries.MARK_EQUAL_DAYS, *places, DAYS_BEFORE, days.factory, days.day)


async def replace_receipts(connection: Connection, days: FactoryDays) -> None:
    """Store what records say of clocks: those received on the days, or on the day after each, which may be about it."""
    pairs = set(zip(days.factory, days.day, strict=True))
    places = sorted(pairs | {(factory, day + ONE_DAY) for factory, day in pairs})
    columns = ([factory for factory, _ in places], [day for _, day in places])
    await connection.execute(queries.DROP_RECEIPTS, *columns)
    within_h = int(RULES[RuleId.clock_off].thresholds["received_within_h"])
    await connection.execute(queries.ADD_RECEIPTS, *columns, within_h)


async def judge_alone(
    connection: Connection, factory_of: dict[int, int], factories: list[int], window: tuple[dt.date, dt.date]
) -> list[Raised]:
    """Return the flags, in the months of a window, of the rules that look at one machine or one factory's clock."""
    first, end = window
    traits = await read_traits(connection, factories, first - REACH, end + REACH)
    receipts = await read_receipt_days(connection, factories, first, end)
    rows = await connection.fetch(queries.FIRST_RECEIPTS, factories)
    found = [*machine_flags(traits, factory_of, dict(map(tuple, rows))), *clock_flags(receipts)]
    return [flag for flag in found if flag.month is not None and first <= flag.month < end]


async def judge_equal(connection: Connection, machines: list[int], window: tuple[dt.date, dt.date]) -> list[Raised]:
    """Return the flags of machines with days that equal others, in the months of a window; pairs of all days."""
    if not machines:
        return []
    replayed = await connection.fetch(queries.REPLAYED_DAYS, machines, *window, DAYS_BEFORE)
    least_days = int(RULES[RuleId.identical_series].thresholds["least_days"])
    identical = await connection.fetch(queries.IDENTICAL_SERIES, machines, least_days, MACHINES_NAMED)
    return [
        *replay_flags(Replayed(*row) for row in replayed),
        *identity_flags(Identical(*row) for row in identical),
    ]


async def store(
    connection: Connection, factories: list[int], window: tuple[dt.date, dt.date], raised: Iterable[Raised]
) -> None:
    """Open, change and close flags of factories as they were raised in the months of a window."""
    flags = sorted(raised, key=lambda flag: (flag.factory, flag.rule, flag.machine or 0, flag.days))
    subjects = (
        [flag.rule.value for flag in flags],
        [flag.factory for flag in flags],
        [flag.machine for flag in flags],
        [flag.month for flag in flags],
    )
    await connection.execute(queries.CLOSE, factories, *window, *subjects)
    if flags:
        await connection.execute(
            queries.RAISE,
            subjects[0],
            [flag.version for flag in flags],
            [RULES[flag.rule].kind.value for flag in flags],
            *subjects[1:],
            [text_of([day.isoformat() for day in flag.days]) for flag in flags],
            [text_of(flag.evidence) for flag in flags],
            [text_of(flag.usual) for flag in flags],
        )


def text_of(value: object) -> str:
    """Return a value as JSON."""
    return msgspec.json.encode(value).decode()
