"""What goes wrong with a simulated factory's day on its way to the platform. Pure.

Networks go silent, and what was due then is lost or comes afterwards. Machines are unplugged from their gateway. Some
gateways upload only every few hours. Rows are sent again, corrected, contradicted or retracted. Each mishap has a
chance per day, which ``trouble`` multiplies.
"""

import datetime as dt
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from schemas.wire.codes import Mode, State
from services.core.times import HOUR_US, MINUTE_US, SEOUL_OFFSET_US, ceil_to
from services.gateway import CountRow, StateRow
from services.simulator.fleet import Connection, Factory, Uploads, stream
from services.simulator.ghosts import LONGEST_DELAY_DAYS as GHOSTS_DELAY_DAYS
from services.simulator.ghosts import ghost_rows
from services.simulator.workday import KnownRow, Segment, count_rows, hourly_count_rows, plan_day, state_rows

SILENCE, LOST_SHARE = 0.05, 0.4
UNPLUGGED = 0.02
SENT_AGAIN = 0.05
CORRECTED = 0.05
CONTRADICTED = 0.01
RETRACTED = 0.02
HIGHEST_CHANCE = 0.9

LONGEST_DELAY_DAYS = 4
"""Every row is sent at most this many days after the day that it belongs to."""

CORRECTIONS = {
    State.faulted: (State.planned_stop, "planned maintenance"),
    State.delayed: (State.setup, "set-up not reported"),
    State.idle: (State.planned_stop, "meeting"),
}
OTHER_CORRECTION = (State.idle, "no order")


def longest_delay(factory: Factory) -> dt.timedelta:
    """Return how long after its day a row of the factory is sent at the latest."""
    return dt.timedelta(days=LONGEST_DELAY_DAYS if factory.ghost is None else GHOSTS_DELAY_DAYS)


class Delivery(NamedTuple):
    """A row that is sent at ``due_us`` in a record of ``revision``."""

    due_us: int
    row: StateRow | CountRow
    revision: int = 0


@dataclass(frozen=True, slots=True)
class FactoryDay:
    """What is sent of a factory's day, ordered by ``due_us``; those instants alone; and when its network was silent."""

    deliveries: list[Delivery]
    due_us: list[int]
    silences: list[tuple[int, int]]


def factory_day(seed: int, factory: Factory, day: dt.date, trouble: float) -> FactoryDay:
    """Return what the factory sends of one day, after all mishaps."""
    if factory.connection is Connection.NOTHING:
        return FactoryDay([], [], [])
    if factory.ghost is not None:
        made_up = sorted((Delivery(due_us, row) for due_us, row in ghost_rows(seed, factory, day)), key=due_order)
        return FactoryDay(made_up, [delivery.due_us for delivery in made_up], [])
    rng = stream(seed, factory.factory_id, day.toordinal(), "mishaps")
    known = known_rows(seed, factory, day)
    if factory.connection is Connection.STATES and draw_chance(rng, UNPLUGGED * trouble):
        known = unplug(rng, factory, known)
    silences = []
    if draw_chance(rng, SILENCE * trouble):
        silences.append(draw_silence(rng, known))
        known = silence(known, silences[0], is_lost=rng.random() < LOST_SHARE)
    if factory.uploads is not Uploads.AT_ONCE:
        known = [(next_upload(factory, due_us), row) for due_us, row in known]
    sent = [Delivery(due_us, row) for due_us, row in known]
    if sent:
        sent += draw_repetitions(rng, sent, trouble)
    # The sort is stable, so the order does not depend on the windows that deliveries are asked for in.
    sent.sort(key=due_order)
    return FactoryDay(sent, [delivery.due_us for delivery in sent], silences)


def due_order(delivery: Delivery) -> tuple[int, int]:
    return delivery.due_us, delivery.row.at_us


def known_rows(seed: int, factory: Factory, day: dt.date) -> list[KnownRow]:
    """Return the day's rows, machine by machine, as they would be sent if nothing went wrong."""
    known: list[KnownRow] = []
    for machine in factory.machines:
        segments: list[Segment] = plan_day(seed, factory.factory_id, machine, factory.shifts, day)
        rng = stream(seed, factory.factory_id, machine.machine_id, day.toordinal(), "quality")
        if factory.connection is Connection.STATES:
            known += state_rows(machine.machine_id, segments)
            known += count_rows(machine, segments, rng)
        else:
            known += hourly_count_rows(machine, segments, rng)
    return known


def draw_chance(rng: Random, chance: float) -> bool:
    return rng.random() < min(chance, HIGHEST_CHANCE)


def unplug(rng: Random, factory: Factory, known: list[KnownRow]) -> list[KnownRow]:
    """Unplug one machine for a while: replace its rows of that time by a single ``unknown``."""
    machine_id = rng.choice(factory.machines).machine_id
    states = [(due_us, row) for due_us, row in known if row.machine_id == machine_id and isinstance(row, StateRow)]
    if len(states) < 3:
        return known
    first = rng.randrange(1, len(states) - 1)
    last = min(len(states) - 1, first + rng.randint(1, 8))
    from_us, to_us = states[first][0] + rng.randint(1, 59) * 1_000_000, states[last][0]
    if from_us >= to_us:
        return known
    kept = [(d, row) for d, row in known if row.machine_id != machine_id or not from_us <= row.at_us < to_us]
    return [*kept, (from_us, StateRow(machine_id, from_us, State.unknown, Mode.unknown, "not heard"))]


def draw_silence(rng: Random, known: list[KnownRow]) -> tuple[int, int]:
    """Draw half an hour to eight hours that begin when a row is due."""
    from_us = rng.choice(known)[0] if known else 0
    return from_us, from_us + round(rng.uniform(0.5, 8) * 3600) * 1_000_000


def silence(known: list[KnownRow], window: tuple[int, int], *, is_lost: bool) -> list[KnownRow]:
    """Lose the rows that are due within a window, or delay them until its end."""
    from_us, to_us = window
    if is_lost:
        return [(due_us, row) for due_us, row in known if not from_us <= due_us < to_us]
    return [(to_us if from_us <= due_us < to_us else due_us, row) for due_us, row in known]


def next_upload(factory: Factory, due_us: int) -> int:
    """Return the first instant from ``due_us`` on at which the gateway uploads."""
    return ceil_to(due_us + SEOUL_OFFSET_US, factory.uploads.value * HOUR_US) - SEOUL_OFFSET_US


def draw_repetitions(rng: Random, sent: list[Delivery], trouble: float) -> list[Delivery]:
    """Draw what is sent again, corrected, contradicted or retracted; may delay deliveries in ``sent``."""
    more: list[Delivery] = []
    if draw_chance(rng, SENT_AGAIN * trouble):
        first = rng.randrange(len(sent))
        wait_us = rng.randint(1, 120) * MINUTE_US
        again = sent[first : first + rng.randint(1, 60)]
        latest_us = max(delivery.due_us for delivery in again)
        more += [Delivery(latest_us + wait_us, delivery.row) for delivery in again]
    if draw_chance(rng, CORRECTED * trouble):
        more += [delivery for _ in range(rng.randint(1, 3)) for delivery in draw_corrections(rng, sent)]
    if draw_chance(rng, CONTRADICTED * trouble):
        due_us, row, _ = rng.choice(sent)
        more.append(Delivery(due_us + rng.randint(1, 600) * 1_000_000, corrected(row)))
    if draw_chance(rng, RETRACTED * trouble):
        due_us, row, _ = rng.choice(sent)
        revision = rng.randint(1, 3)
        more.append(Delivery(draw_later(rng, due_us), row._replace(retracted=True), revision))
    return more


def draw_corrections(rng: Random, sent: list[Delivery]) -> list[Delivery]:
    """Correct one row, once or twice; now and then the correction arrives before the row."""
    index = rng.randrange(len(sent))
    due_us, row, _ = sent[index]
    if rng.random() < 0.2:
        sent[index] = Delivery(draw_later(rng, due_us), row)
        return [Delivery(due_us, corrected(row), 1)]
    corrections = [Delivery(draw_later(rng, due_us), corrected(row), 1)]
    if rng.random() < 0.3:
        corrections.append(Delivery(draw_later(rng, due_us), corrected(corrected(row)), 2))
    return corrections


def draw_later(rng: Random, due_us: int) -> int:
    """Return an instant twenty minutes to ten hours later."""
    return due_us + rng.randint(20, 600) * MINUTE_US


def corrected(row: StateRow | CountRow) -> StateRow | CountRow:
    """Return a row of the same identity with other content."""
    if isinstance(row, StateRow):
        state, reason = CORRECTIONS.get(row.state, OTHER_CORRECTION)
        return row._replace(state=state, reason=reason)
    return row._replace(good=max(row.good - 2, 0), scrap=row.scrap + 1)
