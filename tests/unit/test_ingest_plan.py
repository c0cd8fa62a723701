"""Which rows are copied in as they are, which are compared first, and which spans are marked dirty."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from services.core.copy_format import HEADER, TRAILER
from services.core.times import DAY_US, HOUR_US
from services.ingest.columns import FactColumns, Texts
from services.ingest.model import FactTable
from services.ingest.writing.copy_format import as_copy
from services.ingest.writing.latest import NEVER, LatestInstants
from services.ingest.writing.plan import Split, dirty_spans, near_in_time, split_rows


def ints(*values: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(values, np.int64)


def readings(*rows: tuple[int, int, int], value: Sequence[float] | None = None) -> FactColumns:
    """Rows of (machine, metric, instant), each of a record of its own, all with one value unless others are given."""
    machine, metric, at = (ints(*column) for column in zip(*rows, strict=True))
    nothing = np.zeros(len(rows), np.int64)
    values = np.array(value or [1.5] * len(rows), np.float64)
    retracted = np.zeros(len(rows), bool)
    return FactColumns(FactTable.READING, machine, metric, at, (values,), retracted, np.arange(len(rows)), nothing)


def split(columns: FactColumns, latest: LatestInstants | None = None, *, examine_all: bool = False) -> Split:
    return split_rows(columns, latest or LatestInstants(), examine_all=examine_all)


def test_rows_later_than_all_known_ones_are_fresh() -> None:
    latest = LatestInstants()
    latest.learn(ints(1, 2), ints(0, 0), ints(100, 100))
    found = split(readings((1, 0, 101), (1, 0, 100), (2, 0, 99)), latest)
    assert found.fresh.tolist() == [0]
    assert (found.examined.tolist(), found.starts.tolist(), found.uniform.tolist()) == ([1, 2], [0, 1], [True, True])


def test_a_row_that_says_the_same_as_a_fresh_one_repeats_it() -> None:
    found = split(readings((1, 0, 5), (1, 1, 5), (1, 0, 5), (1, 0, 5)))
    assert found.fresh.tolist() == [0, 1]
    assert sorted(found.repeats.tolist()) == [2, 3]
    assert found.examined.tolist() == []


def test_rows_of_one_identity_that_differ_are_examined_together_in_their_order() -> None:
    found = split(readings((1, 0, 5), (1, 1, 5), (1, 0, 5), (1, 0, 5), value=[1, 2, 1, 3]))
    assert found.fresh.tolist() == [1]
    assert found.repeats.tolist() == []
    assert (found.examined.tolist(), found.starts.tolist(), found.uniform.tolist()) == ([0, 2, 3], [0], [False])


def test_after_a_collision_every_row_is_examined() -> None:
    found = split(readings((1, 0, 1), (2, 0, 1)), examine_all=True)
    assert found.fresh.tolist() == []
    assert (found.examined.tolist(), found.starts.tolist()) == ([0, 1], [0, 1])


@pytest.mark.parametrize("spread", [2, 1 << 40])
def test_rows_are_sorted_by_identity_however_far_apart_they_are(spread: int) -> None:
    rows = [(3, 1, 5), (1, 2, 5 * spread), (1, 2, 5), (1, 1 + spread % 1000, 7), (2, 1, 1)]
    found = split(readings(*rows))
    assert [rows[n] for n in found.fresh.tolist()] == sorted(rows)


def test_hints_never_go_back() -> None:
    latest = LatestInstants()
    latest.learn(ints(7), ints(3), ints(50))
    latest.learn(ints(7), ints(3), ints(40))
    assert latest.of(ints(7, 7, 8), ints(3, 4, 3)).tolist() == [50, NEVER, NEVER]


def test_hints_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.writing.latest.MOST_PAGES", 2)
    latest = LatestInstants()
    latest.learn(ints(7, 7), ints(1, 2), ints(50, 60))
    assert latest.of(ints(7, 7), ints(1, 2)).tolist() == [50, 60]
    latest.learn(ints(7), ints(3), ints(70))
    assert latest.of(ints(7), ints(3)).tolist() == [70]
    assert latest.of(ints(7), ints(1)).tolist() == [NEVER]


def test_hints_tell_every_series_apart() -> None:
    chance = random.Random(5)
    latest, known = LatestInstants(), dict[tuple[int, int], int]()
    for _ in range(200):
        series = [(chance.choice([1, 511, 512, 70_000, 2**30]), chance.choice([0, 1, 5, 2**30])) for _ in range(5)]
        at = [chance.randrange(1000) for _ in series]
        machine, key = (ints(*column) for column in zip(*series, strict=True))
        assert latest.of(machine, key).tolist() == [known.get(one, NEVER) for one in series]
        latest.learn(machine, key, ints(*at))
        for one, instant in zip(series, at, strict=True):
            known[one] = max(known.get(one, NEVER), instant)


def test_dirty_spans_are_split_at_an_hour_without_rows() -> None:
    machine = ints(1, 1, 1, 2)
    at = ints(0, HOUR_US, 3 * HOUR_US, 5)
    assert dirty_spans(machine, ints(9, 9, 9, 8), at) == [
        (9, 1, 0, HOUR_US),
        (9, 1, 3 * HOUR_US, 3 * HOUR_US),
        (8, 2, 5, 5),
    ]


def test_two_rows_years_apart_mark_two_instants_and_not_the_years_between() -> None:
    spans = dirty_spans(ints(1, 1), ints(0, 0), ints(0, 9000 * HOUR_US))
    assert spans == [(0, 1, 0, 0), (0, 1, 9000 * HOUR_US, 9000 * HOUR_US)]


def test_readings_are_encoded_in_the_copy_format() -> None:
    columns = replace(readings((7, 3, 946_684_800_000_001)), revision=ints(2), retracted=np.array([True]))
    header, row, trailer = as_copy(columns, ints(11), Texts())
    assert (header, trailer) == (HEADER, TRAILER)
    assert row[:2] == b"\x00\x07"
    assert row[2:10] == b"\x00\x00\x00\x04\x00\x00\x00\x07"
    assert row[10:18] == b"\x00\x00\x00\x04\x00\x00\x00\x03"
    assert row[18:30] == b"\x00\x00\x00\x08" + (1).to_bytes(8, "big")


def test_a_group_of_instants_has_no_gap_longer_than_a_day() -> None:
    found = near_in_time(ints(5 * DAY_US, 0, DAY_US, 7 * DAY_US))
    assert [group.tolist() for group in found] == [[1, 2], [0], [3]]
    assert near_in_time(ints()) == []
