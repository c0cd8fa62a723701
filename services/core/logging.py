"""Logging for all services: to standard error, one event per line, with UTC times, as text or as JSON.

Fields beside the message carry what an event is about, so that lines can be found by factory, partition or reason:
``log.warning("refused", extra=fields(factory="F1", partition=3))``.
"""

import json
import logging
import time
from enum import StrEnum


class LogFormat(StrEnum):
    """The format of log lines: for people at a terminal, or for programs that collect them."""

    text = "text"
    json = "json"


def fields(**values: object) -> dict[str, object]:
    """Return fields for the ``extra`` argument of a log call; those that are None are left out."""
    return {"fields": {name: value for name, value in values.items() if value is not None}}


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return the fields that a record was logged with."""
    found = getattr(record, "fields", None)
    return found if isinstance(found, dict) else {}


class TextFormatter(logging.Formatter):
    """``TIME LEVEL LOGGER: MESSAGE key=value ...``; values that are not a single plain word are written as JSON."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        line = super().formatMessage(record)
        return " ".join([line, *(f"{name}={plain(value)}" for name, value in fields_of(record).items())])


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, the fields, and the traceback of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        event: dict[str, object] = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event, ensure_ascii=False, default=str)


def plain(value: object) -> str:
    """Return a value as text if that has no spaces, quotes or line ends, otherwise as JSON."""
    text = str(value)
    if text.isprintable() and text and not set(text) & set(' "='):
        return text
    return json.dumps(text if isinstance(value, str) else value, ensure_ascii=True, default=str)


def configure_logging(level: str, form: LogFormat = LogFormat.text) -> None:
    """Write the messages of all loggers at ``level`` and above to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form is LogFormat.json else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("kafka").setLevel(logging.WARNING)
