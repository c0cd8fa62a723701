"""Writes a batch's rows of one fact table: fresh ones by COPY, the others after comparing versions."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.core.database import Connection
from services.core.errors import TransientError
from services.core.times import DAY_US
from services.ingest import queries
from services.ingest.copy_format import readings_as_copy
from services.ingest.model import FactRows, FactTable, Ints
from services.ingest.plan import LatestInstants, Split, near_in_time, series_of, split_rows
from services.ingest.queries import SHAPES, FactShape
from services.ingest.versions import NOTHING_KNOWN, FactChange, FactVersion, Known, Outcome, merge

MONTH_US = 30 * DAY_US


@dataclass(slots=True)
class TableColumns:
    """A table's rows as arrays. ``key`` is as stored; ``key_code`` numbers its values within the batch."""

    shape: FactShape
    rows: FactRows
    key: list[object]
    machine: Ints
    key_code: Ints
    at_us: Ints
    series: Ints
    revision: Ints
    record_id: Ints

    def identity_of(self, position: int) -> tuple[object, ...]:
        """Return a row's values of the table's identity columns."""
        key = (self.key[position],) if self.shape.key else ()
        return (self.rows.machine[position], *key, self.rows.at_us[position])

    def version_of(self, position: int) -> FactVersion:
        return FactVersion(
            int(self.revision[position]),
            self.rows.retracted[position],
            self.rows.content[position],
            int(self.record_id[position]),
        )


@dataclass(frozen=True, slots=True)
class TableResult:
    """Positions of rows by what became of them; ``changed`` are those that changed the version in force."""

    stored: Ints
    duplicate: list[int]
    clashed: list[int]
    changed: Ints


def table_columns(
    table: FactTable, rows: FactRows, revisions: Ints, record_ids: Ints, metrics: dict[str, int]
) -> TableColumns:
    """Convert a batch's rows to arrays. ``revisions`` and ``record_ids`` have one entry per record of the batch."""
    machine = np.array(rows.machine, np.int64)
    record = np.array(rows.record, np.int64)
    key: list[object]
    if table is FactTable.READING:
        key = [metrics[name] for name in rows.key]
        key_code = np.array(key, np.int64)
        series = series_of(machine, key_code)
    else:
        codes: dict[str, int] = {}
        key = list(rows.key)
        key_code = np.array([codes.setdefault(name, len(codes)) for name in rows.key], np.int64)
        series = series_of(machine, np.zeros_like(machine))
    return TableColumns(
        SHAPES[table],
        rows,
        key,
        machine,
        key_code,
        np.array(rows.at_us, np.int64),
        series,
        revisions[record],
        record_ids[record],
    )


async def write_table(
    connection: Connection, columns: TableColumns, latest: LatestInstants, *, examine_all: bool
) -> TableResult:
    """Write one table's rows within the batch's transaction.

    Raises:
        asyncpg.UniqueViolationError: a row that was expected to be new is stored already; roll back.
        TransientError: another worker changed the same fact meanwhile; roll back.
    """
    split = split_rows(
        columns.machine, columns.key_code, columns.at_us, columns.series, latest, examine_all=examine_all
    )
    await copy_in(connection, columns, split)
    changes = await examine(connection, columns, split)
    stored = [split.fresh]
    changed = [split.fresh]
    duplicate: list[int] = []
    clashed: list[int] = []
    for positions, change in zip(split.examined, changes, strict=True):
        by_outcome: dict[Outcome, list[int]] = {outcome: [] for outcome in Outcome}
        for position, outcome in zip(positions, change.outcomes, strict=True):
            by_outcome[outcome].append(position)
        stored.append(np.array(by_outcome[Outcome.STORED], np.intp))
        duplicate += by_outcome[Outcome.DUPLICATE]
        clashed += by_outcome[Outcome.CLASHED]
        if change.current is not None:
            changed.append(np.array(positions[:1], np.intp))
    return TableResult(np.concatenate(stored), duplicate, clashed, np.concatenate(changed))


async def copy_in(connection: Connection, columns: TableColumns, split: Split) -> None:
    """Copy the fresh rows straight into the hypertable."""
    fresh = split.fresh
    if len(fresh) == 0:
        return
    shape, rows = columns.shape, columns.rows
    if shape.table is FactTable.READING:
        values = np.array([rows.content[i][0] for i in fresh.tolist()], np.float64)
        retracted = np.array(rows.retracted, bool)[fresh]
        packed = readings_as_copy(
            columns.machine[fresh],
            columns.key_code[fresh],
            columns.at_us[fresh],
            values,
            columns.revision[fresh],
            retracted,
            columns.record_id[fresh],
        )
        await connection.copy_to_table(shape.table, source=once(packed), columns=shape.columns, format="binary")
        return
    # Columns until the last step, since there may be a hundred thousand rows.
    chosen = fresh.tolist()
    identity: list[Sequence[object]] = (
        [rows.machine, columns.key, rows.at_us] if shape.key else [rows.machine, rows.at_us]
    )
    records = zip(
        *([column[i] for i in chosen] for column in identity),
        *zip(*(rows.content[i] for i in chosen), strict=True),
        columns.revision[fresh].tolist(),
        [rows.retracted[i] for i in chosen],
        columns.record_id[fresh].tolist(),
        strict=True,
    )
    await connection.copy_records_to_table(shape.table, records=records, columns=shape.columns)


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield the data as one piece, the form in which asyncpg's COPY takes it."""
    yield data


async def examine(connection: Connection, columns: TableColumns, split: Split) -> list[FactChange]:
    """Compare the rows that are not fresh with what is stored, and write the differences."""
    if not split.examined:
        return []
    identities = [columns.identity_of(positions[0]) for positions in split.examined]
    known = await find_known(connection, columns.shape, identities)
    changes = [
        merge(known.get(n, NOTHING_KNOWN), [columns.version_of(i) for i in positions])
        for n, positions in enumerate(split.examined)
    ]
    await write_changes(connection, columns.shape, identities, known, changes)
    return changes


async def find_known(
    connection: Connection, shape: FactShape, identities: list[tuple[object, ...]]
) -> dict[int, Known]:
    """Return what is stored of these identities, by their position in the list."""
    arrays = [list(column) for column in zip(*identities, strict=True)]
    content = [name for name, _ in shape.content]
    aside = await connection.fetch(queries.find_set_aside(shape), *arrays)

    def version(row: object) -> FactVersion:
        return FactVersion(row["revision"], row["retracted"], tuple(row[c] for c in content), row["record_id"])  # type: ignore[index]

    kept: dict[int, tuple[list[FactVersion], list[FactVersion]]] = {}
    for row in aside:
        kept.setdefault(row["position"] - 1, ([], []))[row["clash"]].append(version(row))
    known: dict[int, Known] = {}
    instants = [int(identity[-1]) for identity in identities]  # type: ignore[call-overload]
    for group in near_in_time(instants):
        own = [[column[n] for n in group] for column in arrays]
        bounds = instants[group[0]], instants[group[-1]]
        for row in await connection.fetch(queries.find_current(shape), *own, *bounds):
            n = group[row["position"] - 1]
            superseded, clashes = kept.get(n, ([], []))
            known[n] = Known(version(row), tuple(superseded), tuple(clashes))
    return known


async def write_changes(
    connection: Connection,
    shape: FactShape,
    identities: list[tuple[object, ...]],
    known: dict[int, Known],
    changes: list[FactChange],
) -> None:
    """Put new versions in force, and keep the others in ``fact_revision``."""
    inserts: list[tuple[object, ...]] = []
    takeovers: list[tuple[object, ...]] = []
    aside: list[tuple[object, ...]] = []
    for n, (identity, change) in enumerate(zip(identities, changes, strict=True)):
        new = change.current
        if new is not None:
            row = (*identity, *new.content, new.revision, new.retracted, new.record_id)
            old = known[n].current if n in known else None
            if old is None:
                inserts.append(row)
            else:
                takeovers.append((*row, old.revision, old.record_id))
        for versions, clash in ((change.superseded, False), (change.clashes, True)):
            aside += [
                (shape.kind, *identity, v.revision, v.retracted, *v.content, v.record_id, clash) for v in versions
            ]
    if inserts:
        await connection.copy_records_to_table(shape.table, records=inserts, columns=shape.columns)
    if takeovers:
        done = await connection.fetchmany(queries.take_over(shape), takeovers)
        if len(done) != len(takeovers):
            raise TransientError("Another worker revised the same facts meanwhile; the batch must be read again.")
    if aside:
        names = [name for name, _ in shape.identity], [name for name, _ in shape.content]
        columns = ["kind", *names[0], "revision", "retracted", *names[1], "record_id", "clash"]
        await connection.copy_records_to_table("fact_revision", records=aside, columns=columns)


async def learn_latest(connection: Connection, columns: TableColumns, latest: LatestInstants) -> None:
    """Load the latest stored instants of the batch's series, after rows that were expected to be new were not.

    Only those within a month of the batch's latest row: a hint need not be right, and reading all chunks is expensive.
    """
    series, first = np.unique(columns.series, return_index=True)
    if len(series) == 0:
        return
    arrays: list[list[object]] = [[columns.rows.machine[i] for i in first.tolist()]]
    if columns.shape.table is FactTable.READING:
        arrays.append([columns.key[i] for i in first.tolist()])
    end = int(columns.at_us.max())
    found = await connection.fetch(queries.latest_instants(columns.shape), *arrays, end - MONTH_US, end + MONTH_US)
    stored = [(int(series[row["position"] - 1]), row["at"]) for row in found if row["at"] is not None]
    latest.learn(np.array([s for s, _ in stored], np.int64), np.array([at for _, at in stored], np.int64))
