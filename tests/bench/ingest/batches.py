"""Record batches ready to be sent, and a connection that sends them at the pace of the broker's disk.

A producer would compress again in every round, on the cores that the worker needs. Requests and answers are described
in Kafka's protocol guide, "Produce API"; version 7 is the first that takes zstd.
"""

import socket
import struct
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from types import TracebackType
from typing import Self

import numpy as np
from kafka.record.default_records import DefaultRecordBatchBuilder

from schemas.wire.topic import PARTITIONS
from tests.bench.ingest.records import Ints, Signed

BATCH_BYTES = 262_144
"""Of records before compression: what the reference gateway's producer collects while it sends what it had to keep."""
PRODUCE, VERSION = 0, 7
TIMEOUT_MS = 30_000
NO_LEADER_YET = (3, 5, 6)
"""Errors of a topic that has just been created: unknown, without a leader, or led by another broker."""


class Codec(IntEnum):
    """How a batch is compressed, by Kafka's number."""

    lz4 = 3
    zstd = 4


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition, encoded; ``data`` is what the log will hold."""

    partition: int
    data: bytes
    records: int


@dataclass(slots=True)
class Load:
    """Batches in the order in which they are sent, and the place of each record, in the order of the records."""

    batches: list[Batch] = field(default_factory=list)
    partition: list[int] = field(default_factory=list)
    offset: list[int] = field(default_factory=list)

    @property
    def records(self) -> int:
        """Records in all batches."""
        return len(self.partition)

    def places(self) -> tuple[Ints, Ints]:
        """Partition and offset of each record, if the topic was empty before."""
        return np.array(self.partition, np.int64), np.array(self.offset, np.int64)


def partition_of(key: bytes) -> int:
    """The partition of a record key; the same for all records of a factory, as with any of Kafka's clients."""
    return zlib.crc32(key) % PARTITIONS


def encode_batch(partition: int, records: Sequence[Signed], codec: Codec = Codec.lz4) -> Batch:
    """Return records of one partition as one batch of any size."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 30)
    now_ms = int(time.time() * 1000)
    for n, record in enumerate(records):
        builder.append(n, now_ms, record.key, record.value, record.headers)
    return Batch(partition, bytes(builder.build()), len(records))


def pack(records: Iterable[Signed], places: Iterable[int] | None = None, most_bytes: int = BATCH_BYTES) -> Load:
    """Put records into batches as a producer would: by partition, each batch sent as soon as it is full.

    Args:
        places: the partition of each record; without it, that of its key.
        most_bytes: of records before compression; 1 makes a batch of each record.
    """
    load = Load()
    waiting: dict[int, list[Signed]] = {p: [] for p in range(PARTITIONS)}
    size = dict.fromkeys(waiting, 0)
    ends = dict.fromkeys(waiting, 0)
    chosen = iter(places) if places is not None else None
    for record in records:
        partition = partition_of(record.key) if chosen is None else next(chosen)
        if waiting[partition] and size[partition] + len(record.value) > most_bytes:
            load.batches.append(encode_batch(partition, waiting[partition]))
            waiting[partition], size[partition] = [], 0
        waiting[partition].append(record)
        size[partition] += len(record.value)
        load.partition.append(partition)
        load.offset.append(ends[partition])
        ends[partition] += 1
    load.batches += [encode_batch(partition, rest) for partition, rest in waiting.items() if rest]
    return load


class Broker:
    """A connection to the only broker, which leads every partition."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        host, _, port = bootstrap.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._topic = topic.encode()
        self._correlation = 0

    def send(self, batches: Iterable[Batch]) -> None:
        """Append batches, one request each, in their order.

        Raises:
            AssertionError: the broker refuses one.
        """
        for batch in batches:
            error = self._append(batch)
            deadline = time.monotonic() + TIMEOUT_MS / 1000
            while error in NO_LEADER_YET and time.monotonic() < deadline:
                time.sleep(0.05)
                error = self._append(batch)
            assert error == 0, f"error {error} for a batch of partition {batch.partition}"

    def _append(self, batch: Batch) -> int:
        """Send one request, and return the error in its answer, 0 for none."""
        self._correlation += 1
        self._socket.sendall(self._request(batch))
        answer = self._receive(struct.unpack(">i", self._receive(4))[0])
        # Correlation, one topic and its name, one partition and its number, the error.
        return int(struct.unpack_from(">h", answer, 4 + 4 + 2 + len(self._topic) + 4 + 4)[0])

    def _request(self, batch: Batch) -> bytes:
        header = struct.pack(">hhih5s", PRODUCE, VERSION, self._correlation, 5, b"bench")
        to_all_replicas = struct.pack(">hhi", -1, -1, TIMEOUT_MS)
        topic = struct.pack(f">ih{len(self._topic)}s", 1, len(self._topic), self._topic)
        partition = struct.pack(">iii", 1, batch.partition, len(batch.data))
        body = b"".join((header, to_all_replicas, topic, partition, batch.data))
        return struct.pack(">i", len(body)) + body

    def _receive(self, length: int) -> bytes:
        parts = b""
        while len(parts) < length:
            part = self._socket.recv(length - len(parts))
            assert part, "the broker closed the connection"
            parts += part
        return parts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()


def send(bootstrap: str, topic: str, load: Load) -> None:
    """Append a load to a topic."""
    with Broker(bootstrap, topic) as broker:
        broker.send(load.batches)
