"""Every codec unpacks what it packed, judges the size meanwhile, and refuses whatever is damaged."""

import gzip
import random
import struct
import tracemalloc
from collections.abc import Callable
from functools import partial

import lz4.frame
import pytest
import snappy
import zstandard
from kafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode

from services.core.unpacking import STEP, XERIAL_MAGIC, Codec, UnpackingError, unpack
from tests.record_batches import pack, xerial

MOST = 4 * 1024 * 1024
PACKING = [codec for codec in Codec if codec is not Codec.none]
CONTENT = random.Random(1).randbytes(70_000) + b"readings" * 20_000
XERIAL_HEADER = XERIAL_MAGIC + struct.pack(">ii", 1, 1)


def largest_window(content: bytes) -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    packing = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packing.compress(content) + packing.flush()


MADE_BY: dict[str, tuple[Codec, Callable[[bytes], bytes]]] = {
    "kafka-python's gzip": (Codec.gzip, gzip_encode),
    "kafka-python's snappy": (Codec.snappy, snappy_encode),
    "kafka-python's lz4": (Codec.lz4, lz4_encode),
    "kafka-python's zstd": (Codec.zstd, zstd_encode),
    "raw snappy": (Codec.snappy, snappy.compress),
    "lz4 with its size": (Codec.lz4, lambda content: lz4.frame.compress(content, store_size=True)),
    "zstd without its size": (Codec.zstd, zstandard.ZstdCompressor(write_content_size=False).compress),
    "zstd with the largest window": (Codec.zstd, largest_window),
    **{codec.name: (codec, partial(pack, codec)) for codec in Codec},
}


@pytest.mark.parametrize("name", MADE_BY)
@pytest.mark.parametrize("content", [b"a", CONTENT, bytes(MOST)], ids=["short", "long", "as much as allowed"])
def test_what_was_packed_is_unpacked(name: str, content: bytes) -> None:
    codec, packing = MADE_BY[name]
    assert unpack(codec, packing(content), MOST) == content


@pytest.mark.parametrize("name", MADE_BY)
def test_one_byte_more_than_allowed_is_refused(name: str) -> None:
    codec, packing = MADE_BY[name]
    with pytest.raises(UnpackingError, match="unpacks to more than 4,194,304 bytes"):
        unpack(codec, packing(bytes(MOST + 1)), MOST)


@pytest.mark.parametrize("name", MADE_BY)
def test_a_bomb_is_left_as_soon_as_it_is_too_large(name: str) -> None:
    codec, packing = MADE_BY[name]
    packed = packing(bytes(20 * MOST))
    tracemalloc.start()
    try:
        with pytest.raises(UnpackingError, match="unpacks to more than"):
            unpack(codec, packed, MOST)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A bytearray that grows is larger by an eighth.
    assert peak < MOST * 9 / 8 + 4 * STEP


@pytest.mark.parametrize("codec", PACKING)
def test_frames_in_a_row_unpack_to_their_contents_in_a_row(codec: Codec) -> None:
    packed = pack(codec, b"one, ") + pack(codec, b"two")
    assert unpack(codec, packed, MOST) == b"one, two"
    with pytest.raises(UnpackingError, match="unpacks to more than"):
        unpack(codec, pack(codec, bytes(MOST)) + pack(codec, b"a"), MOST)


@pytest.mark.parametrize("codec", PACKING)
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda packed: packed[: len(packed) // 2], id="cut off"),
        pytest.param(lambda packed: packed[: len(packed) // 2] + bytes(50), id="zeros in the end"),
        pytest.param(lambda packed: b"nothing packed at all", id="something else"),
        pytest.param(lambda packed: b"\xff" * 40, id="ones"),
    ],
)
def test_damaged_bytes_are_refused(codec: Codec, damage: Callable[[bytes], bytes]) -> None:
    packed = damage(pack(codec, CONTENT))
    try:
        found = unpack(codec, packed, MOST)
    except UnpackingError:
        return
    # zstd does not say that a frame is cut off; there the records that are missing tell.
    assert codec is Codec.zstd
    assert len(found) < len(CONTENT)


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(XERIAL_HEADER + struct.pack(">i", -5) + b"abcde", id="negative block"),
        pytest.param(XERIAL_HEADER + struct.pack(">i", 0), id="empty block"),
        pytest.param(XERIAL_HEADER + struct.pack(">i", 500) + b"abc", id="block beyond the end"),
        pytest.param(XERIAL_HEADER + b"\0\0", id="cut within a length"),
        pytest.param(XERIAL_HEADER + struct.pack(">i", 6) + b"\xff\xff\xff\x7f\0a", id="block that states 256 MB"),
        pytest.param(b"\xff\xff\xff\xff\x0f\0a", id="raw block that states 4 GB"),
        pytest.param(b"\x05\x00a", id="raw block that states too much"),
    ],
)
def test_lengths_that_snappy_states_are_not_believed(packed: bytes) -> None:
    with pytest.raises(UnpackingError):
        unpack(Codec.snappy, packed, MOST)


def test_a_size_that_a_frame_states_is_not_believed() -> None:
    zstd = bytearray(zstandard.ZstdCompressor().compress(bytes(100_000)))
    zstd[5:9] = struct.pack("<I", 2_000_000_000)
    frame = bytearray(lz4.frame.compress(bytes(100_000), store_size=True))
    frame[6:14] = struct.pack("<Q", 2_000_000_000)
    for codec, packed in ((Codec.zstd, zstd), (Codec.lz4, frame)):
        with pytest.raises(UnpackingError):
            unpack(codec, bytes(packed), MOST)


def test_bytes_after_a_frame_are_refused() -> None:
    for codec in PACKING:
        with pytest.raises(UnpackingError):
            unpack(codec, pack(codec, CONTENT) + b"and more", MOST)


def test_a_codec_that_kafka_does_not_have_is_refused() -> None:
    for number in (5, 6, 7):
        with pytest.raises(UnpackingError, match=f"of number {number}"):
            unpack(number, b"abc", MOST)


@pytest.mark.parametrize("codec", PACKING)
def test_mutated_bytes_raise_nothing_else(codec: Codec) -> None:
    rng = random.Random(codec)
    packed = pack(codec, CONTENT)[:8000]
    whole = [pack(codec, b"readings" * 40), pack(codec, b"a"), packed]
    refused = 0
    for _ in range(3000):
        mutated = bytearray(rng.choice(whole))
        for _ in range(rng.randint(1, 4)):
            mutated[rng.randrange(min(len(mutated), rng.choice((20, 8000))))] = rng.randrange(256)
        try:
            assert len(unpack(codec, bytes(mutated), MOST)) <= MOST
        except UnpackingError:
            refused += 1
    assert refused > 1000


def test_many_empty_frames_take_no_memory() -> None:
    for codec in PACKING:
        empty = gzip.compress(b"") if codec is Codec.gzip else pack(codec, b"")
        if codec is Codec.snappy:
            empty = xerial(b"")
        assert unpack(codec, empty * (1_000_000 // len(empty)), MOST) == b""
