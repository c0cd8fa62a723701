"""Log lines of the services: to standard error, one event a line, with UTC times, as text or as JSON.

What an event is about goes into fields beside its message, so that lines can be found by factory, partition or reason:
``log.warning("refused", extra=fields(factory="F1", partition=3))``.
"""

import json
import logging
import time
from enum import StrEnum


class LogFormat(StrEnum):
    """How lines are written: for people at a terminal, or for programs that collect them."""

    text = "text"
    json = "json"


def fields(**values: object) -> dict[str, object]:
    """What an event is about, for ``extra``; a field without a value is left out."""
    return {"fields": {name: value for name, value in values.items() if value is not None}}


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """The fields that a line was given."""
    found = getattr(record, "fields", None)
    return found if isinstance(found, dict) else {}


class TextFormatter(logging.Formatter):
    """``TIME LEVEL LOGGER: MESSAGE key=value ...``; a value that is not one plain word is written as JSON."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        line = super().formatMessage(record)
        return " ".join([line, *(f"{name}={plain(value)}" for name, value in fields_of(record).items())])


class JsonFormatter(logging.Formatter):
    """An object a line: time, level, logger, message, the fields, and the exception's trace if there is one."""

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
    """A value as text without spaces, quotes or line ends, or else as JSON."""
    text = str(value)
    if text.isprintable() and text and not set(text) & set(' "='):
        return text
    return json.dumps(text if isinstance(value, str) else value, ensure_ascii=True, default=str)


def configure_logging(level: str, form: LogFormat = LogFormat.text) -> None:
    """Send every logger of the process to standard error at ``level`` and above."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form is LogFormat.json else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("kafka").setLevel(logging.WARNING)
