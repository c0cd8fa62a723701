"""Replay: the pace, the order and the repetition of records."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from services.core.times import SECOND_US
from services.gateway.models import ModelSource
from services.gateway.records import CountRow, ReadingRow, Record, RecordWriter, Row
from services.gateway.replay import Options, at_once, paced, shuffled, translate_factory, translate_machine

START_US = 1_709_539_200_000_000
FIXTURES = Path(__file__).parents[1] / "fixtures" / "shdr"


class FakeClock:
    """A clock that advances only by sleeping."""

    def __init__(self) -> None:
        self.now_us = START_US
        self.sleeps: list[float] = []

    def __call__(self) -> int:
        return self.now_us

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now_us += round(seconds * SECOND_US)


def writer(maximum_rows: int = 1000) -> RecordWriter:
    return RecordWriter(
        factory_id="F1", gateway_id="g", key_id="k", seed=bytes(32), boot_id="b", maximum_rows=maximum_rows
    )


def readings(*seconds: float) -> list[Row]:
    return [ReadingRow("M01", round(s * SECOND_US), "power_kw", s) for s in seconds]


def test_a_paced_replay_keeps_the_pace_of_the_logs() -> None:
    clock = FakeClock()
    sent: list[tuple[float, int]] = []
    for record in paced(readings(0, 1, 2, 60, 61, 3600), writer(), clock, 60, clock.sleep):
        sent.append(((clock.now_us - START_US) / SECOND_US, record.rows))
    # A minute of the log takes a second; the rows of one second are sent together, when the last of them is due.
    assert sent == [(0, 1), (1, 3), (2, 1), (60, 1)]


def test_a_pause_in_the_log_is_one_sleep() -> None:
    clock = FakeClock()
    list(paced(readings(0, 36_000), writer(), clock, 10, clock.sleep))
    assert clock.sleeps == [3600]


def test_without_rows_there_are_no_records() -> None:
    clock = FakeClock()
    assert list(paced([], writer(), clock, 1, clock.sleep)) == []
    assert list(at_once([], writer(), clock)) == []


def records(number: int) -> Iterator[Record]:
    return at_once(readings(*range(number)), writer(maximum_rows=1), FakeClock())


def test_shuffling_changes_only_the_order() -> None:
    plain, mixed = list(records(50)), list(shuffled(records(50), 3, duplicate=False))
    assert mixed != plain
    assert Counter(mixed) == Counter(plain)
    assert mixed == list(shuffled(records(50), 3, duplicate=False))


def test_duplication_yields_each_record_twice() -> None:
    plain = Counter(records(20))
    for seed in (None, 1):
        duplicated = Counter(shuffled(records(20), seed, duplicate=True))
        assert duplicated == plain + plain


def test_a_factorys_machines_are_merged_by_time() -> None:
    machines = {"M02": [FIXTURES / "hurco.txt"], "M01": [FIXTURES / "drop_outs.txt"]}
    rows, reports = translate_factory(machines, ModelSource(), Options(60 * SECOND_US))
    assert [found.row.at_us for found in rows] == sorted(found.row.at_us for found in rows)
    assert [(report.machine_id, report.model) for report in reports] == [("M02", "hurco"), ("M01", "mazak")]
    assert sum(report.rows for report in reports) == len(rows)


def test_a_row_has_the_place_in_the_log_that_it_comes_from() -> None:
    rows, _ = translate_machine("M01", [FIXTURES / "counter.txt"], ModelSource(), Options(60 * SECOND_US))
    counted = [str(found.place) for found in rows if isinstance(found.row, CountRow)]
    assert counted == [f"counter.txt:{line}" for line in (2, 4, 5, 9, 10)]


def good(ideal_cycle_us: dict[str, int]) -> list[int]:
    options = Options(60 * SECOND_US, readings=False, ideal_cycle_us=ideal_cycle_us)
    rows, _ = translate_machine("M01", [FIXTURES / "counter.txt"], ModelSource(), options)
    return [found.row.good for found in rows if isinstance(found.row, CountRow)]


def test_an_ideal_cycle_is_the_machines_own_or_that_of_every_other() -> None:
    """Three pieces of 200 s take more than three times the 120 s before 08:03."""
    assert good({}) == good({"M02": 200 * SECOND_US}) == [1, 3, 2, 1, 0]
    assert good({"M01": 200 * SECOND_US}) == good({"": 200 * SECOND_US}) != good({})
    assert good({"": 200 * SECOND_US, "M01": 20 * SECOND_US}) == good({})


def test_without_readings_only_states_and_counts_become_rows() -> None:
    paths = [FIXTURES / "two_paths.txt"]
    with_readings, _ = translate_machine("M01", paths, ModelSource(), Options(60 * SECOND_US))
    without, report = translate_machine("M01", paths, ModelSource(), Options(60 * SECOND_US, readings=False))
    assert without == [found for found in with_readings if not isinstance(found.row, ReadingRow)]
    assert report.rows == len(without) < len(with_readings)
