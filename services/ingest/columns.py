"""A batch's rows as columns: one array per column of a fact table. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.wire.limits import MAX_STRING
from services.ingest.judging.registry import Machines
from services.ingest.model import AuthenticRecord, DeadLetter, FactRows, FactTable, Findings, Ints

Column = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]

CONTENT_TYPES: dict[FactTable, tuple[type[np.generic], ...]] = {
    FactTable.STATE: (np.int64, np.int64, np.int64),
    FactTable.COUNT: (np.int64, np.int64, np.int64),
    FactTable.READING: (np.float64,),
}
"""The content: state, mode, code of the reason; good, scrap, rework; value."""


class InvalidText(Exception):
    """A text is longer than the contract allows."""


class Texts(dict[str | None, int]):
    """Numbers the texts of a batch, reasons and products, in the order of their first use; no text is number 0."""

    def __init__(self) -> None:
        super().__init__({None: 0})

    def __missing__(self, text: str | None) -> int:
        if text is None or len(text) > MAX_STRING:
            raise InvalidText
        self[text] = number = len(self)
        return number


@dataclass(frozen=True, slots=True)
class FactColumns:
    """Rows of one table as arrays of equal length, in the partition's order.

    ``key`` is the metric's id, the number of the product among the batch's texts, or 0. ``record`` indexes the batch's
    records, and ``revision`` is that record's. The types of ``content`` are CONTENT_TYPES.
    """

    table: FactTable
    machine: Ints
    key: Ints
    at_us: Ints
    content: tuple[Column, ...]
    retracted: Bools
    record: Ints
    revision: Ints

    def __len__(self) -> int:
        return len(self.machine)

    def take(self, positions: "Positions | Bools") -> "FactColumns":
        """Return the rows at these positions, in the order of the positions."""
        return FactColumns(
            self.table,
            self.machine[positions],
            self.key[positions],
            self.at_us[positions],
            tuple(column[positions] for column in self.content),
            self.retracted[positions],
            self.record[positions],
            self.revision[positions],
        )

    def renumbered(self, number: Ints) -> "FactColumns":
        """Return the rows with ``number[record]`` as their records."""
        return FactColumns(
            self.table,
            self.machine,
            self.key,
            self.at_us,
            self.content,
            self.retracted,
            number[self.record],
            self.revision,
        )


@dataclass(slots=True)
class Batch:
    """Everything that one transaction writes apart from offsets."""

    records: list[AuthenticRecord]
    tables: dict[FactTable, FactColumns]
    texts: Texts
    machines: Machines
    dead_letters: list[DeadLetter] = field(default_factory=list)


def columns_of(
    table: FactTable, rows: FactRows, revisions: Ints, metrics: Mapping[str, int], texts: Texts
) -> FactColumns:
    """Convert rows of the strict path. ``revisions`` has one entry per record."""
    record = np.array(rows.record, np.int64)
    content: list[Sequence[Any]] = list(zip(*rows.content, strict=True)) or [()] * len(CONTENT_TYPES[table])
    if table is FactTable.STATE:
        content[2] = [texts[reason] for reason in content[2]]
    match table:
        case FactTable.READING:
            key = [metrics[name] for name in rows.key]
        case FactTable.COUNT:
            key = [texts[product] for product in rows.key]
        case _:
            key = [0] * len(rows.key)
    return FactColumns(
        table,
        np.array(rows.machine, np.int64),
        np.array(key, np.int64),
        np.array(rows.at_us, np.int64),
        tuple(np.array(column, kind) for column, kind in zip(content, CONTENT_TYPES[table], strict=True)),
        np.array(rows.retracted, bool),
        record,
        revisions[record],
    )


def batch_of(findings: Findings, machines: Machines, metrics: Mapping[str, int]) -> Batch:
    """Convert what the strict path found; ``metrics`` has the id of each metric named."""
    texts = Texts()
    revisions = np.array([record.revision for record in findings.records], np.int64)
    tables = {table: columns_of(table, rows, revisions, metrics, texts) for table, rows in findings.rows.items()}
    return Batch(findings.records, tables, texts, machines, findings.dead_letters)


def joined(first: FactColumns, second: FactColumns) -> FactColumns:
    """Return the rows of both, ordered by record; rows of one record keep their order. ``first`` is ordered already."""
    if len(second) == 0:
        return first
    both = FactColumns(
        first.table,
        np.concatenate((first.machine, second.machine)),
        np.concatenate((first.key, second.key)),
        np.concatenate((first.at_us, second.at_us)),
        tuple(np.concatenate(pair) for pair in zip(first.content, second.content, strict=True)),
        np.concatenate((first.retracted, second.retracted)),
        np.concatenate((first.record, second.record)),
        np.concatenate((first.revision, second.revision)),
    )
    return both.take(np.argsort(both.record, kind="stable"))
