"""Strict JSON: only what every parser understands alike, independent of the parser's stack. Pure."""

import json

from schemas.wire.limits import MAX_NESTING

TOO_DEEP = f"values are nested more than {MAX_NESTING} deep"


class DuplicateKey(ValueError):
    """A JSON object has the same key twice."""


def read_json(value: bytes) -> object:
    """Parse strict JSON: UTF-8, no duplicate keys, no NaN or Infinity, no lone surrogates, a limited nesting.

    Raises:
        ValueError: the bytes are not strict JSON, or nested deeper than ``MAX_NESTING``.
    """
    text = value.decode("utf-8")
    try:
        document: object = json.loads(text, object_pairs_hook=unique_keys, parse_constant=refuse_constant)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    if is_too_deep(document):
        raise ValueError(TOO_DEEP)
    if "\\u" in text:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    return document


def unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise DuplicateKey("an object has the same key twice")
    return fields


def refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def is_too_deep(document: object) -> bool:
    """Return whether lists and objects are nested deeper than allowed; checks level by level, without recursion."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(MAX_NESTING):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
    return bool(level)
