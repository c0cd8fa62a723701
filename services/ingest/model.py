"""What moves through ingest: a record from Kafka, its rows in columns, and dead letters."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from schemas.wire.codes import Reason
from schemas.wire.columns import RowKind

Ints = npt.NDArray[np.int64]

Content = tuple[object, ...]
"""A row without its identity: (state, mode, reason), (good, scrap, rework) or (value,)."""


class FactTable(StrEnum):
    """The hypertables of facts."""

    STATE = "state_event"
    COUNT = "count_event"
    READING = "reading"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record batch that cannot be read: its offsets, and ``why`` as the end of a sentence about it."""

    first_offset: int
    last_offset: int
    why: str


@dataclass(frozen=True, slots=True)
class BusRecord:
    """One Kafka record, as far as ingest reads it. ``received_us`` is the broker's append time.

    Key, value and header values may be null in Kafka. With ``unreadable`` it stands for a whole batch: it has the last
    offset of the batch, and its packed bytes as value.
    """

    partition: int
    offset: int
    received_us: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    unreadable: Unreadable | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record, or one row of it, that cannot be a fact. For a row, ``record`` indexes the batch's records."""

    source: BusRecord
    claimed_factory: str | None
    authentic: bool
    reason: Reason
    message: str
    raw: bytes
    row_kind: RowKind | None = None
    row_index: int | None = None
    record: int | None = None


@dataclass(frozen=True, slots=True)
class AuthenticRecord:
    """What ``ingest_record`` keeps of a record. ``record_id`` is None unless the record is stored (in a replay).

    ``metrics_added`` and ``days_added``: names of metrics, and days of facts, that it was the first to bring.
    """

    source: BusRecord
    factory: int
    gateway_id: str
    boot_id: str | None
    sequence: int | None
    sent_us: int
    revision: int
    gateway_key: int | None
    unknown_fields: int
    refused: int
    record_id: int | None = None
    metrics_added: int = 0
    days_added: int = 0


@dataclass(slots=True)
class FactRows:
    """Rows of one table as parallel lists, in the partition's order, from the strict path.

    ``key`` is the part of the identity between machine and instant: empty for states, the product for counts, the
    metric's name for readings. ``record`` indexes the batch's records; ``index`` is the position in the record's list.
    """

    index: list[int] = field(default_factory=list)
    machine: list[int] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    at_us: list[int] = field(default_factory=list)
    content: list[Content] = field(default_factory=list)
    retracted: list[bool] = field(default_factory=list)
    record: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Findings:
    """What the strict path finds in records, in their order: authentic records, rows that are facts, dead letters."""

    records: list[AuthenticRecord] = field(default_factory=list)
    rows: dict[FactTable, FactRows] = field(default_factory=lambda: {table: FactRows() for table in FactTable})
    dead_letters: list[DeadLetter] = field(default_factory=list)
