"""Reads a record's bytes: strict JSON, then the contract field by field. Pure.

The record is judged in stages, since ingest has checks of its own between them: ``decode_record`` refuses what has no
usable factory id; all after that, envelope and rows, is in the claim's body, to be used once the sender is known.
"""

import json
import math
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from schemas.wire.codes import Mode, Reason, State
from schemas.wire.columns import CountRows, ReadingRows, RefusedRow, RowKind, StateRows
from schemas.wire.instants import parse_milliseconds, parse_text
from schemas.wire.limits import (
    FACTORY_ID,
    LOCAL_ID,
    MAX_INT32,
    MAX_INT64,
    MAX_STRING,
    MAX_VALUE_BYTES,
    METRIC,
)
from schemas.wire.refusal import Refusal

STATES = {state.name: state for state in State}
MODES = {mode.name: mode for mode in Mode if mode is not Mode.unknown}
ENVELOPE_FIELDS = frozenset(
    ("factory_id", "gateway_id", "boot_id", "sequence", "sent_at", "revision", "states", "counts", "readings")
)
ROW_FIELDS = {
    RowKind.states: frozenset(("machine_id", "at", "state", "mode", "reason", "retracted")),
    RowKind.counts: frozenset(("machine_id", "at", "good", "scrap", "rework", "product", "retracted")),
    RowKind.readings: frozenset(("machine_id", "at", "metric", "value", "retracted")),
}

Fields = dict[str, object]
T = TypeVar("T", StateRows, CountRows, ReadingRows)


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
    """A record that names a factory, and what it says, or why that can't be read."""

    factory_id: str
    body: Body | Refusal


class Wrong(Exception):
    """Something breaks the contract; the message says what to do."""


class DuplicateKey(ValueError):
    """A JSON object has the same key twice."""


def decode_record(value: bytes) -> Claim | Refusal:
    """Read a record as far as it can be read without knowing its sender.

    Returns:
        A refusal where the value is too large, no JSON, or names no factory; else the claim.
    """
    if len(value) > MAX_VALUE_BYTES:
        return Refusal(Reason.too_large, f"Send at most {MAX_VALUE_BYTES} bytes a record; this one has {len(value)}.")
    try:
        document = read_json(value)
    except (ValueError, RecursionError) as error:
        return Refusal(Reason.bad_json, f"Send strict JSON in UTF-8: {error}.")
    try:
        if not isinstance(document, dict):
            raise Wrong("Send a JSON object.")
        factory_id = pattern(document, "factory_id", FACTORY_ID.fullmatch)
    except Wrong as error:
        return Refusal(Reason.bad_schema, str(error))
    try:
        return Claim(factory_id, read_body(value, document))
    except Wrong as error:
        return Claim(factory_id, Refusal(Reason.bad_schema, str(error)))


def decode_row(kind: RowKind, raw: bytes) -> StateRows | CountRows | ReadingRows | Refusal:
    """Read one row alone, as ``row_bytes`` gave it."""
    try:
        row = read_json(raw)
        if kind is RowKind.states:
            return add_state(StateRows(), 0, row)
        if kind is RowKind.counts:
            return add_count(CountRows(), 0, row)
        return add_reading(ReadingRows(), 0, row)
    except (ValueError, RecursionError) as error:
        return Refusal(Reason.bad_json, f"Send strict JSON in UTF-8: {error}.")
    except Wrong as error:
        return Refusal(Reason.bad_schema, str(error))


class RawRows(msgspec.Struct):
    """A record's rows as the bytes that they are."""

    states: list[msgspec.Raw] | None = None
    counts: list[msgspec.Raw] | None = None
    readings: list[msgspec.Raw] | None = None


raw_rows = msgspec.json.Decoder(RawRows)


def row_bytes(value: bytes, kind: RowKind, index: int) -> bytes:
    """The bytes of one row of a record that was read before."""
    rows: list[msgspec.Raw] = getattr(raw_rows.decode(value), kind)
    return bytes(rows[index])


def read_json(value: bytes) -> object:
    """Strict JSON: UTF-8, no duplicate keys, no NaN or Infinity, no lone surrogates.

    Raises:
        ValueError, RecursionError: it is none.
    """
    text = value.decode("utf-8")
    document: object = json.loads(text, object_pairs_hook=unique_keys, parse_constant=refuse_constant)
    if "\\u" in text:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    return document


def unique_keys(pairs: list[tuple[str, object]]) -> Fields:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise DuplicateKey("an object has the same key twice")
    return fields


def refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def read_body(value: bytes, document: Fields) -> Body:
    """Envelope and rows.

    Raises:
        Wrong: the envelope breaks the contract. A wrong row is put aside instead.
    """
    gateway_id = pattern(document, "gateway_id", LOCAL_ID.fullmatch)
    sent_at_us = instant(document, "sent_at")
    boot_id = optional_string(document, "boot_id")
    sequence = None if document.get("sequence") is None else integer(document, "sequence", MAX_INT64)
    revision = 0 if document.get("revision") is None else integer(document, "revision", MAX_INT32)
    lists = {kind: row_list(document, kind) for kind in RowKind}
    if not any(lists.values()):
        raise Wrong("Send at least one row in states, counts or readings.")
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
            except Wrong as error:
                refusal = Refusal(Reason.bad_schema, str(error))
                refused.append(RefusedRow(kind, index, row_bytes(value, kind, index), refusal))
            if isinstance(row, dict):
                unknown += len(row.keys() - ROW_FIELDS[kind])
    return Body(gateway_id, boot_id, sequence, sent_at_us, revision, unknown, states, counts, readings, tuple(refused))


def row_list(document: Fields, kind: RowKind) -> list[object]:
    rows = document.get(kind)
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise Wrong(f"Write {kind} as a list.")
    return rows


def add_state(rows: StateRows, index: int, row: object) -> StateRows:
    fields, machine_id, at_us, retracted = row_head(row)
    state, mode, reason = State.unknown, Mode.unknown, None
    if not retracted:
        state = member(fields, "state", STATES)
        if fields.get("mode") is not None:
            mode = member(fields, "mode", MODES)
        reason = optional_string(fields, "reason")
    rows.index.append(index)
    rows.machine_id.append(machine_id)
    rows.at_us.append(at_us)
    rows.state.append(state)
    rows.mode.append(mode)
    rows.reason.append(reason)
    rows.retracted.append(retracted)
    return rows


def add_count(rows: CountRows, index: int, row: object) -> CountRows:
    fields, machine_id, at_us, retracted = row_head(row)
    product = optional_string(fields, "product") or ""
    good = scrap = rework = 0
    if not retracted:
        good = integer(fields, "good", MAX_INT32)
        scrap = 0 if fields.get("scrap") is None else integer(fields, "scrap", MAX_INT32)
        rework = 0 if fields.get("rework") is None else integer(fields, "rework", MAX_INT32)
    rows.index.append(index)
    rows.machine_id.append(machine_id)
    rows.at_us.append(at_us)
    rows.product.append(product)
    rows.good.append(good)
    rows.scrap.append(scrap)
    rows.rework.append(rework)
    rows.retracted.append(retracted)
    return rows


def add_reading(rows: ReadingRows, index: int, row: object) -> ReadingRows:
    fields, machine_id, at_us, retracted = row_head(row)
    metric = pattern(fields, "metric", METRIC.fullmatch)
    value = 0.0 if retracted else number(fields, "value")
    rows.index.append(index)
    rows.machine_id.append(machine_id)
    rows.metric.append(metric)
    rows.at_us.append(at_us)
    rows.value.append(value)
    rows.retracted.append(retracted)
    return rows


def row_head(row: object) -> tuple[Fields, str, int, bool]:
    """What all rows have: machine, instant, and whether the row is withdrawn."""
    if not isinstance(row, dict):
        raise Wrong("Write each row as a JSON object.")
    retracted = row.get("retracted")
    if retracted is not None and not isinstance(retracted, bool):
        raise Wrong("Write retracted as true or false.")
    return row, pattern(row, "machine_id", LOCAL_ID.fullmatch), instant(row, "at"), bool(retracted)


def pattern(fields: Fields, name: str, matches: object) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not callable(matches) or not matches(value):
        raise Wrong(f"Give {name} in the contract's form.")
    return value


def optional_string(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_STRING or "\x00" in value:
        raise Wrong(f"Write {name} as a string of at most {MAX_STRING} characters without NUL.")
    return value


def integer(fields: Fields, name: str, most: int) -> int:
    value = fields.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise Wrong(f"Write {name} as an integer from 0 to {most}.")
    return value


def number(fields: Fields, name: str) -> float:
    value = fields.get(name)
    try:
        found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise Wrong(f"Write {name} as a finite number.")
    return found


def instant(fields: Fields, name: str) -> int:
    value = fields.get(name)
    found = None
    if isinstance(value, str) and len(value) <= MAX_STRING:
        found = parse_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool) and float_is_integer(value):
        found = parse_milliseconds(int(value))
    if found is None:
        raise Wrong(f"Write {name} as RFC 3339 with an offset, or as integer Unix milliseconds.")
    return found


def float_is_integer(value: int | float) -> bool:
    return isinstance(value, int) or value.is_integer()


V = TypeVar("V")


def member(fields: Fields, name: str, words: dict[str, V]) -> V:
    value = fields.get(name)
    found = words.get(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong(f"Write {name} as one of {', '.join(words)}.")
    return found
