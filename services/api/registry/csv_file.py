"""A CSV file as lines of named cells. A line that cannot be read is said so, and the next one is read on."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.core.errors import JejoError

KOREAN_WINDOWS = "cp949"
SHOWN = 40
"""Characters of a wrong cell that an error repeats."""
LONGEST_COLUMN = 40
"""Characters of a column's name that are repeated where there is no such column."""


class FileRefused(JejoError):
    """The file as a whole cannot be imported; the message says what to do with it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line's cells by column; empty ones are left out.

    Attributes:
        number: of the file's line on which it begins; the header is line 1.
    """

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BadLine:
    """Why a line cannot be imported. ``field`` is the column, or ``line`` where it is the line as a whole."""

    number: int
    field: str
    reason: str


def read_text(path: Path) -> str:
    """The file's text; a byte order mark, as Excel writes it, is no part of it.

    Raises:
        FileRefused: the file cannot be read, or is not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileRefused(f"{path} cannot be read ({error.strerror}); correct the path.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileRefused(
            f"{path} is not UTF-8 (line {line}){guess(raw)}; save it as UTF-8 (Excel: CSV UTF-8), and import that."
        ) from None


def guess(raw: bytes) -> str:
    """What bytes that are not UTF-8 seem to be."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return " but UTF-16"
    try:
        raw.decode(KOREAN_WINDOWS)
    except UnicodeDecodeError:
        return ""
    return " but seems to be CP949 (EUC-KR)"


def read_lines(text: str, required: str, columns: Collection[str]) -> Iterator[Line | BadLine]:
    """The lines below the header; those without any cell are left out.

    Args:
        required: the column that must be there; ``columns``: all that may be.
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
                # Which of the lines since its beginning are whole cannot be known.
                yield BadLine(number, "line", f"{reason}; the lines after it were not read")
                return
            yield BadLine(number, "line", f"{reason}; quotes within a cell are doubled, and the cell stands in quotes")
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
    """What is wrong with the header."""
    if required not in header:
        yield BadLine(1, required, "the header lacks this column, which says what each line is; columns end in commas")
        return
    for name in filter(None, dict.fromkeys(header)):
        if name not in columns:
            is_short = name.isprintable() and len(name) <= LONGEST_COLUMN
            yield BadLine(1, name if is_short else "line", f"there is no such column; those are {', '.join(columns)}")
        elif header.count(name) > 1:
            yield BadLine(1, name, "the header has this column twice; leave one out")


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
