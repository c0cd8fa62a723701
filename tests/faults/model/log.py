"""A broker's log, naively: a list per partition of records, of unreadable batches, and of offsets without a record."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.ingest.model import BusRecord, Unreadable
from services.ingest.stream.progress import LogBounds
from tests.faults.reference import Delivery, Message, Place

FIRST_TOPIC = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """Offsets [first, end) of a partition: a record, a batch that cannot be read, or (None) nothing to be read."""

    first: int
    end: int
    record: BusRecord | None


@dataclass(slots=True)
class Log:
    """A topic's log and the broker's clock, in microseconds. ``deliveries`` is for the reference."""

    clock_us: int
    partitions: list[list[Entry]] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    def end(self, partition: int) -> int:
        entries = self.partitions[partition]
        return entries[-1].end if entries else 0

    def bounds(self, partitions: frozenset[int]) -> dict[int, LogBounds]:
        """Return the bounds of these partitions' logs."""
        return {partition: LogBounds(0, self.end(partition)) for partition in partitions}

    def append(self, message: Message, partition: int) -> None:
        """Append a record at its receipt, which takes a millisecond."""
        first = self.end(partition)
        record = BusRecord(partition, first, self.clock_us, message.key, message.value, message.headers)
        self._add(partition, Entry(first, first + 1, record), message)

    def append_unreadable(self, partition: int, count: int) -> None:
        """Append a batch of ``count`` records that cannot be unpacked; it is one letter, at its first offset."""
        first, end = self.end(partition), self.end(partition) + count
        broken = Unreadable(first, end - 1, "cannot be unpacked as gzip (not gzip)")
        record = BusRecord(partition, end - 1, self.clock_us, None, b"not gzip", (), broken)
        message = Message(None, None, (), "", refused="unreadable_batch")
        self._add(partition, Entry(first, end, record), message)

    def append_nothing(self, partition: int, count: int) -> None:
        """Append offsets that a reader never sees: an aborted transaction and its control record."""
        first = self.end(partition)
        self.partitions[partition].append(Entry(first, first + count, None))

    def read(self, partition: int, position: int, count: int) -> tuple[list[BusRecord], int]:
        """Return the records of the next ``count`` entries from a position on, and the position after them.

        A position may be in the midst of an unreadable batch, which is then returned as a whole.
        """
        found = [entry for entry in self.partitions[partition] if entry.end > position][:count]
        records = [entry.record for entry in found if entry.record is not None]
        return records, found[-1].end if found else position

    def before(self, ends: dict[int, int]) -> Iterator[Delivery]:
        """Yield what was delivered before these offsets; nothing of partitions that are missing."""
        for delivery in self.deliveries:
            _, partition, offset = delivery.place
            if offset < ends.get(partition, 0):
                yield delivery

    def _add(self, partition: int, entry: Entry, message: Message) -> None:
        place: Place = (FIRST_TOPIC, partition, entry.first)
        self.partitions[partition].append(entry)
        self.deliveries.append(Delivery(message, place, self.clock_us))
        self.clock_us += 1000
