"""What a simulated machine does on one day of Seoul, and the rows that its gateway makes of it. Pure.

In working hours orders follow one another: a set-up, then production interrupted by minor stops and by faults with
their repair, sometimes idle time until the next order. Breaks are planned stops; the rest of the day is off shift.
Nothing depends on the day before.

The rows are those of a world in which nothing goes wrong (see ``mishaps``). Each comes with the instant at which the
gateway knows it: for a state its own, for a count the end of the period counted, since its own is the last piece's.
"""

import datetime as dt
import hashlib
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

from schemas.wire.codes import Mode, State
from services.core.times import DAY_US, HOUR_US, MINUTE_US, ceil_to, seoul_midnight_us
from services.gateway import CountRow, ReadingRow, StateRow
from services.simulator.fleet import Automation, Machine, ShiftPattern, stream

MODES = {
    Automation.MANUAL: Mode.manual,
    Automation.SEMI_AUTOMATIC: Mode.semi_automatic,
    Automation.AUTOMATIC: Mode.automatic,
    Automation.ROBOT: Mode.automatic,
}

RUN_BY_HAND_SHARE = 0.1
"""Share of the orders that are run manually, whatever the machine can do."""

STOP_REASONS = ("starved", "blocked", "tool change", "inspection")
FAULT_REASONS = ("servo alarm", "spindle overload", "tool breakage", "hydraulic pressure low", "sensor failure")

REASSERT_US = 45 * MINUTE_US
"""Three quarters of the hold time that simulated machines are registered with."""
COUNT_EVERY_US = 20 * MINUTE_US
COUNT_ONLY_EVERY_US = HOUR_US

LOAD_PCT = {State.producing: (45.0, 40.0), State.setup: (5.0, 10.0), State.delayed: (1.0, 3.0)}
POWER_KW = {State.producing: (6.0, 5.0), State.setup: (2.0, 1.0), State.delayed: (1.5, 0.5)}
RESTING = (0.3, 0.4)
"""The least value of a reading, and how much it varies: by state, and in every other state."""


class Segment(NamedTuple):
    """One state over [start_us, end_us). While producing, a piece of ``product`` is finished every ``cycle_us``.

    A named tuple, as three months of a fleet have millions of them.
    """

    start_us: int
    end_us: int
    state: State
    mode: Mode
    reason: str | None = None
    product: str = ""
    cycle_us: int = 0


class Activity(NamedTuple):
    """A stretch of working time that has a duration but no place on the clock yet."""

    duration_us: int
    state: State
    mode: Mode
    reason: str | None = None
    product: str = ""
    cycle_us: int = 0


KnownRow = tuple[int, StateRow | CountRow]
"""The instant at which the gateway knows a row, and the row."""


def plan_day(seed: int, factory_id: str, machine: Machine, shifts: ShiftPattern, day: dt.date) -> list[Segment]:
    """Return the day's segments, without gaps or overlaps, on whole milliseconds."""
    midnight_us = seoul_midnight_us(day)
    if day.weekday() not in shifts.weekdays:
        return [Segment(midnight_us, midnight_us + DAY_US, State.off_shift, Mode.unknown)]
    working_hours = [(midnight_us + round(a * HOUR_US), midnight_us + round(b * HOUR_US)) for a, b in shifts.hours]
    activities = draw_activities(machine, stream(seed, factory_id, machine.machine_id, day.toordinal()))
    return list(schedule(activities, working_hours, midnight_us, midnight_us + DAY_US))


def schedule(
    activities: Iterator[Activity], working_hours: list[tuple[int, int]], start_us: int, end_us: int
) -> Iterator[Segment]:
    """Fill the working hours between ``start_us`` and ``end_us`` with endless activities, and the rest with stops."""
    at_us = start_us
    activity = next(activities)
    left_us = activity.duration_us
    for opens_us, closes_us in working_hours:
        if at_us < opens_us:
            state = State.off_shift if at_us == start_us else State.planned_stop
            yield Segment(at_us, opens_us, state, Mode.unknown, None if state is State.off_shift else "break")
        at_us = opens_us
        while at_us < closes_us:
            until_us = min(at_us + left_us, closes_us)
            yield Segment(at_us, until_us, *activity[1:])
            left_us -= until_us - at_us
            at_us = until_us
            if left_us == 0:
                activity = next(activities)
                left_us = activity.duration_us
    if at_us < end_us:
        yield Segment(at_us, end_us, State.off_shift, Mode.unknown)


def draw_activities(machine: Machine, rng: Random) -> Iterator[Activity]:
    """Draw orders without end. On about half of the days the first is under way already."""
    if rng.random() < 0.5:
        yield from draw_order(machine, rng)
    while True:
        yield Activity(minutes(rng.uniform(8, 40)), State.setup, Mode.manual, "new order")
        yield from draw_order(machine, rng)
        if rng.random() < 0.4:
            yield Activity(minutes(rng.uniform(5, 60)), State.idle, MODES[machine.automation], "no order")


def draw_order(machine: Machine, rng: Random) -> Iterator[Activity]:
    """Draw one order: its production and what interrupts it."""
    product = f"P-{rng.randint(10, 99)}"
    is_run_by_hand = rng.random() < RUN_BY_HAND_SHARE
    mode = Mode.manual if is_run_by_hand else MODES[machine.automation]
    left_us = minutes(rng.uniform(60, 300))
    while left_us > 0:
        to_stop_us = seconds(rng.expovariate(1 / machine.between_stops_s))
        to_fault_us = seconds(rng.expovariate(1 / machine.between_faults_s))
        run_us = min(to_stop_us, to_fault_us, left_us)
        # No machine runs at its ideal cycle: all are a few per cent slower, differently after every stop.
        cycle_us = seconds(machine.cycle_s * rng.uniform(1.02, 1.2))
        yield Activity(run_us, State.producing, mode, None, product, cycle_us)
        left_us -= run_us
        if left_us > 0 and to_fault_us <= to_stop_us:
            repair_us = seconds(machine.repair_s * rng.lognormvariate(0, 0.5))
            yield Activity(repair_us, State.faulted, mode, rng.choice(FAULT_REASONS))
        elif left_us > 0:
            yield Activity(seconds(rng.uniform(60, 600)), State.delayed, mode, rng.choice(STOP_REASONS))


def seconds(value: float) -> int:
    """Convert seconds to microseconds, rounded to whole milliseconds, at least one second."""
    return max(round(value * 1000), 1000) * 1000


def minutes(value: float) -> int:
    """Convert minutes in the same way."""
    return seconds(value * 60)


def state_rows(machine_id: str, segments: Sequence[Segment]) -> Iterator[KnownRow]:
    """Yield each segment's state at its start, and again every ``REASSERT_US``."""
    for start_us, end_us, state, mode, reason, _, _ in segments:
        for at_us in range(start_us, end_us, REASSERT_US):
            yield at_us, StateRow(machine_id, at_us, state, mode, reason)


def count_rows(machine: Machine, segments: Sequence[Segment], rng: Random) -> Iterator[KnownRow]:
    """Yield the pieces made in every twenty minutes of production in which there were any."""
    quality = Quality(machine, rng)
    for segment in segments:
        if segment.state is not State.producing:
            continue
        start_us, end_us, cycle_us = segment.start_us, segment.end_us, segment.cycle_us
        counted = 0
        for until_us in (*range(ceil_to(start_us + 1, COUNT_EVERY_US), end_us, COUNT_EVERY_US), end_us):
            # A piece is finished every cycle after the start; one finished exactly at the end is the next period's.
            made = (until_us - 1 - start_us) // cycle_us
            if made > counted:
                scrap, rework = quality.take(made - counted)
                good = made - counted - scrap - rework
                last_us = start_us + made * cycle_us
                yield until_us, CountRow(machine.machine_id, last_us, good, scrap, rework, segment.product)
                counted = made


def hourly_count_rows(machine: Machine, segments: Sequence[Segment], rng: Random) -> Iterator[KnownRow]:
    """Yield the pieces made in every hour that is not wholly off shift, also if there were none; without a product."""
    quality = Quality(machine, rng)
    start_us, end_us = segments[0].start_us, segments[-1].end_us
    for from_us, to_us in pairwise(range(start_us, end_us + 1, COUNT_ONLY_EVERY_US)):
        made, last_us, at_work = 0, to_us - 1000, False
        for segment in segments:
            if segment.end_us <= from_us or segment.start_us >= to_us or segment.state is State.off_shift:
                continue
            at_work = True
            if segment.state is State.producing:
                base_us, cycle_us = segment.start_us, segment.cycle_us
                before = max(0, (from_us - 1 - base_us) // cycle_us)
                after = (min(to_us, segment.end_us) - 1 - base_us) // cycle_us
                if after > before:
                    made, last_us = made + after - before, base_us + after * cycle_us
        if at_work:
            scrap, rework = quality.take(made)
            yield to_us, CountRow(machine.machine_id, last_us, made - scrap - rework, scrap, rework)


class Quality:
    """Draws how many of the pieces made one after another are scrap or rework."""

    def __init__(self, machine: Machine, rng: Random) -> None:
        self._rng = rng
        self._bad_rate = machine.scrap_rate + machine.rework_rate
        self._scrap_share = machine.scrap_rate / self._bad_rate
        self._good_left = self._draw()

    def _draw(self) -> int:
        """Draw the number of good pieces before the next bad one."""
        return int(math.log(1.0 - self._rng.random()) / math.log(1.0 - self._bad_rate))

    def take(self, pieces: int) -> tuple[int, int]:
        """Return scrap and rework among the next ``pieces``."""
        scrap = rework = 0
        left = pieces
        while self._good_left < left:
            left -= self._good_left + 1
            self._good_left = self._draw()
            if self._rng.random() < self._scrap_share:
                scrap += 1
            else:
                rework += 1
        self._good_left -= left
        return scrap, rework


def reading_rows(
    machine_id: str, segment: Segment, since_us: int, until_us: int, every_us: int, noise_key: str
) -> Iterator[ReadingRow]:
    """Yield spindle load, power and temperature at every multiple of ``every_us`` in [since_us, until_us)."""
    load, load_spread = LOAD_PCT.get(segment.state, RESTING)
    power, power_spread = POWER_KW.get(segment.state, RESTING)
    for at_us in range(ceil_to(since_us, every_us), until_us, every_us):
        chance = noise(f"{noise_key}:reading", at_us)
        yield ReadingRow(machine_id, at_us, "spindle_load_pct", round(load + load_spread * chance, 1))
        yield ReadingRow(machine_id, at_us, "power_kw", round(power + power_spread * chance, 2))
        yield ReadingRow(machine_id, at_us, "spindle_temperature_c", round(24 + 0.3 * load + chance, 1))


def noise(key: str, at_us: int) -> float:
    """Return a number in [0, 1) that depends on the arguments alone."""
    digest = hashlib.blake2b(f"{key}:{at_us}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
