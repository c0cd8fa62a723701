"""The media types of ``GET /v1/kpis``, and which of them a caller prefers."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from services.api import streams
from services.api.pages import CSV_ANSWER, CSV_TYPE, JSON_TYPES, parse_accepted


class FormKind(StrEnum):
    """How items are written, by media type."""

    JSON = "application/json"
    CSV = CSV_TYPE
    PARQUET = streams.PARQUET
    ARROW = streams.ARROW_STREAM

    @property
    def is_bulk(self) -> bool:
        """Whether the answer has all items at once, and is sent while it is made."""
        return self in BULK


BULK = (FormKind.PARQUET, FormKind.ARROW)
ALSO = {FormKind.CSV: "text/*"}
"""Media ranges by which a form is accepted, too. A program that wants a bulk answer names its type."""

BULK_DESCRIPTION = (
    "All items as typed columns in {format}, sent while they are read: up to 20,000,000 buckets. With `limit` or "
    "`cursor` a page, whose next one is in the header `Link`. An answer that is broken off has no {end}; "
    "see docs/api.md."
)
OTHER_CONTENT: Mapping[str, Any] = {
    **CSV_ANSWER,
    **{
        str(form): {
            "schema": {
                "type": "string",
                "format": "binary",
                "description": BULK_DESCRIPTION.format(format=name, end=end),
            }
        }
        for form, name, end in (
            (FormKind.PARQUET, "Parquet", "footer"),
            (FormKind.ARROW, "Arrow's IPC streaming format", "end-of-stream marker"),
        )
    },
}
"""The content of an answer other than JSON, for the OpenAPI document."""


def preferred_form(accept: Sequence[str]) -> FormKind:
    """Return the form that the caller prefers (RFC 9110, section 12.5.1); JSON unless another is liked better.

    Args:
        accept: the header's lines.
    """
    quality = dict(parse_accepted(part) for part in (",".join(accept) or "*/*").split(","))
    found, best = FormKind.JSON, max((quality[kind] for kind in JSON_TYPES if kind in quality), default=0.0)
    for form in (FormKind.CSV, *BULK):
        liked = quality.get(form, quality.get(ALSO.get(form, ""), 0.0))
        if liked > best:
            found, best = form, liked
    return found
