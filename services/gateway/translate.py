"""Translates one machine's log lines into rows. Pure: the same lines give the same rows.

Lines of one timestamp act together, since a row is identified by its time. A value holds until the next one of its key.
Any valid line is evidence that the machine was heard, whatever it says, except a remembered one (see ``shdr``).

A state is asserted at every change, and again for as long as the machine is heard. On the platform a state holds for
the machine's ``state_ttl_s`` at most, so a machine has its status for that long after its last line, and is unknown
from then on. This does not take a row per line: while the machine is heard, at most ``reassert_us`` passes between two
rows, and the last moment heard before a longer pause always has one. Which moment that is shows only at the next line.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from schemas.wire.codes import State
from services.gateway.dialects import Dialect
from services.gateway.mtconnect import (
    UNAVAILABLE,
    UNKNOWN,
    PartCounter,
    Role,
    Signals,
    Status,
    is_known_execution,
    normalised,
)
from services.gateway.records import CountRow, ReadingRow, Row, StateRow
from services.gateway.shdr import Line

Assertion = tuple[int, Status]
"""An instant in microseconds since the epoch, and the status asserted at it."""


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


@dataclass(slots=True)
class Unused:
    """The values that the dialect cannot use.

    Attributes:
        ignored: how often each key occurred that the dialect does not know.
        unreadable: how often each ``key=value`` occurred whose value is not valid for its key.
    """

    ignored: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)


class Translator:
    """Translates the lines of one machine; ``unused`` tallies what it left out."""

    def __init__(self, machine_id: str, dialect: Dialect, reassert_us: int, *, readings: bool) -> None:
        self.unused = Unused()
        self._machine_id = machine_id
        self._dialect = dialect
        self._with_readings = readings
        self._signals = Signals()
        self._status = UNKNOWN
        self._counter = PartCounter()
        self._asserter = Asserter(reassert_us)

    def rows(self, lines: Sequence[Line]) -> Iterator[Row]:
        """Yield the rows of ``lines``, which are ordered by timestamp.

        The rows are not quite in order: only the next line shows that the last moment heard before it needs a row.
        """
        for at_us, group in groupby(lines, key=lambda line: line.at_us):
            yield from self._rows_at(at_us, list(group))
        yield from self._state_rows(self._asserter.finish())

    def _rows_at(self, at_us: int, lines: list[Line]) -> Iterator[Row]:
        parts: int | None = None
        readings: dict[str, float] = {}
        has_signals = False
        for line in lines:
            if line.condition is not None:
                has_signals = True
                self._signals.faults.apply(line.condition)
            for key, value in line.values:
                if key in self._dialect.roles:
                    has_signals = True
                    counted = self._apply(key, value)
                    parts = parts if counted is None else (parts or 0) + counted
                elif key in self._dialect.readings:
                    self._measure(key, value, readings)
                else:
                    self.unused.ignored[key] += 1
        if has_signals:
            self._status = self._signals.status()
        is_remembered = all(line.remembered for line in lines)
        yield from self._state_rows(self._assert(at_us, is_remembered))
        if parts is not None:
            yield CountRow(self._machine_id, at_us, good=parts)
        if self._with_readings and not is_remembered:
            for metric, number in readings.items():
                yield ReadingRow(self._machine_id, at_us, metric, number)

    def _apply(self, key: str, value: str) -> int | None:
        """Apply a value that states or counts are derived from. Return the parts that it counts."""
        role = self._dialect.roles[key]
        if role is Role.PART_COUNT:
            try:
                return self._counter.count(value)
            except ValueError:
                self._note_unreadable(key, value)
                return None
        if role is Role.EXECUTION and not is_known_execution(value):
            self._note_unreadable(key, value)
        self._signals.values[role] = value
        return None

    def _measure(self, key: str, value: str, readings: dict[str, float]) -> None:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            readings[self._dialect.readings[key]] = number
        elif normalised(value) != UNAVAILABLE:
            self._note_unreadable(key, value)

    def _note_unreadable(self, key: str, value: str) -> None:
        self.unused.unreadable[f"{key}={value[:40]}"] += 1

    def _assert(self, at_us: int, is_remembered: bool) -> list[Assertion]:
        if not is_remembered:
            return self._asserter.hear(at_us, self._status)
        # Something changed before the log was listening: the earlier state holds no longer, and no more is known.
        return self._asserter.hear(at_us, UNKNOWN) if self._status != self._asserter.status else []

    def _state_rows(self, assertions: list[Assertion]) -> Iterator[Row]:
        for at_us, status in assertions:
            yield StateRow(self._machine_id, at_us, status.state, status.mode, status.reason)
