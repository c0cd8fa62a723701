"""Which rows are copied in as they are, which are compared first, and which spans are marked dirty."""

import numpy as np

from services.core.times import DAY_US, HOUR_US
from services.ingest.copy_format import HEADER, TRAILER, readings_as_copy
from services.ingest.plan import LatestInstants, dirty_spans, near_in_time, split_rows


def ints(*values: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(values, np.int64)


def test_rows_later_than_all_known_ones_are_fresh() -> None:
    latest = LatestInstants()
    latest.learn(ints(1, 2), ints(100, 100))
    split = split_rows(ints(1, 1, 2), ints(0, 0, 0), ints(101, 100, 99), ints(1, 1, 2), latest, examine_all=False)
    assert split.fresh.tolist() == [0]
    assert split.examined == [[1], [2]]


def test_rows_of_one_identity_are_examined_together_in_their_order() -> None:
    split = split_rows(
        ints(1, 1, 1, 1), ints(0, 1, 0, 0), ints(5, 5, 5, 5), ints(1, 1, 1, 1), LatestInstants(), examine_all=False
    )
    assert split.fresh.tolist() == [1]
    assert split.examined == [[0, 2, 3]]


def test_after_a_collision_every_row_is_examined() -> None:
    split = split_rows(ints(1, 2), ints(0, 0), ints(1, 1), ints(1, 2), LatestInstants(), examine_all=True)
    assert split.fresh.tolist() == []
    assert split.examined == [[0], [1]]


def test_hints_never_go_back() -> None:
    latest = LatestInstants()
    latest.learn(ints(7), ints(50))
    latest.learn(ints(7), ints(40))
    assert latest.of(ints(7)).tolist() == [50]


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
    packed = readings_as_copy(
        ints(7), ints(3), ints(946_684_800_000_001), np.array([1.5]), ints(2), np.array([True]), ints(11)
    )
    row = packed[len(HEADER) : -len(TRAILER)]
    assert row[:2] == b"\x00\x07"
    assert row[2:10] == b"\x00\x00\x00\x04\x00\x00\x00\x07"
    assert row[10:18] == b"\x00\x00\x00\x04\x00\x00\x00\x03"
    assert row[18:30] == b"\x00\x00\x00\x08" + (1).to_bytes(8, "big")


def test_a_group_of_instants_has_no_gap_longer_than_a_day() -> None:
    assert near_in_time([5 * DAY_US, 0, DAY_US, 7 * DAY_US]) == [[1, 2], [0], [3]]
    assert near_in_time([]) == []
