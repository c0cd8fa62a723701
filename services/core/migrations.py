"""Runs the migrations of ``schemas/migrations``: plain SQL, forward only, each in its own transaction.

An advisory lock serialises runners. A lock timeout keeps a migration from waiting for a long query while everyone else
waits for the migration. A checksum of each applied file reveals edits to it.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

import schemas
from services.core.database import UNAVAILABLE, Connection
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
    """One migration file: number, name and text."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(directory: Path = DIRECTORY) -> list[Migration]:
    """Return all migrations in order.

    Raises:
        ConfigurationError: two files have the same number, or a number is missing.
    """
    found = [
        Migration(int(path.name.split("_", 1)[0]), path.stem.split("_", 1)[1], path.read_text(encoding="utf-8"))
        for path in sorted(directory.glob("[0-9]*_*.sql"))
    ]
    if [m.version for m in found] != list(range(1, len(found) + 1)):
        raise ConfigurationError(f"The migrations in {directory} must be numbered 1, 2, 3, ..., each once.")
    return found


async def migrate(connection: Connection, migrations: list[Migration]) -> list[Migration]:
    """Apply the missing migrations in order and return them.

    Raises:
        ConfigurationError: an applied migration differs from its file, the database is newer than this program, or the
            user lacks a privilege.
        TransientError: a migration could not get its locks within the lock timeout, or the database is unavailable;
            migrations applied before remain.
    """
    try:
        async with migration_lock(connection):
            return await apply_missing(connection, migrations)
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(
            f"{error.args[0]}: run `jejo migrate --bootstrap` as a superuser of the database."
        ) from error
    except UNAVAILABLE as error:
        raise TransientError(f"The database is unavailable ({error}); run `jejo migrate` again.") from error


@asynccontextmanager
async def migration_lock(connection: Connection) -> AsyncIterator[None]:
    """Hold the lock that makes other runners of migrations wait."""
    await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", ADVISORY_LOCK)


async def apply_missing(
    connection: Connection, migrations: list[Migration], *, last: int | None = None
) -> list[Migration]:
    """Apply the missing migrations up to number ``last`` in order and return them. The caller holds the migration lock.

    Raises:
        ConfigurationError: an applied migration differs from its file, or the database is newer than this program.
        TransientError: a migration could not get its locks within the lock timeout.
    """
    await connection.execute(LEDGER)
    rows = await connection.fetch("SELECT version, sha256 FROM schema_migration")
    applied = {row["version"]: row["sha256"] for row in rows}
    check_history(migrations, applied)
    missing = [m for m in migrations if m.version not in applied and (last is None or m.version <= last)]
    for migration in missing:
        await apply(connection, migration)
    return missing


def check_history(migrations: list[Migration], applied: dict[int, str]) -> None:
    """Compare the migrations applied to the database with the files.

    Args:
        migrations: the files.
        applied: SHA-256 sums by version.

    Raises:
        ConfigurationError: a file was changed after it was applied, or is missing.
    """
    known = {m.version: m for m in migrations}
    for version, sha256 in applied.items():
        if version not in known:
            raise ConfigurationError(
                f"The database has migration {version}, which this program lacks: run a newer version."
            )
        if known[version].sha256 != sha256:
            raise ConfigurationError(
                f"Migration {version} ({known[version].name}) was changed after it was applied: "
                "restore the file, and put the change into a new migration."
            )


async def apply(connection: Connection, migration: Migration) -> None:
    """Apply one migration in its own transaction.

    Raises:
        TransientError: it could not get its locks within the lock timeout.
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
