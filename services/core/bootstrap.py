"""Prepares a database for Jejo, as a superuser: creates the extension and the logins, and restricts the routines.

Everything else is done by logins that are not superusers. The bootstrap runs once for each version of TimescaleDB and
of this program; repeating it changes nothing. ``check_bootstrap`` reports, to any login, whether it has to run.
"""

from contextlib import suppress
from pathlib import Path

import asyncpg

import schemas
from services.core.database import OWNER, UNAVAILABLE, Connection, address_for, connect
from services.core.errors import ConfigurationError, TransientError
from services.core.migrations import Migration, apply_missing, check_history, migration_lock

DIRECTORY = Path(schemas.__file__).parent / "bootstrap"
LAST_SUPERUSER_MIGRATION = 11
"""Migrations up to this one create roles and revoke rights to PostgreSQL's own functions: they need a superuser."""

EXTENSION_VERSIONS = """
SELECT a.default_version, a.installed_version FROM pg_available_extensions a WHERE a.name = 'timescaledb'
"""
# All routines in our schemas and in those of the extension, the extension's routines in any other schema, and those of
# PostgreSQL that take advisory locks, for which analytics and migrations wait, or create large objects: migration 9
# revoked them, but a dump restored without privileges opens them again.
OPEN_ROUTINES = """
SELECT p.oid::regprocedure::text
FROM pg_proc p
WHERE (p.pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'research'))
       OR EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                  WHERE d.refclassid = 'pg_extension'::regclass AND e.extname = 'timescaledb' AND d.deptype = 'e'
                    AND (d.classid = 'pg_namespace'::regclass AND d.objid = p.pronamespace
                         OR d.classid = 'pg_proc'::regclass AND d.objid = p.oid))
       OR p.pronamespace = 'pg_catalog'::regnamespace
          AND (p.proname ~ '^pg_(try_)?advisory_' OR p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea')))
  AND has_function_privilege('public', p.oid, 'EXECUTE')
ORDER BY 1
"""
# Default privileges are not objects that a name could resolve to.
OWNER_HAS_OBJECTS = """
SELECT EXISTS (
    SELECT FROM pg_shdepend
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_authid WHERE rolname = $1)
      AND deptype = 'o' AND classid <> 'pg_default_acl'::regclass
)
"""
SAFE_SEARCH_PATH = "pg_catalog, pg_temp"
"""A superuser must resolve no name in schema public, where the owner of the tables may create functions."""

# The server must not write the following statements, which contain passwords, to its log, even if they fail.
KEEP_OUT_OF_LOG = """
SET LOCAL log_statement = 'none';
SET LOCAL log_min_error_statement = 'panic';
SET LOCAL log_min_duration_statement = -1;
SET LOCAL log_min_duration_sample = -1;
SET LOCAL log_transaction_sample_rate = 0;
"""
SET_PASSWORD = "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)"
APPLICATION = "jejo migrate --bootstrap"
REPEAT = "run `jejo migrate --bootstrap` again"
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
        connection = await connect(address, application=APPLICATION, search_path=SAFE_SEARCH_PATH)
        try:
            async with migration_lock(connection):
                handed_over = await connection.fetchval(OWNER_HAS_OBJECTS, OWNER)
                applied = await prepare(connection, migrations, passwords, handed_over=handed_over)
                if not handed_over or await is_up_to_date(connection, migrations):
                    return applied
                return await apply_as_owner(address, migrations, passwords)
        finally:
            await connection.close()
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(f"{error.args[0]}: {RUN_BOOTSTRAP}.") from error
    except (asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError) as error:
        raise ConfigurationError(f"{error.args[0]}: Jejo needs PostgreSQL 17 with TimescaleDB.") from error
    except asyncpg.InternalServerError as error:
        # "tuple concurrently updated": roles belong to the whole server.
        raise TransientError(f"The server's roles were changed meanwhile ({error}); {REPEAT}.") from error
    except UNAVAILABLE as error:
        raise TransientError(f"The database is unavailable ({error}); {REPEAT}.") from error


async def update_extension(address: str) -> None:
    """Create the extension, or update it to the version that the server provides.

    An update must be the first statement of its session: any other would load the library of the old version.

    Raises:
        ConfigurationError: the user is not a superuser, or the server lacks TimescaleDB.
    """
    connection = await connect(address, application=APPLICATION, search_path=SAFE_SEARCH_PATH)
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
    # A plain connection: setting our codecs would query the catalogue first.
    session = await asyncpg.connect(address, server_settings={"search_path": SAFE_SEARCH_PATH})
    try:
        if versions["installed_version"]:
            await session.execute("ALTER EXTENSION timescaledb UPDATE")
        else:
            # Another bootstrap may create it at the same time.
            with suppress(asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError):
                await session.execute("CREATE EXTENSION timescaledb SCHEMA public")
    finally:
        await session.close()


async def prepare(
    connection: Connection, migrations: list[Migration], passwords: dict[str, str], *, handed_over: bool
) -> list[Migration]:
    """Do everything but the extension's update, in repeatable steps, each in a transaction of its own.

    Once the owner of the tables has objects in the database, no migration is applied here: names in it might resolve to
    functions of that owner, which would run as the superuser.
    """
    async with connection.transaction():
        await connection.execute(read_script("roles"))
        await connection.execute(KEEP_OUT_OF_LOG)
        for login, password in passwords.items():
            statement = await connection.fetchval(SET_PASSWORD, login, password)
            await connection.execute(statement)
    applied = []
    if not handed_over:
        await connection.execute("SET search_path = public")
        applied = await apply_missing(connection, migrations, last=LAST_SUPERUSER_MIGRATION)
        await connection.execute(f"SET search_path = {SAFE_SEARCH_PATH}")
    async with connection.transaction():
        await connection.execute(read_script("ownership"))
        for routine in await open_routines(connection):
            await connection.execute(f"REVOKE EXECUTE ON ROUTINE {routine} FROM PUBLIC")
        await connection.execute(read_script("grants"))
    if not handed_over:
        await connection.execute(f"SET ROLE {OWNER}; SET search_path = public")
        applied += await apply_missing(connection, migrations)
        await connection.execute(f"SET search_path = {SAFE_SEARCH_PATH}; RESET ROLE")
    return applied


async def is_up_to_date(connection: Connection, migrations: list[Migration]) -> bool:
    """Return whether all migrations were applied, without running any code of the owner of the tables.

    Raises:
        ConfigurationError: an applied migration differs from its file, or the database is newer than this program.
    """
    async with connection.transaction():
        # Locked, so that a view, which may call functions, cannot replace the table before it is read.
        if not await connection.fetchval("SELECT to_regclass('public.schema_migration') IS NOT NULL"):
            return False
        await connection.execute("LOCK TABLE public.schema_migration IN ACCESS SHARE MODE")
        kind = "SELECT relkind = 'r' FROM pg_class WHERE oid = 'public.schema_migration'::regclass"
        if not await connection.fetchval(kind):
            return False
        rows = await connection.fetch("SELECT version, sha256 FROM public.schema_migration")
    applied = {row["version"]: row["sha256"] for row in rows}
    check_history(migrations, applied)
    return len(applied) == len(migrations)


async def apply_as_owner(address: str, migrations: list[Migration], passwords: dict[str, str]) -> list[Migration]:
    """Apply the missing migrations, logged in as the owner: after SET ROLE, its functions could become superuser again.

    Raises:
        ConfigurationError: the owner cannot log in: its password is neither in ``passwords`` nor in libpq's file.
    """
    owner = await connect(address_for(address, OWNER, passwords.get(OWNER)), application=APPLICATION)
    try:
        return await apply_missing(owner, migrations)
    finally:
        await owner.close()


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
