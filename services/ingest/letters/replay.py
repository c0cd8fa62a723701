"""Turns dead letters into facts once their cause is corrected, through the same judge and the same writer.

A letter is claimed in the transaction that writes its facts. So even a replay that is killed, or run twice at the same
time, turns each letter into facts once.
"""

from dataclasses import dataclass

import asyncpg
import numpy as np

from schemas.wire.columns import RowKind
from schemas.wire.refusal import Refusal
from schemas.wire.rows import decode_row
from services.core.database import Connection
from services.ingest.columns import batch_of
from services.ingest.judging.authenticate import Sender, authenticate
from services.ingest.judging.introductions import Introductions
from services.ingest.judging.judge import judge, place_rows
from services.ingest.judging.novelty import introduce_new
from services.ingest.judging.registry import Registry, refresh_registry
from services.ingest.letters import queries
from services.ingest.letters.dead_letters import move_refusals
from services.ingest.letters.letter_bytes import HEAD_ONLY, decode_headers
from services.ingest.letters.letter_quota import LetterLimits
from services.ingest.model import AuthenticRecord, BusRecord, Findings, Ints
from services.ingest.writing.queries import HOLD_QUALITY_DAYS
from services.ingest.writing.writer import Topic, Writer, new_record_ids, plan_batch

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
    """Letters judged again: what they hold, the ids of those that hold facts, and those now refused differently."""

    findings: Findings
    taken: list[int]
    refused: list[RefusedAgain]


async def replay(connection: Connection, choice: Choice, *, require_signatures: bool, limits: LetterLimits) -> Replayed:
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
        registry = await refresh_registry(connection, registry)
        for topic in sorted({letter["topic"] for letter in letters}):
            own = [letter for letter in letters if letter["topic"] == topic]
            judged = judge_letters(own, registry, require_signatures=require_signatures)
            if judged.taken:
                place = Topic(topic, own[0]["cluster_id"], own[0]["topic_id"])
                writer = writers.setdefault(topic, Writer(place, limits))
                introductions = Introductions(topic)
                await introduce_new(connection, introductions, judged.findings, first_offsets(judged.findings), None)
                batch = batch_of(judged.findings, registry.machines, introductions.metrics)
                plan = plan_batch(batch, await record_ids(connection, judged.findings), writer.latest)
                counts = await writer.write(connection, plan, [], tuple(judged.taken))
                turned += len(judged.taken)
                stored += counts.rows_of("stored")
            if judged.refused:
                await refuse_again(connection, judged.refused)
        seen += len(letters)
        after = letters[-1]["id"]


def first_offsets(findings: Findings) -> dict[int, int]:
    """Return the lowest offset of each partition's records."""
    firsts: dict[int, int] = {}
    for record in findings.records:
        offset = record.source.offset
        firsts[record.source.partition] = min(offset, firsts.get(record.source.partition, offset))
    return firsts


async def refuse_again(connection: Connection, refused: list[RefusedAgain]) -> None:
    """Give letters the reasons that apply now, and count them by these in their records."""
    async with connection.transaction():
        waiting_still = await connection.fetch(queries.LOCK_DEAD_LETTERS, [number for number, *_ in refused])
        locked = {row["id"] for row in waiting_still}
        own = [one for one in refused if one[0] in locked]
        if own:
            numbers, authentic, reasons, messages = (list(column) for column in zip(*own, strict=True))
            by_reason = [reason if known else None for known, reason in zip(authentic, reasons, strict=True)]
            await move_refusals(connection, numbers, by_reason)
            await connection.execute(queries.UPDATE_REFUSALS, numbers, authentic, reasons, messages)
            closed_before = await connection.fetchval(HOLD_QUALITY_DAYS)
            await connection.execute(queries.MARK_DAYS_OF_LETTERS, numbers, closed_before)


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
    findings = Findings()
    taken: list[int] = []
    refused: list[RefusedAgain] = []
    for letter in letters:
        if letter["row_kind"] is None:
            refusal = judge_whole(letter, registry, findings, require_signatures=require_signatures)
        else:
            refusal = judge_row(letter, registry, findings)
        if refusal is None:
            taken.append(letter["id"])
        elif refusal != (letter["id"], letter["authentic"], letter["reason"], letter["message"]):
            refused.append(refusal)
    return Judged(findings, taken, refused)


def judge_whole(
    letter: asyncpg.Record, registry: Registry, findings: Findings, *, require_signatures: bool
) -> RefusedAgain | None:
    """Add a whole record to the findings, or return why it is still refused."""
    known = len(findings.records)
    source = bus_record_of(letter)
    sender = authenticate(source, registry, require_signatures=require_signatures)
    judge(source, sender, registry, findings)
    if len(findings.records) > known:
        return None
    refused = findings.dead_letters.pop()
    return letter["id"], refused.authentic, refused.reason.value, refused.message


def judge_row(letter: asyncpg.Record, registry: Registry, findings: Findings) -> RefusedAgain | None:
    """Add one row of a stored record to the findings, or return why it is still refused."""
    if letter["revision"] is None:
        return letter["id"], True, letter["reason"], "The record of this row is no longer kept: have it sent again."
    kind = RowKind(letter["row_kind"])
    rows = decode_row(kind, letter["raw"])
    source = bus_record_of(letter)
    if isinstance(rows, Refusal):
        return letter["id"], True, rows.reason.value, rows.message
    sender = Sender(letter["factory_id"], registry.factories[letter["factory_id"]], letter["gateway_key"])
    for _, refusal in place_rows(source, sender, len(findings.records), kind, rows, registry, findings):
        return letter["id"], True, refusal.reason.value, refusal.message
    findings.records.append(
        AuthenticRecord(
            source=source,
            factory=letter["factory"],
            gateway_id=letter["gateway_id"],
            boot_id=letter["boot_id"],
            sequence=letter["sequence"],
            sent_us=letter["sent_at"],
            revision=letter["revision"],
            gateway_key=letter["gateway_key"],
            unknown_fields=0,
            refused=0,
            record_id=letter["record_id"],
        )
    )
    return None


async def record_ids(connection: Connection, findings: Findings) -> Ints:
    """Return the id of each record found, a new one for those that have none."""
    fresh = iter((await new_record_ids(connection, len(findings.records))).tolist())
    return np.array([next(fresh) if r.record_id is None else r.record_id for r in findings.records], np.int64)


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
