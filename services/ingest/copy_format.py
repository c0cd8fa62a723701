"""Encodes readings in PostgreSQL's binary COPY format, from columns and all at once.

Nearly all rows are readings, and all of their columns have a fixed width, so a batch is one array of packed records.
The format is described in PostgreSQL's documentation of COPY, "Binary Format".
"""

import numpy as np
import numpy.typing as npt

from services.core.database import POSTGRES_EPOCH_US
from services.ingest.model import Ints

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

FIELDS = (
    ("machine", ">i4", 4),
    ("metric", ">i4", 4),
    ("at", ">i8", 8),
    ("value", ">f8", 8),
    ("revision", ">i4", 4),
    ("retracted", ">u1", 1),
    ("record_id", ">i8", 8),
)
ROW = np.dtype(
    [("fields", ">i2"), *[part for name, kind, _ in FIELDS for part in ((f"{name}_width", ">i4"), (name, kind))]]
)


def readings_as_copy(
    machine: Ints,
    metric: Ints,
    at_us: Ints,
    value: npt.NDArray[np.float64],
    revision: Ints,
    retracted: npt.NDArray[np.bool_],
    record_id: Ints,
) -> bytes:
    """Return rows of ``reading`` (columns in this order) as the bytes of one binary COPY."""
    rows = np.zeros(len(machine), ROW)
    rows["fields"] = len(FIELDS)
    for name, _, width in FIELDS:
        rows[f"{name}_width"] = width
    rows["machine"] = machine
    rows["metric"] = metric
    rows["at"] = at_us - POSTGRES_EPOCH_US
    rows["value"] = value
    rows["revision"] = revision
    rows["retracted"] = retracted
    rows["record_id"] = record_id
    return HEADER + rows.tobytes() + TRAILER
