"""What a simulated machine does on one day, from midnight to midnight in Seoul. Pure: no state from the day before.

In working hours orders follow one another: a set-up, then production broken by minor stops and by faults with their
repair, sometimes idle until the next order. Breaks are planned stops; the rest of the day is off shift.
"""

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from schemas.wire.codes import Mode, State
from services.core.times import DAY_US, HOUR_US, seoul_midnight_us
from services.simulator.fleet import Automation, Machine, ShiftPattern, stream

MODES = {
    Automation.MANUAL: Mode.manual,
    Automation.SEMI_AUTOMATIC: Mode.semi_automatic,
    Automation.AUTOMATIC: Mode.automatic,
    Automation.ROBOT: Mode.automatic,
}

BY_HAND_SHARE = 0.1
"""Of the orders: those run manually whatever the machine can do."""

STOP_REASONS = ("starved", "blocked", "tool change", "inspection")
FAULT_REASONS = ("servo alarm", "spindle overload", "tool breakage", "hydraulic pressure low", "sensor failure")


class Segment(NamedTuple):
    """One state in [start_us, end_us); where it is producing, a piece of ``product`` is done every ``cycle_us``.

    A named tuple, as three months of a fleet have millions of them.
    """

    start_us: int
    end_us: int
    state: State
    mode: Mode
    reason: str | None = None
    product: str = ""
    cycle_us: int = 0


class Piece(NamedTuple):
    """A stretch of working time that has a duration but no place on the clock yet."""

    duration_us: int
    state: State
    mode: Mode
    reason: str | None = None
    product: str = ""
    cycle_us: int = 0


def plan_day(seed: int, factory_id: str, machine: Machine, shifts: ShiftPattern, day: dt.date) -> list[Segment]:
    """The day's segments, without gap or overlap; every bound a whole millisecond."""
    midnight_us = seoul_midnight_us(day)
    if day.weekday() not in shifts.weekdays:
        return [Segment(midnight_us, midnight_us + DAY_US, State.off_shift, Mode.unknown)]
    windows = [(midnight_us + round(a * HOUR_US), midnight_us + round(b * HOUR_US)) for a, b in shifts.hours]
    pieces = draw_pieces(machine, stream(seed, factory_id, machine.machine_id, day.toordinal()))
    return list(lay(pieces, windows, midnight_us, midnight_us + DAY_US))


def lay(pieces: Iterator[Piece], windows: list[tuple[int, int]], start_us: int, end_us: int) -> Iterator[Segment]:
    """Put endless pieces into the working windows between ``start_us`` and ``end_us``, and fill what is around them."""
    at_us = start_us
    piece = next(pieces)
    left_us = piece.duration_us
    for opens_us, closes_us in windows:
        if at_us < opens_us:
            state = State.off_shift if at_us == start_us else State.planned_stop
            yield Segment(at_us, opens_us, state, Mode.unknown, None if state is State.off_shift else "break")
        at_us = opens_us
        while at_us < closes_us:
            until_us = min(at_us + left_us, closes_us)
            yield Segment(at_us, until_us, piece.state, piece.mode, piece.reason, piece.product, piece.cycle_us)
            left_us -= until_us - at_us
            at_us = until_us
            if left_us == 0:
                piece = next(pieces)
                left_us = piece.duration_us
    if at_us < end_us:
        yield Segment(at_us, end_us, State.off_shift, Mode.unknown)


def draw_pieces(machine: Machine, rng: Random) -> Iterator[Piece]:
    """Orders without end. The first is under way already on about half of the days."""
    if rng.random() < 0.5:
        yield from draw_order(machine, rng)
    while True:
        yield Piece(minutes(rng.uniform(8, 40)), State.setup, Mode.manual, "new order")
        yield from draw_order(machine, rng)
        if rng.random() < 0.4:
            yield Piece(minutes(rng.uniform(5, 60)), State.idle, MODES[machine.automation], "no order")


def draw_order(machine: Machine, rng: Random) -> Iterator[Piece]:
    """One order's production and what interrupts it."""
    product = f"P-{rng.randint(10, 99)}"
    by_hand = rng.random() < BY_HAND_SHARE
    mode = Mode.manual if by_hand else MODES[machine.automation]
    left_us = minutes(rng.uniform(60, 300))
    while left_us > 0:
        to_stop_us = seconds(rng.expovariate(1 / machine.between_stops_s))
        to_fault_us = seconds(rng.expovariate(1 / machine.between_faults_s))
        run_us = min(to_stop_us, to_fault_us, left_us)
        # Nobody runs at the ideal cycle: a few per cent slower, differently after every stop.
        cycle_us = seconds(machine.cycle_s * rng.uniform(1.02, 1.2))
        yield Piece(run_us, State.producing, mode, None, product, cycle_us)
        left_us -= run_us
        if left_us > 0 and to_fault_us <= to_stop_us:
            yield Piece(
                seconds(machine.repair_s * rng.lognormvariate(0, 0.5)), State.faulted, mode, rng.choice(FAULT_REASONS)
            )
        elif left_us > 0:
            yield Piece(seconds(rng.uniform(60, 600)), State.delayed, mode, rng.choice(STOP_REASONS))


def seconds(value: float) -> int:
    """Microseconds, of whole milliseconds, at least a second."""
    return max(round(value * 1000), 1000) * 1000


def minutes(value: float) -> int:
    """The same of minutes."""
    return seconds(value * 60)
