"""Pages as CSV, if the caller asks for that."""

import csv
import io
import itertools
from collections.abc import Iterable, Sequence
from decimal import Decimal

from fastapi import Request, Response

CSV_TYPE = "text/csv"
CSV_MEDIA_TYPE = f"{CSV_TYPE}; charset=utf-8; header=present"
BOM_PARAMETER = ("bom", "present")
CSV_ANSWER = {
    CSV_TYPE: {
        "schema": {
            "type": "string",
            "description": "The items as RFC 4180 in UTF-8, with a header line. With `Accept: text/csv; bom=present` "
            "a byte order mark comes first, which Excel needs to show Korean. A text that begins with `'`, or that a "
            "spreadsheet would take for a formula, is preceded by `'`: a program removes one `'` from each cell that "
            "begins with it.",
        }
    }
}
"""The content of a page as CSV, for the OpenAPI document."""
JSON_TYPES = ("application/json", "application/*", "*/*")
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet takes for a formula; Korean ones accept full-width signs, too."""
GUARD = "'"
"""Precedes such a text, and a text that begins with it: so a reader that removes one gets every text back."""


def wants_csv(request: Request) -> bool:
    """Whether the caller prefers CSV to JSON (RFC 9110, section 12.5.1); not if it names neither."""
    quality = dict(parse_accepted(part) for part in request.headers.get("accept", "*/*").split(","))
    as_json = max((quality[kind] for kind in JSON_TYPES if kind in quality), default=0.0)
    return quality.get(CSV_TYPE, quality.get("text/*", 0.0)) > as_json


def wants_byte_order_mark(request: Request) -> bool:
    """Whether the caller asks for CSV with a byte order mark: ``Accept: text/csv; bom=present``."""
    for part in request.headers.get("accept", "").split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        named = {(name.strip(), value.strip().strip('"')) for name, _, value in (p.partition("=") for p in parameters)}
        if kind == CSV_TYPE and BOM_PARAMETER in named:
            return True
    return False


def parse_accepted(part: str) -> tuple[str, float]:
    """Returns a media range and its quality."""
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                return kind, float(value)
            except ValueError:
                return kind, 0.0
    return kind, 1.0


def csv_response(
    request: Request, columns: Sequence[str], rows: Iterable[Sequence[object]], next_cursor: str | None
) -> Response:
    """Returns a page as CSV (RFC 4180) with a header line; a Link header (RFC 8288) leads to the next page.

    None is an empty cell, booleans are ``true`` and ``false``, and a text that a spreadsheet would run is guarded.
    """
    content = csv_lines(itertools.chain([columns], rows))
    encoded = content.encode("utf-8-sig" if wants_byte_order_mark(request) else "utf-8")
    return Response(encoded, media_type=CSV_MEDIA_TYPE, headers=csv_headers(request, next_cursor))


def csv_lines(rows: Iterable[Sequence[object]]) -> str:
    """Returns rows as lines of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def csv_headers(request: Request, next_cursor: str | None) -> dict[str, str]:
    """Returns the headers of a page as CSV, of which one leads to the next page."""
    if next_cursor is None:
        return {"Vary": "Accept"}
    return {"Vary": "Accept", "Link": page_link(request, next_cursor)}


def page_link(request: Request, next_cursor: str) -> str:
    """Returns the Link header's value (RFC 8288) that leads to the next page."""
    return f'<{request.url.include_query_params(cursor=next_cursor)}>; rel="next"'


def cell(value: object) -> object:
    """Returns a value as a cell."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith((GUARD, *FORMULA_STARTS)):
        return f"{GUARD}{value}"
    return value
