"""Writes a batch's rows of one fact table: fresh ones by COPY, the others after comparing them with what is stored."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import numpy as np

from services.core.database import Connection
from services.core.errors import TransientError
from services.core.times import DAY_US
from services.ingest.columns import Bools, FactColumns, Positions, Texts
from services.ingest.model import Content, FactTable, Ints
from services.ingest.writing import queries
from services.ingest.writing.copy_format import as_copy
from services.ingest.writing.latest import LatestInstants
from services.ingest.writing.plan import Split, near_in_time, series_key
from services.ingest.writing.queries import SHAPES, FactShape
from services.ingest.writing.versions import NOTHING_KNOWN, FactChange, FactVersion, Known, Outcome, merge

MONTH_US = 30 * DAY_US


@dataclass(frozen=True, slots=True)
class TableWrite:
    """A table's rows, how they are split, and the fresh ones as COPY takes them."""

    columns: FactColumns
    split: Split
    copy: tuple[bytes, ...]


@dataclass(slots=True)
class TableResult:
    """Positions of rows by what became of them.

    ``changed`` are those that changed the version in force; ``revised`` those that were stored beside another version.
    """

    stored: list[Positions] = field(default_factory=list)
    duplicate: list[Positions] = field(default_factory=list)
    clashed: list[Positions] = field(default_factory=list)
    changed: list[Positions] = field(default_factory=list)
    revised: list[Positions] = field(default_factory=list)

    def count(self, fate: str) -> int:
        """Return the number of rows with this fate."""
        return sum(len(positions) for positions in getattr(self, fate))

    def positions(self, fate: str) -> Positions:
        """Return the positions of the rows with this fate."""
        found: list[Positions] = getattr(self, fate)
        return np.concatenate([np.empty(0, np.intp), *found])


def plan_write(columns: FactColumns, split: Split, record_ids: Ints, texts: Texts) -> TableWrite:
    """Encode the rows that are expected to be new."""
    copy = as_copy(columns.take(split.fresh), record_ids, texts) if len(split.fresh) else ()
    return TableWrite(columns, split, copy)


async def write_table(connection: Connection, write: TableWrite, record_ids: Ints, texts: Texts) -> TableResult:
    """Write one table's rows within the batch's transaction.

    Raises:
        asyncpg.UniqueViolationError: a row that was expected to be new is stored already; roll back.
        TransientError: another worker changed the same fact meanwhile; roll back.
    """
    result = TableResult()
    if write.copy:
        await copy_in(connection, write.columns.table, write.copy)
        result.stored.append(write.split.fresh)
        result.changed.append(write.split.fresh)
    result.duplicate.append(write.split.repeats)
    if len(write.split.starts):
        await examine(connection, write, record_ids, texts, result)
    return result


async def copy_in(connection: Connection, table: FactTable, pieces: tuple[bytes, ...]) -> None:
    """Copy encoded rows straight into the hypertable."""
    await connection.copy_to_table(table, source=in_order(pieces), columns=SHAPES[table].columns, format="binary")


async def in_order(pieces: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    """Yield pieces of data, the form in which asyncpg's COPY takes them."""
    for piece in pieces:
        yield piece


async def examine(
    connection: Connection, write: TableWrite, record_ids: Ints, texts: Texts, result: TableResult
) -> None:
    """Compare the rows that are not fresh with what is stored, write the differences, and add to the result."""
    split, columns = write.split, write.columns
    ends = np.append(split.starts[1:], len(split.examined))
    head = split.examined[split.starts]
    same = await find_same(connection, columns.take(head), split.uniform, texts)
    rest = np.flatnonzero(~same)
    current = await find_current(connection, columns.take(head[rest]), texts)
    stored = np.zeros(len(head), bool)
    stored[rest[list(current)]] = True
    new = ~same & ~stored & split.uniform
    if new.any():
        added = head[new]
        await copy_in(connection, columns.table, as_copy(columns.take(added), record_ids, texts))
        result.stored.append(added)
        result.changed.append(added)
    identity = np.repeat(np.arange(len(head)), ends - split.starts)
    is_head = np.zeros(len(identity), bool)
    is_head[split.starts] = True
    result.duplicate.append(split.examined[same[identity] | (new[identity] & ~is_head)])
    merged = [n for n, position in enumerate(rest.tolist()) if not new[position]]
    if merged:
        groups = [split.examined[split.starts[rest[n]] : ends[rest[n]]] for n in merged]
        await merge_rows(connection, columns, groups, [current.get(n) for n in merged], record_ids, texts, result)


async def find_same(connection: Connection, heads: FactColumns, uniform: Bools, texts: Texts) -> Bools:
    """Return which identities are stored exactly as their rows say. ``heads`` has the first row of each.

    Args:
        uniform: whether all rows of the identity say the same; the others need merging in any case.
    """
    names = list(texts)
    same = np.zeros(len(heads), bool)
    query = queries.find_same(SHAPES[heads.table])
    asked = np.flatnonzero(uniform)
    for group in near_in_time(heads.at_us[asked]):
        own = heads.take(asked[group])
        version = [own.revision.tolist(), own.retracted.tolist(), *content_columns(own, names)]
        bounds = int(own.at_us.min()), int(own.at_us.max())
        found = await connection.fetchval(query, *identity_columns(own, names), *version, *bounds)
        same[asked[group[np.array(found, np.int64) - 1]]] = True
    return same


async def find_current(connection: Connection, heads: FactColumns, texts: Texts) -> dict[int, asyncpg.Record]:
    """Return the rows in force of identities, by their position among the first rows given."""
    names = list(texts)
    query = queries.find_current(SHAPES[heads.table])
    found: dict[int, asyncpg.Record] = {}
    for group in near_in_time(heads.at_us):
        own = heads.take(group)
        bounds = int(own.at_us.min()), int(own.at_us.max())
        for row in await connection.fetch(query, *identity_columns(own, names), *bounds):
            found[int(group[row["position"] - 1])] = row
    return found


def identity_columns(columns: FactColumns, names: list[str | None]) -> list[list[object]]:
    """Return the identity's columns as stored, in the order of the table's shape."""
    machine, at = columns.machine.tolist(), columns.at_us.tolist()
    match columns.table:
        case FactTable.STATE:
            return [machine, at]
        case FactTable.COUNT:
            return [machine, [names[key] for key in columns.key.tolist()], at]
        case FactTable.READING:
            return [machine, columns.key.tolist(), at]


def content_columns(columns: FactColumns, names: list[str | None]) -> list[list[object]]:
    """Return the content's columns as stored."""
    content: list[list[object]] = [column.tolist() for column in columns.content]
    if columns.table is FactTable.STATE:
        content[2] = [names[number] for number in columns.content[2].tolist()]
    return content


async def merge_rows(
    connection: Connection,
    columns: FactColumns,
    groups: list[Positions],
    current: list[asyncpg.Record | None],
    record_ids: Ints,
    texts: Texts,
    result: TableResult,
) -> None:
    """Merge the rows of some identities, one group each, into what is stored of them, and add to the result.

    Args:
        current: the row in force of each identity, if there is one.
    """
    shape = SHAPES[columns.table]
    flat = columns.take(np.concatenate(groups))
    names = list(texts)
    identity = list(zip(*identity_columns(flat, names), strict=True))
    versions = list(
        map(
            FactVersion,
            flat.revision.tolist(),
            flat.retracted.tolist(),
            zip(*content_columns(flat, names), strict=True),
            record_ids[flat.record].tolist(),
        )
    )
    starts = np.cumsum([0, *map(len, groups)]).tolist()
    identities = [identity[start] for start in starts[:-1]]
    known = await all_versions(connection, shape, identities, current)
    changes = [merge(own, versions[start:end]) for own, start, end in zip(known, starts[:-1], starts[1:], strict=True)]
    await write_changes(connection, shape, identities, known, changes)
    for group, own, change in zip(groups, known, changes, strict=True):
        add_outcomes(result, group, own, change)


def add_outcomes(result: TableResult, group: Positions, known: Known, change: FactChange) -> None:
    """Add what became of an identity's rows to the result."""
    outcomes = np.array([outcome.value for outcome in change.outcomes])
    stored = group[outcomes == Outcome.STORED.value]
    result.stored.append(stored)
    result.duplicate.append(group[outcomes == Outcome.DUPLICATE.value])
    result.clashed.append(group[outcomes == Outcome.CLASHED.value])
    if change.current is not None:
        result.changed.append(group[:1])
    result.revised.append(stored if known.current is not None else stored[1:])


async def all_versions(
    connection: Connection, shape: FactShape, identities: list[tuple[object, ...]], current: list[asyncpg.Record | None]
) -> list[Known]:
    """Return everything that is stored of each identity."""
    content = [name for name, _ in shape.content]

    def version(row: asyncpg.Record) -> FactVersion:
        found: Content = tuple(row[name] for name in content)
        return FactVersion(row["revision"], row["retracted"], found, row["record_id"])

    aside: dict[int, tuple[list[FactVersion], list[FactVersion]]] = {}
    arrays = [list(column) for column in zip(*identities, strict=True)]
    for row in await connection.fetch(queries.find_set_aside(shape), *arrays):
        aside.setdefault(row["position"] - 1, ([], []))[row["clash"]].append(version(row))
    known = []
    for n, in_force in enumerate(current):
        superseded, clashes = aside.get(n, ([], []))
        known.append(NOTHING_KNOWN if in_force is None else Known(version(in_force), tuple(superseded), tuple(clashes)))
    return known


async def write_changes(
    connection: Connection,
    shape: FactShape,
    identities: list[tuple[object, ...]],
    known: list[Known],
    changes: list[FactChange],
) -> None:
    """Put new versions in force, and keep the others in ``fact_revision``."""
    inserts: list[tuple[object, ...]] = []
    takeovers: list[tuple[object, ...]] = []
    aside: list[tuple[object, ...]] = []
    for identity, own, change in zip(identities, known, changes, strict=True):
        new = change.current
        if new is not None:
            row = (*identity, *new.content, new.revision, new.retracted, new.record_id)
            if own.current is None:
                inserts.append(row)
            else:
                takeovers.append((*row, own.current.revision, own.current.record_id))
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


async def learn_latest(connection: Connection, columns: FactColumns, latest: LatestInstants) -> None:
    """Load the latest stored instants of the batch's series, after rows that were expected to be new were not.

    Only those within a month of the batch's latest row: a hint need not be right, and reading all chunks is expensive.
    """
    if len(columns) == 0:
        return
    key = series_key(columns)
    series, first = np.unique(np.stack((columns.machine, key)), axis=1, return_index=True)
    arrays = [column.tolist() for column in series]
    if columns.table is not FactTable.READING:
        arrays = arrays[:1]
    end = int(columns.at_us.max())
    query = queries.latest_instants(SHAPES[columns.table])
    rows = await connection.fetch(query, *arrays, end - MONTH_US, end + MONTH_US)
    found = [(first[row["position"] - 1], row["at"]) for row in rows if row["at"] is not None]
    if found:
        where, at_us = (np.array(column, np.int64) for column in zip(*found, strict=True))
        latest.learn(columns.machine[where], key[where], at_us)
