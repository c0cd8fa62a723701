"""Rows of numbers packed into one row a group, with an array per column: to and from PostgreSQL's binary formats.

All arrays of a packed row have the same size, and rows of the same size have the same width in bytes, so the rows of
each size are one numpy array: no value becomes a Python object. The formats are those of ``array_send``,
``array_recv`` and ``numeric_recv`` in PostgreSQL.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from services.core.copy_format import HEADER, TRAILER
from services.core.database import POSTGRES_EPOCH_US

Ints = npt.NDArray[np.int64]
Column = npt.NDArray[Any]
"""Whole numbers: of 64 bits, or Python's own where they may be wider."""

POSTGRES_EPOCH_DAYS = POSTGRES_EPOCH_US // 86_400_000_000
ARRAY_HEAD = 20
"""Bytes before an array's elements: dimensions, flags, type, size, lower bound."""
NUMERIC_BASE = 10_000
DIGITS_OF_64_BITS = 5
PIECE = 1 << 19


class Kind(Enum):
    """A type of column: its object id in PostgreSQL, its form on the wire in numpy's notation, and its zero."""

    BOOLEAN = (16, "u1", 0)
    SMALLINT = (21, ">i2", 0)
    INTEGER = (23, ">i4", 0)
    BIGINT = (20, ">i8", 0)
    INSTANT = (1184, ">i8", POSTGRES_EPOCH_US)
    DAY = (1082, ">i4", POSTGRES_EPOCH_DAYS)
    NUMERIC = (1700, "", 0)

    @property
    def oid(self) -> int:
        """The type's object id, which is the same in every database."""
        return self.value[0]

    def form(self, values: Column) -> "np.dtype[Any]":
        """Return how these values are sent, all of them equally long."""
        return numeric_form(values) if self is Kind.NUMERIC else np.dtype(self.value[1])

    def wire(self, values: Column, form: "np.dtype[Any]") -> Column:
        """Return values as they are sent; instants are microseconds and days are days since the Unix epoch."""
        if self is Kind.NUMERIC:
            return as_numeric(values, form)
        shifted = values - self.value[2] if self.value[2] else values
        return shifted.astype(form)


@dataclass(frozen=True, slots=True)
class Packs:
    """Rows in groups: ``keys`` have a value for each group, ``columns`` one for each row, group by group."""

    keys: Sequence[tuple[Kind, Column]]
    columns: Sequence[tuple[Kind, Column]]
    sizes: Ints


def numeric_form(values: Column) -> "np.dtype[Any]":
    """Return the form of PostgreSQL's ``numeric`` with enough digits for all values, which are not negative."""
    most = int(values.max()) if len(values) else 0
    digits = DIGITS_OF_64_BITS
    while most >= NUMERIC_BASE**digits:
        digits += 1
    return np.dtype(
        [("count", ">i2"), ("weight", ">i2"), ("sign", ">i2"), ("scale", ">i2"), ("digits", ">i2", (digits,))]
    )


def as_numeric(values: Column, form: "np.dtype[Any]") -> Column:
    """Return whole numbers in a form of ``numeric``."""
    found = np.zeros(values.shape, form)
    digits = form["digits"].shape[0]
    found["count"], found["weight"] = digits, digits - 1
    rest = values
    for position in range(digits - 1, -1, -1):
        greater = rest // NUMERIC_BASE
        found["digits"][..., position] = rest - greater * NUMERIC_BASE
        rest = greater
    return found


def copy_rows(columns: Sequence[tuple[Kind, Column]]) -> Iterator[bytes]:
    """Yield a binary COPY of plain rows, one for each value of the columns."""
    yield from copy_packs(Packs(columns, (), np.zeros(len(columns[0][1]), np.int64)))


def copy_packs(packs: Packs) -> Iterator[bytes]:
    """Yield a binary COPY of packed rows: the keys, then an array for each column. Not in the order of the groups."""
    yield HEADER
    yield from packed_rows(packs)
    yield TRAILER


def packed_rows(packs: Packs) -> Iterator[bytes]:
    """Yield the rows of a binary COPY, without its header and trailer.

    Rows of one size are written into the same few, which stay in the processor's cache.
    """
    starts = np.cumsum(packs.sizes) - packs.sizes
    key_forms = [kind.form(values) for kind, values in packs.keys]
    column_forms = [kind.form(values) for kind, values in packs.columns]
    for size in np.unique(packs.sizes).tolist():
        chosen = np.flatnonzero(packs.sizes == size)
        row = empty_row(packs, size, key_forms, column_forms)
        at_once = min(max(1, PIECE // row.itemsize), len(chosen))
        rows = np.frombuffer(bytearray(row.tobytes() * at_once), row.dtype)
        for first in range(0, len(chosen), at_once):
            groups = chosen[first : first + at_once]
            fill_rows(rows[: len(groups)], packs, groups, starts[groups][:, None] + np.arange(size))
            yield rows[: len(groups)].tobytes()


def empty_row(
    packs: Packs, size: int, key_forms: Sequence["np.dtype[Any]"], column_forms: Sequence["np.dtype[Any]"]
) -> Column:
    """Return a row whose arrays have ``size`` elements, with everything in it but its values."""
    form: list[Any] = [("fields", ">i2")]
    for number, key in enumerate(key_forms):
        form += [(f"width{number}", ">i4"), (f"key{number}", key)]
    for number, column in enumerate(column_forms):
        element = np.dtype([("width", ">i4"), ("value", column)])
        head = [(name, ">i4") for name in ("bytes", "dimensions", "flags", "type", "size", "lower")]
        form.append((f"array{number}", np.dtype([*head, ("elements", element, (size,))])))
    row = np.zeros((), np.dtype(form))
    row["fields"] = len(key_forms) + len(column_forms)
    for number, key in enumerate(key_forms):
        row[f"width{number}"] = key.itemsize
    for number, ((kind, _), column) in enumerate(zip(packs.columns, column_forms, strict=True)):
        array = row[f"array{number}"]
        array["bytes"] = ARRAY_HEAD + size * (4 + column.itemsize)
        array["dimensions"], array["type"], array["size"], array["lower"] = 1, kind.oid, size, 1
        array["elements"]["width"] = column.itemsize
    return row


def fill_rows(rows: Column, packs: Packs, groups: Ints, elements: Ints) -> None:
    """Write the values of some groups into rows, ``elements`` being the places of each group's in the columns."""
    for number, (kind, values) in enumerate(packs.keys):
        key = rows[f"key{number}"]
        key[...] = kind.wire(values[groups], key.dtype)
    for number, (kind, values) in enumerate(packs.columns):
        array = rows[f"array{number}"]["elements"]["value"]
        array[...] = kind.wire(values[elements], array.dtype)


def numbers(kind: Kind, sent: bytes | memoryview | None) -> Ints:
    """Return the values that a type's send function wrote, one after the other."""
    return np.frombuffer(sent or b"", kind.value[1]).astype(np.int64) + kind.value[2]


def elements(kind: Kind, sent: bytes | None, size: int) -> Ints:
    """Return the elements of arrays of ``size`` elements that ``array_send`` wrote one after the other."""
    form = np.dtype(
        [("head", f"V{ARRAY_HEAD}"), ("elements", np.dtype([("width", ">i4"), ("value", kind.value[1])]), (size,))]
    )
    found: Ints = np.frombuffer(sent or b"", form)["elements"]["value"].reshape(-1).astype(np.int64)
    return found + kind.value[2]
