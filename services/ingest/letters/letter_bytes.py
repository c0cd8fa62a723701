"""What is kept of a refused record or row: its bytes, and for a whole record key and headers. Pure."""

import base64
import json
from typing import NamedTuple

from schemas.wire.codes import Reason
from services.ingest.model import BusRecord, DeadLetter

HEAD_BYTES = 4096
"""How much is kept of what only its head is kept of."""
HEAD_ONLY = frozenset((Reason.too_large, Reason.unreadable_batch))
"""Reasons for which only the head is kept: no replay can make facts of it."""

Headers = tuple[tuple[str, bytes | None], ...]


class KeptBytes(NamedTuple):
    """The bytes of a letter as they are stored; None for what is not."""

    raw: bytes | None
    key: bytes | None
    headers: bytes | None

    @property
    def size(self) -> int:
        """Return how much they count of a quota, in bytes."""
        return sum(len(part) for part in self if part is not None)


NO_BYTES = KeptBytes(None, None, None)


def kept_bytes(letter: DeadLetter) -> KeptBytes:
    """Return raw bytes, key and headers as far as they are kept: a row's record has its key and headers."""
    raw = letter.raw[:HEAD_BYTES] if letter.reason in HEAD_ONLY else letter.raw
    if letter.row_kind is not None:
        return KeptBytes(raw, None, None)
    return KeptBytes(raw, letter.source.key, encode_headers(letter.source))


def encode_headers(source: BusRecord) -> bytes:
    """Return Kafka headers as a JSON list of [name, base64 value or null]."""
    pairs = [[name, None if value is None else base64.b64encode(value).decode()] for name, value in source.headers]
    return json.dumps(pairs).encode()


def decode_headers(headers: bytes | None) -> Headers:
    """Return the headers that ``encode_headers`` was given; an empty tuple if they were not kept."""
    pairs = json.loads(headers or b"[]")
    return tuple((name, None if value is None else base64.b64decode(value)) for name, value in pairs)
