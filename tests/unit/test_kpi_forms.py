"""Which form of an answer a caller prefers, and arrays of Arrow made from memory."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from services.api.kpis.arrow_arrays import WHOLE_NUMBER, WIDE_NUMBER, array_of, integers, texts, truths
from services.api.kpis.forms import FormKind, preferred_form

PARQUET, ARROW = FormKind.PARQUET.value, FormKind.ARROW.value


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ([], FormKind.JSON),
        (["*/*"], FormKind.JSON),
        (["application/*"], FormKind.JSON),
        (["text/html, */*;q=0.8"], FormKind.JSON),
        (["text/csv"], FormKind.CSV),
        (["text/*"], FormKind.CSV),
        ([PARQUET], FormKind.PARQUET),
        ([PARQUET.upper()], FormKind.PARQUET),
        ([ARROW, "*/*;q=0.1"], FormKind.ARROW),
        ([f"{PARQUET};q=0.5, application/json"], FormKind.JSON),
        ([f"{PARQUET};q=0.5, {ARROW}"], FormKind.ARROW),
        ([f"{PARQUET}, text/csv;q=0.5"], FormKind.PARQUET),
        ([f"{PARQUET};q=0"], FormKind.JSON),
    ],
)
def test_a_form_is_chosen_by_what_the_caller_names(accept: list[str], expected: FormKind) -> None:
    assert preferred_form(accept) is expected


NUMBERS = [0, 1, -1, 2**53, -(2**62), 2**63 - 1]
WIDE = [2**64, -(2**64), 2**70 + 12_345, -(10**37), 10**37, 0]


def test_whole_numbers_of_either_width_are_kept() -> None:
    narrow = np.array(NUMBERS, dtype=np.int64)
    assert integers(narrow, WHOLE_NUMBER).to_pylist() == NUMBERS
    assert integers(narrow.astype(object), WHOLE_NUMBER).to_pylist() == NUMBERS
    assert integers(narrow, WIDE_NUMBER).to_pylist() == [Decimal(n) for n in NUMBERS]
    assert integers(np.array(NUMBERS + WIDE, dtype=object), WIDE_NUMBER).to_pylist() == [
        Decimal(n) for n in NUMBERS + WIDE
    ]
    assert integers(narrow[:0], WIDE_NUMBER).to_pylist() == []


@pytest.mark.parametrize("count", [0, 1, 8, 9, 100])
def test_nulls_and_truths_are_where_they_were(count: int) -> None:
    flags = np.arange(count) % 3 == 0
    assert truths(flags).to_pylist() == flags.tolist()
    values = array_of(pa.float64(), np.arange(count, dtype=np.float64), flags)
    assert values.to_pylist() == [float(n) if n % 3 == 0 else None for n in range(count)]


def test_texts_may_be_korean_empty_or_missing() -> None:
    places = np.array([2, 0, 1, -1], dtype=np.int64)
    found = texts(places, ["가공", "", "machine:F1/M1"], places >= 0)
    assert found.to_pylist() == ["machine:F1/M1", "가공", "", None]
    assert texts(places[:0], []).to_pylist() == []
