"""``jejo programme import-populations``: records the population of a year from a CSV file, all of it or nothing."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from services.api.database import DATABASE_ERRORS, database_failed, engine
from services.api.numbers import CELLS
from services.api.programme.population_models import PopulationRow
from services.api.programme.population_queries import report_population
from services.api.registry.csv_file import BadLine, Line, read_lines, read_text
from services.api.registry.importing import BadLines, field_of, reason_of

COLUMNS = tuple(PopulationRow.model_fields)
THING = "region and sector"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file has: rows, and the enterprises that these add up to."""

    rows: int
    enterprises: int


def parse_file(path: Path) -> list[PopulationRow]:
    """Return the rows of a file, by region and sector.

    Raises:
        UnreadableFile: if the file cannot be read, or is not UTF-8.
        BadLines: if some lines are invalid; it lists them all.
    """
    bad: list[BadLine] = []
    rows: dict[tuple[str, str], tuple[int, PopulationRow]] = {}
    for line in read_lines(read_text(path), COLUMNS[0], COLUMNS):
        row = line if isinstance(line, BadLine) else parse_line(line, bad)
        if isinstance(row, BadLine):
            bad.append(row)
        elif row is not None and isinstance(line, Line):
            first, _ = rows.setdefault((row.region, row.sector), (line.number, row))
            if first != line.number:
                reason = f"line {first} has the same region and sector ({row.region} {row.sector}); remove one"
                bad.append(BadLine(line.number, "sector", reason))
    if not rows and not bad:
        bad.append(BadLine(1, "line", "no line follows the header; write one for each region and sector"))
    if bad:
        raise BadLines(path, bad)
    return [row for _, (_, row) in sorted(rows.items())]


def parse_line(line: Line, bad: list[BadLine]) -> PopulationRow | None:
    """Return the row of a line; None if it is invalid, which is then added to ``bad``."""
    try:
        return PopulationRow.model_validate_strings(dict(line.cells), context=CELLS)
    except ValidationError as error:
        bad += (BadLine(line.number, field_of(e), reason_of(e, THING)) for e in error.errors())
        return None


async def import_populations(
    database_url: str, path: Path, year: int, by: str, now_us: int, *, dry_run: bool
) -> Imported:
    """Record a year's population from a file in one transaction, which a dry run rolls back.

    Args:
        by: who reports it.

    Raises:
        UnreadableFile: if the file cannot be read, or is not UTF-8.
        BadLines: if some lines are invalid; it lists them all.
        TransientError, ConfigurationError: if the database cannot be written; nothing was imported.
    """
    rows = parse_file(path)
    pool = engine(database_url, 1)
    try:
        async with pool.connect() as connection, connection.begin() as transaction:
            await report_population(connection, year, rows, by, now_us)
            if dry_run:
                await transaction.rollback()
    except DATABASE_ERRORS as error:
        raise database_failed(error, "Nothing was imported", "import again") from error
    finally:
        await pool.dispose()
    return Imported(len(rows), sum(row.enterprises for row in rows))
