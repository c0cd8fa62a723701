"""How records off the bus are gathered and cut into transactions."""

import pytest

from services.ingest.gathering import MOST_COMMAS, Gathered
from services.ingest.model import BusRecord


def record(partition: int, offset: int, value: bytes = b"x") -> BusRecord:
    return BusRecord(partition, offset, 0, None, value, ())


def test_a_transaction_takes_what_it_may_and_leaves_the_rest_in_order() -> None:
    gathered = Gathered(most_bytes=100, most_records=3)
    for partition, offset in ((0, 5), (1, 9), (0, 6), (0, 8), (1, 10)):
        gathered.add(record(partition, offset))
    gathered.next[0] = 12
    assert gathered.is_full
    taken, positions = gathered.take()
    assert [(r.partition, r.offset) for r in taken] == [(0, 5), (1, 9), (0, 6)]
    assert positions == {0: 7, 1: 10}
    assert not gathered.is_full
    taken, positions = gathered.take()
    assert [(r.partition, r.offset) for r in taken] == [(0, 8), (1, 10)]
    assert positions == {0: 12, 1: 11}
    assert (gathered.records, gathered.next, gathered.size) == ([], {}, 0)


@pytest.mark.parametrize("value", [b"x" * 200, b"," * (MOST_COMMAS + 1)])
def test_a_record_too_big_for_a_transaction_gets_one_of_its_own(value: bytes) -> None:
    gathered = Gathered(most_bytes=100, most_records=10)
    gathered.add(record(0, 0, value))
    gathered.add(record(0, 1))
    assert [r.offset for r in gathered.take()[0]] == [0]
    assert [r.offset for r in gathered.take()[0]] == [1]


def test_positions_without_records_are_handed_over_too() -> None:
    gathered = Gathered(100, 10)
    gathered.next[3] = 7
    assert gathered.take() == ([], {3: 7})
