"""Answers questions about groups whose sums are kept, as ``sums`` answers those about anything else.

What is in use is added up from steps. Of a bucket, what is in use at its beginning and the steps within it are enough:
for the time in use, for the days, and, as each step says since when what begins was last in use, for how many different
machines and factories there are.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.kpis import kept_queries as queries
from services.api.kpis.groups import Groups
from services.api.kpis.questions import Question
from services.api.kpis.scheduled import read_schedule, time_outside
from services.api.kpis.sums import Key, Sums, Times
from services.api.kpis.tables import DAY_COUNTS, HOUR_SUMS, SERVED
from services.api.kpis.windows import Bucket, Interval
from services.api.turns import Turn
from services.core.times import DAY_US, SEOUL_OFFSET_US, seoul_midnight_us, to_us

KEPT = [*(figure.id for figure in HOUR_SUMS), *DAY_COUNTS]


@dataclass(frozen=True, slots=True)
class Steps:
    """What changes in a group between two bounds: by how much the numbers in use grow, and what begins.

    Attributes:
        new_machines, new_factories: those in use after the first bound that were not in use just before it.
        machine_instants: the sum of all changes of ``machines``, each times its instant in microseconds.
        day_numbers: the sum of all changes of ``days``, each times its day as a number.
    """

    machines: int
    factories: int
    automated: int
    days: int
    new_machines: int
    new_factories: int
    machine_instants: int
    day_numbers: int


NO_STEPS = Steps(0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept that answers a question, as it was read: two equal ones have equal answers.

    Attributes:
        steps: label, number of the bound before, and the values of ``Steps``.
        names: the figures of ``days``, whose rows begin with a label and the first day of a bucket.
        outside_us: time in use outside shifts, where there is any.
    """

    steps: tuple[Sequence[Any], ...]
    names: tuple[str, ...]
    days: tuple[Sequence[Any], ...]
    outside_us: tuple[tuple[Key, int], ...]


async def read_kept(connection: AsyncConnection, question: Question, groups: Groups, wanted: Collection[str]) -> Kept:
    """Return what is kept that answers a question.

    Args:
        wanted: the figures needed; others that are kept are not read.
    """
    names = tuple(name for name in KEPT if name in wanted)
    steps = await connection.execute(queries.steps_between(question, groups, bounds_of(list(question.buckets))))
    days = await connection.execute(queries.day_sums(question, groups, names))
    schedule = await read_schedule(connection, question, groups)
    outside_us = await time_outside(connection, schedule, question.buckets)
    return Kept(tuple(steps.all()), names, tuple(days.all()), tuple(outside_us.items()))


def bounds_of(buckets: Sequence[Bucket]) -> list[int]:
    """Return all beginnings and ends of buckets, in order."""
    return sorted({us for bucket in buckets for us in (bucket.from_us, bucket.to_us)})


async def sums_of(question: Question, kept: Kept) -> dict[Key, Sums]:
    """Return the sums of every bucket in which a machine is in use. Figures that were not read are 0."""
    buckets = list(question.buckets)
    bounds = bounds_of(buckets)
    by_label: dict[str, dict[int, Steps]] = defaultdict(dict)
    for label, slot, *amounts in kept.steps:
        by_label[label][slot] = Steps(*map(int, amounts))
    found: dict[Key, Sums] = {}
    turn = Turn()
    for label, steps in by_label.items():
        for bucket, sums in in_use(steps, bounds, buckets):
            found[label, bucket.from_us] = sums
        await turn.end_if_long()
    for key, outside_us in kept.outside_us:
        if key in found:
            found[key].figures["scheduled_us"] -= outside_us
    for label, day, *amounts in kept.days:
        own = found.get((label, start_of(question, day)))
        if own is not None:
            own.figures.update(zip(kept.names, map(int, amounts), strict=True))
        await turn.end_if_long()
    return found


async def read_kept_sums(
    connection: AsyncConnection, question: Question, groups: Groups, wanted: Collection[str]
) -> dict[Key, Sums]:
    """Return the sums of every bucket in which a machine is in use.

    Args:
        wanted: the figures needed; others that are kept are 0.
    """
    return await sums_of(question, await read_kept(connection, question, groups, wanted))


def start_of(question: Question, day: dt.date) -> int:
    """Return the beginning of the bucket whose first day is given."""
    return question.buckets[0].from_us if question.interval is Interval.TOTAL else seoul_midnight_us(day)


def in_use(
    steps: Mapping[int, Steps], bounds: Sequence[int], buckets: Sequence[Bucket]
) -> Iterable[tuple[Bucket, Sums]]:
    """Yield the sums of each bucket in which a machine of the group is in use, as if all time were scheduled.

    Args:
        steps: by how many bounds come before or at them.
        bounds: all beginnings and ends of buckets, in order.
    """
    before = steps.get(0, NO_STEPS)
    machines, factories, automated, days = before.machines, before.factories, before.automated, before.days
    starts = {bucket.from_us: bucket for bucket in buckets}
    for slot, start in enumerate(bounds, start=1):
        own = steps.get(slot, NO_STEPS)
        bucket = starts.get(start)
        if bucket is not None and (distinct := machines + own.new_machines) > 0:
            end_day = day_number(bucket.to_us - 1) + 1
            figures = dict.fromkeys(SERVED, 0)
            figures["in_use_us"] = (
                machines * (bucket.to_us - start) + own.machines * bucket.to_us - own.machine_instants
            )
            figures["scheduled_us"] = figures["in_use_us"]
            figures["machine_days"] = days * (end_day - day_number(start)) + own.days * end_day - own.day_numbers
            figures["stock_machines"] = machines + own.machines
            figures["stock_automated"] = automated + own.automated
            yield bucket, Sums(figures, factories + own.new_factories, distinct)
        machines += own.machines
        factories += own.factories
        automated += own.automated
        days += own.days


def day_number(us: int) -> int:
    """Return the number of an instant's day in Seoul."""
    return (us + SEOUL_OFFSET_US) // DAY_US


async def read_kept_times(connection: AsyncConnection, question: Question, groups: Groups, first: str) -> Times:
    """Return when something is in use within the window, by label from ``first`` on."""
    start, end = question.buckets[0].from_us, question.buckets[-1].to_us
    found: list[tuple[str, int, int]] = []
    turn = Turn()
    open_label, open_us = "", 0
    for label, at, begins in await connection.execute(queries.times_in_use(question, groups, first)):
        if open_label and (label != open_label or not begins):
            found.append((open_label, open_us, end if label != open_label else to_us(at)))
            open_label = ""
        if begins:
            open_label, open_us = label, to_us(at)
        await turn.end_if_long()
    if open_label:
        found.append((open_label, open_us, end))
    return [(label, max(from_us, start), to) for label, from_us, to in found if to > start]
