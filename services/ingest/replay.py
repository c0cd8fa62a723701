"""Turns dead letters into facts once their cause is corrected, through the same judge and the same writer.

A letter is claimed in the transaction that writes its facts. So even a replay that is killed, or run twice at the same
time, turns each letter into facts once.
"""

from dataclasses import dataclass

import asyncpg

from schemas.wire.columns import RowKind
from schemas.wire.refusal import Refusal
from schemas.wire.rows import decode_row
from services.core.database import Connection
from services.ingest import queries
from services.ingest.dead_letters import HEAD_ONLY, decode_headers
from services.ingest.judge import judge, place_rows
from services.ingest.model import AuthenticRecord, Batch, BusRecord
from services.ingest.registry import Registry
from services.ingest.writer import Topic, Writer

LETTERS_AT_ONCE = 500
BYTES_AT_ONCE = 8 * 1024 * 1024

RefusedAgain = tuple[int, bool, str, str]
"""A letter that is still refused: its id, whether it is authentic, reason code and message."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters to replay: all that wait, or those of a reason, of a factory, or with given ids."""

    reason: str | None = None
    factory_id: str | None = None
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of a replay: letters judged, letters turned into facts, and rows stored."""

    seen: int
    turned: int
    rows_stored: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Letters judged again: a batch of facts, the ids of its letters, and the letters now refused differently."""

    batch: Batch
    taken: list[int]
    refused: list[RefusedAgain]


async def replay(connection: Connection, choice: Choice, *, require_signatures: bool, bytes_per_hour: int) -> Replayed:
    """Replay dead letters, oldest first; those still refused stay, with the reason that applies now.

    Raises:
        TransientError: a batch was not written, or another replay took the same letters; run it again.
        asyncpg.PostgresError, OSError: the database failed between batches; run it again.
    """
    registry = Registry()
    writers: dict[int, Writer] = {}
    after = seen = turned = stored = 0
    while True:
        letters = await waiting(connection, choice, after)
        if not letters:
            return Replayed(seen, turned, stored)
        await registry.refresh(connection)
        for topic in sorted({letter["topic"] for letter in letters}):
            own = [letter for letter in letters if letter["topic"] == topic]
            judged = judge_letters(own, registry, require_signatures=require_signatures)
            if judged.taken:
                place = Topic(topic, own[0]["cluster_id"], own[0]["topic_id"])
                writer = writers.setdefault(topic, Writer(place, bytes_per_hour))
                counts = await writer.write(connection, judged.batch, [], tuple(judged.taken))
                turned += len(judged.taken)
                stored += counts.rows_of("stored")
            if judged.refused:
                await connection.execute(
                    queries.UPDATE_REFUSALS, *[list(column) for column in zip(*judged.refused, strict=True)]
                )
        seen += len(letters)
        after = letters[-1]["id"]


async def waiting(connection: Connection, choice: Choice, after: int) -> list[asyncpg.Record]:
    """Return the next letters that wait, a page that fits into memory."""
    ids = None if choice.ids is None else list(choice.ids)
    return await connection.fetch(
        queries.WAITING_DEAD_LETTERS,
        after,
        choice.reason,
        choice.factory_id,
        [reason.value for reason in HEAD_ONLY],
        ids,
        LETTERS_AT_ONCE,
        BYTES_AT_ONCE,
    )


def judge_letters(letters: list[asyncpg.Record], registry: Registry, *, require_signatures: bool) -> Judged:
    """Judge letters again, as of their receipt but by the present registry."""
    batch = Batch()
    taken: list[int] = []
    refused: list[RefusedAgain] = []
    for letter in letters:
        if letter["row_kind"] is None:
            refusal = judge_whole(letter, registry, batch, require_signatures=require_signatures)
        else:
            refusal = judge_row(letter, registry, batch)
        if refusal is None:
            taken.append(letter["id"])
        elif refusal != (letter["id"], letter["authentic"], letter["reason"], letter["message"]):
            refused.append(refusal)
    return Judged(batch, taken, refused)


def judge_whole(
    letter: asyncpg.Record, registry: Registry, batch: Batch, *, require_signatures: bool
) -> RefusedAgain | None:
    """Add a whole record to the batch, or return why it is still refused."""
    known = len(batch.records)
    judge(bus_record_of(letter), registry, batch, require_signatures=require_signatures)
    if len(batch.records) > known:
        return None
    refused = batch.dead_letters.pop()
    return letter["id"], refused.authentic, refused.reason.value, refused.message


def judge_row(letter: asyncpg.Record, registry: Registry, batch: Batch) -> RefusedAgain | None:
    """Add one row of a stored record to the batch, or return why it is still refused."""
    if letter["revision"] is None:
        return letter["id"], True, letter["reason"], "The record of this row is no longer kept: have it sent again."
    kind = RowKind(letter["row_kind"])
    rows = decode_row(kind, letter["raw"])
    source = bus_record_of(letter)
    if isinstance(rows, Refusal):
        return letter["id"], True, rows.reason.value, rows.message
    for _, refusal in place_rows(source, letter["factory_id"], len(batch.records), kind, rows, registry, batch):
        return letter["id"], True, refusal.reason.value, refusal.message
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
    return None


def bus_record_of(letter: asyncpg.Record) -> BusRecord:
    """Rebuild the Kafka record; of a row's letter only its place and the row's bytes."""
    return BusRecord(
        letter["partition"],
        letter["record_offset"],
        letter["received_at"],
        letter["record_key"],
        letter["raw"],
        decode_headers(letter["headers"]),
    )
