"""``jejo registry import``: a CSV file into the registry, all of it or nothing, by the rules of PUT."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.database import engine
from services.api.registry.consequences import Changed
from services.api.registry.csv_file import BadLine, read_lines, read_text
from services.api.registry.import_lines import COLUMNS, LINES, THING, Lines, parse_lines
from services.api.registry.writes import Missing, NotRegistered, find_missing, write_all
from services.core.errors import ConfigurationError, JejoError, TransientError

SCHEMA_MISSING = (asyncpg.UndefinedTableError, asyncpg.UndefinedObjectError, asyncpg.InvalidParameterValueError)


class BadLines(JejoError):
    """Lines of the file are wrong; nothing was imported. Correct them, and import the file again."""

    def __init__(self, path: Path, lines: Sequence[BadLine]) -> None:
        count = len({line.number for line in lines})
        wrong = "1 line is wrong" if count == 1 else f"{count} lines are wrong"
        super().__init__(f"Nothing was imported: {wrong}. Correct what is named above, and import the file again.")
        self.lines = [f"{path}:{line.number}: {line.field}: {line.reason}" for line in lines]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many things of one kind became what."""

    new: int
    changed: int
    unchanged: int


async def import_file(
    database_url: str, path: Path, effective_from: str | None, now_us: int, *, dry_run: bool
) -> Mapping[str, Outcome]:
    """Import a file in one transaction; a dry run does everything, and takes it back.

    Returns:
        The outcome by thing.

    Raises:
        FileRefused: it is not a file of UTF-8.
        BadLines: some lines are wrong; each is named.
        TransientError, ConfigurationError: the database could not be written; nothing was imported.
    """
    lines = parse_lines(read_lines(read_text(path), THING, COLUMNS), effective_from)
    if not lines.changes and not lines.bad:
        lines.bad.append(BadLine(1, "line", "no line follows the header; write one for each thing"))
    pool = engine(database_url, 1)
    try:
        async with pool.connect() as connection, connection.begin() as transaction:
            changed = await write(connection, path, lines, now_us)
            if dry_run:
                await transaction.rollback()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError) as error:
        raise database_failed(error) from error
    finally:
        await pool.dispose()
    return summed_up(changed)


async def write(connection: AsyncConnection, path: Path, lines: Lines, now_us: int) -> list[Changed]:
    """Write what the lines say.

    Raises:
        BadLines: some are wrong, or name what is neither registered nor in the file.
    """
    try:
        if not lines.bad:
            return await write_all(connection, lines.changes, now_us)
        missing: Sequence[Missing] = await find_missing(connection, lines.changes, lines.announced)
    except NotRegistered as error:
        missing = error.missing
    bad = sorted([*lines.bad, *lines.missing(missing)], key=lambda line: line.number)
    raise BadLines(path, bad)


def summed_up(changed: Sequence[Changed]) -> dict[str, Outcome]:
    """The outcome of each thing that the file has lines of."""
    counted = Counter((one.kind.name, one.is_new, bool(one.added)) for one in changed)
    outcomes = {
        thing: Outcome(counted[name, True, True], counted[name, False, True], counted[name, False, False])
        for thing, name in ((thing, kind.name) for thing, (kind, _) in LINES.items())
    }
    return {thing: outcome for thing, outcome in outcomes.items() if outcome != Outcome(0, 0, 0)}


def database_failed(error: Exception) -> JejoError:
    """What an error of the database means for whoever imports."""
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig.__cause__ or error.orig
    if isinstance(cause, SCHEMA_MISSING):
        return ConfigurationError(f"{cause}: run `jejo migrate` on this database first.")
    return TransientError(f"Nothing was imported: the database failed ({cause}). See that it runs, and import again.")
