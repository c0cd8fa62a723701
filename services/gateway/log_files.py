"""Reads log files: compression, encodings and line ends. What the lines say is left to ``mtconnect``."""

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.core.errors import ConfigurationError
from services.gateway.mtconnect.head import settle_heads
from services.gateway.mtconnect.lines import LineReader
from services.gateway.mtconnect.observations import Line
from services.gateway.mtconnect.problems import Place, ProblemKind, Problems

GZIP = b"\x1f\x8b"
UTF8_MARK = b"\xef\xbb\xbf"
WIDE = (
    ("UTF-32", (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")),
    ("UTF-16", (b"\xff\xfe", b"\xfe\xff")),
)
WIDE_WITHOUT_MARK = re.compile(rb"(?:[\x20-\x7e]\x00){4}|(?:\x00[\x20-\x7e]){4}")
PROBED_LINES = 3
LINE_END = re.compile(rb"\r\n?|\n")


def read_log(paths: Sequence[Path], reader: LineReader, problems: Problems) -> list[Line]:
    """Read one machine's log files. Return what its lines reported, ordered by timestamp.

    Adapter and agent stamp lines by different clocks, and recordings get spliced, so timestamps run backwards. A value
    holds from its timestamp on, wherever its line stands; lines of the same timestamp keep their order in the files.
    Each file is a connection of its own.

    Raises:
        ConfigurationError: a file cannot be opened, or its encoding cannot be read.
    """
    lines: list[Line] = []
    names = [path.name for path in paths]
    for path in paths:
        name = path.name if names.count(path.name) == 1 else str(path)
        reader.begin_connection(name)
        read = (reader.read(text) for text in file_lines(path, problems, name))
        lines += settle_heads([line for line in read if line is not None])
    reader.end_connection()
    lines.sort(key=lambda line: line.at_us)
    return lines


def file_lines(path: Path, problems: Problems, name: str = "") -> Iterator[str]:
    """Yield the text lines of a plain or gzipped file, up to where compressed data is damaged, which is reported.

    Args:
        name: of the file, in the report; its own if it is empty.

    Raises:
        ConfigurationError: the file cannot be opened, or is UTF-16 or UTF-32.
    """
    try:
        with path.open("rb") as probe:
            compressed = probe.read(len(GZIP)) == GZIP
        with gzip.open(path) if compressed else path.open("rb") as stream:
            number = 0
            for raw in stream:
                if number < PROBED_LINES:
                    check_encoding(raw, path, is_first=number == 0)
                for part in LINE_END.split(raw.rstrip(b"\r\n")):
                    number += 1
                    # Files with a mark are joined, too.
                    part = part.removeprefix(UTF8_MARK)
                    yield decode(part, Place(name or path.name, number), problems)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        problems.add(ProblemKind.COMPRESSION, Place(name or path.name), str(error))
    except OSError as error:
        raise ConfigurationError(f"The log {path} cannot be read ({error.strerror}): name a file that can.") from error


def check_encoding(raw: bytes, path: Path, *, is_first: bool) -> None:
    """Check by one of a file's first lines that it is in no encoding with more than one byte for every character.

    Raises:
        ConfigurationError: it is.
    """
    name = next((name for name, marks in WIDE if is_first and raw.startswith(marks)), None)
    if name is None and WIDE_WITHOUT_MARK.search(raw):
        name = "UTF-16"
    if name is not None:
        raise ConfigurationError(f"The log {path} is in {name}: convert it to UTF-8 (iconv -f {name} -t UTF-8).")


def decode(raw: bytes, place: Place, problems: Problems) -> str:
    """Decode a line as UTF-8 or, if it is not, as CP949. Other bytes are replaced and reported."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp949")
    except UnicodeDecodeError as error:
        problems.add(
            ProblemKind.TEXT, place._replace(column=error.start + 1), repr(raw[error.start : error.start + 20])
        )
        return raw.decode(errors="replace")
