"""Streams a simulated fleet: its history first, then what it does now, second by second, until told to stop."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tqdm import tqdm

from services.core.clock import Clock
from services.core.times import HOUR_US, LAST_INSTANT_US, MINUTE_US
from services.gateway.fleet import Factory, signing_seed
from services.gateway.record import RecordWriter, new_boot_id
from services.gateway.registration import key_id
from services.gateway.simulated_rows import factory_rows

if TYPE_CHECKING:
    from services.gateway.sender import Sender

GATEWAY_ID = "simulator"
STEP_US = 10 * MINUTE_US
TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class Course:
    """How a simulation runs: how much history it sends, how fast (None: as it can), and for how long it lives."""

    backfill_us: int
    speed: float | None
    duration_us: int | None
    readings_us: int


class Simulation:
    """A fleet's gateways: one writer of records for each factory, one connection to Kafka."""

    def __init__(
        self, seed: int, fleet: tuple[Factory, ...], sender: "Sender", clock: Clock, stop: threading.Event
    ) -> None:
        """Once ``stop`` is set, nothing more is sent."""
        self.rows = 0
        self._seed = seed
        self._fleet = fleet
        self._sender = sender
        self._clock = clock
        self._stop = stop
        boot_id = new_boot_id(clock())
        self._writers = {
            factory.factory_id: RecordWriter(
                factory_id=factory.factory_id,
                gateway_id=GATEWAY_ID,
                key_id=key_id(seed),
                seed=signing_seed(seed, factory.factory_id),
                boot_id=boot_id,
            )
            for factory in fleet
        }

    def run(self, course: Course, sleep: Callable[[float], None] = time.sleep) -> None:
        """Send the history, then what happens now, until stopped or the duration is over; then flush.

        History without a pace is sent whole however short the duration; paced, it ends with the duration.

        Raises:
            TransientError: Kafka does not take the records.
            FatalError: it refuses them.
        """
        began_us = self._clock()
        end_us = LAST_INSTANT_US if course.duration_us is None else began_us + course.duration_us
        sent_us = history_us = began_us - course.backfill_us
        with tqdm(total=course.backfill_us / HOUR_US, desc="history", unit="h", disable=None) as bar:
            while not self._stop.is_set():
                now_us = self._clock()
                due_us = min(now_us, end_us)
                if course.speed is not None:
                    due_us = min(due_us, history_us + round((now_us - began_us) * course.speed))
                reach_us = max(sent_us, min(due_us, sent_us + STEP_US))
                self._send_window(sent_us, reach_us, course.readings_us)
                bar.update(max(0, min(reach_us, began_us) - sent_us) / HOUR_US)
                sent_us = reach_us
                if sent_us >= began_us:
                    bar.close()
                if sent_us >= due_us:
                    if now_us >= end_us:
                        break
                    # Not a wait for ``stop``: a signal's handler that sets it could then wait for itself.
                    sleep(TICK_S)
        self._sender.flush()

    def _send_window(self, from_us: int, to_us: int, readings_us: int) -> None:
        """Send every factory's rows with ``from_us`` <= at < ``to_us``."""
        for factory in self._fleet:
            if self._stop.is_set():
                return
            rows = factory_rows(self._seed, factory, from_us, to_us, readings_us)
            self.rows += len(rows)
            for record in self._writers[factory.factory_id].write(rows, self._clock()):
                self._sender.send(record)
