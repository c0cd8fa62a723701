"""Records polled and not yet written, and how many of them one transaction takes. Pure."""

from dataclasses import dataclass, field

import numpy as np

from services.ingest.model import BusRecord

COMMA = ord(",")
MOST_COMMAS = 500_000
"""Most commas in one transaction's records, which bound its rows and dead letters: one can be as short as two bytes."""


@dataclass(slots=True)
class RecordBuffer:
    """Records in the order polled with their sizes, and per partition the position after its last one (``next``)."""

    most_bytes: int
    most_records: int
    records: list[BusRecord] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    next: dict[int, int] = field(default_factory=dict)
    size: int = 0

    @property
    def is_full(self) -> bool:
        """Whether the buffer holds as much as one transaction should."""
        return self.size >= self.most_bytes or len(self.records) >= self.most_records

    def add(self, record: BusRecord) -> None:
        """Add a record, and move its partition's position behind it."""
        own = size_of(record)
        self.records.append(record)
        self.sizes.append(own)
        self.size += own
        self.next[record.partition] = record.offset + 1

    def take(self) -> tuple[list[BusRecord], dict[int, int], int]:
        """Remove and return the next transaction's records, the positions after them, and their size in bytes.

        It takes at least one record if there are any.
        """
        size = commas = count = 0
        for record, own in zip(self.records[: self.most_records], self.sizes, strict=False):
            commas += count_commas(record.value or b"")
            if count and (size + own > self.most_bytes or commas > MOST_COMMAS):
                break
            size += own
            count += 1
        taken, self.records = self.records[:count], self.records[count:]
        del self.sizes[:count]
        left = {record.partition for record in self.records}
        positions = {p: position for p, position in self.next.items() if p not in left}
        positions |= {record.partition: record.offset + 1 for record in taken if record.partition in left}
        self.next = {p: position for p, position in self.next.items() if p in left}
        self.size -= size
        return taken, positions, size


def count_commas(value: bytes) -> int:
    """Count a value's commas. With numpy, since ``bytes.count`` is slow where there are many."""
    return int(np.count_nonzero(np.frombuffer(value, np.uint8) == COMMA))


def size_of(record: BusRecord) -> int:
    """Return about how many bytes of memory a record takes."""
    size = len(record.value or b"") + len(record.key or b"")
    for name, value in record.headers:
        size += len(name) + len(value or b"")
    return size
