"""Validates one field of a JSON object: its type, its form and its bounds. Pure.

Each function returns the field's value and raises ``Invalid`` if it breaks the contract.
"""

import math
from typing import TypeVar

from schemas.wire.instants import parse_milliseconds, parse_text
from schemas.wire.limits import MAX_STRING

Fields = dict[str, object]
V = TypeVar("V")


class Invalid(Exception):
    """Something breaks the contract; the message says what to do."""


def pattern(fields: Fields, name: str, matches: object) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not callable(matches) or not matches(value):
        raise Invalid(f"Give {name} in the contract's form.")
    return value


def optional_string(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_STRING or "\x00" in value:
        raise Invalid(f"Write {name} as a string of at most {MAX_STRING} characters without NUL.")
    return value


def integer(fields: Fields, name: str, most: int) -> int:
    value = fields.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise Invalid(f"Write {name} as an integer from 0 to {most}.")
    return value


def number(fields: Fields, name: str) -> float:
    value = fields.get(name)
    try:
        found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise Invalid(f"Write {name} as a finite number.")
    # Minus zero becomes zero, as ``-0`` is already.
    return found + 0.0


def instant(fields: Fields, name: str) -> int:
    value = fields.get(name)
    found = None
    if isinstance(value, str) and len(value) <= MAX_STRING:
        found = parse_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool) and float_is_integer(value):
        found = parse_milliseconds(int(value))
    if found is None:
        raise Invalid(f"Write {name} as RFC 3339 with an offset, or as integer Unix milliseconds.")
    return found


def float_is_integer(value: int | float) -> bool:
    return isinstance(value, int) or value.is_integer()


def member(fields: Fields, name: str, words: dict[str, V]) -> V:
    value = fields.get(name)
    found = words.get(value) if isinstance(value, str) else None
    if found is None:
        raise Invalid(f"Write {name} as one of {', '.join(words)}.")
    return found
