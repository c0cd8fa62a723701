"""Records polled and not yet handed over, and how many of them one transaction takes. Pure."""

from dataclasses import dataclass, field

from services.ingest.model import BusRecord

MOST_COMMAS = 500_000
"""Commas in one transaction's records. They bound its rows and dead letters, of which a byte or two can make one."""


@dataclass(slots=True)
class RecordBuffer:
    """Records in the order polled, with the position after the last of each partition."""

    most_bytes: int
    most_records: int
    records: list[BusRecord] = field(default_factory=list)
    next: dict[int, int] = field(default_factory=dict)
    size: int = 0

    @property
    def is_full(self) -> bool:
        """Whether as much is in hand as one transaction should hold."""
        return self.size >= self.most_bytes or len(self.records) >= self.most_records

    def add(self, record: BusRecord) -> None:
        """Take one more record in; its partition's position follows."""
        self.records.append(record)
        self.size += size_of(record)
        self.next[record.partition] = record.offset + 1

    def take(self) -> tuple[list[BusRecord], dict[int, int]]:
        """The records for the next transaction, at least one if there are any, and the positions after them."""
        size = commas = count = 0
        for record in self.records[: self.most_records]:
            size += size_of(record)
            commas += (record.value or b"").count(b",")
            if count and (size > self.most_bytes or commas > MOST_COMMAS):
                break
            count += 1
        taken, self.records = self.records[:count], self.records[count:]
        left = {record.partition for record in self.records}
        positions = {p: position for p, position in self.next.items() if p not in left}
        positions |= {record.partition: record.offset + 1 for record in taken if record.partition in left}
        self.next = {p: position for p, position in self.next.items() if p in left}
        self.size = sum(size_of(record) for record in self.records)
        return taken, positions


def size_of(record: BusRecord) -> int:
    """About how many bytes a record holds in memory."""
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.value or b"") + len(record.key or b"") + headers
