"""What becomes of a simulated factory's day on its way to the platform. Pure.

Networks fall silent, and what was to be sent then is lost, or comes afterwards. Machines are unplugged from their
gateway. Some gateways send what they gathered only every so many hours. What was sent is sent again, corrected,
contradicted or withdrawn. Each mishap has its chance a day, times ``trouble``.
"""

import datetime as dt
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from schemas.wire.codes import Mode, State
from services.core.times import HOUR_US, MINUTE_US, SEOUL_OFFSET_US, ceil_to
from services.gateway import CountRow, StateRow
from services.simulator.fleet import Connection, Factory, Uploads, stream
from services.simulator.simulated_rows import Known, count_rows, hourly_count_rows, state_rows
from services.simulator.workday import Segment, plan_day

SILENCE, LOST_SHARE = 0.05, 0.4
UNPLUGGED = 0.02
SENT_AGAIN = 0.05
CORRECTED = 0.05
CONTRADICTED = 0.01
WITHDRAWN = 0.02
MOST_OFTEN = 0.9

LONGEST_DELAY_DAYS = 4
"""No row is sent more days than this after the day on which it happened."""

CORRECTIONS = {
    State.faulted: (State.planned_stop, "planned maintenance"),
    State.delayed: (State.setup, "set-up not reported"),
    State.idle: (State.planned_stop, "meeting"),
}
OTHERWISE = (State.idle, "no order")


class Delivery(NamedTuple):
    """A row, of a revision, as it is sent at ``due_us``."""

    due_us: int
    row: StateRow | CountRow
    revision: int = 0


@dataclass(frozen=True, slots=True)
class FactoryDay:
    """All that is sent of a factory's day, in the order of ``dues``; and when its network was silent."""

    deliveries: list[Delivery]
    dues: list[int]
    silences: list[tuple[int, int]]


def factory_day(seed: int, factory: Factory, day: dt.date, trouble: float) -> FactoryDay:
    """The day's rows and what becomes of them."""
    if factory.connection is Connection.NOTHING:
        return FactoryDay([], [], [])
    rng = stream(seed, factory.factory_id, day.toordinal(), "mishaps")
    known = what_is_known(seed, factory, day)
    if factory.connection is Connection.STATES and happens(rng, UNPLUGGED * trouble):
        known = unplug(rng, factory, known)
    silences = []
    if happens(rng, SILENCE * trouble):
        silences.append(draw_silence(rng, known))
        known = keep_silent(known, silences[0], is_lost=rng.random() < LOST_SHARE)
    if factory.uploads is not Uploads.AT_ONCE:
        known = [(upload_at(factory, due_us), row) for due_us, row in known]
    sent = [Delivery(due_us, row) for due_us, row in known]
    if sent:
        sent += second_thoughts(rng, sent, trouble)
    # Equal instants keep the order in which they were made, so that any cut of time gives the same order.
    sent.sort(key=by_due)
    return FactoryDay(sent, [delivery.due_us for delivery in sent], silences)


def by_due(delivery: Delivery) -> tuple[int, int]:
    return delivery.due_us, delivery.row.at_us


def what_is_known(seed: int, factory: Factory, day: dt.date) -> list[Known]:
    """The day's rows with the instant at which the gateway knows them, machine by machine."""
    known: list[Known] = []
    for machine in factory.machines:
        segments: list[Segment] = plan_day(seed, factory.factory_id, machine, factory.shifts, day)
        rng = stream(seed, factory.factory_id, machine.machine_id, day.toordinal(), "quality")
        if factory.connection is Connection.STATES:
            known += state_rows(machine.machine_id, segments)
            known += count_rows(machine, segments, rng)
        else:
            known += hourly_count_rows(machine, segments, rng)
    return known


def happens(rng: Random, chance: float) -> bool:
    return rng.random() < min(chance, MOST_OFTEN)


def unplug(rng: Random, factory: Factory, known: list[Known]) -> list[Known]:
    """A machine is not heard for a while: its gateway says so once, and nothing of it until it is heard again."""
    machine_id = rng.choice(factory.machines).machine_id
    own = [(due_us, row) for due_us, row in known if row.machine_id == machine_id and isinstance(row, StateRow)]
    if len(own) < 3:
        return known
    first = rng.randrange(1, len(own) - 1)
    last = min(len(own) - 1, first + rng.randint(1, 8))
    from_us, to_us = own[first][0] + rng.randint(1, 59) * 1_000_000, own[last][0]
    if from_us >= to_us:
        return known
    kept = [(d, row) for d, row in known if row.machine_id != machine_id or not from_us <= row.at_us < to_us]
    return [*kept, (from_us, StateRow(machine_id, from_us, State.unknown, Mode.unknown, "not heard"))]


def draw_silence(rng: Random, known: list[Known]) -> tuple[int, int]:
    """Half an hour to eight hours around something that was to be sent."""
    from_us = rng.choice(known)[0] if known else 0
    return from_us, from_us + round(rng.uniform(0.5, 8) * 3600) * 1_000_000


def keep_silent(known: list[Known], silence: tuple[int, int], *, is_lost: bool) -> list[Known]:
    """Lose what was to be sent within the silence, or send it afterwards."""
    from_us, to_us = silence
    if is_lost:
        return [(due_us, row) for due_us, row in known if not from_us <= due_us < to_us]
    return [(to_us if from_us <= due_us < to_us else due_us, row) for due_us, row in known]


def upload_at(factory: Factory, due_us: int) -> int:
    """The next time at which the gateway sends what it has."""
    return ceil_to(due_us + SEOUL_OFFSET_US, factory.uploads.value * HOUR_US) - SEOUL_OFFSET_US


def second_thoughts(rng: Random, sent: list[Delivery], trouble: float) -> list[Delivery]:
    """What is sent again, corrected, contradicted or withdrawn."""
    more: list[Delivery] = []
    if happens(rng, SENT_AGAIN * trouble):
        first = rng.randrange(len(sent))
        wait_us = rng.randint(1, 120) * MINUTE_US
        again = sent[first : first + rng.randint(1, 60)]
        latest_us = max(delivery.due_us for delivery in again)
        more += [Delivery(latest_us + wait_us, delivery.row) for delivery in again]
    if happens(rng, CORRECTED * trouble):
        more += [delivery for _ in range(rng.randint(1, 3)) for delivery in correct(rng, sent)]
    if happens(rng, CONTRADICTED * trouble):
        due_us, row, _ = rng.choice(sent)
        more.append(Delivery(due_us + rng.randint(1, 600) * 1_000_000, another(row)))
    if happens(rng, WITHDRAWN * trouble):
        due_us, row, _ = rng.choice(sent)
        revision = rng.randint(1, 3)
        more.append(Delivery(later(rng, due_us), row._replace(retracted=True), revision))
    return more


def correct(rng: Random, sent: list[Delivery]) -> list[Delivery]:
    """A row said anew, perhaps twice; now and then before what it corrects."""
    place = rng.randrange(len(sent))
    due_us, row, _ = sent[place]
    if rng.random() < 0.2:
        sent[place] = Delivery(later(rng, due_us), row)
        return [Delivery(due_us, another(row), 1)]
    said = [Delivery(later(rng, due_us), another(row), 1)]
    if rng.random() < 0.3:
        said.append(Delivery(later(rng, due_us), another(another(row)), 2))
    return said


def later(rng: Random, due_us: int) -> int:
    """Some hours later."""
    return due_us + rng.randint(20, 600) * MINUTE_US


def another(row: StateRow | CountRow) -> StateRow | CountRow:
    """The same row with other content."""
    if isinstance(row, StateRow):
        state, reason = CORRECTIONS.get(row.state, OTHERWISE)
        return row._replace(state=state, reason=reason)
    return row._replace(good=max(row.good - 2, 0), scrap=row.scrap + 1)
