"""Dead letters in the database: written with their batch, listed and shown to operators."""

import base64
import hashlib
import json
from collections.abc import Iterator

import asyncpg

from schemas.wire.codes import Reason
from services.core.database import Connection
from services.core.errors import ConfigurationError
from services.core.times import HOUR_US, floor_to, rfc3339
from services.ingest import queries
from services.ingest.model import BusRecord, DeadLetter, Ints

HEAD_BYTES = 4096
"""How much is kept of what only its head is kept of."""
HEAD_ONLY = frozenset((Reason.too_large, Reason.unreadable_batch))
"""Reasons for which only the head is kept: no replay can make facts of it."""

Quota = tuple[str, bool, int]
"""Claimed factory (empty: none), whether the letters are authentic, and the start of the hour of receipt."""

LETTER_COLUMNS = [
    *("topic", "partition", "record_offset", "received_at", "claimed_factory", "authentic", "reason", "message"),
    *("row_kind", "row_index", "record_id", "raw", "raw_length", "raw_sha256", "record_key", "headers"),
]


async def write_dead_letters(
    connection: Connection, topic: int, letters: list[DeadLetter], record_ids: Ints, bytes_per_hour: int
) -> None:
    """Write dead letters; beyond the quota of their factory and hour, only with hash, length and reason.

    Args:
        record_ids: the ids of the batch's records.
        bytes_per_hour: how many bytes may be kept, of values, keys and headers together.
    """
    if not letters:
        return
    kept = await kept_so_far(connection, letters)

    def rows() -> Iterator[tuple[object, ...]]:
        for letter in letters:
            parts = kept_parts(letter)
            size = sum(len(part or b"") for part in parts)
            quota = quota_of(letter)
            if kept[quota] + size > bytes_per_hour:
                parts = (None, None, None)
            else:
                kept[quota] += size
            record_id = None if letter.record is None else int(record_ids[letter.record])
            yield letter_row(topic, letter, record_id, *parts)

    await connection.copy_records_to_table("dead_letter", records=rows(), columns=LETTER_COLUMNS)


async def kept_so_far(connection: Connection, letters: list[DeadLetter]) -> dict[Quota, int]:
    """Return how many bytes are stored already, by quota, for the quotas of these letters."""
    quotas = list(dict.fromkeys(quota_of(letter) for letter in letters))
    found = await connection.fetch(queries.QUARANTINE_KEPT, *[list(c) for c in zip(*quotas, strict=True)])
    return {quotas[row["position"] - 1]: int(row["kept"]) for row in found}


def quota_of(letter: DeadLetter) -> Quota:
    """Return the quota that a dead letter's bytes count against."""
    return letter.claimed_factory or "", letter.authentic, floor_to(letter.source.received_us, HOUR_US)


def kept_parts(letter: DeadLetter) -> tuple[bytes | None, bytes | None, bytes | None]:
    """Return raw bytes, key and headers as far as they are kept: a row's record has its key and headers."""
    raw = letter.raw[:HEAD_BYTES] if letter.reason in HEAD_ONLY else letter.raw
    if letter.row_kind is not None:
        return raw, None, None
    return raw, letter.source.key, encode_headers(letter.source)


def letter_row(
    topic: int, letter: DeadLetter, record_id: int | None, raw: bytes | None, key: bytes | None, headers: bytes | None
) -> tuple[object, ...]:
    """Return a row of ``dead_letter``, in the order of LETTER_COLUMNS."""
    source = letter.source
    return (
        *(topic, source.partition, source.offset, source.received_us, letter.claimed_factory, letter.authentic),
        *(letter.reason.value, letter.message, letter.row_kind, letter.row_index, record_id, raw, len(letter.raw)),
        *(hashlib.sha256(letter.raw).digest(), key, headers),
    )


def encode_headers(source: BusRecord) -> bytes:
    """Return Kafka headers as a JSON list of [name, base64 value or null]."""
    pairs = [[name, None if value is None else base64.b64encode(value).decode()] for name, value in source.headers]
    return json.dumps(pairs).encode()


def decode_headers(headers: bytes | None) -> tuple[tuple[str, bytes | None], ...]:
    """Return the headers that ``encode_headers`` was given; an empty tuple if they were not kept."""
    pairs = json.loads(headers or b"[]")
    return tuple((name, None if value is None else base64.b64decode(value)) for name, value in pairs)


async def list_dead_letters(
    connection: Connection, reason: str | None, factory_id: str | None, limit: int, *, replayed: bool
) -> list[str]:
    """Return one line per letter, the latest first: id, receipt, partition/offset, factory, reason, message."""
    rows = await connection.fetch(queries.LIST_DEAD_LETTERS, reason, factory_id, replayed, limit)
    return [
        f"{row['id']}  {rfc3339(row['received_at'])}  {row['partition']}/{row['record_offset']}{row_place(row)}  "
        f"{row['claimed_factory'] or '-'}  {row['reason']}  {row['message']}"
        for row in rows
    ]


def row_place(row: asyncpg.Record) -> str:
    """Return which row of its record a letter is; empty for a whole record."""
    return f" {row['row_kind']}[{row['row_index']}]" if row["row_kind"] is not None else ""


async def show_dead_letter(connection: Connection, number: int) -> dict[str, object]:
    """Return everything that is kept of one letter, for JSON.

    Raises:
        ConfigurationError: no letter has this id.
    """
    row = await connection.fetchrow(queries.SHOW_DEAD_LETTER, number)
    if row is None:
        raise ConfigurationError(f"There is no dead letter {number}: `jejo dead-letters list` shows those that exist.")
    return {
        "id": row["id"],
        "topic": row["topic_name"],
        "partition": row["partition"],
        "offset": row["record_offset"],
        "received_at": rfc3339(row["received_at"]),
        "factory": row["claimed_factory"],
        "authentic": row["authentic"],
        "reason": row["reason"],
        "message": row["message"],
        "row": None if row["row_kind"] is None else {"kind": row["row_kind"], "index": row["row_index"]},
        "record_id": row["record_id"],
        "record_key": None if row["record_key"] is None else row["record_key"].decode("utf-8", "replace"),
        "headers": None if row["headers"] is None else row["headers"].decode(),
        "raw_length": row["raw_length"],
        "raw_sha256": row["raw_sha256"].hex(),
        "raw": None if row["raw"] is None else row["raw"].decode("utf-8", "replace"),
        "replayed_at": None if row["replayed_at"] is None else rfc3339(row["replayed_at"]),
    }
