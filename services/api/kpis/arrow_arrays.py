"""Makes Arrow's arrays from NumPy's, by their memory.

``pyarrow.array`` would do most of this, but it imports pandas if that is installed, which takes 65 MB and two seconds.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from services.api.kpis.grids import Numbers

TEXT = pa.dictionary(pa.int32(), pa.string())
INSTANT = pa.timestamp("us", tz="UTC")
WHOLE_NUMBER = pa.int64()
WIDE_NUMBER = pa.decimal128(38, 0)
LOW_BITS = 2**64 - 1


def array_of(kind: pa.DataType, numbers: Numbers, is_valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return numbers as an array of a type that has the same memory; null where they are not valid."""
    validity = None if is_valid is None else bits(is_valid)
    return pa.Array.from_buffers(kind, len(numbers), [validity, pa.py_buffer(np.ascontiguousarray(numbers))])


def bits(flags: NDArray[np.bool_]) -> pa.Buffer:
    """Return truth values as Arrow stores them."""
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def truths(flags: NDArray[np.bool_]) -> pa.Array:
    """Return truth values as an array."""
    return pa.Array.from_buffers(pa.bool_(), len(flags), [None, bits(flags)])


def instants(us: NDArray[np.int64]) -> pa.Array:
    """Return microseconds since the Unix epoch as instants."""
    return array_of(INSTANT, us)


def integers(numbers: Numbers, kind: pa.DataType) -> pa.Array:
    """Return whole numbers as an array of WHOLE_NUMBER or WIDE_NUMBER."""
    if kind == WHOLE_NUMBER:
        return array_of(kind, numbers.astype(np.int64))
    halves = np.empty((len(numbers), 2), dtype=np.uint64)
    if numbers.dtype == object:
        halves[:, 0] = numbers & LOW_BITS
        halves[:, 1] = (numbers >> 64) & LOW_BITS
    else:
        halves[:, 0] = numbers.view(np.uint64)
        halves[:, 1] = (numbers >> 63).view(np.uint64)
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(halves)])


def texts(places: Numbers, values: Sequence[str], is_valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return texts by the places that they have among some values; null where they are not valid."""
    encoded = [value.encode() for value in values]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    words = pa.Array.from_buffers(
        pa.string(), len(encoded), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    )
    return pa.DictionaryArray.from_arrays(array_of(pa.int32(), places.astype(np.int32), is_valid), words)
