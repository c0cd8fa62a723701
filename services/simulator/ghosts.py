"""Factories that send what was made up, or is wrong: one for each plausibility rule. Pure.

They come after the honest factories, of which nothing changes. What they send follows from the seed as all else does;
nothing goes wrong with it on its way.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from schemas.plausibility_rules import RuleId
from schemas.wire.codes import Mode, State
from services.core.times import DAY_US, HOUR_US, MINUTE_US, seoul_midnight_us
from services.gateway import CountRow, StateRow
from services.simulator.fleet import Connection, Factory, Machine, ShiftPattern, Uploads, make_factory, stream
from services.simulator.workday import REASSERT_US, KnownRow, count_rows, plan_day, state_rows

FEWEST_MACHINES = 2
"""Two machines can be alike."""
CYCLE_S = 60.0
REPLAYED = dt.date(2020, 1, 1)
"""The day that is sent again and again."""
TIMES_MADE = 10
CLOCK_BEHIND_US = 2 * HOUR_US
UPLOADED_AFTER_US = 2 * DAY_US
"""How long after a month's end it is uploaded."""
LONGEST_DELAY_DAYS = 34
"""Every row of a ghost is sent at most this many days after the day that it belongs to."""


def make_ghosts(seed: int, factories: int, machines: int | None = None) -> tuple[Factory, ...]:
    """Make a ghost for each rule, to follow ``factories`` honest factories; each has two machines at least."""
    count = None if machines is None else max(machines, FEWEST_MACHINES)
    return tuple(make_ghost(seed, factories + n, count, rule) for n, rule in enumerate(RuleId, start=1))


def make_ghost(seed: int, number: int, machines: int | None, rule: RuleId) -> Factory:
    """Make the ghost of that number: it works around the clock and sends at once, whatever it sends."""
    factory = make_factory(seed, number, machines)
    if len(factory.machines) < FEWEST_MACHINES:
        factory = make_factory(seed, number, FEWEST_MACHINES)
    own = tuple(replace(machine, cycle_s=CYCLE_S, ideal_cycle_s=CYCLE_S) for machine in factory.machines)
    return replace(
        factory,
        shifts=ShiftPattern.ROUND_THE_CLOCK,
        connection=Connection.STATES,
        uploads=Uploads.AT_ONCE,
        machines=own,
        ghost=rule,
    )


def ghost_rows(seed: int, factory: Factory, day: dt.date) -> list[KnownRow]:
    """Return what a ghost sends of a day, machine by machine, with the instants at which it is sent."""
    match factory.ghost:
        case RuleId.replayed_day:
            shift_us = seoul_midnight_us(day) - seoul_midnight_us(REPLAYED)
            return [
                (due_us + shift_us, row._replace(at_us=row.at_us + shift_us))
                for due_us, row in honest_rows(seed, factory, factory.machines, REPLAYED)
            ]
        case RuleId.identical_series:
            first = honest_rows(seed, factory, factory.machines[:1], day)
            names = [machine.machine_id for machine in factory.machines]
            return [(due_us, row._replace(machine_id=name)) for name in names for due_us, row in first]
        case RuleId.never_varies:
            return [row for machine in factory.machines for row in steady_rows(machine, day, State.producing)]
        case RuleId.pieces_without_production:
            return [row for machine in factory.machines for row in steady_rows(machine, day, State.idle)]
        case RuleId.beyond_capacity:
            return [
                (due_us, row._replace(good=TIMES_MADE * row.good) if isinstance(row, CountRow) else row)
                for due_us, row in honest_rows(seed, factory, factory.machines, day)
            ]
        case RuleId.sent_in_bulk:
            next_month = (day.replace(day=1) + dt.timedelta(days=31)).replace(day=1)
            due_us = seoul_midnight_us(next_month) + UPLOADED_AFTER_US
            return [(due_us, row) for _, row in honest_rows(seed, factory, factory.machines, day)]
        case _:
            return [
                (due_us, row._replace(at_us=row.at_us - CLOCK_BEHIND_US))
                for due_us, row in honest_rows(seed, factory, factory.machines, day)
            ]


def honest_rows(seed: int, factory: Factory, machines: Sequence[Machine], day: dt.date) -> list[KnownRow]:
    """Return what some machines of an honest factory would send of a day."""
    rows: list[KnownRow] = []
    for machine in machines:
        segments = plan_day(seed, factory.factory_id, machine, factory.shifts, day)
        rng = stream(seed, factory.factory_id, machine.machine_id, day.toordinal(), "quality")
        rows += state_rows(machine.machine_id, segments)
        rows += count_rows(machine, segments, rng)
    return rows


def steady_rows(machine: Machine, day: dt.date, state: State) -> list[KnownRow]:
    """Return a day in one state, with ten pieces every half hour."""
    start_us = seoul_midnight_us(day)
    mode = Mode.automatic if state is State.producing else Mode.unknown
    states = [StateRow(machine.machine_id, at, state, mode) for at in range(start_us, start_us + DAY_US, REASSERT_US)]
    counts = [
        CountRow(machine.machine_id, start_us + half * 30 * MINUTE_US + 10 * MINUTE_US, good=10) for half in range(48)
    ]
    rows: list[StateRow | CountRow] = [*states, *counts]
    return [(row.at_us, row) for row in rows]
