"""Unpacks what Kafka's codecs have packed, and stops as soon as the result grows beyond a bound. Pure.

kafka-python's own functions unpack whatever they are given: 6 kB of zstd can become 200 MB.
"""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import Protocol

import cramjam
import lz4.frame
import zstandard

STEP = 256 * 1024
"""How many bytes are unpacked between two looks at the bound."""

XERIAL_MAGIC = b"\x82SNAPPY\x00"
XERIAL_HEADER_BYTES = 16


class Codec(IntEnum):
    """Kafka's codecs; the value is the number in a batch's attributes."""

    none = 0
    gzip = 1
    snappy = 2
    lz4 = 3
    zstd = 4


class UnpackingError(Exception):
    """The bytes cannot be unpacked, or not within the bound. The message is the end of a sentence about them."""


class Unpacked(Protocol):
    """A stream that unpacks as it is read."""

    def read(self, size: int, /) -> bytes: ...


def unpack(codec: int, packed: bytes, most: int) -> bytes | bytearray:
    """Return what the bytes unpack to. Several frames in a row unpack to their contents in a row.

    Never allocates more than ``most``, a few ``STEP``, and what the codec itself holds of that.

    Raises:
        UnpackingError: they are no such codec's, are cut off, or unpack to more than ``most`` bytes.
    """
    try:
        match codec:
            case Codec.none:
                return within(packed, most)
            case Codec.gzip:
                return read_within(gzip.GzipFile(fileobj=io.BytesIO(packed)), most)
            case Codec.snappy:
                return unpack_snappy(packed, most)
            case Codec.lz4:
                return read_within(lz4.frame.LZ4FrameFile(io.BytesIO(packed)), most)
            case Codec.zstd:
                # The decoder itself refuses windows of more than 128 MiB, and touches no more of one than it fills.
                stream = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed), read_across_frames=True)
                return read_within(stream, most)
    except (OSError, EOFError, RuntimeError, zlib.error, cramjam.DecompressionError, zstandard.ZstdError) as error:
        raise UnpackingError(f"cannot be unpacked as {Codec(codec).name} ({error})") from error
    raise UnpackingError(f"is packed by a codec of number {codec}, which Kafka does not have")


def within(packed: bytes, most: int) -> bytes:
    if len(packed) > most:
        raise too_large(most)
    return packed


def read_within(stream: Unpacked, most: int) -> bytearray:
    """Return everything that a stream yields; stops reading beyond ``most`` bytes."""
    unpacked = bytearray()
    while chunk := stream.read(STEP):
        unpacked += chunk
        if len(unpacked) > most:
            raise too_large(most)
    return unpacked


def unpack_snappy(packed: bytes, most: int) -> bytearray:
    """Unpack snappy, raw or in the blocks of xerial's library. Each block states its length, and must keep to it."""
    blocks = list(xerial_blocks(packed)) if packed.startswith(XERIAL_MAGIC) else [memoryview(packed)]
    lengths = [cramjam.snappy.decompress_raw_len(block) for block in blocks]
    if sum(lengths) > most:
        raise too_large(most)
    unpacked = bytearray(sum(lengths))
    start = 0
    with memoryview(unpacked) as whole:
        for block, length in zip(blocks, lengths, strict=True):
            cramjam.snappy.decompress_raw_into(block, whole[start : start + length])
            start += length
    return unpacked


def xerial_blocks(packed: bytes) -> Iterator[memoryview]:
    """Yield the blocks that follow xerial's headers, each after its length in 4 bytes."""
    whole = memoryview(packed)
    position = 0
    while position < len(packed):
        if packed.startswith(XERIAL_MAGIC, position):
            position += XERIAL_HEADER_BYTES
            continue
        if len(packed) - position < 4:
            raise UnpackingError("is cut off within a block of snappy")
        (length,) = struct.unpack_from(">i", packed, position)
        position += 4
        if not 0 < length <= len(packed) - position:
            raise UnpackingError("has a block of snappy that does not end within it")
        yield whole[position : position + length]
        position += length


def too_large(most: int) -> UnpackingError:
    return UnpackingError(f"unpacks to more than {most:,} bytes")
