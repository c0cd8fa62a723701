"""Tests that each service's database role can do its own work and no more."""

import os
import subprocess
import sys

import asyncpg
import pytest
import sqlalchemy as sa

from services.api.database import open_databases
from services.api.settings import ApiSettings
from services.core.database import connect
from services.core.errors import ConfigurationError
from tests.stack import ROOT

FACTS = {
    *("state_event", "count_event", "reading", "fact_revision", "ingest_record", "dead_letter", "metric", "fact_day"),
    *("dead_letter_spent", "dead_letter_count", "refused_record"),
}
QUALITY = {"quality_state", "quality_mark", "quality_day", "quality_boot"}
DERIVED = {
    *("machine_hour_pack", "machine_day_pack", "open_hold", "closed_factory_hour", "closed_factory_day"),
    *(
        "cohort_hour",
        "cohort_day",
        "analytics_state",
        "dirty_cohort_hour",
        "dirty_cohort_day",
        "dirty_shard",
        "group_day",
    ),
}
FLAGS = {"flag", "flag_state", "flag_mark", "flag_day_pack", "flag_print", "flag_receipt"}
ACCOUNT_VIEWS = {"machine_hour", "machine_day", "factory_hour", "factory_day", "open_time", "running_hour"}
REGISTRY = {
    *("registry_version", "enterprise", "enterprise_version", "factory", "factory_version", "machine"),
    *("machine_version", "gateway_key", "gateway_key_version", "zone", "zone_version", "sponsor", "sponsor_version"),
    *("factory_in_use", "calendar", "calendar_version", "holiday"),
}
OFFSETS = {"ingest_topic", "ingest_offset"}
SESSIONS = {"login_token", "session"}
WRITABLE = {
    "jejo_ingest": FACTS | OFFSETS | {"dirty_mark", "quality_mark"},
    "jejo_analytics": DERIVED | QUALITY | FLAGS | {"dirty_mark"},
    "jejo_api": REGISTRY
    | SESSIONS
    | {
        "dirty_mark",
        "cohort",
        "cohort_group",
        "machine_span",
        "shift_pattern",
        "group_step",
        "schedule_step",
        "factory_span",
        "flag",
    }
    | {"population", "population_cell", "programme_step", "programme_cell"},
    "jejo_verify": set[str](),
    "jejo_status": set[str](),
}
UNREADABLE = {
    "jejo_ingest": DERIVED
    | FLAGS
    | ACCOUNT_VIEWS
    | SESSIONS
    | {"api_key", "calendar", "calendar_version", "holiday", "quality_day", "quality_boot"},
    "jejo_analytics": SESSIONS | {"reading", "dead_letter", "api_key"},
    "jejo_api": (FACTS - {"state_event", "count_event", "ingest_record", "refused_record"})
    | OFFSETS
    | (FLAGS - {"flag"}),
    "jejo_verify": SESSIONS | {"api_key", "dead_letter"},
    "jejo_status": (FACTS - {"ingest_record", "dead_letter", "dead_letter_count"})
    | REGISTRY
    | (DERIVED - {"analytics_state", "dirty_shard"})
    | QUALITY
    | FLAGS
    | ACCOUNT_VIEWS
    | SESSIONS
    | {"api_key"},
}
PRIVILEGES = """
SELECT c.relname, has_any_column_privilege($1, c.oid, 'SELECT') AS reads,
       has_any_column_privilege($1, c.oid, 'INSERT') OR has_any_column_privilege($1, c.oid, 'UPDATE')
           OR has_table_privilege($1, c.oid, 'DELETE') OR has_table_privilege($1, c.oid, 'TRUNCATE') AS writes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v')
"""

DELETABLE = """
SELECT c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege('jejo_ingest', c.oid, 'DELETE')
"""


@pytest.mark.parametrize("role", WRITABLE)
async def test_a_role_can_write_only_its_own_tables(database: str, role: str) -> None:
    connection = await connect(database)
    try:
        rows = await connection.fetch(PRIVILEGES, role)
    finally:
        await connection.close()
    assert {row["relname"] for row in rows if row["writes"]} == WRITABLE[role]
    assert not {row["relname"] for row in rows if row["reads"]} & UNREADABLE[role]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE login_token SET expires_at = now()",
        "UPDATE login_token SET role = 'admin'",
        "INSERT INTO login_token VALUES (sha256('x'), 'admin', 'x', now(), now() + interval '1 day')",
        "DELETE FROM login_token",
        "UPDATE session SET expires_at = now()",
        "UPDATE session SET role = 'admin'",
        "DELETE FROM session",
    ],
)
async def test_the_api_can_neither_create_tokens_nor_extend_sessions(database: str, statement: str) -> None:
    connection = await connect(database, "jejo_api")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("role", "readable", "closed"),
    [
        ("jejo_analytics", "id, received_at, signed FROM ingest_record", "gateway_key FROM ingest_record"),
        ("jejo_api", "received_at, rows_stored, sequence FROM ingest_record", "gateway_key FROM ingest_record"),
        ("jejo_status", "factory, received_at, rows_stored FROM ingest_record", "gateway_id FROM ingest_record"),
        ("jejo_status", "reason, kept_at, replayed_at FROM dead_letter", "raw FROM dead_letter"),
        ("jejo_status", "shard, from_at, marked_at FROM dirty_mark", "machine FROM dirty_mark"),
    ],
)
async def test_a_role_can_read_only_the_columns_that_it_needs(
    database: str, role: str, readable: str, closed: str
) -> None:
    connection = await connect(database, role)
    try:
        assert await connection.fetch(f"SELECT {readable}") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT {closed}")
    finally:
        await connection.close()


async def test_ingest_deletes_dead_letters_and_no_facts(database: str) -> None:
    connection = await connect(database)
    try:
        rows = await connection.fetch(DELETABLE)
    finally:
        await connection.close()
    assert {row["relname"] for row in rows} == {"dead_letter", "dead_letter_spent", "dead_letter_count"}


@pytest.mark.parametrize("role", WRITABLE)
async def test_a_role_cannot_create_tables(database: str, role: str) -> None:
    connection = await connect(database, role)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE own ()")
    finally:
        await connection.close()


async def test_an_unknown_login_is_told_to_run_the_bootstrap(database_template: str) -> None:
    with pytest.raises(ConfigurationError, match="jejo migrate --bootstrap"):
        await connect(database_template, "jejo_nobody")


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "analytics",
        "dead-letters list",
        "verify --from 2017-03-01 --to 2017-03-02",
        "keys create --role admin --name x",
        "keys login-link --role admin --name x",
    ],
)
def test_commands_report_a_database_without_tables(database_template: str, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", *command.split()],
        cwd=ROOT,
        env={**os.environ, "JEJO_DATABASE_URL": database_template},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "jejo: The database has no tables yet: run `jejo migrate --bootstrap` on it first.\n"


async def test_the_api_connects_with_its_own_login_and_timeout(database: str) -> None:
    databases = open_databases(ApiSettings(database_url=f"{database}?sslmode=disable"))
    try:
        async with databases.write.connect() as connection:
            assert await connection.scalar(sa.text("SELECT current_user")) == "jejo_api"
            assert await connection.scalar(sa.text("SHOW statement_timeout")) == "35s"
    finally:
        await databases.close()
