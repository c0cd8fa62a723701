"""Streams a simulated fleet: its history first, then what it does now, second by second, until told to stop."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from tqdm import tqdm

from schemas.wire.instants import format_ms
from services.core.clock import Clock
from services.core.times import DAY_US, HOUR_US, LAST_INSTANT_US, MINUTE_US, SECOND_US
from services.gateway import Record, RecordWriter, Row, new_boot_id
from services.simulator.fleet import Connection, Factory, signing_seed
from services.simulator.mishaps import Delivery
from services.simulator.registration import key_id
from services.simulator.source import Source, World

if TYPE_CHECKING:
    from services.gateway import Sender

GATEWAY_ID = "simulator"
MAXIMUM_ROWS = 3000
HISTORY_STEP_US = 30 * DAY_US
"""Of history as fast as it goes: long, since the days before a step are planned again for what is late."""
STEP_US = 10 * MINUTE_US
NOTE_EVERY_US = 10 * SECOND_US
TICK_S = 1.0
WITH_READINGS = 5
"""Factories that send readings."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a simulation runs.

    Args:
        from_us: what was due before is sent already.
        until_us: history ends here, and nothing follows it; None: the present follows.
        speed: how fast history goes (None: as it can).
        duration_us: for how long it lives; None: until stopped.
        readings_us: readings of some factories this often, in the present only; 0: none.
    """

    from_us: int
    until_us: int | None = None
    speed: float | None = None
    duration_us: int | None = None
    readings_us: int = 0


@dataclass(slots=True)
class Line:
    """One factory's gateway: where its rows come from, what makes records of them, and how far it has sent."""

    source: Source
    writer: RecordWriter
    sent_us: int


class Simulation:
    """A fleet's gateways: one writer of records for each factory, one connection to Kafka."""

    def __init__(
        self, world: World, fleet: tuple[Factory, ...], sender: "Sender", clock: Clock, stop: threading.Event
    ) -> None:
        """Once ``stop`` is set, nothing more is sent."""
        self.rows = 0
        self._sender = sender
        self._clock = clock
        self._stop = stop
        boot_id = new_boot_id(clock())
        self._lines = [
            Line(
                Source(world, factory),
                RecordWriter(
                    factory_id=factory.factory_id,
                    gateway_id=GATEWAY_ID,
                    key_id=key_id(world.seed),
                    seed=signing_seed(world.seed, factory.factory_id),
                    boot_id=boot_id,
                    maximum_rows=MAXIMUM_ROWS,
                    instants=format_ms,
                ),
                world.begin_us,
            )
            for factory in fleet
        ]
        with_states = [line for line in self._lines if line.source.factory.connection is Connection.STATES]
        self._with_readings = with_states[:WITH_READINGS]

    @property
    def sent_us(self) -> dict[str, int]:
        """By factory, up to when everything due has been sent."""
        return {line.source.factory.factory_id: line.sent_us for line in self._lines}

    def run(
        self,
        course: Course,
        sleep: Callable[[float], None] = time.sleep,
        note: Callable[[int, int], None] = lambda sent_us, rows: None,
    ) -> None:
        """Send the history, then what happens now, until stopped or the duration is over; then flush.

        History without a pace is sent whole however short the duration; paced, it ends with the duration.

        Args:
            note: told now and then up to when everything has arrived, and how many rows that were.

        Raises:
            TransientError: Kafka does not take the records.
            FatalError: it refuses them.
        """
        began_us = self._clock()
        history_end_us = began_us if course.until_us is None else course.until_us
        end_us = LAST_INSTANT_US if course.duration_us is None else began_us + course.duration_us
        sent_us = noted_us = course.from_us
        for line in self._lines:
            line.sent_us = sent_us
        with history_bar(history_end_us - course.from_us) as bar:
            while not self._stop.is_set():
                now_us = self._clock()
                due_us = min(now_us, end_us) if course.until_us is None else course.until_us
                if course.speed is not None:
                    due_us = min(due_us, course.from_us + round((now_us - began_us) * course.speed))
                step_us = HISTORY_STEP_US if course.speed is None and sent_us < history_end_us else STEP_US
                reach_us = max(sent_us, min(due_us, sent_us + step_us))
                self._send_window(sent_us, reach_us, bar, history_end_us)
                if course.readings_us and sent_us >= history_end_us:
                    self._send_readings(sent_us, reach_us, course.readings_us)
                sent_us = reach_us
                if sent_us - noted_us >= NOTE_EVERY_US:
                    self._sender.flush()
                    noted_us = min(line.sent_us for line in self._lines)
                    note(noted_us, self.rows)
                if sent_us >= history_end_us:
                    bar.close()
                    if course.until_us is not None:
                        break
                if sent_us >= due_us:
                    if now_us >= end_us:
                        break
                    # Not a wait for ``stop``: a signal's handler that sets it could then wait for itself.
                    sleep(TICK_S)
        self._sender.flush()
        note(min((line.sent_us for line in self._lines), default=sent_us), self.rows)

    def _send_window(self, from_us: int, to_us: int, bar: "tqdm[NoReturn]", history_end_us: int) -> None:
        """Send what is due of every factory in [from_us, to_us)."""
        share = max(0, min(to_us, history_end_us) - from_us) / HOUR_US / max(len(self._lines), 1)
        for line in self._lines:
            if self._stop.is_set():
                return
            due = line.source.deliveries(from_us, to_us)
            for revision, rows in by_revision(due):
                self._send(line.writer.write(rows, self._clock(), revision))
            line.sent_us = to_us
            if share:
                bar.update(share)
                bar.set_postfix_str(f"{self.rows:,} rows", refresh=False)

    def _send_readings(self, from_us: int, to_us: int, every_us: int) -> None:
        for line in self._with_readings:
            if not self._stop.is_set():
                self._send(line.writer.write(line.source.readings(from_us, to_us, every_us), self._clock()))

    def _send(self, records: Iterable[Record]) -> None:
        for record in records:
            self.rows += record.rows
            self._sender.send(record)


def by_revision(due: list[Delivery]) -> list[tuple[int, list[Row]]]:
    """Rows by their revision, which a record has only one of; each in the order given."""
    found: dict[int, list[Row]] = {}
    for _, row, revision in due:
        found.setdefault(revision, []).append(row)
    return sorted(found.items())


def history_bar(length_us: int) -> "tqdm[NoReturn]":
    """A bar that fills with the hours of history sent."""
    shape = "{desc}: {percentage:3.0f} % |{bar}| {n:,.0f} of {total:,.0f} hours{postfix} [{elapsed}, {remaining} left]"
    return tqdm(total=length_us / HOUR_US, desc="history", bar_format=shape, disable=None)
