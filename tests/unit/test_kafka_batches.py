"""Batches are read whole or stood for by one record; kafka-python still cannot do so by itself."""

import random
import tracemalloc
from collections.abc import Iterator

import pytest
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import CorruptRecordError, KafkaError
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.legacy_records import LegacyRecordBatch, LegacyRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from schemas.wire.codes import Reason
from schemas.wire.limits import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_HEADERS
from services.core.errors import ConfigurationError
from services.core.kafka_batches import (
    FEW_RECORDS,
    BoundedBatch,
    RefusedLegacyBatch,
    UnreadableBatch,
    read_batches_within_bounds,
)
from services.core.unpacking import Codec
from services.ingest.judging.authenticate import authenticate
from services.ingest.judging.judge import judge
from services.ingest.judging.registry import Registry
from services.ingest.letters.letter_bytes import HEAD_BYTES, kept_bytes
from services.ingest.model import DeadLetter, Findings
from services.ingest.stream.consumer import LOG_APPEND_TIME, bus_record
from tests.record_batches import batch, pack, record, records, varint

MIB = 1024 * 1024
VALUES = [b"one", None, b"", b"four" * 100]


@pytest.fixture(autouse=True)
def bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let kafka-python make our batches, and its own again afterwards."""
    monkeypatch.setattr(memory_records, "DefaultRecordBatch", DefaultRecordBatch)
    monkeypatch.setattr(memory_records, "LegacyRecordBatch", LegacyRecordBatch)
    read_batches_within_bounds()


def read(raw: bytes) -> BoundedBatch:
    found = MemoryRecords(raw).next_batch()
    assert isinstance(found, BoundedBatch)
    assert found.validate_crc()
    return found


def stand_in(raw: bytes) -> UnreadableBatch:
    """Return the value of the one record that stands for an unreadable batch."""
    found = read(raw)
    (only,) = found
    assert (only.offset, only.key, only.headers) == (found.last_offset, None, [])
    assert isinstance(only.value, UnreadableBatch)
    assert (only.value.first_offset, only.value.last_offset) == (found.base_offset, found.last_offset)
    return only.value


@pytest.mark.parametrize("codec", Codec)
def test_a_batch_is_read(codec: Codec) -> None:
    raw = batch(pack(codec, records(VALUES)), len(VALUES), codec, first=40, stamped=True)
    assert [(r.offset, r.key, r.value, r.timestamp) for r in read(raw)] == [
        (40 + n, b"F1", value, 1) for n, value in enumerate(VALUES)
    ]


@pytest.mark.parametrize("codec", Codec)
def test_what_kafka_python_builds_is_read_alike(codec: Codec) -> None:
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 10 * MIB)
    for offset in range(FEW_RECORDS + 5):
        builder.append(offset, 1000 - offset, b"key", b"v" * offset, [("a", b"1"), ("none", None)])
    raw = bytes(builder.build())
    ours, theirs = (
        [(r.offset, r.timestamp, r.key, r.value, r.headers) for r in kind(raw)]
        for kind in (BoundedBatch, DefaultRecordBatch)
    )
    assert ours == theirs
    assert len(ours) == FEW_RECORDS + 5


def test_as_many_records_as_allowed_are_read() -> None:
    content = b"".join(record(None, key=None, offset_delta=n) for n in range(MAX_BATCH_RECORDS))
    assert sum(1 for _ in read(batch(content, MAX_BATCH_RECORDS))) == MAX_BATCH_RECORDS


def test_many_small_records_are_not_held_as_objects() -> None:
    count = 10 * FEW_RECORDS
    content = b"".join(record(None, key=None, offset_delta=n) for n in range(count))
    found = read(batch(pack(Codec.zstd, content), count, Codec.zstd))
    tracemalloc.start()
    try:
        assert sum(1 for _ in found) == count
        assert tracemalloc.get_traced_memory()[1] < 2 * len(content) + MIB
    finally:
        tracemalloc.stop()


def test_a_header_name_that_is_not_utf8_is_escaped() -> None:
    raw = batch(record(b"value", headers=[(b"Schl\xfcssel", b"1"), ("키".encode(), None)]), 1)
    (found,) = read(raw)
    assert found.headers == [("Schl\\xfcssel", b"1"), ("키", None)]


@pytest.mark.parametrize("codec", [codec for codec in Codec if codec is not Codec.none])
def test_a_bomb_is_stood_for(codec: Codec) -> None:
    most = b" " * MIB
    in_bounds = records([most] * (MAX_BATCH_BYTES // MIB - 1))
    assert sum(1 for _ in read(batch(pack(codec, in_bounds), MAX_BATCH_BYTES // MIB - 1, codec))) == 31
    packed = pack(codec, records([most] * 40))
    found = stand_in(batch(packed, 40, codec, first=7))
    assert found == packed
    assert found.why == "unpacks to more than 33,554,432 bytes"


BROKEN = {
    "more records stated than there are": (records(VALUES), 5),
    "fewer records stated than there are": (records(VALUES), 3),
    "no records stated": (records(VALUES), 0),
    "a negative number of records stated": (records(VALUES), -3),
    "too many records stated": (b"", MAX_BATCH_RECORDS + 1),
    "no records": (b"", 3),
    "a length beyond the batch": (varint(500) + b"\0" * 20, 1),
    "a negative length": (varint(-5) + b"\0" * 20, 1),
    "a length too short": (varint(3) + b"\0" * 7, 1),
    "a varint without an end": (b"\xff" * 30, 1),
    "a key beyond the record": (varint(6) + b"\0\0\0" + varint(60) + b"\0" * 80, 1),
    "a value beyond the record": (varint(6) + b"\0\0\0\1" + varint(60) + b"\0" * 80, 1),
    "fewer headers than stated": (record(b"a", headers=[(b"n", b"v")], lie=1), 1),
    "more headers than stated": (record(b"a", headers=[(b"n", b"v")], lie=-1), 1),
    "a negative number of headers": (record(b"a", lie=-1), 1),
    "a header without a name": (varint(8) + b"\0\0\0\1\1" + varint(1) + b"\1\1", 1),
    "too many headers": (record(b"a", headers=[(b"", b"")] * (MAX_HEADERS + 1)), 1),
    "millions of headers": (record(b"a", lie=2**31 - 1) + bytes(MIB), 1),
    "an offset twice": (record(b"a") + record(b"b"), 2),
    "an offset before the first": (record(b"a", offset_delta=-1), 1),
    "an offset after the last": (record(b"a") + record(b"b", offset_delta=2), 2),
    "bytes after the last record": (records(VALUES) + b"\0", 4),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("codec", [Codec.none, Codec.lz4])
def test_a_broken_batch_is_stood_for(name: str, codec: Codec) -> None:
    content, count = BROKEN[name]
    assert stand_in(batch(pack(codec, content), count, codec, first=10)).why


def test_a_batch_counts_whole_or_not_at_all() -> None:
    for count in (3, FEW_RECORDS + 3):
        raw = batch(b"".join(record(b"{}", offset_delta=n) for n in range(count)) + record(b"{}", lie=1), count + 1)
        stand_in(raw)


def test_a_compacted_batch_has_gaps() -> None:
    raw = bytearray(batch(record(b"a", offset_delta=2) + record(b"b", offset_delta=5), 2, first=10))
    raw[23:27] = (9).to_bytes(4, "big")
    found = MemoryRecords(bytes(raw)).next_batch()
    assert found is not None
    assert [r.offset for r in found] == [12, 15]


@pytest.mark.parametrize("codec", [*Codec, 5, 7])
def test_mutated_batches_raise_nothing_and_stay_in_place(codec: int) -> None:
    rng = random.Random(codec)
    content = records([rng.randbytes(30), b"abc" * 50, None] * 3)
    packed = pack(Codec(codec), content) if codec in tuple(Codec) else content
    stood_for = 0
    for _ in range(2000):
        mutated = bytearray(packed)
        for _ in range(rng.randint(1, 3)):
            mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        offsets = []
        for found in read(batch(bytes(mutated[: rng.choice((None, -1, -9))]), 9, codec, first=100)):
            stood_for += isinstance(found.value, UnreadableBatch)
            offsets.append(found.offset)
        assert offsets in ([108], list(range(100, 109)))
    assert stood_for > 500


def test_a_wrong_checksum_is_damage_of_the_log() -> None:
    raw = bytearray(batch(records(VALUES), 4))
    raw[-1] ^= 1
    found = MemoryRecords(bytes(raw)).next_batch()
    assert found is not None
    assert not found.validate_crc()


@pytest.mark.parametrize("magic", [0, 1])
def test_batches_in_old_formats_are_never_unpacked(magic: int) -> None:
    builder = LegacyRecordBatchBuilder(magic, Codec.gzip, 10 * MIB)
    builder.append(0, 1, b"key", bytes(5 * MIB))
    found = MemoryRecords(bytes(builder.build())).next_batch()
    assert isinstance(found, RefusedLegacyBatch)
    (only,) = found
    assert isinstance(only.value, UnreadableBatch)
    assert only.value.why == f"is in Kafka's message format {magic}"


# What ingest makes of it.


def consumed(raw: bytes) -> Iterator[ConsumerRecord]:
    """Yield records as kafka-python's fetcher does."""
    found = read(raw)
    for r in found:
        yield ConsumerRecord(
            *("t", 3, -1, r.offset, r.timestamp, found.timestamp_type, r.key, r.value, r.headers, None, 0, 0, 0)
        )


def letters(raw: bytes) -> list[DeadLetter]:
    judged = Findings()
    for found in consumed(raw):
        source = bus_record(found)
        judge(source, authenticate(source, Registry(), require_signatures=True), Registry(), judged)
    return judged.dead_letters


def test_an_unreadable_batch_is_one_dead_letter_by_its_offsets() -> None:
    packed = bytes(3 * HEAD_BYTES)
    (letter,) = letters(batch(packed, 5, Codec.gzip, first=70, stamped=True))
    assert (letter.reason, letter.claimed_factory, letter.authentic) == (Reason.unreadable_batch, None, False)
    assert (letter.source.partition, letter.source.offset, letter.source.received_us) == (3, 70, 1000)
    assert letter.message.startswith("The batch of offsets 70 to 74 cannot be unpacked as gzip")
    assert letter.raw == packed
    assert kept_bytes(letter) == (packed[:HEAD_BYTES], None, b"[]")


def test_the_position_moves_past_an_unreadable_batch() -> None:
    (found,) = consumed(batch(b"", 5, Codec.gzip, first=70, stamped=True))
    assert (found.timestamp_type, bus_record(found).offset) == (LOG_APPEND_TIME, 74)


def test_a_producer_cannot_forge_one() -> None:
    _, packed = letters(batch(records([UnreadableBatch.of(b"{}", "lies", 0, 9), b"{}"]), 2, stamped=True))
    assert packed.reason is not Reason.unreadable_batch


def test_an_unreadable_batch_with_a_producers_time_stops_ingest_like_its_records() -> None:
    (found,) = consumed(batch(b"", 5, Codec.gzip))
    with pytest.raises(ConfigurationError, match="LogAppendTime"):
        bus_record(found)


# The faults of kafka-python that this works around: if one of these fails, it is mended.


def test_kafka_python_still_unpacks_without_bound() -> None:
    raw = batch(pack(Codec.zstd, records([bytes(MIB)] * 40)), 40, Codec.zstd)
    assert sum(1 for _ in DefaultRecordBatch(raw)) == 40


def test_kafka_python_still_stops_at_an_unreadable_batch() -> None:
    with pytest.raises(OSError, match="gzip"):
        list(DefaultRecordBatch(batch(b"no gzip at all", 1, Codec.gzip)))
    with pytest.raises(KafkaError):
        list(DefaultRecordBatch(batch(records(VALUES), 3)))


def test_kafka_python_still_refuses_a_header_name_that_is_not_utf8() -> None:
    with pytest.raises(CorruptRecordError, match="UnicodeDecodeError"):
        list(DefaultRecordBatch(batch(record(b"", headers=[(b"\xfc", b"1")]), 1)))
