"""One machine's log lines to rows. Pure: the same lines give the same rows.

Lines of one timestamp act together, since a row is identified by its time. A value holds until the next one of its key.
Any readable line shows that the machine was heard, whatever it tells; only a remembered one (see ``shdr``) does not.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from services.gateway.assertion import Asserter, Assertion
from services.gateway.dialects import Dialect
from services.gateway.mtconnect import (
    NOTHING_KNOWN,
    UNAVAILABLE,
    PartCounter,
    Role,
    Signals,
    is_known_execution,
    word,
)
from services.gateway.rows import CountRow, ReadingRow, Row, StateRow
from services.gateway.shdr import Line


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
