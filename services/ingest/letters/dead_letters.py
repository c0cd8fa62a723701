"""Dead letters in the database: written with their batch, listed, shown and counted for operators, and expired."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import asyncpg

from schemas.wire.codes import Reason
from services.core.database import Connection
from services.core.errors import ConfigurationError
from services.core.times import rfc3339, seoul_day
from services.ingest.letters import queries
from services.ingest.letters.letter_bytes import KeptBytes
from services.ingest.letters.letter_quota import LetterLimits, LetterQuota, Spent, plan_letters, quota_of
from services.ingest.model import DeadLetter, Ints

DELETED_AT_ONCE = 5000
"""Rows that one statement deletes, so that none takes long."""

LETTER_COLUMNS = [
    *("topic", "partition", "record_offset", "received_at", "claimed_factory", "authentic", "reason", "message"),
    *("row_kind", "row_index", "record_id", "raw", "raw_length", "raw_sha256", "record_key", "headers"),
]


@dataclass(frozen=True, slots=True)
class WrittenLetters:
    """How many dead letters a batch had, by reason: kept, and beyond the quota only counted."""

    kept: Counter[Reason] = field(default_factory=Counter)
    counted: Counter[Reason] = field(default_factory=Counter)


async def write_dead_letters(
    connection: Connection, topic: int, letters: list[DeadLetter], record_ids: Ints, limits: LetterLimits
) -> WrittenLetters:
    """Keep or count dead letters within the batch's transaction; see ``letter_quota`` for which.

    Args:
        topic: the topic's id in ``ingest_topic``.
        record_ids: the ids of the batch's records, which ``DeadLetter.record`` indexes.

    Raises:
        asyncpg.UniqueViolationError: one of them is kept already; roll back, and leave out what was judged before.
    """
    if not letters:
        return WrittenLetters()
    plan = plan_letters(letters, await letters_spent(connection, topic, letters), limits)
    rows = (
        letter_row(topic, letter, None if letter.record is None else int(record_ids[letter.record]), parts)
        for letter, parts in plan.kept
    )
    if plan.kept:
        await connection.copy_records_to_table("dead_letter", records=rows, columns=LETTER_COLUMNS)
    if plan.spent:
        await connection.execute(queries.SPEND_LETTERS, topic, *columns_of(plan.spent.items()))
    await count_refused_records(connection, [letter for letter, _ in plan.kept])
    counted = Counter[Reason]()
    if plan.counted:
        await connection.execute(queries.COUNT_LETTERS, topic, *columns_of(plan.counted.items()))
        for key, sums in plan.counted.items():
            counted[key.reason] += sums.letters
    return WrittenLetters(Counter(letter.reason for letter, _ in plan.kept), counted)


async def count_refused_records(connection: Connection, kept: Iterable[DeadLetter]) -> None:
    """Count authentic records refused whole by factory, day of receipt and reason; the counts outlive the letters."""
    counts = Counter(
        (letter.claimed_factory, seoul_day(letter.source.received_us), letter.reason.value)
        for letter in kept
        if letter.authentic and letter.row_kind is None
    )
    if counts:
        factories, days, reasons = (list(column) for column in zip(*counts, strict=True))
        await connection.execute(queries.COUNT_REFUSED_RECORDS, factories, days, reasons, list(counts.values()))


async def move_refusals(connection: Connection, numbers: list[int], reasons: Sequence[str | None]) -> None:
    """Count letters by their new reasons, in their records and by day, before they change.

    Args:
        reasons: None for a letter that becomes a fact, or that nobody authenticated.
    """
    await connection.execute(queries.MOVE_REFUSALS, numbers, reasons)
    await connection.execute(queries.MOVE_REFUSED_RECORDS, numbers, reasons)


async def letters_spent(connection: Connection, topic: int, letters: list[DeadLetter]) -> dict[LetterQuota, Spent]:
    """Return what is stored as spent, by the quotas of these letters."""
    quotas = list(dict.fromkeys(quota_of(letter) for letter in letters))
    found = await connection.fetch(queries.LETTERS_SPENT, topic, *[list(c) for c in zip(*quotas, strict=True)])
    return {quotas[row["position"] - 1]: Spent(row["letters"], row["bytes"], row["last_offset"]) for row in found}


def columns_of(sums: Iterable[tuple[tuple[int, int, str], Spent]]) -> list[list[object]]:
    """Return keys and sums as one list per column."""
    rows = [(*key, spent.letters, spent.size, spent.last_offset) for key, spent in sums]
    return [list(column) for column in zip(*rows, strict=True)]


def letter_row(topic: int, letter: DeadLetter, record_id: int | None, parts: KeptBytes) -> tuple[object, ...]:
    """Return a row of ``dead_letter``, in the order of LETTER_COLUMNS."""
    source = letter.source
    return (
        *(topic, source.partition, source.offset, source.received_us, letter.claimed_factory, letter.authentic),
        *(letter.reason.value, letter.message, letter.row_kind, letter.row_index, record_id),
        *(parts.raw, len(letter.raw), hashlib.sha256(letter.raw).digest(), parts.key, parts.headers),
    )


async def expire_dead_letters(connection: Connection, before_us: int) -> int:
    """Delete dead letters kept, and quotas and counts last changed, before an instant; in bounded steps.

    Each step commits by itself unless the caller has begun a transaction. Letters that wait for a replay go too.

    Returns:
        The number of dead letters deleted.
    """
    deleted = 0
    for reason in Reason:
        deleted += await delete_all(connection, queries.EXPIRE_LETTERS, reason.value, before_us)
    for statement in queries.EXPIRE_QUOTAS:
        await delete_all(connection, statement, before_us)
    return deleted


async def delete_all(connection: Connection, statement: str, *parameters: object) -> int:
    """Repeat a statement that deletes at most DELETED_AT_ONCE rows, its last parameter, until none are left."""
    deleted = 0
    while True:
        done = await connection.execute(statement, *parameters, DELETED_AT_ONCE)
        step = int(done.split()[-1])
        deleted += step
        if step < DELETED_AT_ONCE:
            return deleted


async def list_counts(connection: Connection, reason: str | None, limit: int) -> list[str]:
    """Return one line per hour of receipt, partition and reason, the latest first: what was only counted."""
    rows = await connection.fetch(queries.LIST_COUNTS, reason, limit)
    return [
        f"{rfc3339(row['hour'])}  {row['topic']}/{row['partition']}  {row['reason']}  {row['letters']} letters  "
        f"{row['bytes']} bytes  up to offset {row['last_offset']}"
        for row in rows
    ]


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
