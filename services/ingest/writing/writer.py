"""The one transaction that commits a batch's facts, dead letters, dirty marks and offsets together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg
import numpy as np

from services.core.database import RETRYABLE, Connection
from services.core.errors import TransientError
from services.ingest.columns import Batch
from services.ingest.letters import queries as letter_queries
from services.ingest.letters.dead_letters import move_refusals, write_dead_letters
from services.ingest.letters.letter_quota import LetterLimits
from services.ingest.model import FactTable, Ints
from services.ingest.writing import queries
from services.ingest.writing.batch_counts import BatchCounts, count_batch
from services.ingest.writing.facts import TableResult, TableWrite, learn_latest, plan_write, write_table
from services.ingest.writing.latest import LatestInstants
from services.ingest.writing.plan import dirty_spans, series_key, split_rows
from services.ingest.writing.quality_marks import mark_closed_days
from services.ingest.writing.record_rows import RECORD_COLUMNS, credit_rows, record_rows, tally
from services.ingest.writing.reread import without_known


@dataclass(frozen=True, slots=True)
class Topic:
    """The topic being read: its id in ``ingest_topic`` (``number``), and Kafka's ids of cluster and topic."""

    number: int
    cluster_id: str
    topic_id: str


@dataclass(frozen=True, slots=True)
class OffsetMove:
    """A partition's step from the offset last loaded or written (``expected``) to that after a batch (``next``)."""

    partition: int
    expected: int
    next: int


Latest = Mapping[FactTable, LatestInstants]


def no_hints() -> Latest:
    """Return hints that know nothing yet."""
    return {table: LatestInstants() for table in FactTable}


@dataclass(frozen=True, slots=True)
class Plan:
    """How a batch is to be written: its rows by table, split and encoded, with the ids of its records."""

    batch: Batch
    record_ids: Ints
    tables: dict[FactTable, TableWrite]


def plan_batch(batch: Batch, record_ids: Ints, latest: Latest, *, examine_all: bool = False) -> Plan:
    """Split and encode a batch's rows; the hints take the plan for done. Without a database.

    Args:
        record_ids: an id for each of the batch's records.
        examine_all: expect no row to be new.
    """
    tables: dict[FactTable, TableWrite] = {}
    for table, columns in batch.tables.items():
        split = split_rows(columns, latest[table], examine_all=examine_all)
        tables[table] = plan_write(columns, split, record_ids, batch.texts)
        latest[table].learn(columns.machine, series_key(columns), columns.at_us)
    return Plan(batch, record_ids, tables)


@dataclass(slots=True)
class Writer:
    """Writes batches, with these quotas of dead letters."""

    topic: Topic
    limits: LetterLimits
    latest: Latest = field(default_factory=no_hints)

    async def write(
        self, connection: Connection, plan: Plan, moves: list[OffsetMove], replayed: tuple[int, ...] = ()
    ) -> BatchCounts:
        """Commit a batch with its offsets, or nothing.

        Args:
            replayed: ids of dead letters that this batch turns into facts; all must still be waiting.

        Raises:
            TransientError: the batch may not have been written; reload the offsets and read again.
        """
        try:
            try:
                return await self.attempt(connection, plan, moves, replayed)
            except asyncpg.UniqueViolationError:
                plan = await self.plan_again(connection, plan, replayed)
            return await self.attempt(connection, plan, moves, replayed)
        except (*RETRYABLE, asyncpg.UniqueViolationError) as error:
            raise TransientError(f"The batch was not written ({error}); it will be read again.") from error

    async def plan_again(self, connection: Connection, plan: Plan, replayed: tuple[int, ...]) -> Plan:
        """Plan for a batch of which something is stored already: every row is compared, and later hints are better."""
        for table, columns in plan.batch.tables.items():
            await learn_latest(connection, columns, self.latest[table])
        batch, kept = await without_known(connection, self.topic.number, plan.batch, replayed)
        return plan_batch(batch, plan.record_ids[kept], self.latest, examine_all=True)

    async def attempt(
        self, connection: Connection, plan: Plan, moves: list[OffsetMove], replayed: tuple[int, ...]
    ) -> BatchCounts:
        """Try the transaction once."""
        async with connection.transaction():
            if await self.move_offsets(connection, moves):
                plan = await self.plan_again(connection, plan, replayed)
            batch, ids = plan.batch, plan.record_ids
            await claim(connection, replayed)
            results = {
                table: await write_table(connection, write, ids, batch.texts) for table, write in plan.tables.items()
            }
            await self.write_records(connection, batch, ids, results)
            letters = await write_dead_letters(connection, self.topic.number, batch.dead_letters, ids, self.limits)
            await write_dirty_marks(connection, batch, results)
            await mark_closed_days(connection, batch)
        return count_batch(batch, results, letters)

    async def move_offsets(self, connection: Connection, moves: list[OffsetMove]) -> bool:
        """Compare-and-set the offsets. Their rows stay locked, so any other worker of these partitions waits.

        Returns:
            Whether records were read before, since an operator has moved an offset back.
        """
        if not moves:
            return False
        partitions = [move.partition for move in moves]
        place = (self.topic.cluster_id, self.topic.topic_id)
        found = await connection.fetch(queries.LOCK_OFFSETS, *place, partitions)
        stored = {row["partition"]: row["next_offset"] for row in found}
        for move in moves:
            if stored.get(move.partition) != move.expected:
                raise TransientError(
                    f"Partition {move.partition} is at {stored.get(move.partition)}, not {move.expected}: another "
                    "worker has moved it, so this one loads its offsets again."
                )
        await connection.execute(queries.MOVE_OFFSETS, *place, partitions, [move.next for move in moves])
        return any(row["next_offset"] < row["read_to"] for row in found)

    async def write_records(
        self, connection: Connection, batch: Batch, ids: Ints, results: Mapping[FactTable, TableResult]
    ) -> None:
        """Insert new records with their counts; add to the counts of records whose rows are replayed."""
        tallies = tally(batch, results)
        new = record_rows(batch, self.topic.number, ids, tallies)
        if new:
            await connection.copy_records_to_table("ingest_record", records=new, columns=RECORD_COLUMNS)
        credits = credit_rows(batch, ids, tallies)
        if credits:
            await connection.execute(queries.CREDIT_RECORDS, *[list(c) for c in zip(*credits, strict=True)])


async def claim(connection: Connection, replayed: tuple[int, ...]) -> None:
    """Claim dead letters for a replay; another replay of the same ones waits, then finds them claimed."""
    if not replayed:
        return
    done = await connection.execute(letter_queries.CLAIM_DEAD_LETTERS, list(replayed))
    if int(done.split()[-1]) != len(replayed):
        raise TransientError("Another replay has claimed some of these dead letters; list them again.")
    await move_refusals(connection, list(replayed), [None] * len(replayed))


async def new_record_ids(connection: Connection, count: int) -> Ints:
    """Return ids that no record has."""
    rows = await connection.fetch(queries.RECORD_IDS, count) if count else []
    return np.array([row[0] for row in rows], np.int64)


async def write_dirty_marks(connection: Connection, batch: Batch, results: Mapping[FactTable, TableResult]) -> None:
    """Mark the time of machines whose states or counts changed; no account depends on readings."""
    machine, at_us = (
        np.concatenate(
            [
                getattr(batch.tables[table], name)[results[table].positions("changed")]
                for table in (FactTable.STATE, FactTable.COUNT)
            ]
        )
        for name in ("machine", "at_us")
    )
    marks = dirty_spans(machine, batch.machines.shard[machine], at_us)
    if marks:
        await connection.copy_records_to_table(
            "dirty_mark", records=marks, columns=["shard", "machine", "from_at", "to_at"]
        )
