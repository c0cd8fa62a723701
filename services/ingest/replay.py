"""Turns dead letters into facts once what stood in their way is mended, through the same judge and the same writer.

A letter is taken in the transaction that writes what became of it. So a replay that is killed, or run twice at once,
turns each letter into facts once.
"""

import base64
import json
from dataclasses import dataclass

import asyncpg

from schemas.wire.codes import Reason
from schemas.wire.columns import RowKind
from schemas.wire.decode import decode_row
from schemas.wire.refusal import Refusal
from services.core.database import Connection
from services.ingest.judge import judge, place_rows
from services.ingest.model import AuthenticRecord, Batch, BusRecord
from services.ingest.registry import Registry
from services.ingest.writer import Topic, Writer

LETTERS_AT_ONCE = 500

WAITING = """
SELECT d.id, d.topic, t.cluster_id, t.topic_id, d.partition, d.record_offset, d.received_at, d.record_key, d.headers,
       d.raw, d.row_kind, d.row_index, d.record_id, r.revision, r.factory, f.factory_id, r.gateway_id, r.boot_id,
       r.sequence, r.sent_at, r.gateway_key, r.signed
FROM dead_letter d
JOIN ingest_topic t ON t.id = d.topic
LEFT JOIN ingest_record r ON r.id = d.record_id AND r.received_at = d.received_at
LEFT JOIN factory f ON f.id = r.factory
WHERE d.replayed_at IS NULL AND d.raw IS NOT NULL AND d.reason <> $4 AND d.id > $1
  AND ($2::text IS NULL OR d.reason = $2) AND ($3::text IS NULL OR d.claimed_factory = $3)
  AND ($5::bigint[] IS NULL OR d.id = ANY($5))
ORDER BY d.id
LIMIT $6
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters to replay: all that wait, or those of a reason, a factory, or given numbers."""

    reason: str | None = None
    factory_id: str | None = None
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to: letters looked at, letters turned into facts, and rows stored by them."""

    seen: int
    turned: int
    rows_stored: int


async def replay(connection: Connection, choice: Choice, *, require_signatures: bool, bytes_per_hour: int) -> Replayed:
    """Replay dead letters in the order in which they were kept; those still refused stay as they are.

    Raises:
        TransientError: the database went away or another replay took the same letters; run it again.
    """
    registry = Registry()
    after = seen = turned = stored = 0
    while True:
        ids = None if choice.ids is None else list(choice.ids)
        letters = await connection.fetch(
            WAITING, after, choice.reason, choice.factory_id, Reason.too_large.value, ids, LETTERS_AT_ONCE
        )
        if not letters:
            return Replayed(seen, turned, stored)
        await registry.refresh(connection)
        for topic in sorted({letter["topic"] for letter in letters}):
            own = [letter for letter in letters if letter["topic"] == topic]
            batch, taken = judge_letters(own, registry, require_signatures=require_signatures)
            if taken:
                writer = Writer(Topic(topic, own[0]["cluster_id"], own[0]["topic_id"]), bytes_per_hour)
                tally = await writer.write(connection, batch, [], tuple(taken))
                turned += len(taken)
                stored += tally.stored
        seen += len(letters)
        after = letters[-1]["id"]


def judge_letters(
    letters: list[asyncpg.Record], registry: Registry, *, require_signatures: bool
) -> tuple[Batch, list[int]]:
    """Judge letters again, as of their receipt.

    Returns:
        A batch of what can be a fact now, and the numbers of the letters in it.
    """
    batch = Batch()
    taken: list[int] = []
    for letter in letters:
        if letter["row_kind"] is None:
            accepted = judge_whole(letter, registry, batch, require_signatures=require_signatures)
        else:
            accepted = judge_row(letter, registry, batch)
        if accepted:
            taken.append(letter["id"])
    return batch, taken


def judge_whole(letter: asyncpg.Record, registry: Registry, batch: Batch, *, require_signatures: bool) -> bool:
    """Add a whole record to the batch, unless it is refused whole again."""
    known = len(batch.records)
    letters = len(batch.dead_letters)
    judge(bus_record_of(letter), registry, batch, require_signatures=require_signatures)
    accepted = len(batch.records) > known
    if not accepted:
        del batch.dead_letters[letters:]
    return accepted


def judge_row(letter: asyncpg.Record, registry: Registry, batch: Batch) -> bool:
    """Add one row of a known record to the batch, unless it is refused again."""
    kind = RowKind(letter["row_kind"])
    rows = decode_row(kind, letter["raw"])
    if isinstance(rows, Refusal):
        return False
    source = bus_record_of(letter)
    if place_rows(source, letter["factory_id"], len(batch.records), kind, rows, registry, batch):
        return False
    batch.records.append(
        AuthenticRecord(
            source=source,
            factory=letter["factory"],
            gateway_id=letter["gateway_id"],
            boot_id=letter["boot_id"],
            sequence=letter["sequence"],
            sent_us=letter["sent_at"],
            revision=letter["revision"],
            gateway_key=letter["gateway_key"],
            signed=letter["signed"],
            unknown_fields=0,
            refused=0,
            record_id=letter["record_id"],
        )
    )
    return True


def bus_record_of(letter: asyncpg.Record) -> BusRecord:
    """The record as it came off the bus."""
    headers = tuple((name, base64.b64decode(value)) for name, value in json.loads(letter["headers"]))
    return BusRecord(
        letter["partition"],
        letter["record_offset"],
        letter["received_at"],
        letter["record_key"],
        letter["raw"],
        headers,
    )
