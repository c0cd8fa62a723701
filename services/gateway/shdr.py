"""Reads recorded logs of SHDR, the line protocol of MTConnect adapters, into timestamped observations.

A line is ``TIMESTAMP|key|value``, optionally followed by more ``key|value`` pairs. A condition is
``TIMESTAMP|key|level|code|severity|qualifier|text``. Only the device model, which a log does not contain, says which
keys are conditions, so they are recognised by their shape: seven fields, of which the third is NORMAL, WARNING or
FAULT, or is UNAVAILABLE with nothing after it. (Three pairs whose first value is such a word look the same; no adapter
is known to send any.)

Lines that begin with ``*`` are protocol messages between adapter and agent, and keys that begin with ``@`` are assets
(tools, fixtures): neither observes the machine. Malformed lines are counted, reported and skipped.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from services.core.errors import ConfigurationError
from services.core.times import DAY_US, FIRST_INSTANT_US, to_us

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
MULTILINE = "--multiline--"
CONDITION_FIELDS = 7
EXAMPLES_KEPT = 5

REMEMBERED_US = DAY_US
"""An opening value older than a log's first live line by more than this is remembered; see ``mark_remembered``."""


class Level(Enum):
    """The level of a condition; logs write it in upper or lower case."""

    NORMAL = "NORMAL"
    WARNING = "WARNING"
    FAULT = "FAULT"
    UNAVAILABLE = "UNAVAILABLE"


LEVELS = {level.value: level for level in Level}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a data item. ``code`` may be empty; it distinguishes simultaneous conditions of a data item."""

    key: str
    level: Level
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """What one line observed: either values by key, or one condition. ``at_us`` is floored to a microsecond.

    ``remembered`` marks old values that a log repeats at its beginning: they still hold, but they are no evidence that
    the machine was heard at ``at_us``.
    """

    at_us: int
    values: tuple[tuple[str, str], ...] = ()
    condition: Condition | None = None
    remembered: bool = False


@dataclass(slots=True)
class Tally:
    """How many lines were read, by kind, and the first few malformed ones."""

    lines: int = 0
    assets: int = 0
    protocol: int = 0
    malformed: int = 0
    examples: list[str] = field(default_factory=list)

    def add_malformed(self, where: str, why: str) -> None:
        self.malformed += 1
        if len(self.examples) < EXAMPLES_KEPT:
            self.examples.append(f"{where}: {why}")


def read_log(paths: Sequence[Path]) -> tuple[list[Line], Tally]:
    """Read one machine's log files. Return the observations ordered by timestamp, and the tally of lines.

    Adapter and agent stamp lines by different clocks, and recordings get spliced, so timestamps run backwards. A value
    holds from its timestamp on, wherever its line stands; lines of the same timestamp keep their order in the files.

    Raises:
        ConfigurationError: a file cannot be opened.
    """
    lines: list[Line] = []
    tally = Tally()
    for path in paths:
        lines += mark_remembered(list(read_lines(file_lines(path, tally), path.name, tally)))
    lines.sort(key=lambda line: line.at_us)
    return lines, tally


def file_lines(path: Path, tally: Tally) -> Iterator[str]:
    """Yield the text lines of a plain or gzipped file, up to where compressed data is damaged, which is tallied.

    Raises:
        ConfigurationError: the file cannot be opened.
    """
    try:
        with path.open("rb") as probe:
            compressed = probe.read(2) == b"\x1f\x8b"
        opener = gzip.open if compressed else open
        with opener(path, "rt", encoding="utf-8", errors="replace", newline="\n") as stream:
            yield from stream
    except (EOFError, zlib.error, gzip.BadGzipFile):
        tally.add_malformed(path.name, "the compressed file ends early or is damaged")
    except OSError as error:
        raise ConfigurationError(f"The log {path} cannot be read ({error.strerror}): name a file that can.") from error


def read_lines(texts: Iterable[str], name: str, tally: Tally) -> Iterator[Line]:
    """Yield the observations among text lines. Malformed lines go into ``tally``, with ``name`` as their file."""
    asset_end: str | None = None
    for number, raw in enumerate(texts, start=1):
        text = raw.rstrip("\r\n")
        tally.lines += 1
        fields = text.split("|")
        if asset_end is not None:
            tally.assets += 1
            if text == asset_end:
                asset_end = None
                continue
            if len(fields) < 3 or not TIMESTAMP.fullmatch(fields[0]):
                continue
            # This is an observation, so the asset block was cut off before its end.
            tally.assets -= 1
            tally.add_malformed(f"{name}:{number}", "the asset block before this line has no end")
            asset_end = None
        if text.startswith("*") or not text:
            tally.protocol += 1
        elif len(fields) > 1 and fields[1].startswith("@"):
            tally.assets += 1
            asset_end = fields[-1] if fields[-1].startswith(MULTILINE) else None
        else:
            try:
                yield parse_fields(fields)
            except ValueError as error:
                tally.add_malformed(f"{name}:{number}", str(error))


def parse_fields(fields: list[str]) -> Line:
    """Parse the fields of one line.

    Raises:
        ValueError: they are not an observation; the message says why.
    """
    if len(fields) < 3:
        raise ValueError("a line is TIMESTAMP|key|value")
    at_us = parse_timestamp(fields[0])
    if len(fields) == CONDITION_FIELDS:
        level = LEVELS.get(fields[2].upper())
        if level is not None and (level is not Level.UNAVAILABLE or not any(fields[3:])):
            return Line(at_us, condition=Condition(fields[1], level, fields[3].strip(), fields[6].strip()))
    if len(fields) % 2 == 0:
        raise ValueError("the last key has no value: the line was cut off")
    keys = fields[1::2]
    if not all(keys):
        raise ValueError("a key is empty")
    return Line(at_us, values=tuple(zip(keys, fields[2::2], strict=True)))


def parse_timestamp(text: str) -> int:
    """Parse a timestamp to microseconds since the epoch, floored. Without an offset it is UTC, as in the standard.

    Raises:
        ValueError: it is not a timestamp, or lies before 2000 (a clock that was never set).
    """
    if not TIMESTAMP.fullmatch(text):
        raise ValueError("the timestamp is missing or cut off")
    moment = datetime.fromisoformat(text)
    at_us = to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if at_us < FIRST_INSTANT_US:
        raise ValueError("the timestamp is before 2000")
    return at_us


def mark_remembered(lines: list[Line]) -> list[Line]:
    """Mark the old values in the snapshot that a log file begins with.

    The opening snapshot is the lines before the first one whose key has occurred already. Of these, lines are
    remembered if they are more than a day older than the first line after the snapshot, or, if nothing follows it, than
    its newest.
    """
    seen: set[str] = set()
    length = len(lines)
    for index, line in enumerate(lines):
        keys = [key for key, _ in line.values]
        if not seen.isdisjoint(keys):
            length = index
            break
        seen.update(keys)
    opening = lines[:length]
    if not opening:
        return lines
    live_us = lines[length].at_us if length < len(lines) else max(line.at_us for line in opening)
    horizon_us = live_us - REMEMBERED_US
    return [replace(line, remembered=True) if line.at_us < horizon_us else line for line in opening] + lines[length:]
