"""Translates one machine's log lines into rows. Pure: the same lines give the same rows.

Lines of one timestamp act together, since a row is identified by its time. A value holds until the next one of its key.
Any readable line shows that the machine was heard, whatever it tells; only a remembered one (see ``shdr``) does not.

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
    NOTHING_KNOWN,
    UNAVAILABLE,
    PartCounter,
    Role,
    Signals,
    Status,
    is_known_execution,
    word,
)
from services.gateway.records import CountRow, ReadingRow, Row, StateRow
from services.gateway.shdr import Line

Assertion = tuple[int, Status]
"""An instant in microseconds since the epoch, and the status asserted for it."""


class Asserter:
    """Turns the moments at which one machine was heard into the assertions to send.

    Whatever the moments: under any hold time of at least ``reassert_us`` the assertions cover exactly what an
    assertion at every moment would. ``unknown`` is asserted once, to end a hold, and never before there was one.
    """

    def __init__(self, reassert_us: int) -> None:
        self._reassert_us = reassert_us
        self._status = NOTHING_KNOWN
        self._asserted_us = 0
        self._heard_us = 0

    @property
    def status(self) -> Status:
        """The status last asserted."""
        return self._status

    def hear(self, at_us: int, status: Status) -> list[Assertion]:
        """The machine is heard at ``at_us``, later than ever before, and has ``status`` from then on."""
        assertions = []
        if at_us - self._asserted_us > self._reassert_us:
            assertions += self.finish()
        if status != self._status:
            assertions.append((at_us, status))
            self._status, self._asserted_us = status, at_us
        self._heard_us = at_us
        return assertions

    def finish(self) -> list[Assertion]:
        """Nothing more is heard for now: assert the last moment heard, unless that was done."""
        if self._status.state is State.unknown or self._heard_us == self._asserted_us:
            return []
        self._asserted_us = self._heard_us
        return [(self._heard_us, self._status)]


@dataclass(slots=True)
class Unused:
    """Samples that no row tells of: by key, those that the dialect does not map; by key and value, the unreadable."""

    ignored: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)


class Translator:
    """The translation of one machine's lines; ``unused`` is what it left out."""

    def __init__(self, machine_id: str, dialect: Dialect, reassert_us: int, *, readings: bool) -> None:
        self.unused = Unused()
        self._machine_id = machine_id
        self._roles = dialect.roles
        self._metrics = dialect.readings
        self._readings = readings
        self._signals = Signals()
        self._status = NOTHING_KNOWN
        self._counter = PartCounter()
        self._asserter = Asserter(reassert_us)

    def rows(self, lines: Sequence[Line]) -> Iterator[Row]:
        """The rows of all ``lines``, which are in the order of their timestamps.

        The rows are not quite in order: that the last moment heard needs a row only the next one shows.
        """
        for at_us, group in groupby(lines, key=lambda line: line.at_us):
            yield from self._instant(at_us, list(group))
        yield from self._states(self._asserter.finish())

    def _instant(self, at_us: int, lines: list[Line]) -> Iterator[Row]:
        made: int | None = None
        readings: dict[str, float] = {}
        told = False
        for line in lines:
            if line.condition is not None:
                told = True
                self._signals.faults.apply(line.condition)
            for key, value in line.values:
                if key in self._roles:
                    told = True
                    increment = self._take(key, value)
                    made = made if increment is None else (made or 0) + increment
                elif key in self._metrics:
                    self._measure(key, value, readings)
                else:
                    self.unused.ignored[key] += 1
        if told:
            self._status = self._signals.status()
        remembered = all(line.remembered for line in lines)
        yield from self._states(self._assert(at_us, remembered))
        if made is not None:
            yield CountRow(self._machine_id, at_us, good=made)
        if self._readings and not remembered:
            for metric, number in readings.items():
                yield ReadingRow(self._machine_id, at_us, metric, number)

    def _take(self, key: str, value: str) -> int | None:
        """Take a value that state or counts are read from; returns the parts that it counts."""
        role = self._roles[key]
        if role is Role.PART_COUNT:
            try:
                return self._counter.count(value)
            except ValueError:
                self.unused.unreadable[f"{key}={value[:40]}"] += 1
                return None
        if role is Role.EXECUTION and not is_known_execution(value):
            self.unused.unreadable[f"{key}={value[:40]}"] += 1
        self._signals.values[role] = value
        return None

    def _measure(self, key: str, value: str, readings: dict[str, float]) -> None:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            readings[self._metrics[key]] = number
        elif word(value) != UNAVAILABLE:
            self.unused.unreadable[f"{key}={value[:40]}"] += 1

    def _assert(self, at_us: int, remembered: bool) -> list[Assertion]:
        if not remembered:
            return self._asserter.hear(at_us, self._status)
        # Something changed while nobody listened: what was asserted before holds no longer, and no more is known.
        return self._asserter.hear(at_us, NOTHING_KNOWN) if self._status != self._asserter.status else []

    def _states(self, assertions: list[Assertion]) -> Iterator[Row]:
        for at_us, status in assertions:
            yield StateRow(self._machine_id, at_us, status.state, status.mode, status.reason)
