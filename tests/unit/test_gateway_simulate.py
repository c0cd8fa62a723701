"""A simulated fleet's course: history and present, paced or not, until stopped or its time is over."""

import base64
import threading
from collections.abc import Iterable
from typing import cast

from schemas.wire.decode import Body, Claim, decode_record
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, verify
from services.core.times import HOUR_US, MINUTE_US, SECOND_US
from services.gateway.fleet import make_fleet
from services.gateway.record import Record
from services.gateway.registration import factory_entries
from services.gateway.sender import Sender
from services.gateway.simulate import Course, Simulation
from services.gateway.simulated_rows import factory_rows

START_US = 1_709_539_200_000_000
FLEET = make_fleet(4, 2, 2)


class Run:
    """A simulation by a clock that moves only when it sleeps; keeps what is sent, and when."""

    def __init__(self, course: Course, stop_after_s: float = 1e9, sending_takes_s: int = 0) -> None:
        self.now_us = START_US
        self.sent: list[tuple[int, Record]] = []
        self.flushed = False
        self._sending_us = sending_takes_s * SECOND_US
        self._stop = threading.Event()
        self._stop_us = START_US + round(stop_after_s * SECOND_US)
        Simulation(4, FLEET, cast(Sender, self), lambda: self.now_us, self._stop).run(course, self.sleep)

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
        self.flushed = True


def course(speed: float | None = None, duration_s: int | None = 0) -> Course:
    return Course(HOUR_US, speed, None if duration_s is None else duration_s * SECOND_US, MINUTE_US)


def instants(records: Iterable[Record]) -> list[int]:
    """The instant of every row, sorted."""
    found: list[int] = []
    for record in records:
        claim = decode_record(record.value)
        assert isinstance(claim, Claim)
        assert isinstance(claim.body, Body)
        assert not claim.body.refused
        found += claim.body.states.at_us + claim.body.counts.at_us + claim.body.readings.at_us
    return sorted(found)


def expected(from_us: int, to_us: int) -> list[int]:
    return sorted(row.at_us for factory in FLEET for row in factory_rows(4, factory, from_us, to_us, MINUTE_US))


def test_history_is_sent_whole_and_at_once_however_short_the_duration() -> None:
    run = Run(course())
    assert instants(run.records) == expected(START_US - HOUR_US, START_US)
    assert {sent_us for sent_us, _ in run.sent} == {START_US}
    assert run.flushed


def test_then_every_second_gives_its_rows_and_none_lies_ahead() -> None:
    run = Run(course(duration_s=300))
    assert instants(run.records) == expected(START_US - HOUR_US, START_US + 300 * SECOND_US)
    assert all(instants([record])[-1] < sent_us for sent_us, record in run.sent)
    live = [(sent_us, record) for sent_us, record in run.sent if sent_us > START_US]
    assert live
    assert all(instants([record])[0] >= sent_us - SECOND_US for sent_us, record in live)


def test_the_duration_ends_what_cannot_keep_up() -> None:
    run = Run(course(duration_s=30), sending_takes_s=7)
    assert instants(run.records) == expected(START_US - HOUR_US, START_US + 30 * SECOND_US)


def test_paced_history_catches_up_with_the_present() -> None:
    run = Run(course(speed=60, duration_s=120))
    assert instants(run.records) == expected(START_US - HOUR_US, START_US + 120 * SECOND_US)
    early = [record for sent_us, record in run.sent if sent_us <= START_US + 30 * SECOND_US]
    assert instants(early) == expected(START_US - HOUR_US, START_US - HOUR_US // 2)


def test_paced_history_ends_with_the_duration() -> None:
    run = Run(course(speed=60, duration_s=30))
    assert instants(run.records) == expected(START_US - HOUR_US, START_US - HOUR_US // 2)
    assert run.now_us == START_US + 30 * SECOND_US


def test_a_stop_ends_it_and_waits_for_what_was_sent() -> None:
    run = Run(course(duration_s=None), stop_after_s=90)
    assert run.now_us == START_US + 90 * SECOND_US
    assert instants(run.records) == expected(START_US - HOUR_US, START_US + 89 * SECOND_US)
    assert run.flushed


def test_records_are_signed_by_the_key_that_is_registered() -> None:
    record = Run(course()).records[0]
    *_, (path, body) = factory_entries(4, FLEET[0])
    headers = dict(record.headers)
    assert record.key.decode() == FLEET[0].factory_id
    assert path.endswith("/" + headers[KEY_ID_HEADER].decode())
    assert verify(record.value, headers[SIGNATURE_HEADER], base64.b64decode(body["public_key"]))
