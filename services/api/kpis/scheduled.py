"""Works out how much time in use of groups is outside shifts.

It follows from steps of how many machines have a pattern, and from when its shifts are. Nothing of it is stored by
machine, so a country that sends nothing costs no more than one that does.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.kpis import kept_queries as queries
from services.api.kpis.groups import Groups
from services.api.kpis.questions import Question
from services.api.kpis.rendered import Remembered
from services.api.kpis.sums import Key
from services.api.kpis.windows import Bucket
from services.core.times import DAY_US, to_us

Ints = NDArray[np.int64]
BYTES_OF_64_BITS = 8
LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class ScheduleSteps:
    """By how many the machines of a group that have a pattern of shifts become more, and when.

    Attributes:
        at_us: instants within the window, in order; what is before it is at its beginning.
        before_us: how much of the instant's day before it is within shifts.
    """

    label: str
    pattern: int
    at_us: tuple[int, ...]
    machines: tuple[int, ...]
    before_us: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """What says how much time of groups is outside shifts: two equal ones give equal amounts.

    Attributes:
        version: of the registry, which says what the shifts of a pattern are.
    """

    version: int
    steps: tuple[ScheduleSteps, ...]


SHIFT_DAYS = Remembered[dict[int, Ints]](4 * 1024 * 1024)
"""How much of each day of a window is within shifts, by pattern, for a version of a database's registry.

Of 50 patterns and a year, 150 kB.
"""


async def read_schedule(connection: AsyncConnection, question: Question, groups: Groups) -> Schedule:
    """Return the steps that matter for a question's buckets."""
    found: dict[tuple[str, int], list[tuple[int, int, int]]] = defaultdict(list)
    for label, pattern, at, machines, before_us in await connection.execute(queries.schedule_steps(question, groups)):
        found[label, pattern].append((to_us(at), machines, before_us))
    if not found:
        return Schedule(0, ())
    version = int((await connection.execute(queries.REGISTRY_VERSION)).scalar_one())
    steps = tuple(ScheduleSteps(*key, *map(tuple, zip(*rows, strict=True))) for key, rows in found.items())
    return Schedule(version, steps)


async def time_outside(connection: AsyncConnection, schedule: Schedule, buckets: Sequence[Bucket]) -> dict[Key, int]:
    """Return how much time in use is outside shifts, in microseconds, by label and bucket; nothing where it is 0."""
    if not schedule.steps:
        return {}
    by_pattern = await read_shift_days(connection, schedule, buckets)
    bounds = day_bounds(buckets)
    found: dict[str, NDArray[Any]] = {}
    for steps in schedule.steps:
        own = outside_of(steps, by_pattern[steps.pattern], bounds, buckets)
        found[steps.label] = found[steps.label] + own if steps.label in found else own
    return {
        (label, bucket.from_us): int(us)
        for label, amounts in found.items()
        for bucket, us in zip(buckets, amounts.tolist(), strict=True)
        if us
    }


async def read_shift_days(
    connection: AsyncConnection, schedule: Schedule, buckets: Sequence[Bucket]
) -> dict[int, Ints]:
    """Return how much of each day of the window is within the shifts of each pattern."""
    patterns = tuple(sorted({steps.pattern for steps in schedule.steps}))
    key = (connection.engine.url, schedule.version, patterns, buckets[0].from_us, buckets[-1].to_us)
    known = SHIFT_DAYS.get(key)
    if known is None:
        bounds = day_bounds(buckets).tolist()
        rows = await connection.execute(queries.scheduled_by_day(patterns, bounds))
        known = {row.pattern: np.array(row.us, np.int64) for row in rows}
        SHIFT_DAYS.add(key, known, BYTES_OF_64_BITS * len(bounds) * len(patterns))
    return known


def day_bounds(buckets: Sequence[Bucket]) -> Ints:
    """Return the bounds of all days from the first bucket, which begins at midnight, to the end of the last one."""
    start, end = buckets[0].from_us, buckets[-1].to_us
    return np.append(np.arange(start, end, DAY_US), end)


def outside_of(steps: ScheduleSteps, days: Ints, bounds: Ints, buckets: Sequence[Bucket]) -> NDArray[Any]:
    """Return how much time of a group's machines with a pattern is outside its shifts, by bucket.

    Args:
        days: how much of each day is within the shifts.
        bounds: of these days.
    """
    scheduled = np.append(0, np.cumsum(days))
    starts, ends = (np.array(us, np.int64) for us in zip(*((b.from_us, b.to_us) for b in buckets), strict=True))
    at, machines = np.array(steps.at_us, np.int64), np.array(steps.machines, np.int64)
    # Time outside since the window began, at each bound and at each step.
    at_starts, at_ends = (us - bounds[0] - scheduled[np.searchsorted(bounds, us)] for us in (starts, ends))
    day = np.minimum(np.searchsorted(bounds, at, "right") - 1, len(days) - 1)
    at_steps = at - bounds[0] - scheduled[day] - np.array(steps.before_us, np.int64)
    if int(np.abs(machines).sum()) * int(bounds[-1] - bounds[0]) >= LARGEST:
        machines, at_starts, at_ends, at_steps = (a.astype(object) for a in (machines, at_starts, at_ends, at_steps))
    # A step counts from its instant on: for each bucket, all steps before its end, less what they gave before it.
    total, weighted = (np.append(np.zeros(1, machines.dtype), np.cumsum(a)) for a in (machines, machines * at_steps))
    first, last = np.searchsorted(at, starts, "left"), np.searchsorted(at, ends, "left")
    until_end = total[last] * at_ends - weighted[last]
    until_start = total[first] * at_starts - weighted[first]
    found: NDArray[Any] = until_end - until_start
    return found
