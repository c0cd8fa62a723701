"""Prepares a database for Jejo, as a superuser: the extension, the logins, and who may execute which routine.

Everything else is done by logins that are no superusers. It runs once for each version of the extension and of this
program, and changes nothing where nothing is missing. ``check_bootstrap`` tells any login whether it is needed.
"""

from pathlib import Path

import asyncpg

import schemas
from services.core.database import AWAY, OWNER, Connection, connect
from services.core.errors import ConfigurationError, TransientError
from services.core.migrations import Migration, apply_missing, one_at_a_time

DIRECTORY = Path(schemas.__file__).parent / "bootstrap"
LAST_SUPERUSER_MIGRATION = 11
"""Up to here migrations made roles and closed functions of PostgreSQL's own, which takes a superuser."""

EXTENSION_VERSIONS = """
SELECT a.default_version, a.installed_version FROM pg_available_extensions a WHERE a.name = 'timescaledb'
"""
# Every routine in a schema of the extension's or of ours, and the extension's own wherever it is.
OPEN_ROUTINES = """
SELECT p.oid::regprocedure::text
FROM pg_proc p
WHERE (p.pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'research'))
       OR EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                  WHERE d.refclassid = 'pg_extension'::regclass AND e.extname = 'timescaledb' AND d.deptype = 'e'
                    AND (d.classid = 'pg_namespace'::regclass AND d.objid = p.pronamespace
                         OR d.classid = 'pg_proc'::regclass AND d.objid = p.oid)))
  AND has_function_privilege('public', p.oid, 'EXECUTE')
ORDER BY 1
"""
SET_PASSWORD = "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)"
NEEDED = "run `jejo migrate --bootstrap` as a superuser of the database"


async def bootstrap(address: str, migrations: list[Migration], passwords: dict[str, str]) -> list[Migration]:
    """Create or update the extension, make the logins, close its routines, and apply every migration that is missing.

    Args:
        address: of the database, with a superuser's name.
        migrations: all of them.
        passwords: by login; a login that is not named keeps its password, or has none.

    Returns:
        The migrations that were applied.

    Raises:
        ConfigurationError: the user is no superuser, or the server lacks TimescaleDB.
        TransientError: the database went away, or a lock could not be had.
    """
    try:
        await update_extension(address)
        connection = await connect(address, application="jejo migrate --bootstrap")
        try:
            async with one_at_a_time(connection):
                return await prepare(connection, migrations, passwords)
        finally:
            await connection.close()
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(f"{error.args[0]}: {NEEDED}.") from error
    except (asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError) as error:
        raise ConfigurationError(f"{error.args[0]}: Jejo needs PostgreSQL 17 with TimescaleDB.") from error
    except AWAY as error:
        raise TransientError(f"The database went away ({error}); run `jejo migrate --bootstrap` again.") from error


async def update_extension(address: str) -> None:
    """Bring the extension to the version that the server has installed.

    An update must be the first statement of its session: any other would load the library of the old version.
    """
    connection = await connect(address, application="jejo migrate --bootstrap")
    try:
        if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = session_user"):
            user = await connection.fetchval("SELECT session_user")
            raise ConfigurationError(f"{user} is no superuser: {NEEDED}.")
        versions = await connection.fetchrow(EXTENSION_VERSIONS)
    finally:
        await connection.close()
    if versions is None:
        raise ConfigurationError("The server has no TimescaleDB: Jejo needs PostgreSQL 17 with TimescaleDB.")
    if versions["installed_version"] == versions["default_version"]:
        return
    statement = (
        "ALTER EXTENSION timescaledb UPDATE" if versions["installed_version"] else "CREATE EXTENSION timescaledb"
    )
    # Without our codecs, which ask the catalogue first.
    session = await asyncpg.connect(address)
    try:
        await session.execute(statement)
    finally:
        await session.close()


async def prepare(connection: Connection, migrations: list[Migration], passwords: dict[str, str]) -> list[Migration]:
    """Everything but the extension's update, each step in a transaction of its own, all of them repeatable."""
    async with connection.transaction():
        await connection.execute(read("roles"))
        for login, password in passwords.items():
            statement = await connection.fetchval(SET_PASSWORD, login, password)
            await connection.execute(statement)
    oldest = await apply_missing(connection, migrations, last=LAST_SUPERUSER_MIGRATION)
    async with connection.transaction():
        await connection.execute(read("ownership"))
        for routine in await open_routines(connection):
            await connection.execute(f"REVOKE EXECUTE ON ROUTINE {routine} FROM PUBLIC")
        await connection.execute(read("grants"))
    await connection.execute(f"SET ROLE {OWNER}")
    return oldest + await apply_missing(connection, migrations)


async def check_bootstrap(connection: Connection) -> None:
    """Check, as any login, that the extension is there and that its routines are closed.

    Raises:
        ConfigurationError: a superuser has to bootstrap the database first, or again after an update of the extension.
    """
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"):
        raise ConfigurationError(f"The database lacks the extension timescaledb: {NEEDED}.")
    found = await open_routines(connection)
    if found:
        raise ConfigurationError(
            f"Every user of the database may execute {found[0]} and {len(found) - 1} other routines, "
            f"as after an update of TimescaleDB: {NEEDED}."
        )


async def open_routines(connection: Connection) -> list[str]:
    """The routines of TimescaleDB's schemas and of ours that PUBLIC may execute, as ``regprocedure`` writes them."""
    return [row[0] for row in await connection.fetch(OPEN_ROUTINES)]


def read(name: str) -> str:
    """The text of one of the bootstrap's scripts."""
    return (DIRECTORY / f"{name}.sql").read_text(encoding="utf-8")
