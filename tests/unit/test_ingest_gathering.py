"""How records off the bus are read, gathered, and cut into transactions."""

import pytest
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from services.ingest.gathering import MOST_COMMAS, Gathered
from services.ingest.model import BusRecord
from services.ingest.record_batches import read_every_batch


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


class Latin(str):
    """A name as a client of another language may write it."""

    def encode(self, *_: object) -> bytes:
        return str.encode(self, "latin-1")


def test_a_header_whose_name_is_not_utf8_stops_no_batch() -> None:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 10_000)
    for offset, name in enumerate(("a", Latin("Schl\xfcssel"), "b")):
        builder.append(offset, 1, b"key", b"value", [(name, b"1"), ("more", None)])
    read_every_batch()
    batch = MemoryRecords(bytes(builder.build())).next_batch()
    found = [(r.offset, r.key, r.value, r.headers) for r in batch]
    assert found == [
        (0, b"key", b"value", [("a", b"1"), ("more", None)]),
        (1, b"key", b"value", [("Schl\\xfcssel", b"1"), ("more", None)]),
        (2, b"key", b"value", [("b", b"1"), ("more", None)]),
    ]
