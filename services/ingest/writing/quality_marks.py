"""Marks closed days of receipt of which a batch changes something, so that their data quality is computed again."""

from services.core.database import Connection
from services.core.times import seoul_day, seoul_midnight_us
from services.ingest.columns import Batch
from services.ingest.writing import queries


async def mark_closed_days(connection: Connection, batch: Batch) -> None:
    """Mark the days of a batch's records and whole dead letters that are closed.

    Call it last in the batch's transaction: no day is closed from then until the commit. Nearly always, no day is.
    """
    if not batch.records and not batch.dead_letters:
        return
    closed_before = await connection.fetchval(queries.HOLD_QUALITY_DAYS)
    closed_us = seoul_midnight_us(closed_before)
    received = {(r.factory, seoul_day(r.source.received_us)) for r in batch.records if r.source.received_us < closed_us}
    if received:
        await connection.execute(queries.MARK_DAYS, *[list(column) for column in zip(*sorted(received), strict=True)])
    refused = {
        (letter.claimed_factory, seoul_day(letter.source.received_us))
        for letter in batch.dead_letters
        if letter.authentic and letter.row_kind is None and letter.source.received_us < closed_us
    }
    if refused:
        await connection.execute(queries.MARK_NAMED_DAYS, *[list(column) for column in zip(*refused, strict=True)])
