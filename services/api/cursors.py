"""Cursors: opaque texts that stand for the last row of a page, from which the next page goes on."""

import base64
from typing import TypeVar

import msgspec

T = TypeVar("T")


def make_cursor(key: object) -> str:
    """Returns an opaque text that stands for the last key of a page."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode()


def read_cursor(text: str, kind: "type[T]") -> T:
    """Returns the key that a cursor stands for.

    Raises:
        ValueError: if the API did not make it.
    """
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text), type=kind)
    except (ValueError, msgspec.DecodeError) as error:
        raise ValueError("send the cursor as `next_cursor` gave it") from error
