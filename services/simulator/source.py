"""What a simulated factory sends between two instants. Adjacent windows add up to exactly the whole."""

import datetime as dt
from bisect import bisect_left
from dataclasses import dataclass

from schemas.wire.codes import State
from services.core.times import seoul_day
from services.gateway import ReadingRow, StateRow
from services.simulator.fleet import Connection, Factory
from services.simulator.mishaps import Delivery, FactoryDay, due_order, factory_day, longest_delay
from services.simulator.workday import Segment, plan_day, reading_rows

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated: a seed, the beginning, and a factor for how often something goes wrong.

    Nothing that happens before ``begin_us`` is ever sent.
    """

    seed: int
    begin_us: int
    trouble: float = 1.0


class Source:
    """One factory of a world. What its methods return depends on their arguments alone; recent days are cached."""

    def __init__(self, world: World, factory: Factory) -> None:
        self.factory = factory
        self._world = world
        self._first_day = seoul_day(world.begin_us)
        self._days: dict[dt.date, FactoryDay] = {}
        self._plans: dict[tuple[str, dt.date], list[Segment]] = {}

    def deliveries(self, from_us: int, to_us: int) -> list[Delivery]:
        """Return what is sent in [from_us, to_us), in order.

        At the beginning of the world that includes every machine's state, as from a gateway that is switched on.
        """
        sent = self._opening() if from_us <= self._world.begin_us < to_us else []
        first = seoul_day(from_us) - longest_delay(self.factory)
        last = seoul_day(to_us - 1)
        day = max(first, self._first_day)
        while day <= last:
            sent_of_day = self._day(day)
            first_due, end_due = (bisect_left(sent_of_day.due_us, us) for us in (from_us, to_us))
            due = sent_of_day.deliveries[first_due:end_due]
            sent += [d for d in due if d.row.at_us > self._world.begin_us] if day == self._first_day else due
            day += ONE_DAY
        for old in [day for day in self._days if not first <= day or day < last - longest_delay(self.factory)]:
            del self._days[old]
        sent.sort(key=due_order)
        return sent

    def readings(self, from_us: int, to_us: int, every_us: int) -> list[ReadingRow]:
        """Return the readings within [from_us, to_us), of machines not off shift, while the network is not silent."""
        rows: list[ReadingRow] = []
        day = seoul_day(from_us)
        while day <= seoul_day(to_us - 1):
            silences = self._day(day).silences
            for machine in self.factory.machines:
                key = f"{self._world.seed}:{self.factory.factory_id}:{machine.machine_id}"
                for segment in self._plan(machine.machine_id, day):
                    since_us, until_us = max(segment.start_us, from_us), min(segment.end_us, to_us)
                    if since_us < until_us and segment.state is not State.off_shift:
                        found = reading_rows(machine.machine_id, segment, since_us, until_us, every_us, key)
                        rows += [row for row in found if not any(a <= row.at_us < b for a, b in silences)]
            day += ONE_DAY
        rows.sort(key=lambda row: (row.at_us, row.machine_id))
        return rows

    def _opening(self) -> list[Delivery]:
        """Return every machine's state at the beginning, if the factory sends states."""
        begin_us = self._world.begin_us
        if self.factory.connection is not Connection.STATES:
            return []
        opening = []
        for machine in self.factory.machines:
            segments = self._plan(machine.machine_id, self._first_day)
            current = next(segment for segment in segments if segment.end_us > begin_us)
            row = StateRow(machine.machine_id, begin_us, current.state, current.mode, current.reason)
            opening.append(Delivery(begin_us, row))
        return opening

    def _day(self, day: dt.date) -> FactoryDay:
        if day not in self._days:
            self._days[day] = factory_day(self._world.seed, self.factory, day, self._world.trouble)
        return self._days[day]

    def _plan(self, machine_id: str, day: dt.date) -> list[Segment]:
        if (machine_id, day) not in self._plans:
            self._plans = {key: plan for key, plan in self._plans.items() if key[1] >= day - ONE_DAY}
            machine = next(machine for machine in self.factory.machines if machine.machine_id == machine_id)
            self._plans[machine_id, day] = plan_day(
                self._world.seed, self.factory.factory_id, machine, self.factory.shifts, day
            )
        return self._plans[machine_id, day]
