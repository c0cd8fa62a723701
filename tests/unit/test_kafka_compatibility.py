"""The faults of kafka-python that Jejo works around: mended by our functions, and not yet mended upstream."""

import pytest
from kafka import KafkaConsumer
from kafka.errors import CorruptRecordError
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from services.core.kafka_compatibility import TolerantRecordBatch, accept_any_header_name


class Latin(str):
    """A header's name as a client of another language may write it."""

    def encode(self, *_: object) -> bytes:
        return str.encode(self, "latin-1")


@pytest.fixture
def batch() -> bytes:
    """Three records, the second with a header name that is not UTF-8."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 10_000)
    for offset, name in enumerate(("a", Latin("Schl\xfcssel"), "b")):
        builder.append(offset, 1, b"key", b"value", [(name, b"1"), ("more", None)])
    return bytes(builder.build())


def test_a_header_name_that_is_not_utf8_is_escaped(batch: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_records, "DefaultRecordBatch", DefaultRecordBatch)
    accept_any_header_name()
    read = MemoryRecords(batch).next_batch()
    assert isinstance(read, TolerantRecordBatch)
    assert [(r.offset, r.key, r.value, r.headers) for r in read] == [
        (0, b"key", b"value", [("a", b"1"), ("more", None)]),
        (1, b"key", b"value", [("Schl\\xfcssel", b"1"), ("more", None)]),
        (2, b"key", b"value", [("b", b"1"), ("more", None)]),
    ]


def test_kafka_python_still_refuses_such_a_header_name(batch: bytes) -> None:
    """Fails once kafka-python is mended: remove ``accept_any_header_name`` then."""
    with pytest.raises(CorruptRecordError, match="UnicodeDecodeError"):
        list(DefaultRecordBatch(batch))


def test_kafka_python_still_has_no_public_topic_id() -> None:
    """Fails once kafka-python offers one: use that instead of ``latest_topic_id``."""
    public = [name for name in dir(KafkaConsumer) if not name.startswith("_")]
    assert not [name for name in public if "topic_id" in name or "cluster" in name]
