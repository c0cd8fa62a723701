"""Reads Kafka's record batches within bounds: an unreadable batch becomes one record, and reading goes on after it.

Uses private parts of kafka-python 3.0.12, in which

- a batch is unpacked whatever its size, so that a few kB can take all memory;
- one batch that cannot be read makes every poll raise CorruptRecordError, so that its partition is never read any
  further. Even a header name that is not UTF-8 does so, although brokers let any bytes through.

There is no setting for either. A batch whose checksum is wrong still raises CorruptRecordError: that is damage of the
log, not a producer's doing. Tests in tests/unit/test_kafka_batches.py fail with a version that has mended a fault.
"""

from collections.abc import Iterator
from typing import NamedTuple

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch
from kafka.record.legacy_records import LegacyRecord, LegacyRecordBatch
from kafka.record.util import decode_varint

from schemas.wire.limits import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_HEADERS
from services.core.unpacking import UnpackingError, unpack

LOG_APPEND_TIME = 1
FEW_RECORDS = 2000
"""Of a batch of more, records are read twice and not kept, since small ones take many times their bytes as objects."""


class UnreadableBatch(bytes):
    """The packed bytes of a batch that cannot be read, as the value of the one record that stands for it.

    No producer can forge it, as the values of records are plain ``bytes``. ``why`` ends a sentence about the batch.
    """

    why: str
    first_offset: int
    last_offset: int

    @classmethod
    def of(cls, packed: bytes, why: str, first_offset: int, last_offset: int) -> "UnreadableBatch":
        """Return the packed bytes with what is wrong with them."""
        batch = cls(packed)
        batch.why, batch.first_offset, batch.last_offset = why, first_offset, last_offset
        return batch


class InvalidRecordError(Exception):
    """A record's bytes break Kafka's format. The message is the end of a sentence about its batch."""


def read_batches_within_bounds() -> None:
    """Make every consumer of this process read batches as this module says."""
    memory_records.DefaultRecordBatch = BoundedBatch  # type: ignore[misc]
    memory_records.LegacyRecordBatch = RefusedLegacyBatch  # type: ignore[misc]


class BoundedBatch(DefaultRecordBatch):
    """A batch that yields either all of its records or a single one, at its last offset, with an UnreadableBatch."""

    __slots__ = ()

    def __iter__(self) -> Iterator[DefaultRecord]:
        packed = bytes(memoryview(self._buffer)[self.HEADER_STRUCT.size :])
        try:
            if self.records_count > MAX_BATCH_RECORDS:
                raise InvalidRecordError(f"states {self.records_count:,} records, more than {MAX_BATCH_RECORDS:,}")
            unpacked = unpack(self.compression_type, packed, MAX_BATCH_BYTES)
            # All are read before the first is yielded, so that no batch counts in part.
            if self.records_count <= FEW_RECORDS:
                return iter(list(self.records(unpacked)))
            for _ in self.records(unpacked):
                pass
        except (UnpackingError, InvalidRecordError) as error:
            return iter([self.stand_in(packed, str(error))])
        return self.records(unpacked)

    def stand_in(self, packed: bytes, why: str) -> DefaultRecord:
        """Return the record that stands for the batch."""
        value = UnreadableBatch.of(packed, why, self.base_offset, self.last_offset)
        return DefaultRecord(len(packed), self.last_offset, self.max_timestamp, self.timestamp_type, None, value, [])

    def records(self, unpacked: bytes | bytearray) -> Iterator[DefaultRecord]:
        """Yield the records one by one.

        Raises:
            InvalidRecordError: one breaks the format, has an offset out of order, or their number is not that stated.
        """
        view = memoryview(unpacked)
        position, last_delta = 0, -1
        for number in range(self.records_count):
            try:
                found = read_record(unpacked, view, position)
            except (ValueError, IndexError) as error:
                raise InvalidRecordError(f"has an invalid record at position {number} ({error})") from error
            if not last_delta < found.offset_delta <= self.last_offset_delta:
                raise InvalidRecordError(f"has offsets out of order at position {number}")
            position, last_delta = found.end, found.offset_delta
            appended_by_broker = self.timestamp_type == LOG_APPEND_TIME
            yield DefaultRecord(
                found.length,
                self.base_offset + found.offset_delta,
                self.max_timestamp if appended_by_broker else self.first_timestamp + found.timestamp_delta,
                self.timestamp_type,
                found.key,
                found.value,
                found.headers,
            )
        if position != len(unpacked):
            raise InvalidRecordError(f"has {len(unpacked) - position:,} bytes after its {self.records_count:,} records")


class RefusedLegacyBatch(LegacyRecordBatch):
    """A message, or a packed set of them, in one of the formats from before Kafka 0.11. Never unpacked.

    Today's brokers refuse them or rewrite them, and none of their records can be signed, as they have no headers.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[LegacyRecord]:
        # A set's own offset is that of its last message.
        value = UnreadableBatch.of(
            bytes(self._buffer), f"is in Kafka's message format {self.magic}", self.base_offset, self.base_offset
        )
        yield LegacyRecord(
            self.magic, self.base_offset, self._timestamp, self.timestamp_type, None, value, self._crc, b""
        )


class RawRecord(NamedTuple):
    """A record as a batch holds it. ``length`` is in bytes without itself; ``end`` is the position after it."""

    length: int
    end: int
    timestamp_delta: int
    offset_delta: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def read_record(unpacked: bytes | bytearray, view: memoryview, position: int) -> RawRecord:
    """Read the record at a position. The bytes of header names that are not UTF-8 are escaped.

    Args:
        view: of the same bytes.

    Raises:
        ValueError, IndexError: the record breaks Kafka's format.
    """
    length, start = decode_varint(unpacked, position)
    end = start + length
    if length < 0 or end > len(unpacked):
        raise ValueError("its length goes beyond the batch")
    _, position = decode_varint(unpacked, start)
    timestamp_delta, position = decode_varint(unpacked, position)
    offset_delta, position = decode_varint(unpacked, position)
    key, position = read_bytes(unpacked, view, position, end)
    value, position = read_bytes(unpacked, view, position, end)
    count, position = decode_varint(unpacked, position)
    if not 0 <= count <= MAX_HEADERS:
        raise ValueError(f"it states {count:,} headers, and may have {MAX_HEADERS}")
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        name, position = read_bytes(unpacked, view, position, end)
        if name is None:
            raise ValueError("a header has no name")
        header, position = read_bytes(unpacked, view, position, end)
        headers.append((name.decode("utf-8", "backslashreplace"), header))
    if position != end:
        raise ValueError("its parts do not add up to its length")
    return RawRecord(length, end, timestamp_delta, offset_delta, key, value, headers)


def read_bytes(unpacked: bytes | bytearray, view: memoryview, position: int, end: int) -> tuple[bytes | None, int]:
    """Read bytes after their length (negative: null), and return them with the position after them."""
    length, position = decode_varint(unpacked, position)
    if length < 0:
        return None, position
    if position + length > end:
        raise ValueError("one of its parts goes beyond it")
    return bytes(view[position : position + length]), position + length
