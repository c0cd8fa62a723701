"""How polled records are buffered and divided into transactions."""

import pytest

from services.ingest.model import BusRecord
from services.ingest.stream.buffer import MOST_COMMAS, RecordBuffer


def record(partition: int, offset: int, value: bytes = b"x") -> BusRecord:
    return BusRecord(partition, offset, 0, None, value, ())


def test_a_transaction_takes_as_much_as_it_may_and_leaves_the_rest_in_order() -> None:
    buffer = RecordBuffer(most_bytes=100, most_records=3)
    for partition, offset in ((0, 5), (1, 9), (0, 6), (0, 8), (1, 10)):
        buffer.add(record(partition, offset))
    buffer.next[0] = 12
    assert buffer.is_full
    taken, positions, _ = buffer.take()
    assert [(r.partition, r.offset) for r in taken] == [(0, 5), (1, 9), (0, 6)]
    assert positions == {0: 7, 1: 10}
    assert not buffer.is_full
    taken, positions, _ = buffer.take()
    assert [(r.partition, r.offset) for r in taken] == [(0, 8), (1, 10)]
    assert positions == {0: 12, 1: 11}
    assert (buffer.records, buffer.next, buffer.size) == ([], {}, 0)


@pytest.mark.parametrize("value", [b"x" * 200, b"," * (MOST_COMMAS + 1)])
def test_a_record_larger_than_a_transaction_gets_one_of_its_own(value: bytes) -> None:
    buffer = RecordBuffer(most_bytes=100, most_records=10)
    buffer.add(record(0, 0, value))
    buffer.add(record(0, 1))
    assert [r.offset for r in buffer.take()[0]] == [0]
    assert [r.offset for r in buffer.take()[0]] == [1]


def test_positions_without_records_are_taken_too() -> None:
    buffer = RecordBuffer(100, 10)
    buffer.next[3] = 7
    assert buffer.take() == ([], {3: 7}, 0)
