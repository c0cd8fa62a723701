"""Tests of the bootstrap, and of what each login may execute, according to the catalogue of both editions."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import asyncpg
import pytest

from services.core.bootstrap import bootstrap, check_bootstrap
from services.core.database import LOGINS, OWNER, connect
from services.core.errors import ConfigurationError
from services.core.migrations import Migration, apply_missing, migrate, read_migrations
from tests.databases import database_url, execute
from tests.servers import private_postgres
from tests.stack import ROOT

SERVICES = [login for login in LOGINS if login != "researcher"]
STRANGER = "jejo_stranger"
# Everything that a user may execute outside PostgreSQL's own two schemas.
EXECUTABLE = """
SELECT DISTINCT p.proname
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND has_function_privilege($1, p.oid, 'EXECUTE')
"""
EXPECTED = {
    "public": set(),
    "jejo_ingest": {"hold_quality_days"},
    "jejo_analytics": {"summarize_facts", "shifts_between", "scheduled_us", "close_quality_days"},
    "jejo_api": {
        "size_of",
        "machine_spans_of",
        "refresh_machine_spans",
        "add_cohort_groups",
        "change_group_steps",
        "refresh_factory_spans",
        "runs_over_midnight",
        "shifts_between",
        "scheduled_us",
        "scheduled_in",
        "change_schedule_steps",
        "presence_of",
        "change_programme_steps",
        "refresh_programme_cells",
    },
    "jejo_verify": {"size_of", "machine_spans_of", "runs_over_midnight"},
    "jejo_status": set(),
    "jejo_keys": set(),
    "researcher": {"time_bucket", "first", "last", "histogram"},
}
WRONG_OWNER = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'S') AND c.relowner <> $1::regrole
  AND (n.nspname IN ('public', 'research') OR c.relname LIKE '\\_hyper\\_%' OR c.relname LIKE 'compress\\_hyper\\_%')
UNION ALL
SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('public', 'research') AND p.proowner <> $1::regrole
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
"""
SIMULATED_UPDATE = (
    "CREATE FUNCTION _timescaledb_functions.new_in_an_update() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "GRANT EXECUTE ON FUNCTION _timescaledb_functions.new_in_an_update() TO PUBLIC",
    "ALTER EXTENSION timescaledb ADD FUNCTION _timescaledb_functions.new_in_an_update()",
)


@pytest.fixture(params=["apache", "timescale"])
def either_edition(request: pytest.FixtureRequest) -> str:
    """The superuser's address of a migrated database, for each of TimescaleDB's editions."""
    name = {"apache": "database", "timescale": "community_database"}[request.param]
    url = str(request.getfixturevalue(name))
    assert asyncio.run(fetch(url, "SHOW timescaledb.license")) == [(request.param,)]
    return url


@pytest.fixture
def empty_database(database_template: str) -> Iterator[str]:
    """The address of a database that has not been bootstrapped or migrated."""
    name = f"jejo_empty_{os.getpid()}"
    asyncio.run(execute(database_template, f"CREATE DATABASE {name}"))
    yield database_url(database_template, name)
    asyncio.run(execute(database_template, f"DROP DATABASE {name} WITH (FORCE)"))


async def fetch(url: str, sql: str, *parameters: object, login: str | None = None) -> list[tuple[object, ...]]:
    connection = await connect(url, login)
    try:
        return [tuple(row) for row in await connection.fetch(sql, *parameters)]
    finally:
        await connection.close()


def jejo_migrate(url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "services", "migrate", *arguments],
        cwd=ROOT,
        env={**os.environ, "JEJO_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("login", EXPECTED)
async def test_a_login_can_execute_only_what_is_granted_by_name(either_edition: str, login: str) -> None:
    assert {name for (name,) in await fetch(either_edition, EXECUTABLE, login)} == EXPECTED[login]


async def test_a_login_without_grants_can_execute_nothing_and_drop_no_chunk(either_edition: str) -> None:
    await execute(
        either_edition,
        "INSERT INTO state_event VALUES (1, '2025-03-03Z', 1, 1, NULL, 0, false, 1)",
        f"CREATE ROLE {STRANGER} LOGIN PASSWORD 'secret'",
    )
    try:
        assert await fetch(either_edition, EXECUTABLE, STRANGER) == []
        ((chunk,),) = await fetch(either_edition, "SELECT show_chunks('state_event')::text")
        address = either_edition.replace("jejo@", f"{STRANGER}:secret@").replace("postgres@", f"{STRANGER}@")
        for login, at in (("researcher", either_edition), (STRANGER, address)):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for function drop_chunk"):
                await fetch(at, f"SELECT _timescaledb_functions.drop_chunk('{chunk}')", login=login)
        assert await fetch(either_edition, "SELECT count(*) FROM state_event") == [(1,)]
    finally:
        await execute(either_edition, f"DROP ROLE {STRANGER}")


async def test_functions_that_the_owner_creates_are_not_executable_by_default(either_edition: str) -> None:
    connection = await connect(either_edition, OWNER)
    try:
        await connection.execute("CREATE FUNCTION of_a_later_migration() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
        assert not await connection.fetchval(
            "SELECT has_function_privilege('public', 'of_a_later_migration()', 'EXECUTE')"
        )
        await connection.execute("DROP FUNCTION of_a_later_migration()")
    finally:
        await connection.close()


async def test_all_our_objects_belong_to_the_owner(either_edition: str) -> None:
    await execute(either_edition, "INSERT INTO reading VALUES (1, 1, '2025-03-03Z', 1, 0, false, 1)")
    assert await fetch(either_edition, WRONG_OWNER, OWNER) == []
    jobs = "SELECT DISTINCT owner::text FROM timescaledb_information.jobs WHERE hypertable_schema = 'public'"
    assert {owner for (owner,) in await fetch(either_edition, jobs)} <= {OWNER}


@pytest.mark.parametrize("login", LOGINS)
async def test_a_login_is_not_a_superuser_and_cannot_become_one(either_edition: str, login: str) -> None:
    connection = await connect(either_edition, login)
    try:
        await connection.execute("SET ROLE NONE")
        await connection.execute("RESET SESSION AUTHORIZATION") if "postgres@" not in either_edition else None
        who = "SELECT session_user::text, current_user::text, current_setting('is_superuser')"
        assert tuple(await connection.fetchrow(who) or ()) == (login, login, "off")
        rights = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles"
        assert not await connection.fetchval(f"{rights} WHERE rolname = session_user")
        assert not await connection.fetchval("SELECT count(*) FROM pg_auth_members WHERE member = $1::regrole", login)
        for other in {"jejo_migrate", "jejo_api", "jejo_ingest"} - {login}:
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)):
                await connection.execute(f"SET ROLE {other}")
    finally:
        await connection.close()


async def test_the_community_editions_compression_runs_as_the_owner(community_database: str) -> None:
    await execute(community_database, "INSERT INTO state_event VALUES (1, '2025-03-03Z', 1, 1, NULL, 0, false, 1)")
    jobs = (
        "SELECT format('CALL %I.%I(%s, %L)', proc_schema, proc_name, job_id, config) FROM timescaledb_information.jobs "
        "WHERE proc_name = 'policy_compression' AND hypertable_name = 'state_event'"
    )
    ((call,),) = await fetch(community_database, jobs)
    connection = await connect(community_database, OWNER)
    try:
        # TimescaleDB's background worker would call it; the edition in WebAssembly has no such worker.
        await connection.execute(str(call))
    finally:
        await connection.close()
    compressed = "SELECT is_compressed FROM timescaledb_information.chunks WHERE hypertable_name = 'state_event'"
    assert await fetch(community_database, compressed) == [(True,)]


async def test_a_routine_added_by_an_update_is_found_and_revoked(database: str) -> None:
    await execute(database, *SIMULATED_UPDATE)
    connection = await connect(database, OWNER)
    try:
        with pytest.raises(ConfigurationError, match=r"may execute .*new_in_an_update.*jejo migrate --bootstrap"):
            await check_bootstrap(connection)
        assert await bootstrap(database, read_migrations(), {}) == []
        await check_bootstrap(connection)
        assert not await connection.fetchval(
            "SELECT has_function_privilege('researcher', '_timescaledb_functions.new_in_an_update()', 'EXECUTE')"
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("routine", ["pg_try_advisory_lock(bigint)", "lo_from_bytea(oid, bytea)"])
async def test_routines_that_a_restored_dump_leaves_open_are_found_and_revoked(database: str, routine: str) -> None:
    """As `pg_restore --no-privileges` does."""
    await execute(database, f"GRANT EXECUTE ON FUNCTION {routine} TO PUBLIC")
    connection = await connect(database, OWNER)
    try:
        with pytest.raises(ConfigurationError, match=r"may execute .*jejo migrate --bootstrap"):
            await check_bootstrap(connection)
        await bootstrap(database, read_migrations(), {})
        await check_bootstrap(connection)
        assert not await connection.fetchval("SELECT has_function_privilege('researcher', $1, 'EXECUTE')", routine)
    finally:
        await connection.close()


def test_migrate_refuses_a_database_with_routines_open_to_public(database: str) -> None:
    asyncio.run(execute(database, *SIMULATED_UPDATE))
    rejected = jejo_migrate(database)
    assert (rejected.returncode, rejected.stdout) == (2, "")
    assert "run `jejo migrate --bootstrap` as a superuser of the database" in rejected.stderr
    assert jejo_migrate(database, "--bootstrap").returncode == 0
    assert jejo_migrate(database).stdout == "nothing to apply: the schema is up to date\n"


def test_a_new_database_needs_the_bootstrap_once(empty_database: str) -> None:
    rejected = jejo_migrate(empty_database)
    assert (rejected.returncode, rejected.stdout) == (2, "")
    assert "lacks the extension timescaledb: run `jejo migrate --bootstrap`" in rejected.stderr
    done = jejo_migrate(empty_database, "--bootstrap")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"applied {m.version:04d} {m.name}" for m in read_migrations()]
    assert asyncio.run(fetch(empty_database, WRONG_OWNER, OWNER)) == []


async def test_only_a_superuser_can_bootstrap(database: str) -> None:
    await execute(database, f"CREATE ROLE {STRANGER} LOGIN CREATEROLE PASSWORD 'secret'")
    try:
        with pytest.raises(ConfigurationError, match=f"{STRANGER} is not a superuser"):
            await bootstrap(database.replace("jejo@", f"{STRANGER}:secret@"), read_migrations(), {})
    finally:
        await execute(database, f"DROP ROLE {STRANGER}")


async def test_a_database_from_before_there_were_logins_is_handed_over(empty_database: str) -> None:
    """In such a database a superuser applied the migrations and owns everything, and PUBLIC may execute everything."""
    await execute(empty_database, "CREATE EXTENSION timescaledb")
    owner = await connect(empty_database)
    try:
        await apply_missing(owner, read_migrations(), last=11)
        await owner.execute("INSERT INTO state_event VALUES (1, '2025-03-03Z', 1, 1, NULL, 0, false, 1)")
    finally:
        await owner.close()
    applied = await bootstrap(empty_database, read_migrations(), {})
    assert [m.version for m in applied] == [m.version for m in read_migrations() if m.version > 11]
    assert await fetch(empty_database, WRONG_OWNER, OWNER) == []
    assert await fetch(empty_database, EXECUTABLE, "public") == []
    migrator = await connect(empty_database, OWNER)
    try:
        assert await migrate(migrator, read_migrations()) == []
        await migrator.execute("ALTER TABLE state_event ADD COLUMN later integer")
    finally:
        await migrator.close()


async def test_two_bootstraps_of_a_new_database_at_once_both_succeed(empty_database: str) -> None:
    applied = await asyncio.gather(*(bootstrap(empty_database, read_migrations(), {}) for _ in range(2)))
    assert sorted(map(len, applied)) == [0, len(read_migrations())]


async def test_the_bootstrap_waits_while_another_changes_the_same_roles(database: str) -> None:
    """Roles belong to the whole server, so this happens when two of its databases are bootstrapped at once."""
    other = await connect(database)
    try:
        async with other.transaction():
            await other.execute("ALTER ROLE jejo_verify CONNECTION LIMIT -1")
            waiting = asyncio.create_task(bootstrap(database, read_migrations(), {}))
            blocked = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted) FROM pg_sleep(0.02)"
            while not await other.fetchval(blocked):
                pass
        assert await waiting == []
    finally:
        await other.close()


async def test_memberships_of_logins_in_other_roles_end(database: str) -> None:
    await execute(
        database,
        "CREATE ROLE jejo_boss SUPERUSER",
        "CREATE ROLE jejo_grantor",
        "GRANT jejo_boss TO jejo_grantor WITH ADMIN OPTION",
        "GRANT jejo_boss TO jejo_api WITH ADMIN OPTION GRANTED BY jejo_grantor",
        "GRANT jejo_boss TO jejo_ingest GRANTED BY jejo_api",
    )
    try:
        await bootstrap(database, read_migrations(), {})
        memberships = "SELECT member::regrole::text FROM pg_auth_members WHERE member = ANY($1::regrole[]::oid[])"
        assert await fetch(database, memberships, list(LOGINS)) == []
    finally:
        await execute(database, "DROP ROLE jejo_boss", "DROP ROLE jejo_grantor")


TRAP = """
CREATE FUNCTION trap() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF session_user <> 'jejo_migrate' THEN RESET ROLE; ALTER ROLE jejo_migrate SUPERUSER; END IF;
    RETURN true;
END $$
"""
OPERATOR_TRAP = """
CREATE FUNCTION trapped(oid, regrole) RETURNS boolean LANGUAGE sql AS 'SELECT trap()';
CREATE OPERATOR <> (FUNCTION = trapped, LEFTARG = oid, RIGHTARG = regrole)
"""
LEDGER_TRAP = """
ALTER TABLE schema_migration RENAME TO real_schema_migration;
CREATE VIEW schema_migration AS SELECT * FROM real_schema_migration WHERE trap();
GRANT SELECT ON schema_migration TO PUBLIC
"""
DEFAULT_TRAP = """
DELETE FROM schema_migration WHERE version = 11;
ALTER TABLE schema_migration ALTER applied_at SET DEFAULT CASE WHEN trap() THEN now() END
"""


@pytest.mark.parametrize("trap", [OPERATOR_TRAP, LEDGER_TRAP, DEFAULT_TRAP, "DROP TABLE schema_migration"])
async def test_the_bootstrap_runs_no_code_of_the_owner_as_a_superuser(database: str, trap: str) -> None:
    owner = await connect(database, OWNER)
    await owner.execute(TRAP)
    await owner.execute(trap)
    await owner.close()
    try:
        with contextlib.suppress(ConfigurationError, asyncpg.PostgresError):
            await bootstrap(database, read_migrations(), {})
        assert await fetch(database, "SELECT rolsuper FROM pg_roles WHERE rolname = $1", OWNER) == [(False,)]
    finally:
        await execute(database, "ALTER ROLE jejo_migrate NOSUPERUSER")


async def test_the_bootstrap_of_a_used_database_applies_later_migrations_as_the_owner(database: str) -> None:
    later = Migration(len(read_migrations()) + 1, "later", "CREATE TABLE later AS SELECT session_user::text AS who")
    assert await bootstrap(database, [*read_migrations(), later], {}) == [later]
    assert await fetch(database, "SELECT who FROM later") == [(OWNER,)]


def test_passwords_are_not_logged_even_if_they_cannot_be_set() -> None:
    with private_postgres() as server:
        asyncio.run(bootstrap(server.url, read_migrations(), {"jejo_api": "in-the-open"}))
        settings = ("log_statement = 'all'", "log_min_duration_statement = 0", "log_min_error_statement = 'error'")
        asyncio.run(
            execute(server.url, *(f"ALTER SYSTEM SET {setting}" for setting in settings), "SELECT pg_reload_conf()")
        )
        asyncio.run(bootstrap(server.url, read_migrations(), {"jejo_api": "in-the-open"}))
        with pytest.raises(asyncpg.UndefinedObjectError):
            asyncio.run(bootstrap(server.url, read_migrations(), {"jejo_absent": "in-the-open"}))
        log = (server.folder / "postgres.log").read_text()
        assert "LOCK TABLE pg_authid" in log
        assert "in-the-open" not in log


async def test_repeating_the_bootstrap_changes_nothing(database: str) -> None:
    granted = "SELECT oid::regprocedure::text, proacl::text FROM pg_proc ORDER BY 1"
    roles = "SELECT rolname, rolcanlogin, rolpassword FROM pg_authid WHERE rolname = ANY($1) ORDER BY 1"
    before = [await fetch(database, granted), await fetch(database, roles, list(LOGINS))]
    assert await bootstrap(database, read_migrations(), {}) == []
    assert [await fetch(database, granted), await fetch(database, roles, list(LOGINS))] == before
