"""Rows of readings as ready-made COPY data, the yardstick of ingest."""

import numpy as np
import numpy.typing as npt

from services.ingest.columns import FactColumns, Texts
from services.ingest.model import FactTable, Ints
from services.ingest.writing.copy_format import as_copy


def readings_as_copy(
    machine: Ints,
    metric: Ints,
    at_us: Ints,
    value: npt.NDArray[np.float64],
    revision: Ints,
    retracted: npt.NDArray[np.bool_],
    record_id: Ints,
) -> bytes:
    """Return rows of ``reading`` as the bytes of one binary COPY."""
    every = np.arange(len(machine))
    columns = FactColumns(FactTable.READING, machine, metric, at_us, (value,), retracted, every, revision)
    return b"".join(as_copy(columns, record_id, Texts()))
