"""The fast path: rows of plain records straight into columns. What it takes, the strict path would take alike. Pure.

A record is taken whole or not at all. Whatever is not plainly valid is left to ``judge``: ids and words that are not
known, instants in rare forms, machines with several times in use, rows that must be refused.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from msgspec import UNSET, UnsetType

from schemas.wire.instant_columns import UNKNOWN, parse_texts
from schemas.wire.instants import FIRST_US, LAST_US, parse_text
from schemas.wire.limits import LOCAL_ID, MAX_STRING
from schemas.wire.plain import PlainCount, PlainReading, PlainRecord, PlainState
from schemas.wire.rows import MODES, STATES
from services.core.times import DAY_US
from services.ingest.columns import CONTENT_TYPES, Bools, FactColumns, InvalidText, Texts
from services.ingest.judging.authenticate import Sender
from services.ingest.judging.introductions import FactDay
from services.ingest.judging.judge import FUTURE_US
from services.ingest.judging.registry import Registry
from services.ingest.model import AuthenticRecord, BusRecord, FactTable, Ints
from services.ingest.writing.latest import distinct_codes

MODE_CODES: dict[str | UnsetType | None, int] = {None: 0, UNSET: 0, **{name: int(mode) for name, mode in MODES.items()}}
STATE_CODES = {name: int(state) for name, state in STATES.items()}
ABSENT = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What rows may use without being the first to: metrics, by their ids, and days of facts."""

    metrics: Mapping[str, int]
    days: Set[FactDay]


@dataclass(slots=True)
class TableRows:
    """Rows of one table as they are collected; ``at`` as on the wire. ``records`` has (record, rows) of each record."""

    machine: list[int] = field(default_factory=list)
    key: list[int] = field(default_factory=list)
    at: list[str | int] = field(default_factory=list)
    content: tuple[list[int | float], ...] = ()
    records: list[tuple[int, int]] = field(default_factory=list)

    def add(
        self, record: int, machine: list[int], key: list[int], at: list[str | int], *content: Sequence[int | float]
    ) -> None:
        """Add a record's rows, given as columns."""
        self.machine += machine
        self.key += key
        self.at += at
        for column, new in zip(self.content, content, strict=True):
            column += new
        self.records.append((record, len(machine)))


class PlainRows:
    """Collects the rows of a batch's plain records. A record's number is its position among the batch's sources."""

    def __init__(self, known: Known, texts: Texts) -> None:
        self._known = known
        self._texts = texts
        self._tables = {table: TableRows(content=tuple([] for _ in types)) for table, types in CONTENT_TYPES.items()}
        self.records: dict[int, AuthenticRecord] = {}

    def add(self, number: int, source: BusRecord, sender: Sender, record: PlainRecord[str] | PlainRecord[int]) -> int:
        """Take a record whose factory and sender are known, and return its rows; 0 if the strict path must judge it."""
        sent_us = parse_text(record.sent_at) if len(record.sent_at) <= MAX_STRING else None
        boot_id = None if record.boot_id is UNSET else record.boot_id
        if sent_us is None or not LOCAL_ID.fullmatch(record.gateway_id) or len(boot_id or "") > MAX_STRING:
            return 0
        readings = [] if record.readings is UNSET else record.readings
        states = [] if record.states is UNSET else record.states
        counts = [] if record.counts is UNSET else record.counts
        machines = sender.factory.machines
        try:
            columns = [
                (FactTable.READING, readings_of(readings, machines, self._known.metrics)),
                (FactTable.STATE, states_of(states, machines, self._texts)),
                (FactTable.COUNT, counts_of(counts, machines, self._texts)),
            ]
        except (KeyError, InvalidText):
            return 0
        rows = len(readings) + len(states) + len(counts)
        if rows == 0:
            return 0
        for table, found in columns:
            if found is not None:
                self._tables[table].add(number, *found)
        self.records[number] = AuthenticRecord(
            source=source,
            factory=sender.factory.factory,
            gateway_id=record.gateway_id,
            boot_id=boot_id,
            sequence=None if record.sequence is UNSET else record.sequence,
            sent_us=sent_us,
            revision=0 if record.revision is UNSET or record.revision is None else record.revision,
            gateway_key=sender.gateway_key,
            unknown_fields=0,
            refused=0,
        )
        return rows

    def columns(self, received_us: Ints, registry: Registry) -> tuple[dict[FactTable, FactColumns], set[int]]:
        """Return the rows, and the records among them that the strict path must judge: they are left out, whole.

        Args:
            received_us: the receipt of each of the batch's sources.
        """
        revisions = np.zeros(len(received_us), np.int64)
        for number, record in self.records.items():
            revisions[number] = record.revision
        tables: dict[FactTable, FactColumns] = {}
        valid: dict[FactTable, Bools] = {}
        for table, rows in self._tables.items():
            columns = tables[table] = collected(table, rows, revisions)
            valid[table] = valid_rows(columns, received_us, registry) & of_known_days(columns, self._known.days)
        doubtful = np.unique(np.concatenate([tables[table].record[~valid[table]] for table in tables]))
        if len(doubtful):
            tables = {
                table: columns.take(np.isin(columns.record, doubtful, invert=True)) for table, columns in tables.items()
            }
            for number in doubtful.tolist():
                del self.records[number]
        return tables, set(doubtful.tolist())


Found = tuple[list[int], list[int], list[str | int], *tuple[list[int] | list[float], ...]]


def readings_of(
    rows: list[PlainReading[str]] | list[PlainReading[int]], machines: Mapping[str, int], metrics: Mapping[str, int]
) -> Found | None:
    """Return machine, metric, instant and value of readings.

    Raises:
        KeyError: a machine or metric is not known.
    """
    if not rows:
        return None
    return (
        [machines[row.machine_id] for row in rows],
        [metrics[row.metric] for row in rows],
        [row.at for row in rows],
        [row.value for row in rows],
    )


def states_of(
    rows: list[PlainState[str]] | list[PlainState[int]], machines: Mapping[str, int], texts: Texts
) -> Found | None:
    """Return machine, key, instant, state, mode and reason of states.

    Raises:
        KeyError: a machine, state or mode is not known.
        InvalidText: a reason is too long.
    """
    if not rows:
        return None
    return (
        [machines[row.machine_id] for row in rows],
        [ABSENT] * len(rows),
        [row.at for row in rows],
        [STATE_CODES[row.state] for row in rows],
        [MODE_CODES[row.mode] for row in rows],
        [ABSENT if row.reason is UNSET else texts[row.reason] for row in rows],
    )


def counts_of(
    rows: list[PlainCount[str]] | list[PlainCount[int]], machines: Mapping[str, int], texts: Texts
) -> Found | None:
    """Return machine, product, instant, good, scrap and rework of counts.

    Raises:
        KeyError: a machine is not known.
        InvalidText: a product is too long.
    """
    if not rows:
        return None
    return (
        [machines[row.machine_id] for row in rows],
        [texts["" if row.product is UNSET else row.product] for row in rows],
        [row.at for row in rows],
        [row.good for row in rows],
        [0 if row.scrap is UNSET else row.scrap for row in rows],
        [0 if row.rework is UNSET else row.rework for row in rows],
    )


def collected(table: FactTable, rows: TableRows, revisions: Ints) -> FactColumns:
    """Convert collected rows to arrays; instants that are not plain become UNKNOWN."""
    numbers, sizes = (
        (np.array(column, np.int64) for column in zip(*rows.records, strict=True))
        if rows.records
        else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    )
    record = np.repeat(numbers, sizes)
    content = tuple(np.array(column, kind) for column, kind in zip(rows.content, CONTENT_TYPES[table], strict=True))
    if table is FactTable.READING:
        # Minus zero becomes zero, as on the strict path.
        content = (content[0] + 0.0,)
    return FactColumns(
        table,
        np.array(rows.machine, np.int64),
        np.array(rows.key, np.int64),
        instants(rows.at),
        content,
        np.zeros(len(record), bool),
        record,
        revisions[record],
    )


def instants(at: list[str | int]) -> Ints:
    """Return instants of the wire in microseconds; UNKNOWN where they are not plainly valid."""
    try:
        return parse_texts(cast(list[str], at))
    except TypeError:
        is_text = np.fromiter((isinstance(one, str) for one in at), bool, len(at))
    found = np.full(len(at), UNKNOWN, np.int64)
    found[is_text] = parse_texts([one for one in at if isinstance(one, str)])
    us = [one * 1000 for one in at if isinstance(one, int)]
    found[~is_text] = [one if FIRST_US <= one <= LAST_US else UNKNOWN for one in us]
    return found


def valid_rows(columns: FactColumns, received_us: Ints, registry: Registry) -> Bools:
    """Return which rows are plainly valid: a known instant that is plausible, not sealed, and in the machine's use."""
    at_us, machine, machines = columns.at_us, columns.machine, registry.machines
    valid: Bools = (at_us != UNKNOWN) & (at_us <= received_us[columns.record] + FUTURE_US)
    valid &= at_us >= registry.sealed_before_us[columns.table]
    valid &= (at_us >= machines.from_us[machine]) & (at_us < machines.to_us[machine])
    if columns.table is FactTable.READING:
        valid &= np.isfinite(columns.content[0])
    return valid


def of_known_days(columns: FactColumns, days: Set[FactDay]) -> Bools:
    """Return which rows are of days that have had facts before."""
    day = np.where(columns.at_us == UNKNOWN, 0, columns.at_us) // DAY_US
    if len(day) == 0:
        return np.ones(0, bool)
    distinct, inverse = distinct_codes(day - day.min(), int(day.max() - day.min()) + 1)
    first = int(day.min())
    known = np.array([FactDay(columns.table, first + one) in days for one in distinct.tolist()], bool)
    return known[inverse]
