"""Instants in requests, answers and tables. Requests write RFC 3339, or a date, which is its midnight in Seoul."""

import datetime as dt
import re
from typing import Annotated

import msgspec
import sqlalchemy as sa
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from schemas.wire.instants import parse_text
from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US, rfc3339, seoul_midnight_us

DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_instant(value: object) -> int:
    """Return an instant of a request in microseconds since the Unix epoch.

    Raises:
        ValueError: if it is neither RFC 3339 with an offset nor a date, or lies outside the years that Jejo accepts.
    """
    found = None
    if isinstance(value, str):
        try:
            found = seoul_midnight_us(dt.date.fromisoformat(value)) if DATE.fullmatch(value) else parse_text(value)
        except ValueError as error:
            raise ValueError(f"{error}; write a day that there is, as 2026-11-22") from error
    if found is None:
        raise ValueError("write RFC 3339 with an offset, as 2026-11-22T00:00:00Z, or a date, as 2026-11-22")
    if not FIRST_INSTANT_US <= found < LAST_INSTANT_US:
        raise ValueError("write an instant from 2000-01-01 (Seoul) on")
    return found


DATE_TIME = WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization")

Instant = Annotated[
    int,
    BeforeValidator(parse_instant, json_schema_input_type=str),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    DATE_TIME,
]
"""An instant: RFC 3339 outside, microseconds since the Unix epoch inside."""

Timestamp = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""An instant in an answer that msgspec encodes: RFC 3339 in UTC."""

INSTANT = sa.TIMESTAMP(timezone=True)
"""The type of an instant in the database."""
