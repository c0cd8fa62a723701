"""What the benchmark of freshness sends, and how it knows its probes again."""

from collections import Counter

import pytest

from schemas.wire.decode import Body, decode_record
from schemas.wire.refusal import Refusal
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, verify
from services.core.times import SECOND_US
from tests.bench.freshness.figures import HIGHER, LOWER, Step, steps_of
from tests.bench.freshness.probes import FIGURES, MOST_ON_THEIR_WAY, Probe, found_in, new_probe
from tests.bench.freshness.traffic import PIECE_S, STATE_ROWS, Traffic, packets, readings, signed, state_record, states
from tests.bench.ingest.records import MACHINES, SERIES, Country, Signed

COUNTRY = Country(factories=36, origin_us=1_796_000_000 * SECOND_US)
TRAFFIC = Traffic(COUNTRY.factories, 2000, 60.0)


def body_of(record: Signed) -> Body:
    claim = decode_record(record.value)
    assert not isinstance(claim, Refusal)
    assert isinstance(claim.body, Body)
    assert not claim.body.refused
    return claim.body


def test_as_many_rows_are_sent_as_the_rate_says() -> None:
    rows = SERIES * len(list(readings(COUNTRY, TRAFFIC, 0))) + STATE_ROWS * len(list(states(COUNTRY, TRAFFIC, 0)))
    assert rows == pytest.approx(2000 * 60, rel=0.01)
    prepared = packets(COUNTRY, TRAFFIC, 0)
    assert sum(packet.records for packet in prepared) == pytest.approx(TRAFFIC.records_per_s * 60, rel=0.01)
    assert [packet.due_s for packet in prepared] == [PIECE_S * (n + 1) for n in range(120)]
    assert all(packet.records == sum(batch.records for batch in packet.batches) for packet in prepared)


def test_rows_are_of_the_time_at_which_they_are_sent_and_never_later() -> None:
    for due_s, record in (*readings(COUNTRY, TRAFFIC, 3), *states(COUNTRY, TRAFFIC, 3)):
        body = body_of(record)
        age_s = [
            due_s - (at_us - COUNTRY.origin_us) / SECOND_US
            for at_us in (*body.states.at_us, *body.counts.at_us, *body.readings.at_us)
        ]
        assert min(age_s) > -0.001
        assert max(age_s) < 0.1


def test_every_machine_reports_its_state_once_in_six_minutes_over_turns() -> None:
    reported: Counter[tuple[str, str]] = Counter()
    for turn in range(6):
        for _, record in states(COUNTRY, TRAFFIC, turn):
            body = body_of(record)
            reported.update((record.key.decode(), machine) for machine in body.states.machine_id)
            assert len(body.states.at_us) == MACHINES
            assert not any(body.counts.good)
    assert set(reported.values()) == {1}
    assert len(reported) == COUNTRY.factories * MACHINES


def test_each_machine_that_counts_does_so_four_times_an_hour() -> None:
    counted: Counter[str] = Counter()
    for nth in range(10):
        counted.update(body_of(state_record(COUNTRY, 0, nth, COUNTRY.origin_us)).counts.machine_id)
    assert set(counted.values()) == {4}


def test_a_probe_is_one_signed_count() -> None:
    probe = new_probe(30, COUNTRY.factories, COUNTRY.origin_us)
    record = signed(COUNTRY, probe.factory, [probe.row()], probe.at_us)
    headers = dict(record.headers)
    assert headers[KEY_ID_HEADER] == b"k1"
    assert verify(record.value, headers[SIGNATURE_HEADER], COUNTRY.public_key)
    counts = body_of(record).counts
    assert (counts.good, counts.scrap, counts.rework) == ([0], [64], [0])


def test_probes_on_their_way_are_known_by_what_they_add_in_whatever_order_they_are_accounted() -> None:
    probes = [new_probe(number, 30_000, 0) for number in range(50, 50 + MOST_ON_THEIR_WAY)]
    known = {"good": 5, "scrap": 1 << 20, "rework": 7 << 23}
    accounted = probes[1::3]
    totals = {name: known[name] + sum(probe.amount for probe in accounted if probe.figure == name) for name in FIGURES}
    assert found_in(totals, known, probes) == accounted


def test_no_two_probes_are_of_one_factory() -> None:
    assert len({new_probe(number, 30_000, 0).factory for number in range(30_000)}) == 30_000
    assert Probe(0, 6, 3, 0).scopes == ("machine:F000007/M03", "factory:F000007")


def step(rate: int, highest: int) -> Step:
    fresh = [5.0] * 100 if rate <= highest else [5.0 + n / 4 for n in range(100)]
    return Step(rate, 0.1, 0.2, fresh)


@pytest.mark.parametrize(
    ("highest", "tried"),
    [(200_000, HIGHER), (HIGHER[1], HIGHER[:3]), (LOWER[1], (HIGHER[0], *LOWER[:2])), (LOWER[2], (HIGHER[0], *LOWER))],
)
def test_rates_are_tried_until_one_is_sustained_and_the_next_is_not(highest: int, tried: tuple[int, ...]) -> None:
    assert tuple(one.rows_per_s for one in steps_of(lambda rate: step(rate, highest))) == tried


@pytest.mark.parametrize(("late_s", "lag_s"), [(1.5, 0.0), (0.0, 6.0)])
def test_a_rate_is_not_sustained_if_the_sender_is_late_or_records_pile_up(late_s: float, lag_s: float) -> None:
    assert not Step(60_000, late_s, lag_s, [1.0] * 100).is_sustained
