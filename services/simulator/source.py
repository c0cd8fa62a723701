"""What a simulated factory sends between two instants. Cut anywhere, the pieces are the whole."""

import datetime as dt
from bisect import bisect_left
from dataclasses import dataclass

from schemas.wire.codes import State
from services.core.times import seoul_day
from services.gateway import ReadingRow, StateRow
from services.simulator.fleet import Connection, Factory
from services.simulator.mishaps import LONGEST_DELAY_DAYS, Delivery, FactoryDay, by_due, factory_day
from services.simulator.simulated_rows import reading_rows
from services.simulator.workday import Segment, plan_day

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated: a seed, when it all begins, and how many times as often as usual something goes wrong.

    Nothing that happens before ``begin_us`` is ever sent.
    """

    seed: int
    begin_us: int
    trouble: float = 1.0


class Source:
    """One factory of a world. Its answers depend on their arguments alone; days asked for lately are remembered."""

    def __init__(self, world: World, factory: Factory) -> None:
        self.factory = factory
        self._world = world
        self._first_day = seoul_day(world.begin_us)
        self._days: dict[dt.date, FactoryDay] = {}
        self._plans: dict[tuple[str, dt.date], list[Segment]] = {}

    def deliveries(self, from_us: int, to_us: int) -> list[Delivery]:
        """What is sent in [from_us, to_us), in order.

        At the beginning that is also what every machine does, as from a gateway that is switched on.
        """
        sent = self._opening() if from_us <= self._world.begin_us < to_us else []
        first = seoul_day(from_us) - LONGEST_DELAY_DAYS * ONE_DAY
        last = seoul_day(to_us - 1)
        day = max(first, self._first_day)
        while day <= last:
            known = self._day(day)
            due = known.deliveries[bisect_left(known.dues, from_us) : bisect_left(known.dues, to_us)]
            sent += [d for d in due if d.row.at_us > self._world.begin_us] if day == self._first_day else due
            day += ONE_DAY
        for old in [day for day in self._days if not first <= day or day < last - LONGEST_DELAY_DAYS * ONE_DAY]:
            del self._days[old]
        sent.sort(key=by_due)
        return sent

    def readings(self, from_us: int, to_us: int, every_us: int) -> list[ReadingRow]:
        """Readings within [from_us, to_us), of machines not off shift, while the network is not silent."""
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
        """Every machine's state at the beginning, where states are sent."""
        begin_us = self._world.begin_us
        if self.factory.connection is not Connection.STATES:
            return []
        found = []
        for machine in self.factory.machines:
            segments = self._plan(machine.machine_id, self._first_day)
            now = next(segment for segment in segments if segment.end_us > begin_us)
            found.append(Delivery(begin_us, StateRow(machine.machine_id, begin_us, now.state, now.mode, now.reason)))
        return found

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
