"""Removes from a batch what was judged before: an operator may have a partition read again, or a replay was first.

A record is judged once. The result stands, and only a replay of its dead letters judges it again.
"""

from services.core.database import Connection
from services.ingest import queries
from services.ingest.model import Batch, DeadLetter, FactRows


async def without_known(connection: Connection, topic: int, batch: Batch) -> Batch:
    """Return the batch without records and whole dead letters that are stored already."""
    records = await known_records(connection, topic, batch)
    letters = await known_letters(connection, topic, batch)
    if not records and not letters:
        return batch
    kept = [n for n in range(len(batch.records)) if n not in records]
    number = {old: new for new, old in enumerate(kept)}
    return Batch(
        [batch.records[n] for n in kept],
        {table: renumber_rows(rows, number) for table, rows in batch.rows.items()},
        [
            letter if letter.record is None else renumber_letter(letter, number[letter.record])
            for n, letter in enumerate(batch.dead_letters)
            if n not in letters and (letter.record is None or letter.record in number)
        ],
    )


async def known_records(connection: Connection, topic: int, batch: Batch) -> set[int]:
    """Return the positions of the batch's records that are stored already."""
    new = [(n, record.source) for n, record in enumerate(batch.records) if record.record_id is None]
    if not new:
        return set()
    received = [source.received_us for _, source in new]
    found = await connection.fetch(
        queries.KNOWN_RECORDS,
        topic,
        [source.partition for _, source in new],
        [source.offset for _, source in new],
        received,
        min(received),
        max(received),
    )
    return {new[row["position"] - 1][0] for row in found}


async def known_letters(connection: Connection, topic: int, batch: Batch) -> set[int]:
    """Return the positions of the batch's whole dead letters that are stored already."""
    whole = [(n, letter.source) for n, letter in enumerate(batch.dead_letters) if letter.record is None]
    if not whole:
        return set()
    found = await connection.fetch(
        queries.KNOWN_LETTERS, topic, [source.partition for _, source in whole], [source.offset for _, source in whole]
    )
    return {whole[row["position"] - 1][0] for row in found}


def renumber_rows(rows: FactRows, number: dict[int, int]) -> FactRows:
    """Return the rows of the records that remain, with the records' new positions."""
    stay = [n for n, record in enumerate(rows.record) if record in number]
    return FactRows(
        [rows.machine[n] for n in stay],
        [rows.shard[n] for n in stay],
        [rows.key[n] for n in stay],
        [rows.at_us[n] for n in stay],
        [rows.content[n] for n in stay],
        [rows.retracted[n] for n in stay],
        [number[rows.record[n]] for n in stay],
    )


def renumber_letter(letter: DeadLetter, record: int) -> DeadLetter:
    return DeadLetter(
        letter.source,
        letter.claimed_factory,
        letter.authentic,
        letter.reason,
        letter.message,
        letter.raw,
        letter.row_kind,
        letter.row_index,
        record,
    )
