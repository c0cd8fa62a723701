"""Decodes a record's bytes: strict JSON, then the contract field by field. Pure.

Ingest has checks of its own between the stages: ``open_record`` finds the factory that a record names, and once the
sender is known, ``decode_body`` validates the rest. ``decode_record`` does both.
"""

from dataclasses import dataclass

from schemas.wire.codes import Reason
from schemas.wire.columns import CountRows, ReadingRows, RefusedRow, RowKind, StateRows
from schemas.wire.fields import Fields, Invalid, instant, integer, optional_string, pattern
from schemas.wire.limits import FACTORY_ID, LOCAL_ID, MAX_INT32, MAX_INT64, MAX_VALUE_BYTES
from schemas.wire.refusal import Refusal
from schemas.wire.rows import add_count, add_reading, add_state
from schemas.wire.strict_json import read_json

ENVELOPE_FIELDS = frozenset(
    ("factory_id", "gateway_id", "boot_id", "sequence", "sent_at", "revision", "states", "counts", "readings")
)
ROW_FIELDS = {
    RowKind.states: frozenset(("machine_id", "at", "state", "mode", "reason", "retracted")),
    RowKind.counts: frozenset(("machine_id", "at", "good", "scrap", "rework", "product", "retracted")),
    RowKind.readings: frozenset(("machine_id", "at", "metric", "value", "retracted")),
}


@dataclass(frozen=True, slots=True)
class Body:
    """A record's envelope and rows. Instants are microseconds since the Unix epoch."""

    gateway_id: str
    boot_id: str | None
    sequence: int | None
    sent_at_us: int
    revision: int
    unknown_fields: int
    states: StateRows
    counts: CountRows
    readings: ReadingRows
    refused: tuple[RefusedRow, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A record that names a factory, with its body, or why the body is invalid."""

    factory_id: str
    body: Body | Refusal


def decode_record(value: bytes) -> Claim | Refusal:
    """Decode a record as far as that is possible without knowing its sender.

    Returns:
        A refusal if the value is too large, not JSON, or names no factory; otherwise the claim.
    """
    opened = open_record(value)
    return opened if isinstance(opened, Refusal) else Claim(opened.factory_id, decode_body(opened))


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """A record that names a factory; nothing else of it is validated yet."""

    factory_id: str
    document: Fields


def open_record(value: bytes) -> OpenedRecord | Refusal:
    """Parse a record's JSON, and return it if it names a factory."""
    if len(value) > MAX_VALUE_BYTES:
        return too_large(value)
    try:
        document = read_json(value)
    except ValueError as error:
        return Refusal(Reason.bad_json, f"Send strict JSON in UTF-8: {error}.")
    try:
        if not isinstance(document, dict):
            raise Invalid("Send a JSON object.")
        return OpenedRecord(pattern(document, "factory_id", FACTORY_ID.fullmatch), document)
    except Invalid as error:
        return Refusal(Reason.bad_schema, str(error))


def too_large(value: bytes) -> Refusal:
    """Return why a value of more than ``MAX_VALUE_BYTES`` is refused."""
    return Refusal(Reason.too_large, f"Send at most {MAX_VALUE_BYTES} bytes per record; this one has {len(value)}.")


def decode_body(opened: OpenedRecord) -> Body | Refusal:
    """Validate a record's envelope and rows. An invalid row is listed in the body's ``refused``."""
    try:
        return read_body(opened.document)
    except Invalid as error:
        return Refusal(Reason.bad_schema, str(error))


def read_body(document: Fields) -> Body:
    """Decode envelope and rows.

    Raises:
        Invalid: the envelope breaks the contract. An invalid row is listed in ``refused`` instead.
    """
    gateway_id = pattern(document, "gateway_id", LOCAL_ID.fullmatch)
    sent_at_us = instant(document, "sent_at")
    boot_id = optional_string(document, "boot_id")
    sequence = None if document.get("sequence") is None else integer(document, "sequence", MAX_INT64)
    revision = 0 if document.get("revision") is None else integer(document, "revision", MAX_INT32)
    lists = {kind: row_list(document, kind) for kind in RowKind}
    if not any(lists.values()):
        raise Invalid("Send at least one row in states, counts or readings.")
    states, counts, readings = StateRows(), CountRows(), ReadingRows()
    refused: list[RefusedRow] = []
    unknown = len(document.keys() - ENVELOPE_FIELDS)
    for kind, rows in lists.items():
        for index, row in enumerate(rows):
            try:
                if kind is RowKind.states:
                    add_state(states, index, row)
                elif kind is RowKind.counts:
                    add_count(counts, index, row)
                else:
                    add_reading(readings, index, row)
            except Invalid as error:
                refusal = Refusal(Reason.bad_schema, str(error))
                refused.append(RefusedRow(kind, index, refusal))
            if isinstance(row, dict):
                unknown += len(row.keys() - ROW_FIELDS[kind])
    return Body(gateway_id, boot_id, sequence, sent_at_us, revision, unknown, states, counts, readings, tuple(refused))


def row_list(document: Fields, kind: RowKind) -> list[object]:
    rows = document.get(kind)
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise Invalid(f"Write {kind} as a list.")
    return rows
