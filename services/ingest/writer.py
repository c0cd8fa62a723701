"""The one transaction that commits a batch's facts, dead letters, dirty marks and offsets together."""

from dataclasses import dataclass, field

import asyncpg
import numpy as np

from services.core.database import RETRYABLE, Connection
from services.core.errors import TransientError
from services.ingest import queries
from services.ingest.batch_counts import BatchCounts, count_batch
from services.ingest.dead_letters import write_dead_letters
from services.ingest.facts import TableColumns, TableResult, learn_latest, table_columns, write_table
from services.ingest.model import AuthenticRecord, Batch, FactTable, Ints
from services.ingest.plan import LatestInstants, dirty_spans
from services.ingest.reread import without_known

MOST_METRICS = 1_000_000
"""Most names of metrics held in memory; beyond that all are dropped and looked up again."""


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


@dataclass(slots=True)
class Writer:
    """Writes batches. ``bytes_per_hour``: bytes of dead letters kept per claimed factory and hour."""

    topic: Topic
    bytes_per_hour: int
    latest: dict[FactTable, LatestInstants] = field(default_factory=lambda: {t: LatestInstants() for t in FactTable})
    metrics: dict[str, int] = field(default_factory=dict)

    async def write(
        self, connection: Connection, batch: Batch, moves: list[OffsetMove], replayed: tuple[int, ...] = ()
    ) -> BatchCounts:
        """Commit a batch with its offsets, or nothing.

        Args:
            replayed: ids of dead letters that this batch turns into facts; all must still be waiting.

        Raises:
            TransientError: the batch may not have been written; reload the offsets and read again.
        """
        try:
            await self.number_metrics(connection, batch)
            try:
                return await self.attempt(connection, batch, moves, replayed, examine_all=False)
            except asyncpg.UniqueViolationError:
                await self.learn(connection, batch)
                batch = await without_known(connection, self.topic.number, batch)
            return await self.attempt(connection, batch, moves, replayed, examine_all=True)
        except (*RETRYABLE, asyncpg.UniqueViolationError) as error:
            raise TransientError(f"The batch was not written ({error}); it will be read again.") from error

    async def number_metrics(self, connection: Connection, batch: Batch) -> None:
        """Make sure that every metric of the batch has an id, in a transaction of its own."""
        names = set(batch.rows[FactTable.READING].key)
        if names <= self.metrics.keys():
            return
        if len(self.metrics) + len(names) > MOST_METRICS:
            self.metrics.clear()
        await self.load_metrics(connection, names - self.metrics.keys())
        new = sorted(names - self.metrics.keys())
        if new:
            await connection.execute(queries.ADD_METRICS, new)
            await self.load_metrics(connection, set(new))

    async def load_metrics(self, connection: Connection, names: set[str]) -> None:
        found = await connection.fetch(queries.METRICS, list(names))
        self.metrics.update((row["name"], row["id"]) for row in found)

    async def learn(self, connection: Connection, batch: Batch) -> None:
        """Load the latest instants of the batch's series, so that later batches are split better."""
        nothing = np.zeros(len(batch.records), np.int64)
        for table, rows in batch.rows.items():
            columns = table_columns(table, rows, nothing, nothing, self.metrics)
            await learn_latest(connection, columns, self.latest[table])

    async def attempt(
        self,
        connection: Connection,
        batch: Batch,
        moves: list[OffsetMove],
        replayed: tuple[int, ...],
        *,
        examine_all: bool,
    ) -> BatchCounts:
        """Try the transaction once; on success the hints learn what was stored."""
        async with connection.transaction():
            await self.move_offsets(connection, moves)
            await claim(connection, replayed)
            ids = await record_ids(connection, batch)
            revisions = np.array([record.revision for record in batch.records], np.int64)
            tables: list[TableColumns] = []
            results: list[TableResult] = []
            for table, rows in batch.rows.items():
                columns = table_columns(table, rows, revisions, ids, self.metrics)
                tables.append(columns)
                results.append(await write_table(connection, columns, self.latest[table], examine_all=examine_all))
            await self.write_records(connection, batch, ids, tables, results)
            await write_dead_letters(connection, self.topic.number, batch.dead_letters, ids, self.bytes_per_hour)
            await write_dirty_marks(connection, tables, results)
        for columns in tables:
            self.latest[columns.shape.table].learn(columns.series, columns.at_us)
        return count_batch(batch, results)

    async def move_offsets(self, connection: Connection, moves: list[OffsetMove]) -> None:
        """Compare-and-set the offsets. Their rows stay locked, so any other worker of these partitions waits."""
        if not moves:
            return
        partitions = [move.partition for move in moves]
        place = (self.topic.cluster_id, self.topic.topic_id)
        stored = {
            r["partition"]: r["next_offset"] for r in await connection.fetch(queries.LOCK_OFFSETS, *place, partitions)
        }
        for move in moves:
            if stored.get(move.partition) != move.expected:
                raise TransientError(
                    f"Partition {move.partition} is at {stored.get(move.partition)}, not {move.expected}: another "
                    "worker has moved it, so this one loads its offsets again."
                )
        await connection.execute(queries.MOVE_OFFSETS, *place, partitions, [move.next for move in moves])

    async def write_records(
        self, connection: Connection, batch: Batch, ids: Ints, tables: list[TableColumns], results: list[TableResult]
    ) -> None:
        """Insert new records with their counts; add to the counts of records whose rows are replayed."""
        count = len(batch.records)
        counts = {name: np.zeros(count, np.int64) for name in ("stored", "duplicate", "clashed")}
        for columns, result in zip(tables, results, strict=True):
            record = np.array(columns.rows.record, np.int64)
            for name, positions in counts.items():
                chosen = np.asarray(getattr(result, name), np.intp)
                positions += np.bincount(record[chosen], minlength=count)
        new: list[tuple[object, ...]] = []
        credits: list[tuple[object, ...]] = []
        rows = zip(batch.records, ids.tolist(), *(c.tolist() for c in counts.values()), strict=True)
        for record_, record_id, stored, duplicate, clashed in rows:
            if record_.record_id is None:
                new.append(record_row(self.topic, record_, record_id, stored, duplicate, clashed))
            else:
                received = record_.source.received_us
                credits.append((record_id, received, stored, duplicate, clashed, -(stored + duplicate + clashed)))
        if new:
            await connection.copy_records_to_table("ingest_record", records=new, columns=RECORD_COLUMNS)
        if credits:
            await connection.execute(queries.CREDIT_RECORDS, *[list(c) for c in zip(*credits, strict=True)])


async def claim(connection: Connection, replayed: tuple[int, ...]) -> None:
    """Claim dead letters for a replay; another replay of the same ones waits, then finds them claimed."""
    if not replayed:
        return
    done = await connection.execute(queries.CLAIM_DEAD_LETTERS, list(replayed))
    if int(done.split()[-1]) != len(replayed):
        raise TransientError("Another replay has claimed some of these dead letters; list them again.")


async def record_ids(connection: Connection, batch: Batch) -> Ints:
    """Return the id of each record of the batch, a new one for those that have none."""
    new = sum(record.record_id is None for record in batch.records)
    fresh = iter([row[0] for row in await connection.fetch(queries.RECORD_IDS, new)] if new else [])
    return np.array([next(fresh) if r.record_id is None else r.record_id for r in batch.records], np.int64)


async def write_dirty_marks(connection: Connection, tables: list[TableColumns], results: list[TableResult]) -> None:
    """Mark the time of machines whose states or counts changed; no account depends on readings."""
    parts: list[tuple[Ints, Ints, Ints]] = []
    for columns, result in zip(tables, results, strict=True):
        if columns.shape.table is not FactTable.READING:
            shard = np.array(columns.rows.shard, np.int64)
            parts.append((columns.machine[result.changed], shard[result.changed], columns.at_us[result.changed]))
    machine, shard, at_us = (np.concatenate(column) for column in zip(*parts, strict=True))
    marks = dirty_spans(machine, shard, at_us)
    if marks:
        await connection.copy_records_to_table(
            "dirty_mark", records=marks, columns=["shard", "machine", "from_at", "to_at"]
        )


RECORD_COLUMNS = [
    *(
        "id",
        "topic",
        "partition",
        "record_offset",
        "received_at",
        "sent_at",
        "factory",
        "gateway_id",
        "boot_id",
        "sequence",
    ),
    *("gateway_key", "signed", "revision", "rows_stored", "rows_duplicate", "rows_clashed", "rows_refused"),
    "unknown_fields",
]


def record_row(
    topic: Topic, record: AuthenticRecord, record_id: int, stored: int, duplicate: int, clashed: int
) -> tuple[object, ...]:
    """Return a row of ``ingest_record``, in the order of RECORD_COLUMNS."""
    source = record.source
    return (
        *(record_id, topic.number, source.partition, source.offset, source.received_us, record.sent_us, record.factory),
        *(record.gateway_id, record.boot_id, record.sequence, record.gateway_key, record.signed, record.revision),
        *(stored, duplicate, clashed, record.refused, record.unknown_fields),
    )
