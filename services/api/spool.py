"""Keeps the bytes of an answer until it is sent: in memory while they are few, else in a temporary file.

A client that reads slowly thus holds up neither a database connection nor memory.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from tempfile import SpooledTemporaryFile

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

IN_MEMORY_BYTES = 1024 * 1024
CHUNK_BYTES = 256 * 1024
"""Large enough for compression to leave the event loop."""


class Spool:
    """Bytes that are written once and then read. Close it afterwards."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes) -> None:
        """Append bytes."""
        self._file.write(content)
        self._hash.update(content)
        self.size += len(content)

    @property
    def sha256(self) -> str:
        """The hash of what was written, in hexadecimal."""
        return self._hash.hexdigest()

    async def read(self) -> AsyncIterator[bytes]:
        """Yield everything in chunks. Others have their turn between two."""
        self._file.seek(0)
        for at in range(0, self.size, CHUNK_BYTES):
            if at:
                await asyncio.sleep(0)
            yield self._file.read(CHUNK_BYTES)

    def close(self) -> None:
        """Release memory and disk."""
        self._file.close()


class SpoolResponse(Response):
    """Answers with what a spool holds, and closes it."""

    def __init__(self, spool: Spool, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(None, headers=headers, media_type=media_type)
        self.headers["Content-Length"] = str(spool.size)
        self._spool = spool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send_spool(self._spool, send)
        finally:
            self._spool.close()


async def send_spool(spool: Spool, send: Send) -> None:
    """Send what a spool holds as a response's body."""
    left = spool.size
    async for chunk in spool.read():
        left -= len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
    if spool.size == 0:
        await send({"type": "http.response.body", "body": b""})
