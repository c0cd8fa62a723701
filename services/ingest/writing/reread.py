"""Removes from a batch what was judged before: an operator may have a partition read again, or a replay was first.

A record is judged once. The result stands, and only a replay of its dead letters judges it again.
"""

from dataclasses import replace

import numpy as np

from services.core.database import Connection
from services.ingest.columns import Batch, Positions
from services.ingest.model import BusRecord, DeadLetter, Ints
from services.ingest.writing import queries


async def without_known(
    connection: Connection, topic: int, batch: Batch, replayed: tuple[int, ...] = ()
) -> tuple[Batch, Positions]:
    """Return the batch without records and whole dead letters whose place is stored, and where its records were.

    Args:
        replayed: ids of the dead letters that the batch turns into facts, whose places do not count.
    """
    records = {n: record.source for n, record in enumerate(batch.records) if record.record_id is None}
    letters = {n: letter.source for n, letter in enumerate(batch.dead_letters) if letter.record is None}
    known_records = await known_places(connection, topic, records, replayed)
    known_letters = await known_places(connection, topic, letters, replayed)
    kept = np.array([n for n in range(len(batch.records)) if n not in known_records], np.intp)
    if not known_records and not known_letters:
        return batch, kept
    number = np.full(len(batch.records), -1, np.int64)
    number[kept] = np.arange(len(kept))
    left = replace(
        batch,
        records=[batch.records[n] for n in kept.tolist()],
        tables={
            table: columns.take(number[columns.record] >= 0).renumbered(number)
            for table, columns in batch.tables.items()
        },
        dead_letters=[
            renumbered(letter, number)
            for n, letter in enumerate(batch.dead_letters)
            if n not in known_letters and (letter.record is None or number[letter.record] >= 0)
        ],
    )
    return left, kept


async def known_places(
    connection: Connection, topic: int, sources: dict[int, BusRecord], replayed: tuple[int, ...]
) -> set[int]:
    """Return the keys of the sources that are stored already, as a record or as a whole dead letter."""
    if not sources:
        return set()
    keys = list(sources)
    places = (
        [source.partition for source in sources.values()],
        [source.offset for source in sources.values()],
    )
    received = [source.received_us for source in sources.values()]
    found = await connection.fetch(queries.KNOWN_RECORDS, topic, *places, received, min(received), max(received))
    found += await connection.fetch(queries.KNOWN_LETTERS, topic, *places, list(replayed))
    return {keys[row["position"] - 1] for row in found}


def renumbered(letter: DeadLetter, number: Ints) -> DeadLetter:
    """Return a letter with its record's new position."""
    return letter if letter.record is None else replace(letter, record=int(number[letter.record]))
