"""Decodes a record's rows, one at a time, and finds a row's bytes within its record. Pure."""

import msgspec

from schemas.wire.codes import Mode, Reason, State
from schemas.wire.columns import CountRows, ReadingRows, RowKind, StateRows
from schemas.wire.fields import Fields, Invalid, instant, integer, member, number, optional_string, pattern
from schemas.wire.limits import LOCAL_ID, MAX_INT32, METRIC
from schemas.wire.refusal import Refusal
from schemas.wire.strict_json import read_json

STATES = {state.name: state for state in State}
MODES = {mode.name: mode for mode in Mode if mode is not Mode.unknown}


class RawRows(msgspec.Struct):
    """A record's rows as their undecoded bytes."""

    states: list[msgspec.Raw] | None = None
    counts: list[msgspec.Raw] | None = None
    readings: list[msgspec.Raw] | None = None

    def bytes_of(self, kind: RowKind, index: int) -> bytes:
        """Return the bytes of one row."""
        rows: list[msgspec.Raw] = getattr(self, kind)
        return bytes(rows[index])


raw_rows = msgspec.json.Decoder(RawRows).decode
"""Finds the rows of a record that has been decoded before. It parses the whole record: call it once per record."""


def decode_row(kind: RowKind, raw: bytes) -> StateRows | CountRows | ReadingRows | Refusal:
    """Decode a single row from the bytes that ``RawRows`` returned."""
    try:
        row = read_json(raw)
        if kind is RowKind.states:
            return add_state(StateRows(), 0, row)
        if kind is RowKind.counts:
            return add_count(CountRows(), 0, row)
        return add_reading(ReadingRows(), 0, row)
    except ValueError as error:
        return Refusal(Reason.bad_json, f"Send strict JSON in UTF-8: {error}.")
    except Invalid as error:
        return Refusal(Reason.bad_schema, str(error))


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
    """Return what all rows have: the fields, machine, instant, and whether the row is retracted."""
    if not isinstance(row, dict):
        raise Invalid("Write each row as a JSON object.")
    retracted = row.get("retracted")
    if retracted is not None and not isinstance(retracted, bool):
        raise Invalid("Write retracted as true or false.")
    return row, pattern(row, "machine_id", LOCAL_ID.fullmatch), instant(row, "at"), bool(retracted)
