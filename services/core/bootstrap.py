"""Prepares a database for Jejo, as a superuser: creates the extension and the logins, and restricts the routines.

Everything else is done by logins that are not superusers. The bootstrap runs once for each version of TimescaleDB and
of this program; repeating it changes nothing. ``check_bootstrap`` reports, to any login, whether it has to run.
"""

from pathlib import Path

import asyncpg

import schemas
from services.core.database import OWNER, UNAVAILABLE, Connection, connect
from services.core.errors import ConfigurationError, TransientError
from services.core.migrations import Migration, apply_missing, migration_lock

DIRECTORY = Path(schemas.__file__).parent / "bootstrap"
LAST_SUPERUSER_MIGRATION = 11
"""Migrations up to this one create roles and revoke rights to PostgreSQL's own functions: they need a superuser."""

EXTENSION_VERSIONS = """
SELECT a.default_version, a.installed_version FROM pg_available_extensions a WHERE a.name = 'timescaledb'
"""
# All routines in our schemas and in those of the extension, and the extension's routines in any other schema.
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
RUN_BOOTSTRAP = "run `jejo migrate --bootstrap` as a superuser of the database"


async def bootstrap(address: str, migrations: list[Migration], passwords: dict[str, str]) -> list[Migration]:
    """Create or update the extension, create the logins, restrict the routines, and apply all missing migrations.

    Args:
        address: of the database, with a superuser as its user.
        migrations: all migrations of this program.
        passwords: new passwords by login; other logins keep theirs, if any.

    Returns:
        The migrations that were applied.

    Raises:
        ConfigurationError: the user is not a superuser, or the server lacks TimescaleDB.
        TransientError: the database is unavailable, or a migration could not get its locks in time.
    """
    try:
        await update_extension(address)
        connection = await connect(address, application="jejo migrate --bootstrap")
        try:
            async with migration_lock(connection):
                return await prepare(connection, migrations, passwords)
        finally:
            await connection.close()
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(f"{error.args[0]}: {RUN_BOOTSTRAP}.") from error
    except (asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError) as error:
        raise ConfigurationError(f"{error.args[0]}: Jejo needs PostgreSQL 17 with TimescaleDB.") from error
    except UNAVAILABLE as error:
        raise TransientError(f"The database is unavailable ({error}); run `jejo migrate --bootstrap` again.") from error


async def update_extension(address: str) -> None:
    """Create the extension, or update it to the version that the server provides.

    An update must be the first statement of its session: any other would load the library of the old version.

    Raises:
        ConfigurationError: the user is not a superuser, or the server lacks TimescaleDB.
    """
    connection = await connect(address, application="jejo migrate --bootstrap")
    try:
        if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = session_user"):
            user = await connection.fetchval("SELECT session_user")
            raise ConfigurationError(f"{user} is not a superuser: {RUN_BOOTSTRAP}.")
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
    # A plain connection: setting our codecs would query the catalogue first.
    session = await asyncpg.connect(address)
    try:
        await session.execute(statement)
    finally:
        await session.close()


async def prepare(connection: Connection, migrations: list[Migration], passwords: dict[str, str]) -> list[Migration]:
    """Do everything but the extension's update, in repeatable steps, each in a transaction of its own."""
    async with connection.transaction():
        await connection.execute(read_script("roles"))
        for login, password in passwords.items():
            statement = await connection.fetchval(SET_PASSWORD, login, password)
            await connection.execute(statement)
    applied = await apply_missing(connection, migrations, last=LAST_SUPERUSER_MIGRATION)
    async with connection.transaction():
        await connection.execute(read_script("ownership"))
        for routine in await open_routines(connection):
            await connection.execute(f"REVOKE EXECUTE ON ROUTINE {routine} FROM PUBLIC")
        await connection.execute(read_script("grants"))
    await connection.execute(f"SET ROLE {OWNER}")
    return applied + await apply_missing(connection, migrations)


async def check_bootstrap(connection: Connection) -> None:
    """Check, as any login, that the extension exists and that PUBLIC may execute none of its routines or ours.

    Raises:
        ConfigurationError: a superuser has to bootstrap the database, or to repeat it after an update of TimescaleDB.
    """
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"):
        raise ConfigurationError(f"The database lacks the extension timescaledb: {RUN_BOOTSTRAP}.")
    found = await open_routines(connection)
    if found:
        raise ConfigurationError(
            f"Every user of the database may execute {found[0]} and {len(found) - 1} other routines, "
            f"probably since TimescaleDB was updated: {RUN_BOOTSTRAP}."
        )


async def open_routines(connection: Connection) -> list[str]:
    """Return the routines in TimescaleDB's schemas and ours that PUBLIC may execute, in ``regprocedure`` format."""
    return [row[0] for row in await connection.fetch(OPEN_ROUTINES)]


def read_script(name: str) -> str:
    """Return the text of a script in ``schemas/bootstrap``."""
    return (DIRECTORY / f"{name}.sql").read_text(encoding="utf-8")
