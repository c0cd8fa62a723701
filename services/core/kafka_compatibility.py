"""Everything that Jejo uses of kafka-python's private parts; no other module may touch them.

Each works around a fault, or something missing, of kafka-python 3.0.12. Tests named after the faults
(test_kafka_compatibility in tests/unit and tests/integration) fail with a version of kafka-python that has mended
one: its function can then go.
"""

from typing import Any

from kafka import KafkaConsumer
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch


def accept_any_header_name() -> None:
    """Make every consumer of this process read records whose header names are not UTF-8, with the odd bytes escaped.

    Fault, in 3.0.12: names are decoded strictly (``DefaultRecordBatch._read_msg``), though brokers let any bytes
    through. One such record makes every poll raise CorruptRecordError, so its partition is never read any further.
    There is no setting for it.
    """
    memory_records.DefaultRecordBatch = TolerantRecordBatch  # type: ignore[misc]


class TolerantRecordBatch(DefaultRecordBatch):
    """A batch that switches to an escaping buffer at the first name that cannot be decoded."""

    __slots__ = ()

    def _read_msg(self, *args: Any) -> DefaultRecord:
        try:
            return super()._read_msg(*args)
        except UnicodeDecodeError:
            # The failed attempt has not moved the position, so the same record is read again.
            self._buffer = EscapingBuffer(self._buffer)
            return super()._read_msg(*args)


class EscapingBuffer(bytearray):
    """Bytes whose slices can always be decoded."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return EscapingBuffer(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, "backslashreplace")


def resume_join(consumer: KafkaConsumer) -> None:
    """Make the next poll continue a group join that the last poll left unfinished. Call it after every poll.

    Fault, in 3.0.12: a group leader that rejoins because the topic's partitions changed records the change as handled
    before the join completes (``ConsumerCoordinator.need_rejoin`` compares the snapshots and turns False). If the
    poll's time runs out in between, no later poll awaits the join, and nothing is fetched any more.

    Requesting a join while one is under way only has that one awaited.
    """
    if is_joining(consumer):
        consumer._coordinator.request_rejoin()


def is_joining(consumer: KafkaConsumer) -> bool:
    """Return whether a join of the consumer's group has begun and not completed."""
    return consumer._coordinator.rejoining


def latest_topic_id(consumer: KafkaConsumer, topic: str) -> str | None:
    """Return the topic's id according to the consumer's newest metadata, or None if that does not have it.

    Lack, in 3.0.12: a consumer fetches by topic id, and so knows before anybody else that a topic was recreated, but
    offers no public way to ask for the id.
    """
    found = consumer._cluster.topic_id(topic)
    return None if found is None else str(found)
