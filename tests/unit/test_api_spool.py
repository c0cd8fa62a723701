"""Bytes of an answer that are kept until it is sent."""

import hashlib

import pytest

from services.api.spool import CHUNK_BYTES, IN_MEMORY_BYTES, Spool


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, IN_MEMORY_BYTES + 1, 3 * IN_MEMORY_BYTES])
async def test_what_was_written_is_read(size: int) -> None:
    content = bytes(n % 251 for n in range(size))
    spool = Spool()
    for at in range(0, size, 100_000):
        spool.write(content[at : at + 100_000])
    chunks = [chunk async for chunk in spool.read()]
    spool.close()
    assert b"".join(chunks) == content
    assert all(len(chunk) <= CHUNK_BYTES for chunk in chunks)
    assert (spool.size, spool.sha256) == (size, hashlib.sha256(content).hexdigest())
