"""Reads dead letters for an operator: a list, or one in full."""

import asyncpg

from services.core.database import Connection
from services.core.errors import ConfigurationError
from services.core.times import rfc3339

LIST = """
SELECT id, received_at, partition, record_offset, claimed_factory, reason, row_kind, row_index, message
FROM dead_letter
WHERE ($1::text IS NULL OR reason = $1) AND ($2::text IS NULL OR claimed_factory = $2)
  AND ($3 OR replayed_at IS NULL)
ORDER BY id DESC
LIMIT $4
"""

SHOW = """
SELECT d.*, t.topic AS topic_name
FROM dead_letter d JOIN ingest_topic t ON t.id = d.topic
WHERE d.id = $1
"""


async def list_dead_letters(
    connection: Connection, reason: str | None, factory_id: str | None, limit: int, *, replayed: bool
) -> list[str]:
    """One line a letter, the latest first: number, receipt, partition/offset, factory, reason, sentence."""
    rows = await connection.fetch(LIST, reason, factory_id, replayed, limit)
    return [
        f"{row['id']}  {rfc3339(row['received_at'])}  {row['partition']}/{row['record_offset']}{place(row)}  "
        f"{row['claimed_factory'] or '-'}  {row['reason']}  {row['message']}"
        for row in rows
    ]


def place(row: asyncpg.Record) -> str:
    """Which row of its record a letter is, if it is one."""
    return f" {row['row_kind']}[{row['row_index']}]" if row["row_kind"] is not None else ""


async def show_dead_letter(connection: Connection, number: int) -> dict[str, object]:
    """Everything kept of one letter, as JSON can say it.

    Raises:
        ConfigurationError: there is no such letter.
    """
    row = await connection.fetchrow(SHOW, number)
    if row is None:
        raise ConfigurationError(f"There is no dead letter {number}: `jejo dead-letters list` shows those there are.")
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
