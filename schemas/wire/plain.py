"""Decodes plainly well-formed records fast, and leaves all others to ``decode``. Pure.

A record is plain if a typed decoder takes it and its quotation marks are exactly those that its fields explain. The
typed decoder accepts a key that an object has twice, which strict JSON does not. But without backslashes every string
has two quotation marks and there are no others, so a second key makes more of them than the decoded fields have.

Whatever is accepted here, ``decode_record`` accepts with the same result. What is not may still be valid.
"""

from typing import Annotated, Generic, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType

from schemas.wire.limits import MAX_INT32, MAX_INT64, MAX_VALUE_BYTES

MARK = ord('"')
Counted = Annotated[int, Meta(ge=0, le=MAX_INT32)]
At = TypeVar("At", str, int)
"""The form of a record's instants: RFC 3339, or Unix milliseconds. A record that has both is not plain."""


class PlainReading(msgspec.Struct, Generic[At], gc=False, forbid_unknown_fields=True):
    """A reading; its instant is not validated yet."""

    machine_id: str
    at: At
    metric: str
    value: float


class PlainState(msgspec.Struct, Generic[At], gc=False, forbid_unknown_fields=True):
    """A state; neither its instant nor its words are validated yet."""

    machine_id: str
    at: At
    state: str
    mode: str | UnsetType | None = UNSET
    reason: str | UnsetType | None = UNSET


class PlainCount(msgspec.Struct, Generic[At], gc=False, forbid_unknown_fields=True):
    """A count; neither its instant nor its product is validated yet."""

    machine_id: str
    at: At
    good: Counted
    scrap: Counted | UnsetType = UNSET
    rework: Counted | UnsetType = UNSET
    product: str | UnsetType = UNSET


class PlainRecord(msgspec.Struct, Generic[At], gc=False, forbid_unknown_fields=True):
    """A record whose rows have the contract's fields, each once; ids, words and instants are not validated yet."""

    factory_id: str
    gateway_id: str
    sent_at: str
    boot_id: str | UnsetType | None = UNSET
    sequence: Annotated[int, Meta(ge=0, le=MAX_INT64)] | UnsetType | None = UNSET
    revision: Counted | UnsetType | None = UNSET
    states: list[PlainState[At]] | UnsetType = UNSET
    counts: list[PlainCount[At]] | UnsetType = UNSET
    readings: list[PlainReading[At]] | UnsetType = UNSET


decode_texts = msgspec.json.Decoder(PlainRecord[str]).decode
decode_milliseconds = msgspec.json.Decoder(PlainRecord[int]).decode


def decode_plain(value: bytes) -> PlainRecord[str] | PlainRecord[int] | None:
    """Decode a plain record; None if it is not one."""
    if len(value) > MAX_VALUE_BYTES or b"\\" in value:
        return None
    try:
        if not value.isascii():
            value.decode()
        try:
            texts = decode_texts(value)
            return texts if count_marks(value) == quotation_marks(texts, of_instant=2) else None
        except msgspec.ValidationError:
            milliseconds = decode_milliseconds(value)
            return milliseconds if count_marks(value) == quotation_marks(milliseconds, of_instant=0) else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def count_marks(value: bytes) -> int:
    """Count a record's quotation marks. With numpy, since ``bytes.count`` is slow where there are many."""
    return int(np.count_nonzero(np.frombuffer(value, np.uint8) == MARK))


def quotation_marks(record: PlainRecord[str] | PlainRecord[int], of_instant: int) -> int:
    """Count the quotation marks of a record that has each of its fields once and no escaped characters.

    Args:
        of_instant: those of the value of a row's ``at``.
    """
    marks = 12 + of_optional(record.boot_id)
    for field in (record.sequence, record.revision, record.states, record.counts, record.readings):
        marks += 0 if field is UNSET else 2
    if record.readings is not UNSET:
        marks += (12 + of_instant) * len(record.readings)
    if record.states is not UNSET:
        marks += (10 + of_instant) * len(record.states)
        marks += sum([of_optional(row.mode) + of_optional(row.reason) for row in record.states])
    if record.counts is not UNSET:
        marks += (8 + of_instant) * len(record.counts)
        marks += sum([of_count(row) for row in record.counts])
    return marks


def of_optional(text: str | UnsetType | None) -> int:
    """Quotation marks of a field that may be missing or null."""
    if text is UNSET:
        return 0
    return 2 if text is None else 4


def of_count(row: PlainCount[str] | PlainCount[int]) -> int:
    """Quotation marks of a count's optional fields."""
    return (0 if row.scrap is UNSET else 2) + (0 if row.rework is UNSET else 2) + (0 if row.product is UNSET else 4)
