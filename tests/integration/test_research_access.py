"""Tests that the role researcher can read the views of schema research, and do nothing else in the database."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from services.core.bootstrap import bootstrap
from services.core.database import Connection, address_for, connect
from services.core.migrations import read_migrations
from tests.databases import database_url, execute

VIEWS = {
    "flag",
    "factory",
    "machine",
    "state_event",
    "count_event",
    "reading",
    "machine_hour",
    "factory_day",
    "data_quality_day",
}
NAME = f"jejo_research_{os.getpid()}"

READABLE = """
SELECT n.nspname AS schema, c.relname AS name, d.objid IS NOT NULL AS of_extension
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND has_schema_privilege('researcher', n.oid, 'USAGE')
  AND CASE c.relkind
      WHEN 'S' THEN has_sequence_privilege('researcher', c.oid, 'SELECT, USAGE, UPDATE')
      ELSE has_table_privilege('researcher', c.oid, 'SELECT')
           OR has_any_column_privilege('researcher', c.oid, 'SELECT') END
"""
WRITABLE = """
SELECT c.oid::regclass::text AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT pg_is_other_temp_schema(n.oid)
  AND (has_table_privilege('researcher', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN')
       OR has_any_column_privilege('researcher', c.oid, 'INSERT, UPDATE, REFERENCES'))
"""
SAMPLE = """
INSERT INTO enterprise (enterprise_id) VALUES ('1208147521');
INSERT INTO enterprise_version (enterprise, effective_from, effective_to, name, employees, changed_in)
VALUES (1, '1999-12-31 15:00Z', '9999-12-31Z', 'Hanbit Precision', 42, 1);
INSERT INTO factory (factory_id) VALUES ('F1');
INSERT INTO factory_version (factory, effective_from, effective_to, name, enterprise, region, sector, level, changed_in)
VALUES (1, '1999-12-31 15:00Z', '9999-12-31Z', 'Changwon 2', 1, 'KR-48', 'C29', 'basic', 1);
INSERT INTO machine (factory, machine_id) VALUES (1, 'M1');
INSERT INTO state_event VALUES (1, '2025-03-03 00:00Z', 1, 1, 'open', 0, false, 1);
INSERT INTO state_event VALUES (1, '2025-03-03 01:00Z', 1, 1, 'withdrawn', 1, true, 1);
"""


@pytest.fixture(scope="module")
def migrated(database_template: str) -> Iterator[str]:
    """A database migrated in place, since copies of a template lack grants on the database itself."""
    url = database_url(database_template, NAME)

    async def create() -> None:
        await execute(database_template, f"CREATE DATABASE {NAME}")
        await bootstrap(url, read_migrations(), {})
        await execute(url, SAMPLE)

    asyncio.run(create())
    yield url
    asyncio.run(execute(database_template, f"DROP DATABASE {NAME} WITH (FORCE)"))


@pytest.fixture
async def owner(migrated: str) -> AsyncIterator[Connection]:
    connection = await connect(migrated)
    yield connection
    await connection.close()


@pytest.fixture
async def researcher(migrated: str) -> AsyncIterator[Connection]:
    """A connection as researcher, with read-only transactions turned off, which every user may do."""
    connection = await connect(address_for(migrated, "researcher"))
    await connection.execute("SET default_transaction_read_only = off")
    yield connection
    await connection.close()


async def test_it_can_read_only_the_views_and_the_extensions_own_tables(owner: Connection) -> None:
    readable = await owner.fetch(READABLE)
    assert {row["name"] for row in readable if row["schema"] == "research"} == VIEWS
    assert [dict(row) for row in readable if row["schema"] != "research" and not row["of_extension"]] == []


async def test_it_can_write_nothing(owner: Connection) -> None:
    # UPDATE of pg_settings is the same as SET, which every user may do in their own session.
    assert {row["name"] for row in await owner.fetch(WRITABLE)} <= {"pg_settings"}


async def test_it_is_in_no_other_role_and_owns_nothing(owner: Connection) -> None:
    member = "SELECT count(*) FROM pg_auth_members WHERE member = 'researcher'::regrole"
    owned = "SELECT count(*) FROM pg_shdepend WHERE refobjid = 'researcher'::regrole AND deptype = 'o'"
    assert await owner.fetchval(member) == 0
    assert await owner.fetchval(owned) == 0
    (rights,) = await owner.fetch(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles "
        "WHERE rolname = 'researcher'"
    )
    assert set(rights.values()) == {False}


async def test_every_view_is_a_security_barrier_and_every_column_has_a_comment(owner: Connection) -> None:
    views = await owner.fetch(
        "SELECT relname, reloptions, obj_description(oid, 'pg_class') AS comment FROM pg_class "
        "WHERE relnamespace = 'research'::regnamespace"
    )
    assert {row["relname"] for row in views} == VIEWS
    assert all(row["reloptions"] == ["security_barrier=true"] and row["comment"] for row in views)
    missing = await owner.fetch(
        "SELECT attrelid::regclass || '.' || attname AS name FROM pg_attribute "
        "WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'research'::regnamespace) "
        "AND attnum > 0 AND col_description(attrelid, attnum) IS NULL"
    )
    assert [row["name"] for row in missing] == []


async def test_it_can_read_every_view(researcher: Connection) -> None:
    for view in sorted(VIEWS):
        await researcher.fetch(f"SELECT * FROM research.{view}")
    assert await researcher.fetchval("SELECT count(*) FROM research.state_event") == 1


async def test_no_view_contains_names_or_business_numbers(researcher: Connection) -> None:
    for view in sorted(VIEWS):
        rows = str([tuple(row) for row in await researcher.fetch(f"SELECT * FROM research.{view}")])
        assert "Hanbit" not in rows
        assert "1208147521" not in rows
        assert "Changwon 2" not in rows


@pytest.mark.parametrize(
    "statement",
    [
        *(
            f"SELECT * FROM public.{table}"
            for table in (
                *("state_event", "count_event", "reading", "fact_revision", "machine_hour", "machine_day"),
                *("factory_hour", "factory_day", "api_key", "gateway_key", "gateway_key_version", "dead_letter"),
                *("machine_hour_pack", "machine_day_pack", "open_hold", "closed_factory_hour", "closed_factory_day"),
                *("enterprise", "enterprise_version", "factory", "factory_version", "machine", "machine_version"),
                *("ingest_record", "ingest_offset", "dirty_mark", "schema_migration", "machine_in_use"),
            )
        ),
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_statistic",
        "SELECT pg_read_file('postgresql.conf')",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "COPY (SELECT 1) TO '/tmp/out'",
        "CREATE TABLE research.own ()",
        "CREATE TABLE public.own ()",
        "CREATE TEMPORARY TABLE own ()",
        "CREATE VIEW research.own AS SELECT 1",
        "CREATE FUNCTION public.own() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA own",
        "CREATE ROLE own",
        "CREATE EXTENSION pg_trgm",
        "SELECT lo_from_bytea(0, 'own')",
        "SELECT lo_create(0)",
        "SELECT add_job('pg_sleep', '1 hour')",
        "SELECT pg_advisory_lock(24929, 1)",
        "SELECT pg_try_advisory_xact_lock_shared(1)",
        "SELECT create_hypertable('state_event', by_range('at'))",
        "SELECT drop_chunks('public.state_event', now())",
        "TRUNCATE public.state_event",
        "SELECT * FROM research.state_event FOR UPDATE",
        "DROP VIEW research.reading",
        "GRANT researcher TO jejo_api",
        "ALTER ROLE researcher SUPERUSER",
        "SET ROLE jejo",
        *(f"SET ROLE jejo_{name}" for name in ("ingest", "analytics", "api", "verify")),
        "SET SESSION AUTHORIZATION jejo",
        "SET session_replication_role = replica",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'jejo' AND pid <> pg_backend_pid()",
    ],
)
async def test_other_statements_are_denied(owner: Connection, researcher: Connection, statement: str) -> None:
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)) as denied:
        await researcher.execute(statement)
    if isinstance(denied.value, asyncpg.InvalidParameterValueError):
        assert "permission denied to set role" in str(denied.value)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO research.factory (factory_id) VALUES ('F2')",
        "UPDATE research.machine SET kind = 'x'",
        "DELETE FROM research.reading",
    ],
)
async def test_views_of_several_tables_accept_no_rows(researcher: Connection, statement: str) -> None:
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
        await researcher.execute(statement)


async def test_it_can_neither_lock_tables_nor_grant_rights(owner: Connection, researcher: Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with researcher.transaction():
            await researcher.execute("LOCK TABLE public.state_event IN ACCESS SHARE MODE")
    granted = "SELECT relacl::text FROM pg_class WHERE oid = 'research.reading'::regclass"
    before = await owner.fetchval(granted)
    await researcher.execute("GRANT SELECT ON research.reading TO PUBLIC")
    assert await owner.fetchval(granted) == before


async def test_it_cannot_read_chunks_directly(owner: Connection, researcher: Connection) -> None:
    chunks = await owner.fetch(
        "SELECT format('%I.%I', chunk_schema, chunk_name) AS name FROM timescaledb_information.chunks"
    )
    assert chunks
    for row in chunks:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await researcher.fetch(f"SELECT * FROM {row['name']}")


async def test_conditions_of_a_query_never_see_rows_that_the_view_excludes(
    owner: Connection, researcher: Connection
) -> None:
    """An error, as of a division by zero, could reveal a value; the barrier keeps conditions off the withdrawn row."""
    everything = "SELECT count(*) FROM {} WHERE reason::text = 'x' OR 1 / (1 - (reason = 'withdrawn')::integer) = 0"
    with pytest.raises(asyncpg.DivisionByZeroError):
        await owner.fetchval(everything.format("public.state_event"))
    assert await researcher.fetchval(everything.format("research.state_event")) == 0


async def test_transactions_are_read_only_by_default_and_statements_time_out(migrated: str) -> None:
    connection = await connect(address_for(migrated, "researcher"))
    try:
        settings = {
            name: await connection.fetchval("SELECT current_setting($1)", name)
            for name in ("default_transaction_read_only", "statement_timeout", "idle_in_transaction_session_timeout")
        }
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("CREATE TABLE research.own ()")
    finally:
        await connection.close()
    assert settings == {
        "default_transaction_read_only": "on",
        "statement_timeout": "10min",
        "idle_in_transaction_session_timeout": "10min",
    }
