"""Log lines as text and as JSON, with fields."""

import io
import json
import logging
import re
import sys
from typing import Any

import pytest

from services.core.logging import JsonFormatter, TextFormatter, fields, plain


def line(formatter: logging.Formatter, message: str, *arguments: object, **options: Any) -> str:
    """Return what a logger with this formatter writes."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    logger = logging.Logger("services.some", logging.DEBUG)
    logger.addHandler(handler)
    logger.warning(message, *arguments, **options)
    return out.getvalue()


def test_a_text_line_has_time_level_logger_message_and_fields() -> None:
    found = line(TextFormatter(), "refused %d", 3, extra=fields(factory="F1", partition=7, reason=None))
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"{time} WARNING services\.some: refused 3 factory=F1 partition=7\n", found)


@pytest.mark.parametrize(
    ("value", "text"),
    [("F1", "F1"), (7, "7"), ("", '""'), ("a b", '"a b"'), ("a\nb", '"a\\nb"'), ("x=1", '"x=1"'), ({3: 5}, '{"3": 5}')],
)
def test_field_values_are_written_as_one_word(value: object, text: str) -> None:
    assert plain(value) == text


def test_a_json_line_is_one_object() -> None:
    found = line(JsonFormatter(), "refused\nby %s", "제조", extra=fields(factory="F1", offsets={3: 5}))
    assert found.count("\n") == 1
    event = json.loads(found)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("time"))
    assert event == {
        "level": "WARNING",
        "logger": "services.some",
        "message": "refused\nby 제조",
        "factory": "F1",
        "offsets": {"3": 5},
    }


def test_a_json_line_includes_the_traceback_of_an_exception() -> None:
    try:
        raise ValueError("wrong")
    except ValueError:
        found = line(JsonFormatter(), "failed", exc_info=sys.exc_info())
    assert found.count("\n") == 1
    assert "ValueError: wrong" in json.loads(found)["exception"]


def test_attributes_of_foreign_records_are_not_taken_for_fields() -> None:
    assert line(TextFormatter(), "started", extra={"fields": "theirs"}).endswith(": started\n")
