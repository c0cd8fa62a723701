"""Reads SHDR, the line protocol of MTConnect adapters, from recorded logs: text in, timestamped lines out.

A line is ``TIMESTAMP|key|value``, with as many further ``key|value`` pairs as its writer liked. A condition is
``TIMESTAMP|key|level|code|severity|qualifier|text``. Without the device model nothing says which keys are conditions,
so the shape does: seven fields of which the third is NORMAL, WARNING or FAULT, or is UNAVAILABLE and followed by
nothing, are a condition. (So are three pairs whose first value is such a word; no adapter is known to send any.)

Lines beginning with ``*`` are talk between adapter and agent, keys beginning with ``@`` are assets (tools, fixtures):
neither is an observation of the machine. A line that cannot be read is counted, reported and left out.
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
"""How much older than a log's first live line an opening value must be to be remembered rather than seen."""


class Level(Enum):
    """What a condition says of its data item; logs write it in any case."""

    NORMAL = "NORMAL"
    WARNING = "WARNING"
    FAULT = "FAULT"
    UNAVAILABLE = "UNAVAILABLE"


LEVELS = {level.value: level for level in Level}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of one data item; ``code`` tells a data item's simultaneous conditions apart and may be empty."""

    key: str
    level: Level
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """What was observed at one instant (microseconds, floored): either values by key or one condition.

    ``remembered`` marks a value that a log's opening snapshot repeats from long before the log: it sets what holds, but
    it does not show that the machine was heard then.
    """

    at_us: int
    values: tuple[tuple[str, str], ...] = ()
    condition: Condition | None = None
    remembered: bool = False


@dataclass(slots=True)
class Tally:
    """How many lines were read, of which kind, and the first few that could not be."""

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
    """One machine's observations from its log files, in the order of their timestamps.

    Adapter and agent stamp lines by different clocks and recordings get spliced, so timestamps run backwards. A value
    holds from its timestamp on, whenever its line was written; lines of one timestamp keep the order of the files.

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
    """The text lines of a plain or gzipped file; what follows damage in the compressed stream is lost and counted.

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
    """The observations among text lines; ``name`` says where they come from in what ``tally`` reports."""
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
            # Only an observation can look like this: the block was cut off before its end.
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
    """The observation that the fields of one line make.

    Raises:
        ValueError: they make none; the message says why.
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
    """Microseconds since the epoch, floored. A timestamp without an offset is taken as UTC, as the standard has it.

    Raises:
        ValueError: it is no timestamp, or one before 2000 (a clock that was never set).
    """
    if not TIMESTAMP.fullmatch(text):
        raise ValueError("the timestamp is cut off or none")
    moment = datetime.fromisoformat(text)
    at_us = to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if at_us < FIRST_INSTANT_US:
        raise ValueError("the timestamp is before 2000")
    return at_us


def mark_remembered(lines: list[Line]) -> list[Line]:
    """Mark the old values of the snapshot that a log file opens with.

    The opening runs up to the first value of a key that had one already. Of it, what is older than the first live line
    (in a file of nothing but an opening: than its newest line) by more than a day was not seen by this log.
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
