"""Reads a CSV file as lines of named cells. A line that cannot be read is reported, and reading goes on after it."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.core.errors import JejoError

KOREAN_WINDOWS = "cp949"
SHOWN = 40
"""Characters of an invalid cell that an error repeats."""
LONGEST_COLUMN = 40
"""The longest name of an unknown column that an error repeats."""


class UnreadableFile(JejoError):
    """The file cannot be read as a whole; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line's cells by column, without the empty ones.

    Attributes:
        number: the file's line on which it begins; the header is line 1.
    """

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BadLine:
    """Why a line cannot be imported. ``field`` is a column, or ``line`` if the line as a whole is invalid."""

    number: int
    field: str
    reason: str


def read_text(path: Path) -> str:
    """Returns the file's text, without a byte order mark, as Excel writes it.

    Raises:
        UnreadableFile: if the file cannot be read, or is not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read ({error.strerror}); correct the path.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            f"{path} is not UTF-8 (line {line}){likely_encoding(raw)}; save it as UTF-8 (Excel: CSV UTF-8), and import "
            "that."
        ) from None


def likely_encoding(raw: bytes) -> str:
    """Returns what bytes that are not UTF-8 seem to be, as the end of a clause; empty if unknown."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return " but UTF-16"
    try:
        raw.decode(KOREAN_WINDOWS)
    except UnicodeDecodeError:
        return ""
    return " but seems to be CP949 (EUC-KR)"


def read_lines(text: str, required: str, columns: Collection[str]) -> Iterator[Line | BadLine]:
    """Yields the lines below the header, without the empty ones.

    Args:
        required: the column that must be there.
        columns: the columns that are allowed.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    number = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            reason = f"cannot be read as CSV ({error})"
            if header is None or reader.line_num > number:
                # There is no telling where the next line begins.
                yield BadLine(number, "line", f"{reason}; the lines after it were not read")
                return
            yield BadLine(number, "line", f"{reason}; double the quotes within a cell, and put the cell in quotes")
            number = reader.line_num + 1
            continue
        if cells is None:
            break
        if header is None:
            header = [cell.strip() for cell in cells]
            wrong = list(check_header(header, required, columns))
            if wrong:
                yield from wrong
                return
        elif any(cells):
            yield read_line(number, header, cells)
        number = reader.line_num + 1
    if header is None:
        yield BadLine(1, "line", "the file is empty; write a header line, and a line for each thing")


def check_header(header: list[str], required: str, columns: Collection[str]) -> Iterator[BadLine]:
    """Yields what is wrong with the header."""
    if required not in header:
        yield BadLine(
            1, required, "the header lacks this column, which says what each line is; separate columns by commas"
        )
        return
    for name in filter(None, dict.fromkeys(header)):
        if name not in columns:
            is_short = name.isprintable() and len(name) <= LONGEST_COLUMN
            yield BadLine(1, name if is_short else "line", f"unknown column; the columns are {', '.join(columns)}")
        elif header.count(name) > 1:
            yield BadLine(1, name, "the header has this column twice; remove one")


def read_line(number: int, header: list[str], cells: list[str]) -> Line | BadLine:
    """Returns the cells by column. Spreadsheets write empty cells beyond the last column, which are ignored."""
    if len(cells) < len(header) or any(cells[len(header) :]):
        return BadLine(number, "line", f"has {len(cells)} cells where the header has {len(header)}")
    for name, cell in zip(header, cells, strict=False):
        if cell and not name:
            reason = (
                f"has {shortened(cell)} in a column without a name; name the column in the header, or empty the cell"
            )
            return BadLine(number, "line", reason)
    return Line(number, {name: cell for name, cell in zip(header, cells, strict=False) if cell})


def shortened(text: str) -> str:
    """Returns a cell as an error repeats it."""
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
