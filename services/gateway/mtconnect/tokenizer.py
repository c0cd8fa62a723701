r"""Splits a line of SHDR, the protocol of MTConnect adapters, into its timestamp and fields. Pure.

Fields are separated by bars; blanks around them do not count. A field may be quoted as a whole, and then contain bars
and quotation marks behind a backslash: ``"(OP 10 \| ROUGH)"``. A quotation mark without its counterpart is text.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US, to_us

FIELD = re.compile(r'(?:\A|\|)\s*(?:"((?:[^"\\|]|\\.)*)"\s*(?=\||\Z)|([^|]*))', re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(?:[Zz]|([+-]\d\d)(?::?([0-5]\d))?)?(?:\s*@\s*\d+(?:\.\d*)?)?",
    re.ASCII,
)
RELATIVE = re.compile(r"\d+(\.\d+)?(@.*)?", re.ASCII)


def split_fields(text: str) -> list[str]:
    """Return the fields of a line, without the blanks and quotation marks around them."""
    if '"' not in text:
        return [field.strip() for field in text.split("|")]
    return [field for field, _ in located_fields(text)]


def located_fields(text: str) -> Iterator[tuple[str, int]]:
    """Yield the fields of a line, and the column, from 1, at which each begins."""
    for match in FIELD.finditer(text):
        quoted, plain = match.groups()
        if quoted is None:
            yield plain.strip(), match.start(2) + 1
        else:
            yield ESCAPED.sub(r"\1", quoted).strip(), match.start(1)


def open_quotes(text: str) -> Iterator[int]:
    """Yield the columns of quotation marks that begin a field and are not closed."""
    for match in FIELD.finditer(text):
        if match[2] is not None and match[2].startswith('"'):
            yield match.start(2) + 1


def protocol_message(text: str) -> tuple[str, str] | None:
    """Return what a protocol message says: in ``* device: VMC1``, ``device`` (in lower case) and ``VMC1``.

    None if the line is no such message, or has no colon.
    """
    text = text.lstrip()
    command, colon, value = text[1:].partition(":")
    return (command.strip().lower(), value.strip()) if text.startswith("*") and colon else None


def parse_timestamp(text: str) -> int:
    """Parse a timestamp to microseconds since the epoch, floored. Without an offset it is UTC, as in the standard.

    A duration behind it, as in ``2024-03-04T08:00:00Z@540.0``, describes statistics and is ignored.

    Raises:
        ValueError: it is not an instant, or lies before 2000 (a clock that was never set) or after 9999.
    """
    match = TIMESTAMP.fullmatch(text)
    if match is None:
        is_relative = RELATIVE.fullmatch(text) is not None
        raise ValueError(
            f"{text[:40]!r} is no whole instant{', or counts from an unknown start' if is_relative else ''}"
        )
    second, fraction, hours, minutes = match.groups()
    offset = f"{hours}:{minutes or '00'}" if hours else ""
    try:
        moment = datetime.fromisoformat(f"{second}.{(fraction or '0')[:6].ljust(6, '0')}{offset}")
        at_us = to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text[:40]!r}: {error}") from error
    if not FIRST_INSTANT_US <= at_us < LAST_INSTANT_US:
        raise ValueError(f"{text[:40]!r}: it is {'before 2000' if at_us < FIRST_INSTANT_US else 'after 9999'}")
    return at_us
