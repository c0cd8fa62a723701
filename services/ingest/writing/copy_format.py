"""Encodes rows of facts in PostgreSQL's binary COPY format, from columns and all at once.

All columns but texts have a fixed width, so a table's rows are one array of packed records, or for tables with a text
two: the fields before the text, and those after it. The format is described in PostgreSQL's documentation of COPY,
"Binary Format".
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.core.copy_format import HEADER, TRAILER
from services.core.database import POSTGRES_EPOCH_US
from services.ingest.columns import FactColumns, Texts
from services.ingest.model import FactTable, Ints

NULL = (-1).to_bytes(4, "big", signed=True)

Field = tuple[str, str]
"""A column and its type in numpy's notation, big-endian as PostgreSQL sends it."""

INSTANT: Field = ("at", ">i8")
END: tuple[Field, ...] = (("revision", ">i4"), ("retracted", ">u1"), ("record_id", ">i8"))
READING: tuple[Field, ...] = (("machine", ">i4"), ("key", ">i4"), INSTANT, ("content0", ">f8"), *END)
STATE: tuple[Field, ...] = (("machine", ">i4"), INSTANT, ("content0", ">i2"), ("content1", ">i2"))
COUNT_HEAD: tuple[Field, ...] = (("machine", ">i4"),)
COUNT_TAIL: tuple[Field, ...] = (INSTANT, *((f"content{n}", ">i4") for n in range(3)), *END)
STATE_FIELDS, COUNT_FIELDS, READING_FIELDS = 8, 9, 7


def as_copy(columns: FactColumns, record_ids: Ints, texts: Texts) -> tuple[bytes, ...]:
    """Return rows as the pieces of one binary COPY into their table, with its columns in the order of ``SHAPES``.

    Args:
        record_ids: the id of each of the batch's records.
    """
    values = values_of(columns, record_ids)
    match columns.table:
        case FactTable.READING:
            body: bytes = packed(READING, values, READING_FIELDS).tobytes()
        case FactTable.STATE:
            body = around_text(STATE, columns.content[2], END, values, texts, STATE_FIELDS)
        case FactTable.COUNT:
            body = around_text(COUNT_HEAD, columns.key, COUNT_TAIL, values, texts, COUNT_FIELDS)
    return HEADER, body, TRAILER


def values_of(columns: FactColumns, record_ids: Ints) -> dict[str, Any]:
    """Return each field's values by its name."""
    content = {f"content{n}": column for n, column in enumerate(columns.content)}
    return {
        "machine": columns.machine,
        "key": columns.key,
        "at": columns.at_us - POSTGRES_EPOCH_US,
        "revision": columns.revision,
        "retracted": columns.retracted,
        "record_id": record_ids[columns.record],
        **content,
    }


def packed(fields: Sequence[Field], values: Mapping[str, Any], count: int | None = None) -> Any:
    """Return an array of packed fields, each after its width; ``count`` is written first if it begins the row."""
    parts: list[Field] = [] if count is None else [("count", ">i2")]
    for name, kind in fields:
        parts += [(f"{name}_width", ">i4"), (name, kind)]
    kinds = np.dtype(parts)
    row = np.zeros((), kinds)
    if count is not None:
        row["count"] = count
    for name, kind in fields:
        row[f"{name}_width"] = np.dtype(kind).itemsize
    rows = np.full(len(values["machine"]), row)
    for name, _ in fields:
        rows[name] = values[name]
    return rows


def around_text(
    before: Sequence[Field], numbers: Ints, after: Sequence[Field], values: Mapping[str, Any], texts: Texts, count: int
) -> bytes:
    """Return rows of fields before a text, the text, and fields after it."""
    encoded = [encode_text(text) for text in texts]
    pieces = zip(
        as_bytes(packed(before, values, count)),
        map(encoded.__getitem__, numbers.tolist()),
        as_bytes(packed(after, values)),
        strict=True,
    )
    return b"".join(itertools.chain.from_iterable(pieces))


def encode_text(text: str | None) -> bytes:
    """Return a text after its width in bytes."""
    if text is None:
        return NULL
    encoded = text.encode()
    return len(encoded).to_bytes(4, "big") + encoded


def as_bytes(rows: Any) -> list[bytes]:
    """Return each row of an array of packed records as bytes."""
    found: list[bytes] = rows.view(f"V{rows.dtype.itemsize}").tolist()
    return found
