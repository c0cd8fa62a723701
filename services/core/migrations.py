"""Runs the migrations of ``schemas/migrations``: plain SQL, forward only, one transaction each.

An advisory lock lets one runner work at a time; a lock timeout keeps a migration from queueing behind a long reader and
stopping everyone behind itself; a checksum of each applied file shows when history was edited.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

import schemas
from services.core.database import AWAY, Connection
from services.core.errors import ConfigurationError, TransientError

DIRECTORY = Path(schemas.__file__).parent / "migrations"
ADVISORY_LOCK = 0x6A656A6F
LOCK_TIMEOUT = "5s"

LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migration (
    version     integer PRIMARY KEY,
    name        text NOT NULL,
    sha256      text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name and its text."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(directory: Path = DIRECTORY) -> list[Migration]:
    """Every migration in order.

    Raises:
        ConfigurationError: two files share a number, or a number is missing.
    """
    found = [
        Migration(int(path.name.split("_", 1)[0]), path.stem.split("_", 1)[1], path.read_text(encoding="utf-8"))
        for path in sorted(directory.glob("[0-9]*_*.sql"))
    ]
    if [m.version for m in found] != list(range(1, len(found) + 1)):
        raise ConfigurationError(f"The migrations in {directory} must be numbered 1, 2, 3, ... without gap or repeat.")
    return found


async def migrate(connection: Connection, migrations: list[Migration]) -> list[Migration]:
    """Apply the missing migrations in order; returns those applied.

    Raises:
        ConfigurationError: an applied migration differs from its file, the database is newer than this program, or the
            user may not do what a migration does.
        TransientError: a lock could not be had within the lock timeout, or the database went away; what was applied
            before stays.
    """
    try:
        async with one_at_a_time(connection):
            return await apply_missing(connection, migrations)
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(
            f"{error.args[0]}: run `jejo migrate --bootstrap` as a superuser of the database."
        ) from error
    except AWAY as error:
        raise TransientError(f"The database went away ({error}); run `jejo migrate` again.") from error


@asynccontextmanager
async def one_at_a_time(connection: Connection) -> AsyncIterator[None]:
    """Keep every other runner waiting meanwhile."""
    await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", ADVISORY_LOCK)


async def apply_missing(
    connection: Connection, migrations: list[Migration], *, last: int | None = None
) -> list[Migration]:
    """Apply the missing migrations up to number ``last`` in order; returns those applied. The caller holds the lock."""
    await connection.execute(LEDGER)
    rows = await connection.fetch("SELECT version, sha256 FROM schema_migration")
    applied = {row["version"]: row["sha256"] for row in rows}
    check_history(migrations, applied)
    missing = [m for m in migrations if m.version not in applied and (last is None or m.version <= last)]
    for migration in missing:
        await apply(connection, migration)
    return missing


def check_history(migrations: list[Migration], applied: dict[int, str]) -> None:
    """Check the migrations that the database has applied against the files.

    Raises:
        ConfigurationError: a file was changed after it was applied, or is missing.
    """
    known = {m.version: m for m in migrations}
    for version, sha256 in applied.items():
        if version not in known:
            raise ConfigurationError(
                f"The database has migration {version}, which this program lacks: run a newer one."
            )
        if known[version].sha256 != sha256:
            raise ConfigurationError(
                f"Migration {version} ({known[version].name}) was applied with another text: "
                "restore the file, and put the change into a new migration."
            )


async def apply(connection: Connection, migration: Migration) -> None:
    """Apply one migration in its own transaction.

    Raises:
        TransientError: a lock could not be had within the lock timeout.
    """
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migration (version, name, sha256) VALUES ($1, $2, $3)",
                migration.version,
                migration.name,
                migration.sha256,
            )
    except asyncpg.LockNotAvailableError as error:
        raise TransientError(
            f"Migration {migration.version} could not get its locks within {LOCK_TIMEOUT}; run `jejo migrate` again."
        ) from error
