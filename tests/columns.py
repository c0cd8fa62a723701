"""Columns of a batch as rows, to compare them."""

from services.ingest.columns import Batch, FactColumns, Texts
from services.ingest.model import FactTable

Row = tuple[object, ...]


def rows_of(batch: Batch) -> dict[FactTable, list[Row]]:
    """Return each table's rows as tuples, with texts in place of their numbers."""
    return {table: table_rows(columns, batch.texts) for table, columns in batch.tables.items()}


def table_rows(columns: FactColumns, texts: Texts) -> list[Row]:
    """Return (record, machine, key, instant, content, revision, retracted) of each row."""
    names = list(texts)
    key: list[object] = columns.key.tolist()
    content: list[list[object]] = [column.tolist() for column in columns.content]
    if columns.table is FactTable.COUNT:
        key = [names[number] for number in columns.key.tolist()]
    if columns.table is FactTable.STATE:
        content[2] = [names[number] for number in columns.content[2].tolist()]
    return list(
        zip(
            columns.record.tolist(),
            columns.machine.tolist(),
            key,
            columns.at_us.tolist(),
            map(repr, zip(*content, strict=True)),
            columns.revision.tolist(),
            columns.retracted.tolist(),
            strict=True,
        )
    )
