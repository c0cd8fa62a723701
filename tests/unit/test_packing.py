"""Packed rows are written as PostgreSQL's COPY reads them, and read as its send functions write them.

The rows are taken apart here by a second implementation of the format, one field after the other. The round trip
through PostgreSQL itself is in ``tests/integration/test_packed_rows.py``.
"""

import struct
from collections.abc import Iterator

import numpy as np
import pytest

from services.analytics.packing import (
    PIECE,
    Kind,
    Packs,
    as_numeric,
    copy_packs,
    copy_rows,
    elements,
    numbers,
    numeric_form,
    packed_rows,
)
from services.core.copy_format import HEADER, TRAILER
from services.core.database import POSTGRES_EPOCH_US

FORMS = {
    16: (">?", 0),
    21: (">h", 0),
    23: (">i", 0),
    20: (">q", 0),
    1184: (">q", POSTGRES_EPOCH_US),
    1082: (">i", POSTGRES_EPOCH_US // 86_400_000_000),
}
WIDE = [0, 1, 9_999, 10_000, 10_001, 2**63 - 1, 2**63, 10**40 + 7]


def column(*values: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(values, np.int64)


def numeric(sent: bytes) -> int:
    """Return a whole number of PostgreSQL's binary format of ``numeric``."""
    count, weight, sign, scale = struct.unpack_from(">hhHh", sent)
    digits = struct.unpack_from(f">{count}h", sent, 8)
    assert (sign, scale, len(sent)) == (0, 0, 8 + 2 * count)
    assert all(0 <= digit < 10_000 for digit in digits)
    return sum(digit * 10_000 ** (weight - place) for place, digit in enumerate(digits))


def value(oid: int, sent: bytes) -> int:
    if oid == 1700:
        return numeric(sent)
    form, zero = FORMS[oid]
    (found,) = struct.unpack(form, sent)
    return int(found) + zero


def array(sent: bytes, expected_oid: int) -> list[int]:
    dimensions, flags, oid, size, lower = struct.unpack_from(">iiiii", sent)
    assert (dimensions, flags, oid, lower) == (1, 0, expected_oid, 1)
    found, at = [], 20
    for _ in range(size):
        (width,) = struct.unpack_from(">i", sent, at)
        found.append(value(oid, sent[at + 4 : at + 4 + width]))
        at += 4 + width
    assert at == len(sent)
    return found


def fields(sent: bytes) -> Iterator[list[bytes]]:
    """Yield the fields of each row of a binary COPY."""
    assert sent.startswith(HEADER)
    assert sent.endswith(TRAILER)
    at = len(HEADER)
    while sent[at:] != TRAILER:
        (count,) = struct.unpack_from(">h", sent, at)
        at += 2
        row = []
        for _ in range(count):
            (width,) = struct.unpack_from(">i", sent, at)
            row.append(sent[at + 4 : at + 4 + width])
            at += 4 + width
        yield row


def unpacked(packs: Packs) -> list[tuple[int | list[int], ...]]:
    key_kinds, kinds = [kind.oid for kind, _ in packs.keys], [kind.oid for kind, _ in packs.columns]
    rows: list[tuple[int | list[int], ...]] = []
    for row in fields(b"".join(copy_packs(packs))):
        keys = [value(oid, sent) for oid, sent in zip(key_kinds, row, strict=False)]
        arrays = [array(sent, oid) for oid, sent in zip(kinds, row[len(keys) :], strict=True)]
        rows.append((*keys, *arrays))
    return sorted(rows, key=lambda row: row[0])


def test_groups_of_different_sizes_are_rows_with_an_array_for_each_column() -> None:
    packs = Packs(
        [(Kind.INTEGER, column(1, 2, 3)), (Kind.INSTANT, column(-5, 0, 2**50))],
        [(Kind.BIGINT, column(1, -2, 3, 2**62)), (Kind.SMALLINT, column(7, 0, -1, 5))],
        column(2, 1, 1),
    )
    assert unpacked(packs) == [(1, -5, [1, -2], [7, 0]), (2, 0, [3], [-1]), (3, 2**50, [2**62], [5])]


def test_booleans_days_and_instants() -> None:
    packs = Packs(
        [(Kind.DAY, column(17_226))],
        [(Kind.BOOLEAN, np.array([True, False, True])), (Kind.INSTANT, column(-1, 0, 1)), (Kind.DAY, column(-1, 0, 1))],
        column(3),
    )
    assert unpacked(packs) == [(17_226, [1, 0, 1], [-1, 0, 1], [-1, 0, 1])]


@pytest.mark.parametrize("values", [[0], [0, 0], WIDE[:6], WIDE, [10**20 - 1, 10**20]])
def test_numerics_are_exact_also_above_64_bits(values: list[int]) -> None:
    wide = max(values) >= 2**63
    column_of = np.array(values, object if wide else np.int64)
    found = as_numeric(column_of, numeric_form(column_of))
    assert [numeric(row.tobytes()) for row in found] == values
    packs = Packs([(Kind.INTEGER, column(1))], [(Kind.NUMERIC, np.array(values, object))], column(len(values)))
    assert unpacked(packs) == [(1, values)]


def test_nothing_is_a_copy_of_no_rows() -> None:
    nothing = Packs([(Kind.INTEGER, column())], [(Kind.BIGINT, column()), (Kind.NUMERIC, column())], column())
    assert b"".join(copy_packs(nothing)) == HEADER + TRAILER
    assert list(packed_rows(nothing)) == []
    assert as_numeric(np.empty(0, object), numeric_form(np.empty(0, object))).tolist() == []
    assert b"".join(copy_rows([(Kind.INTEGER, column()), (Kind.NUMERIC, column())])) == HEADER + TRAILER


def test_plain_rows_have_a_field_for_each_column() -> None:
    columns = [(Kind.INTEGER, column(4, 5)), (Kind.NUMERIC, np.array([2**70, 3], object))]
    rows = list(fields(b"".join(copy_rows(columns))))
    assert [(value(23, number), numeric(wide)) for number, wide in rows] == [(4, 2**70), (5, 3)]


def test_many_rows_come_in_pieces_of_a_bounded_size() -> None:
    count = 40_000
    packs = Packs([(Kind.INTEGER, np.arange(count))], [(Kind.BIGINT, np.arange(count))], np.ones(count, np.int64))
    sent = list(packed_rows(packs))
    assert len(sent) > 2
    assert max(len(part) for part in sent) <= PIECE
    rows = list(fields(HEADER + b"".join(sent) + TRAILER))
    assert [(value(23, key), array(own, 20)) for key, own in rows[-2:]] == [
        (count - 2, [count - 2]),
        (count - 1, [count - 1]),
    ]


@pytest.mark.parametrize(
    ("kind", "form", "values"),
    [
        (Kind.BOOLEAN, "?", [1, 0]),
        (Kind.SMALLINT, "h", [-(2**15), 2**15 - 1]),
        (Kind.INTEGER, "i", [-(2**31), 2**31 - 1]),
        (Kind.BIGINT, "q", [-(2**63), 2**63 - 1]),
        (Kind.INSTANT, "q", [0, 1_488_326_400_000_000]),
        (Kind.DAY, "i", [0, 17_226]),
    ],
)
def test_values_are_read_as_they_were_sent(kind: Kind, form: str, values: list[int]) -> None:
    zero = FORMS[kind.oid][1]
    sent = [struct.pack(f">{form}", number - zero) for number in values]
    assert numbers(kind, b"".join(sent)).tolist() == values
    head = struct.pack(">iiiii", 1, 0, kind.oid, len(sent), 1)
    packed = head + b"".join(struct.pack(">i", len(own)) + own for own in sent)
    assert elements(kind, packed * 2, len(sent)).tolist() == values * 2


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.NUMERIC])
def test_nothing_is_read_from_nothing(kind: Kind) -> None:
    assert numbers(kind, None).tolist() == numbers(kind, b"").tolist() == []
    assert elements(kind, None, 3).tolist() == []
