"""PostgreSQL's binary COPY format for accounts, made from columns in one go.

Every column has a fixed width, the wide sums too: a numeric is taken with leading zeros, which the server strips. So
accounts are one array of packed records. Sources: PostgreSQL's documentation of COPY, "Binary Format"; numeric_recv.
"""

import numpy as np
import numpy.typing as npt

from services.analytics.accounts import SUMS, Accounts, Objects
from services.core.database import POSTGRES_EPOCH_US

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

NARROW = ("failures", "state_rows", "count_rows", "signed_count_rows")
"""Sums that the table holds as integer; the others are bigint."""
NUMERIC_BASE = 10_000
DIGITS = 10
"""Of a numeric, in its base: more than a cycle times a sum of pieces, 63 bits each, can have."""
NUMERIC = np.dtype([("digits", ">i2"), ("weight", ">i2"), ("sign", ">i2"), ("scale", ">i2"), ("digit", ">i2", DIGITS)])

FIELDS: tuple[tuple[str, np.dtype[np.void] | str], ...] = (
    ("machine", ">i4"),
    ("hour", ">i8"),
    ("cohort", ">i4"),
    *((name, ">i4" if name in NARROW else ">i8") for name in SUMS),
    ("ideal_pq_us", NUMERIC),
    ("ideal_good_us", NUMERIC),
)
ROW = np.dtype(
    [("fields", ">i2"), *[part for name, kind in FIELDS for part in ((f"{name}_width", ">i4"), (name, kind))]]
)


def accounts_as_copy(accounts: Accounts) -> bytes:
    """Rows of ``machine_hour`` (columns as in FIELDS) as the bytes of one binary COPY."""
    rows = np.zeros(len(accounts.machine), ROW)
    rows["fields"] = len(FIELDS)
    for name, kind in FIELDS:
        rows[f"{name}_width"] = np.dtype(kind).itemsize
    rows["machine"] = accounts.machine
    rows["hour"] = accounts.hour_us - POSTGRES_EPOCH_US
    rows["cohort"] = accounts.cohort
    for position, name in enumerate(SUMS):
        rows[name] = accounts.sums[:, position]
    put_numeric(rows["ideal_pq_us"], accounts.ideal_pq_us)
    put_numeric(rows["ideal_good_us"], accounts.ideal_good_us)
    return HEADER + rows.tobytes() + TRAILER


def put_numeric(place: npt.NDArray[np.void], values: Objects) -> None:
    """Write integers from 0 on, as wide as they may be, as numerics."""
    place["digits"] = DIGITS
    place["weight"] = DIGITS - 1
    left = values.astype(np.int64) if len(values) and int(values.max()) < 2**63 else values
    for position in reversed(range(DIGITS)):
        place["digit"][:, position] = left % NUMERIC_BASE
        left = left // NUMERIC_BASE
