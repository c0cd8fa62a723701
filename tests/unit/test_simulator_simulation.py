"""The simulation: history and present, paced or not, until stopped or its duration is over."""

import base64
import threading
from collections import Counter
from collections.abc import Iterable
from typing import cast

from schemas.wire.decode import Body, Claim, decode_record
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, verify
from services.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from services.gateway.records import Record
from services.gateway.sender import Sender
from services.simulator.fleet import make_fleet
from services.simulator.registration import key_entry
from services.simulator.simulation import Schedule, Simulation
from services.simulator.source import Source, World

START_US = 1_709_539_200_000_000
FLEET = make_fleet(4, 3, 2)
WORLD = World(4, START_US - HOUR_US, 20)


class Run:
    """A simulation whose clock advances only by sleeping; keeps what is sent, and when."""

    def __init__(
        self, schedule: Schedule, stop_after_s: float = 1e9, sending_takes_s: int = 0, world: World = WORLD
    ) -> None:
        self.now_us = START_US
        self.sent: list[tuple[int, Record]] = []
        self.saved: list[tuple[int, int]] = []
        self.flushed = 0
        self._sending_us = sending_takes_s * SECOND_US
        self._stop = threading.Event()
        self._stop_us = START_US + round(stop_after_s * SECOND_US)
        self.simulation = Simulation(world, FLEET, cast(Sender, self), lambda: self.now_us, self._stop)
        self.simulation.run(schedule, self.sleep, lambda sent_us, rows: self.saved.append((sent_us, rows)))

    @property
    def records(self) -> list[Record]:
        return [record for _, record in self.sent]

    def sleep(self, seconds: float) -> None:
        self.now_us += round(seconds * SECOND_US)
        if self.now_us >= self._stop_us:
            self._stop.set()

    def send(self, record: Record) -> None:
        self.now_us += self._sending_us
        self.sent.append((self.now_us, record))

    def flush(self) -> None:
        self.flushed = len(self.sent)


def schedule(speed: float | None = None, duration_s: int | None = 0, readings_us: int = 0) -> Schedule:
    return Schedule(
        from_us=START_US - HOUR_US,
        speed=speed,
        duration_us=None if duration_s is None else duration_s * SECOND_US,
        readings_us=readings_us,
    )


Rows = Counter[tuple[str, int, int, bool]]


def rows_of(records: Iterable[Record]) -> Rows:
    """Count every state and count sent, by machine, instant, revision and retraction."""
    sent: Rows = Counter()
    for record in records:
        body = body_of(record)
        for rows in (body.states, body.counts):
            columns = zip(rows.machine_id, rows.at_us, rows.retracted, strict=True)
            sent.update((machine_id, at_us, body.revision, retracted) for machine_id, at_us, retracted in columns)
    return sent


def body_of(record: Record) -> Body:
    claim = decode_record(record.value)
    assert isinstance(claim, Claim)
    assert isinstance(claim.body, Body)
    assert not claim.body.refused
    return claim.body


def expected(from_us: int, to_us: int, world: World = WORLD) -> Rows:
    return Counter(
        (row.machine_id, row.at_us, revision, row.retracted)
        for factory in FLEET
        for _, row, revision in Source(world, factory).deliveries(from_us, to_us)
    )


def test_unpaced_history_is_sent_whole_however_short_the_duration() -> None:
    run = Run(schedule())
    assert rows_of(run.records) == expected(START_US - HOUR_US, START_US)
    assert {sent_us for sent_us, _ in run.sent} == {START_US}
    assert run.flushed == len(run.sent) > 0
    assert set(run.simulation.sent_us.values()) == {START_US}


def test_history_that_ends_in_the_past_is_followed_by_nothing() -> None:
    world = World(4, START_US - 40 * DAY_US, 5)
    run = Run(Schedule(from_us=world.begin_us, until_us=START_US - DAY_US), world=world)
    assert rows_of(run.records) == expected(world.begin_us, START_US - DAY_US, world)
    assert run.now_us == START_US
    assert run.saved[-1] == (START_US - DAY_US, run.simulation.rows)


def test_the_present_is_sent_second_by_second_and_never_ahead_of_time() -> None:
    run = Run(schedule(duration_s=1200))
    assert rows_of(run.records) == expected(START_US - HOUR_US, START_US + 1200 * SECOND_US)
    assert all(at_us < sent_us for sent_us, record in run.sent for _, at_us, _, _ in rows_of([record]))
    assert [record for sent_us, record in run.sent if sent_us > START_US]


def test_progress_is_saved_only_after_rows_have_arrived() -> None:
    run = Run(schedule(duration_s=60))
    assert [us for us, _ in run.saved] == sorted(us for us, _ in run.saved)
    assert len(run.saved) >= 6
    assert run.saved[-1] == (START_US + 60 * SECOND_US, run.simulation.rows)


def test_a_continued_run_sends_only_what_is_missing() -> None:
    world = World(4, START_US - 2 * DAY_US, 20)
    run = Run(Schedule(from_us=START_US - HOUR_US, duration_us=0), world=world)
    assert rows_of(run.records) == expected(START_US - HOUR_US, START_US, world)


def test_readings_are_sent_only_in_the_present() -> None:
    run = Run(schedule(duration_s=120, readings_us=MINUTE_US))
    at = [at_us for record in run.records for at_us in body_of(record).readings.at_us]
    assert at
    assert all(START_US <= at_us < START_US + 120 * SECOND_US for at_us in at)


def test_the_duration_ends_a_run_that_cannot_keep_up() -> None:
    run = Run(schedule(duration_s=30), sending_takes_s=7)
    assert rows_of(run.records) == expected(START_US - HOUR_US, START_US + 30 * SECOND_US)


def test_paced_history_catches_up_with_the_present() -> None:
    run = Run(schedule(speed=60, duration_s=120))
    assert rows_of(run.records) == expected(START_US - HOUR_US, START_US + 120 * SECOND_US)
    early = [record for sent_us, record in run.sent if sent_us <= START_US + 30 * SECOND_US]
    assert rows_of(early) == expected(START_US - HOUR_US, START_US - HOUR_US // 2)


def test_paced_history_ends_with_the_duration() -> None:
    run = Run(schedule(speed=60, duration_s=30))
    assert rows_of(run.records) == expected(START_US - HOUR_US, START_US - HOUR_US // 2)
    assert run.now_us == START_US + 30 * SECOND_US


def test_a_stop_ends_the_run_and_flushes_what_was_sent() -> None:
    run = Run(schedule(duration_s=None), stop_after_s=90)
    assert run.now_us == START_US + 90 * SECOND_US
    assert rows_of(run.records) == expected(START_US - HOUR_US, START_US + 89 * SECOND_US)
    assert run.flushed == len(run.sent)


def test_a_record_has_one_revision_and_is_signed_by_the_registered_key() -> None:
    world = World(4, START_US - 10 * DAY_US, 20)
    run = Run(Schedule(from_us=world.begin_us, duration_us=0), world=world)
    assert {body_of(record).revision for record in run.records} >= {0, 1}
    keys = {factory.factory_id: key_entry(4, factory) for factory in FLEET}
    for record in run.records:
        path, body = keys[record.key.decode()]
        headers = dict(record.headers)
        assert path.endswith("/" + headers[KEY_ID_HEADER].decode())
        assert verify(record.value, headers[SIGNATURE_HEADER], base64.b64decode(body["public_key"]))
