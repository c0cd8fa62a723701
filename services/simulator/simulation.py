"""Streams a simulated fleet: its history first, then the present, second by second, until stopped."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from tqdm import tqdm

from schemas.wire.instants import format_ms
from services.core.clock import Clock
from services.core.times import DAY_US, HOUR_US, LAST_INSTANT_US, MINUTE_US, SECOND_US
from services.gateway import Record, RecordWriter, Row, new_boot_id
from services.simulator.fleet import Connection, Factory, signing_seed
from services.simulator.mishaps import Delivery
from services.simulator.registration import key_id
from services.simulator.source import Source, World

GATEWAY_ID = "simulator"
HISTORY_STEP_US = 30 * DAY_US
"""Step of unpaced history: long, since each step plans the days before it again for what arrives late."""
STEP_US = 10 * MINUTE_US
SAVE_EVERY_US = 10 * SECOND_US
TICK_S = 1.0
FACTORIES_WITH_READINGS = 5


class Destination(Protocol):
    """Where records go: Kafka, or a file."""

    def send(self, record: Record) -> None:
        """Take a record, which may arrive later."""

    def flush(self) -> None:
        """Wait until every record has arrived."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What to send, and when.

    Attributes:
        from_us: everything due before has been sent already.
        until_us: history ends here, and nothing follows; None: history ends now, and the present follows.
        speed: how many times faster than real time history is sent; None: as fast as possible.
        duration_us: how long to run; None: until stopped.
        readings_us: the interval of some factories' readings, in the present only; 0: no readings.
    """

    from_us: int
    until_us: int | None = None
    speed: float | None = None
    duration_us: int | None = None
    readings_us: int = 0

    def history_end_us(self, began_us: int) -> int:
        """Return where the history ends in a run that began at ``began_us``."""
        return began_us if self.until_us is None else self.until_us

    def end_us(self, began_us: int) -> int:
        """Return when a run that began at ``began_us`` ends."""
        return LAST_INSTANT_US if self.duration_us is None else began_us + self.duration_us

    def due_us(self, now_us: int, began_us: int) -> int:
        """Return up to when rows are to be sent by now, in a run that began at ``began_us``."""
        due_us = min(now_us, self.end_us(began_us)) if self.until_us is None else self.until_us
        if self.speed is None:
            return due_us
        return min(due_us, self.from_us + round((now_us - began_us) * self.speed))


@dataclass(slots=True)
class FactoryGateway:
    """One factory's gateway: the source of its rows, the writer of its records, and how far it has sent."""

    source: Source
    writer: RecordWriter
    sent_us: int


class Simulation:
    """A fleet's gateways: one writer of records for each factory, and one destination for all records."""

    def __init__(
        self, world: World, fleet: tuple[Factory, ...], sender: Destination, clock: Clock, stop: threading.Event
    ) -> None:
        """Once ``stop`` is set, nothing more is sent."""
        self.rows = 0
        self._sender = sender
        self._clock = clock
        self._stop = stop
        boot_id = new_boot_id(clock())
        self._gateways = [
            FactoryGateway(
                Source(world, factory),
                RecordWriter(
                    factory_id=factory.factory_id,
                    gateway_id=GATEWAY_ID,
                    key_id=key_id(world.seed),
                    seed=signing_seed(world.seed, factory.factory_id),
                    boot_id=boot_id,
                    instants=format_ms,
                ),
                world.begin_us,
            )
            for factory in fleet
        ]
        with_states = [gateway for gateway in self._gateways if gateway.source.factory.connection is Connection.STATES]
        self._with_readings = with_states[:FACTORIES_WITH_READINGS]

    @property
    def sent_us(self) -> dict[str, int]:
        """By factory, the instant up to which everything due has been sent."""
        return {gateway.source.factory.factory_id: gateway.sent_us for gateway in self._gateways}

    def run(
        self,
        schedule: Schedule,
        sleep: Callable[[float], None] = time.sleep,
        save: Callable[[int, int], None] = lambda sent_us, rows: None,
    ) -> None:
        """Send the history, then the present, until stopped or the duration is over; then flush.

        Unpaced history is sent whole, however short the duration; paced history ends with the duration.

        Args:
            save: called now and then with the instant up to which everything has arrived, and the number of rows.

        Raises:
            TransientError: Kafka does not take the records.
            FatalError: Kafka refuses the records.
        """
        began_us = self._clock()
        history_end_us, end_us = schedule.history_end_us(began_us), schedule.end_us(began_us)
        sent_us = saved_us = schedule.from_us
        for gateway in self._gateways:
            gateway.sent_us = sent_us
        with history_bar(history_end_us - schedule.from_us) as bar:
            while not self._stop.is_set():
                now_us = self._clock()
                due_us = schedule.due_us(now_us, began_us)
                in_history = sent_us < history_end_us
                step_us = HISTORY_STEP_US if in_history and schedule.speed is None else STEP_US
                reach_us = max(sent_us, min(due_us, sent_us + step_us))
                self._send_window(sent_us, reach_us, bar, history_end_us)
                if schedule.readings_us and not in_history:
                    self._send_readings(sent_us, reach_us, schedule.readings_us)
                sent_us = reach_us
                if sent_us - saved_us >= SAVE_EVERY_US:
                    self._sender.flush()
                    saved_us = min(gateway.sent_us for gateway in self._gateways)
                    save(saved_us, self.rows)
                if sent_us >= history_end_us:
                    bar.close()
                    if schedule.until_us is not None:
                        break
                if sent_us >= due_us:
                    if now_us >= end_us:
                        break
                    # Not a wait for ``stop``: a signal's handler that sets it could then wait for itself.
                    sleep(TICK_S)
        self._sender.flush()
        save(min((gateway.sent_us for gateway in self._gateways), default=sent_us), self.rows)

    def _send_window(self, from_us: int, to_us: int, bar: "tqdm[NoReturn]", history_end_us: int) -> None:
        """Send what is due in [from_us, to_us) from every factory."""
        share = max(0, min(to_us, history_end_us) - from_us) / HOUR_US / max(len(self._gateways), 1)
        for gateway in self._gateways:
            if self._stop.is_set():
                return
            due = gateway.source.deliveries(from_us, to_us)
            for revision, rows in by_revision(due):
                self._send(gateway.writer.write(rows, self._clock(), revision))
            gateway.sent_us = to_us
            if share:
                bar.update(share)
                bar.set_postfix_str(f"{self.rows:,} rows", refresh=False)

    def _send_readings(self, from_us: int, to_us: int, every_us: int) -> None:
        for gateway in self._with_readings:
            if not self._stop.is_set():
                self._send(gateway.writer.write(gateway.source.readings(from_us, to_us, every_us), self._clock()))

    def _send(self, records: Iterable[Record]) -> None:
        for record in records:
            self.rows += record.rows
            self._sender.send(record)


def by_revision(due: list[Delivery]) -> list[tuple[int, list[Row]]]:
    """Group rows by revision, since a record has only one; each group in the order given."""
    groups: dict[int, list[Row]] = {}
    for _, row, revision in due:
        groups.setdefault(revision, []).append(row)
    return sorted(groups.items())


def history_bar(length_us: int) -> "tqdm[NoReturn]":
    """Return a progress bar over the hours of history."""
    shape = "{desc}: {percentage:3.0f} % |{bar}| {n:,.0f} of {total:,.0f} hours{postfix} [{elapsed}, {remaining} left]"
    return tqdm(total=length_us / HOUR_US, desc="history", bar_format=shape, disable=None)
