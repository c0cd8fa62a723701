"""Translates what one machine's log lines reported into rows. Pure: the same lines give the same rows.

Lines of one timestamp act together, since a row is identified by its time. A value holds until the next one of its data
item. Any line that says something of the machine is evidence that it was heard, except an old value that a connection
begins with (see ``mtconnect.head``).

A state is asserted at every change, and again for as long as the machine is heard. On the platform a state holds for
the machine's ``state_ttl_s`` at most, so a machine has its status for that long after its last line, and is unknown
from then on. This does not take a row per line: while the machine is heard, at most ``reassert_us`` passes between two
rows, and the last moment heard before a longer pause always has one. Which moment that is shows only at the next line.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from schemas.wire.codes import State
from services.gateway.mtconnect.machine import UNKNOWN, Machine, Status
from services.gateway.mtconnect.model import DeviceModel, Role
from services.gateway.mtconnect.observations import Line, Measurement, Value
from services.gateway.mtconnect.part_counts import PartCounts
from services.gateway.mtconnect.problems import Place, Problems
from services.gateway.records import CountRow, ReadingRow, Row, StateRow

Assertion = tuple[int, Status]
"""An instant in microseconds since the epoch, and the status asserted at it."""


class SourcedRow(NamedTuple):
    """A row, and the place in the log that it comes from."""

    row: Row
    place: Place


class Asserter:
    """Turns the moments at which one machine was heard into the assertions to send.

    Under any hold time of at least ``reassert_us`` the assertions cover exactly what an assertion at every moment
    would. ``unknown`` is asserted once, to end a hold, and never without one.
    """

    def __init__(self, reassert_us: int) -> None:
        self._reassert_us = reassert_us
        self._status = UNKNOWN
        self._asserted_us = 0
        self._heard_us = 0

    @property
    def status(self) -> Status:
        """The status last asserted."""
        return self._status

    def hear(self, at_us: int, status: Status) -> list[Assertion]:
        """Take note that the machine was heard, with ``status`` from then on. Return the assertions that this requires.

        Args:
            at_us: later than in every call before.
        """
        assertions = []
        if at_us - self._asserted_us > self._reassert_us:
            assertions += self.finish()
        if status != self._status:
            assertions.append((at_us, status))
            self._status, self._asserted_us = status, at_us
        self._heard_us = at_us
        return assertions

    def finish(self) -> list[Assertion]:
        """Return the assertion of the last moment heard, unless there is one already."""
        if self._status.state is State.unknown or self._heard_us == self._asserted_us:
            return []
        self._asserted_us = self._heard_us
        return [(self._heard_us, self._status)]


class Translator:
    """Translates the lines of one machine."""

    def __init__(
        self,
        machine_id: str,
        model: DeviceModel,
        reassert_us: int,
        problems: Problems,
        *,
        readings: bool,
        ideal_cycle_us: int | None = None,
    ) -> None:
        """Set the machine.

        Args:
            problems: takes the counters' implausible values.
            readings: whether measurements become rows, too.
            ideal_cycle_us: the shortest time that a piece takes, if it is known.
        """
        self._machine_id = machine_id
        self._with_readings = readings
        self._machine = Machine(model)
        self._status = self._machine.status()
        self._parts = PartCounts(model.of_role(Role.PART_COUNT), ideal_cycle_us, problems)
        self._asserter = Asserter(reassert_us)
        self._heard_at = Place("")

    def rows(self, lines: Sequence[Line]) -> Iterator[SourcedRow]:
        """Yield the rows of ``lines``, which are ordered by timestamp.

        The rows are not in order: only a later line shows that a moment before it needs a row, or that a counter was
        right. Counts come last.
        """
        for at_us, group in groupby(lines, key=lambda line: line.at_us):
            yield from self._rows_at(at_us, list(group))
        yield from self._state_rows(self._asserter.finish(), 0, self._heard_at)
        for (at_us, program), pieces in self._parts.finish():
            row = CountRow(self._machine_id, at_us, good=pieces.good, scrap=pieces.bad, product=program)
            yield SourcedRow(row, pieces.place)

    def _rows_at(self, at_us: int, lines: list[Line]) -> Iterator[SourcedRow]:
        readings: dict[str, tuple[float, Place]] = {}
        has_changed = False
        for line in lines:
            for observation in line.observations:
                if isinstance(observation, Measurement):
                    if observation.item.metric is not None and line.is_evidence:
                        readings[observation.item.metric] = (observation.number, line.place)
                elif isinstance(observation, Value) and observation.item.role is Role.PART_COUNT:
                    program = self._machine.program(observation.item)
                    self._parts.observe(at_us, observation, line.place, program)
                else:
                    has_changed = True
                    self._machine.apply(observation)
        if has_changed:
            self._status = self._machine.status()
        place = lines[-1].place
        yield from self._state_rows(self._assert(at_us, lines), at_us, place)
        self._heard_at = place
        if self._with_readings:
            for metric, (number, measured_at) in readings.items():
                yield SourcedRow(ReadingRow(self._machine_id, at_us, metric, number), measured_at)

    def _assert(self, at_us: int, lines: list[Line]) -> list[Assertion]:
        if any(line.is_evidence for line in lines):
            return self._asserter.hear(at_us, self._status)
        # The state changed before the log was listening: the earlier one holds no longer, and no more is known.
        return self._asserter.hear(at_us, UNKNOWN) if self._status.state != self._asserter.status.state else []

    def _state_rows(self, assertions: list[Assertion], at_us: int, place: Place) -> Iterator[SourcedRow]:
        for asserted_us, status in assertions:
            row = StateRow(self._machine_id, asserted_us, status.state, status.mode, status.reason)
            yield SourcedRow(row, place if asserted_us == at_us else self._heard_at)
