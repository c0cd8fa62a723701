"""Reads Kafka's record batches also where a header's name is not UTF-8, which the broker lets anyone write.

Kafka's client decodes names strictly, so one such header would stop its partition for good. Here the name is read with
its odd bytes escaped; whether the record can be a fact is then for the judge to say.
"""

from typing import Any

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch


class EscapingBuffer(bytearray):
    """Bytes whose slices decode to text in any case."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return EscapingBuffer(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, "backslashreplace")


class ReadableBatch(DefaultRecordBatch):  # type: ignore[misc]
    """A batch that goes on with an escaping buffer once a name cannot be decoded. A failed read has moved nothing."""

    __slots__ = ()

    def _read_msg(self, *args: Any) -> Any:
        try:
            return super()._read_msg(*args)
        except UnicodeDecodeError:
            buffer: Any = self._buffer  # type: ignore[has-type]
            self._buffer = EscapingBuffer(buffer)  # type: ignore[misc]
            return super()._read_msg(*args)


def read_every_batch() -> None:
    """Have Kafka's client, which offers no setting for it, read batches this way."""
    memory_records.DefaultRecordBatch = ReadableBatch
