"""Every way in which a line of SHDR can be read, without any rule for choosing between them.

A line that cannot be read in any way is invalid; a reader has to choose one of them, or to report something.
"""

import math
import re
from calendar import timegm
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US
from services.gateway.mtconnect.counter import parse_value
from services.gateway.mtconnect.model import Role
from services.gateway.mtconnect.observations import Condition, Measurement, Observation, Value
from tests.property.shdr_devices import Device, Item, Kind
from tests.property.shdr_meanings import WORDS

Observed: TypeAlias = tuple[object, ...]
"""The id of an item, and what it was observed to be."""

Reading: TypeAlias = tuple[int, tuple[Observed, ...]] | None
"""The instant of a line (microseconds since the epoch) and what it observes; None if it says nothing of the machine."""

STAMP = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)?(?:@\d+(?:\.\d+)?)?", re.ASCII
)
NUMBER = re.compile(r"[+-]?(?:\d+\.?|\d*\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
TOTAL = re.compile(r"(\d+)(?:\.0*)?\s*(?::\s*(\S.*))?", re.ASCII | re.DOTALL)
ASSET = re.compile(r"@[A-Z_]+@")
LONGEST = {Kind.CONDITION: 5, Kind.MESSAGE: 2, Kind.ALARM: 5, Kind.ASSET_EVENT: 2, Kind.TIME_SERIES: 3, Kind.NUMBER: 3}


def observed(observation: Observation) -> Observed:
    """Return what a reader observed, whatever the log's way of writing it."""
    match observation:
        case Measurement(item, number):
            return item.id, float(f"{number:.12g}")
        case Condition(item, level, code, condition_id, text):
            return item.id, level.name, code, condition_id, text
        case Value(item, text) if item.role is Role.PART_COUNT and text.upper() != "UNAVAILABLE":
            return item.id, *parse_value(text)
    text = observation.text
    is_word = observation.item.role is not Role.PROGRAM or text.upper() == "UNAVAILABLE"
    return observation.item.id, text.upper() if is_word else text


def readings_of(text: str, device: Device) -> list[Reading]:
    """Return every way to read a line; numbers are in the machine's own units."""
    if not text.strip() or text.lstrip().startswith("*"):
        return [None]
    fields = fields_of(text)
    at_us = instant_of(fields[0]) if fields else None
    if at_us is None:
        return []
    items = {key: item for item in device.items for key in item.keys}
    prefixed = {f"{name}:{key}": item for name in device.names for key, item in items.items()}
    found = [
        None if is_asset else (at_us, read) for read, is_asset in sequences({**prefixed, **items}, device, fields[1:])
    ]
    return found if any(fields[1:]) else []


def fields_of(text: str) -> list[str]:
    """Return the fields of a line, or nothing if a quotation mark has no counterpart."""
    fields, place = [], 0
    while place <= len(text):
        while text[place : place + 1].isspace():
            place += 1
        field = ""
        if text[place : place + 1] == '"':
            place += 1
            while place < len(text) and text[place] not in '"|':
                place += text[place] == "\\"
                field += text[place : place + 1]
                place += 1
            if text[place : place + 1] != '"':
                return []
            end = (text + "|").index("|", place)
            if text[place + 1 : end].strip():
                return []
        else:
            end = (text + "|").index("|", place)
            field = text[place:end]
        fields.append(field.strip())
        place = end + 1
    return fields


def instant_of(text: str) -> int | None:
    match = STAMP.fullmatch(text)
    if match is None:
        return None
    try:
        seconds = timegm(datetime.fromisoformat(match[1]).timetuple())
    except ValueError:
        return None
    if match[3]:
        hours, minutes = int(match[4]), int(match[5] or 0)
        if hours > 23 or minutes > 59:
            return None
        seconds -= (1 if match[3] == "+" else -1) * (hours * 60 + minutes) * 60
    at_us = seconds * 1_000_000 + int((match[2] or ".")[1:7].ljust(6, "0"))
    return at_us if FIRST_INSTANT_US <= at_us < LAST_INSTANT_US else None


def sequences(
    items: dict[str, Item], device: Device, fields: Sequence[str]
) -> Iterator[tuple[tuple[Observed, ...], bool]]:
    """Yield what fields can observe, as a sequence of items; and whether they are of an asset, and nothing else."""
    if not any(fields):
        yield (), False
        return
    if ASSET.fullmatch(fields[0]):
        yield (), True
        return
    item = items.get(fields[0])
    if item is None:
        return
    for length in range(1, min(LONGEST.get(item.kind, 1), len(fields) - 1) + 1):
        value = fields[1 : length + 1]
        one = observations_of(item, device, value)
        if one is not None:
            for others, _ in sequences(items, device, fields[length + 1 :]):
                yield (*one, *others), False


def observations_of(item: Item, device: Device, value: Sequence[str]) -> list[Observed] | None:
    """Return what the fields behind a key observe: one thing or nothing; None if they are no value of the item."""
    if item.constant:
        return []
    word = value[0].strip().upper()
    observation: Observed | None = None
    match item.kind:
        case Kind.CONDITION if word in ("NORMAL", "WARNING", "FAULT", "UNAVAILABLE"):
            code, text = ([*value[1:], "", "", "", ""][place] for place in (0, 3))
            code, colon, id = code.partition(":") if device.has_condition_ids else (code, "", "")
            observation = (item.id, word, code, id if colon else code, text)
        case Kind.CONDITION:
            return None
        case Kind.NUMBER if len(value) == 1 and NUMBER.fullmatch(value[0]):
            number = float(value[0]) * item.scale + item.offset
            if not math.isfinite(number):
                return None
            observation = (item.id, float(f"{number:.12g}"))
        case Kind.NUMBER if len(value) == 3:
            # A time series under the key of a number.
            is_series = value[0].isdecimal() and all(NUMBER.fullmatch(one) for one in value[2].split())
            return [] if is_series and (not value[1] or NUMBER.fullmatch(value[1])) else None
        case Kind.NUMBER:
            return [] if word in ("", "UNAVAILABLE") and len(value) == 1 else None
        case _ if word == "UNAVAILABLE" and item.kind in (*WORDS, Kind.PROGRAM, Kind.COUNTER, Kind.EACH):
            observation = (item.id, word)
        case Kind.COUNTER | Kind.EACH:
            match = TOTAL.fullmatch(value[0])
            if match is None or len(match[1]) > 20 or int(match[1]) >= 2**31:
                return None
            observation = (item.id, int(match[1]), (match[2] or "").strip().upper())
        case Kind.PROGRAM:
            observation = (item.id, value[0])
        case _ if item.kind in WORDS:
            if word not in WORDS[item.kind]:
                return None
            observation = (item.id, word)
    return [] if observation is None else [observation]
