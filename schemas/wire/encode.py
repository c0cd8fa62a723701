"""Encodes a record as compact JSON, as the reference gateway sends it."""

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.wire.codes import Mode, State
from schemas.wire.columns import CountRows, ReadingRows, StateRows
from schemas.wire.instants import format_us

encoder = msgspec.json.Encoder()
Instants = Callable[[int], str | int]
"""How a row's instant, microseconds since the Unix epoch, is written: ``format_us`` or ``format_ms``."""

STATES = {state: state.name for state in State}
MODES = {mode: None if mode is Mode.unknown else mode.name for mode in Mode}


def encode_record(
    *,
    factory_id: str,
    gateway_id: str,
    sent_at_us: int,
    boot_id: str | None = None,
    sequence: int | None = None,
    revision: int = 0,
    states: StateRows | None = None,
    counts: CountRows | None = None,
    readings: ReadingRows | None = None,
    instants: Instants = format_us,
) -> bytes:
    """Return a record's bytes. Instants are microseconds since the Unix epoch; ``index`` columns are not used."""
    envelope: dict[str, Any] = {"factory_id": factory_id, "gateway_id": gateway_id}
    if boot_id is not None:
        envelope["boot_id"] = boot_id
    if sequence is not None:
        envelope["sequence"] = sequence
    envelope["sent_at"] = format_us(sent_at_us)
    envelope["revision"] = revision
    if states is not None and states.at_us:
        envelope["states"] = state_objects(states, instants)
    if counts is not None and counts.at_us:
        envelope["counts"] = count_objects(counts, instants)
    if readings is not None and readings.at_us:
        envelope["readings"] = reading_objects(readings, instants)
    return encoder.encode(envelope)


def state_objects(rows: StateRows, instants: Instants) -> list[dict[str, Any]]:
    found = []
    columns = zip(rows.machine_id, rows.at_us, rows.state, rows.mode, rows.reason, rows.retracted, strict=True)
    for machine_id, at_us, state, mode, reason, retracted in columns:
        if retracted:
            found.append({"machine_id": machine_id, "at": instants(at_us), "retracted": True})
            continue
        row = {"machine_id": machine_id, "at": instants(at_us), "state": STATES[state], "mode": MODES[mode]}
        row["reason"] = reason
        found.append(row)
    return found


def count_objects(rows: CountRows, instants: Instants) -> list[dict[str, Any]]:
    found = []
    columns = zip(
        rows.machine_id, rows.at_us, rows.good, rows.scrap, rows.rework, rows.product, rows.retracted, strict=True
    )
    for machine_id, at_us, good, scrap, rework, product, retracted in columns:
        row: dict[str, Any] = {"machine_id": machine_id, "at": instants(at_us), "product": product}
        row.update({"retracted": True} if retracted else {"good": good, "scrap": scrap, "rework": rework})
        found.append(row)
    return found


def reading_objects(rows: ReadingRows, instants: Instants) -> list[dict[str, Any]]:
    found = []
    columns = zip(rows.machine_id, rows.at_us, rows.metric, rows.value, rows.retracted, strict=True)
    for machine_id, at_us, metric, value, retracted in columns:
        row: dict[str, Any] = {"machine_id": machine_id, "at": instants(at_us), "metric": metric}
        row.update({"retracted": True} if retracted else {"value": value})
        found.append(row)
    return found
