"""Record batches that a broker accepts, and ingest does not unpack: too large, with too many records, or broken.

Kafka 4.4 refuses most broken batches when they are sent: those cut off, of another codec, with invalid records, or with
another number of them than stated; tests/unit/test_kafka_batches.py has these. It accepts what only the contract does
not allow, and bytes after the last record.
"""

import functools
from dataclasses import dataclass

from services.core.unpacking import Codec
from tests.record_batches import batch, pack, record, records

MIB = 1024 * 1024
PACKING = [codec for codec in Codec if codec is not Codec.none]
SMALL_RECORDS = 150_000


@dataclass(frozen=True, slots=True)
class UnreadableBatch:
    """A batch of ``count`` records as a producer sends it; ``why`` is part of its letter's message."""

    name: str
    raw: bytes
    count: int
    why: str


@functools.cache
def unreadable_batches() -> tuple[UnreadableBatch, ...]:
    """Return bombs of each codec, of large records and of small ones, and batches broken otherwise."""
    one_record = records([b"{}"])
    many = b"".join(record(None, offset_delta=n) for n in range(SMALL_RECORDS))
    found = []
    for codec in PACKING:
        # 40 MiB of blanks would be more than 2 MiB in snappy.
        count = 34 if codec is Codec.snappy else 40
        large = batch(pack(codec, records([b" " * MIB] * count)), count, codec)
        found.append(UnreadableBatch(f"{codec.name} bomb", large, count, "unpacks to more than 33,554,432 bytes"))
        small = batch(pack(codec, many), SMALL_RECORDS, codec)
        why = "states 150,000 records, more than 131,072"
        found.append(UnreadableBatch(f"{codec.name} bomb of small records", small, SMALL_RECORDS, why))
    for codec in (Codec.gzip, Codec.lz4):
        raw = batch(pack(codec, one_record) + b"more", 1, codec)
        found.append(UnreadableBatch(f"bytes after {codec.name}", raw, 1, f"unpacked as {codec.name}"))
    headers = batch(record(b"{}", headers=[(b"", b"")] * 200), 1)
    return (*found, UnreadableBatch("many headers", headers, 1, "states 200 headers, and may have 100"))
