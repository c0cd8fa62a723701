"""Record batches made by hand, so that they can say what no client would, and a client that sends them as they are."""

import gzip
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

import lz4.frame
import snappy
import zstandard
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import calc_crc32c, encode_varint

from services.core.unpacking import XERIAL_MAGIC, Codec

Headers = Sequence[tuple[bytes, bytes | None]]

PRODUCE, VERSION, ALL_REPLICAS, TIMEOUT_MS = 0, 8, -1, 30_000
NOT_LEADER = 6


def varint(value: int) -> bytes:
    out = bytearray()
    encode_varint(value, out.append)
    return bytes(out)


def sized(value: bytes | None) -> bytes:
    return varint(-1) if value is None else varint(len(value)) + value


def record(
    value: bytes | None, *, key: bytes | None = b"F1", headers: Headers = (), offset_delta: int = 0, lie: int = 0
) -> bytes:
    """Return a record as a batch holds it; ``lie`` is added to the number of headers."""
    body = b"\0" + varint(0) + varint(offset_delta) + sized(key) + sized(value) + varint(len(headers) + lie)
    body += b"".join(varint(len(name)) + name + sized(content) for name, content in headers)
    return varint(len(body)) + body


def records(values: Sequence[bytes | None]) -> bytes:
    """Return records of these values with offsets in order."""
    return b"".join(record(value, offset_delta=n) for n, value in enumerate(values))


def pack(codec: Codec, content: bytes) -> bytes:
    """Pack as Kafka's Java client does; snappy in xerial's blocks."""
    match codec:
        case Codec.gzip:
            return gzip.compress(content, 6)
        case Codec.snappy:
            return xerial(content)
        case Codec.lz4:
            return lz4.frame.compress(content, store_size=False, block_linked=False)
        case Codec.zstd:
            return zstandard.ZstdCompressor(write_content_size=False).compress(content)
        case Codec.none:
            return content


def xerial(content: bytes, block: int = 32 * 1024) -> bytes:
    packed = [snappy.compress(content[start : start + block]) for start in range(0, len(content), block)]
    return XERIAL_MAGIC + struct.pack(">ii", 1, 1) + b"".join(struct.pack(">i", len(b)) + b for b in packed)


def batch(
    packed: bytes,
    count: int,
    codec: int = Codec.none,
    *,
    first: int = 0,
    stamped: bool = False,
    transaction_of: int | None = None,
) -> bytes:
    """Return a batch of ``count`` records with the right checksum.

    Args:
        first: the offset of its first record.
        stamped: as the broker stores it, with its own time of 1 ms; otherwise as a producer sends it.
        transaction_of: the id of the producer whose transaction it begins.
    """
    attributes = codec | (0x08 if stamped else 0) | (0 if transaction_of is None else 0x10)
    producer = (-1, -1, -1) if transaction_of is None else (transaction_of, 0, 0)
    after_checksum = struct.pack(">hiqqqhii", attributes, count - 1, 1, 1, *producer, count) + packed
    length = DefaultRecordBatch.HEADER_STRUCT.size - 12 + len(packed)
    return struct.pack(">qiibI", first, length, 0, 2, calc_crc32c(after_checksum)) + after_checksum


@dataclass(frozen=True, slots=True)
class Produced:
    """A broker's answer: the error's number (0: none) and message, the first offset, and its time stamp (-1: none)."""

    error: int
    message: str | None
    first_offset: int
    appended_ms: int


def produce(bootstrap: str, topic: str, partition: int, raw: bytes, transactional_id: str | None = None) -> Produced:
    """Send one batch as it is, and return the broker's answer, once it leads the partition."""
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while (answer := ask_once(bootstrap, topic, partition, raw, transactional_id)).error == NOT_LEADER:
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer


def ask_once(bootstrap: str, topic: str, partition: int, raw: bytes, transactional_id: str | None) -> Produced:
    name = topic.encode()
    id_ = (transactional_id or "").encode()
    body = struct.pack(">hhih", PRODUCE, VERSION, 1, -1)
    body += struct.pack(">h", -1 if transactional_id is None else len(id_)) + id_
    body += struct.pack(">hii", ALL_REPLICAS, TIMEOUT_MS, 1)
    body += struct.pack(">h", len(name)) + name + struct.pack(">iii", 1, partition, len(raw)) + raw
    host, _, port = bootstrap.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        (length,) = struct.unpack(">i", receive(connection, 4))
        answer = receive(connection, length)
    # Correlation, number of topics, the topic's name, number of partitions, the partition's number.
    start = 4 + 4 + 2 + len(name) + 4 + 4
    error, first, appended_ms = struct.unpack_from(">hqq", answer, start)
    start += 2 + 8 + 8 + 8
    (wrong,) = struct.unpack_from(">i", answer, start)
    start += 4
    for _ in range(wrong):
        _, start = nullable_string(answer, start + 4)
    message, _ = nullable_string(answer, start)
    return Produced(error, message, first, appended_ms)


def nullable_string(answer: bytes, start: int) -> tuple[str | None, int]:
    (length,) = struct.unpack_from(">h", answer, start)
    end = start + 2 + max(0, length)
    return (None if length < 0 else answer[start + 2 : end].decode()), end


def receive(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = connection.recv(count - len(found))
        assert part, "the broker closed the connection"
        found += part
    return found
