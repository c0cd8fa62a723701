"""Each service's database role can do its own work and no more."""

import pytest

from services.core.database import connect
from services.core.errors import ConfigurationError

FACTS = {"state_event", "count_event", "reading", "fact_revision", "ingest_record", "dead_letter", "metric"}
DERIVED = {
    *("machine_hour", "machine_day", "factory_hour", "factory_day", "cohort_hour", "cohort_day", "analytics_state"),
    *("dirty_cohort_hour", "dirty_cohort_day"),
}
REGISTRY = {
    *("registry_version", "enterprise", "enterprise_version", "factory", "factory_version", "machine"),
    *("machine_version", "gateway_key", "gateway_key_version", "zone", "zone_version", "sponsor", "sponsor_version"),
    "factory_in_use",
}
OFFSETS = {"ingest_topic", "ingest_offset"}
WRITABLE = {
    "jejo_ingest": FACTS | OFFSETS | {"dirty_mark"},
    "jejo_analytics": DERIVED | {"dirty_mark"},
    "jejo_api": REGISTRY | {"dirty_mark", "cohort", "machine_span"},
    "jejo_verify": set[str](),
}
UNREADABLE = {
    "jejo_ingest": DERIVED | {"api_key"},
    "jejo_analytics": {"reading", "ingest_record", "dead_letter", "api_key"},
    "jejo_api": FACTS | OFFSETS,
    "jejo_verify": {"api_key", "dead_letter"},
}
PRIVILEGES = """
SELECT c.relname, has_table_privilege($1, c.oid, 'SELECT') AS reads,
       has_table_privilege($1, c.oid, 'INSERT') OR has_table_privilege($1, c.oid, 'UPDATE')
           OR has_table_privilege($1, c.oid, 'DELETE') OR has_table_privilege($1, c.oid, 'TRUNCATE') AS writes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v')
"""


@pytest.mark.parametrize("role", WRITABLE)
async def test_a_role_writes_its_own_tables_and_no_others(database: str, role: str) -> None:
    connection = await connect(database)
    try:
        rows = await connection.fetch(PRIVILEGES, role)
    finally:
        await connection.close()
    assert {row["relname"] for row in rows if row["writes"]} == WRITABLE[role]
    assert not {row["relname"] for row in rows if row["reads"]} & UNREADABLE[role]


@pytest.mark.parametrize("role", WRITABLE)
async def test_a_role_makes_nothing_in_the_schema(database: str, role: str) -> None:
    import asyncpg

    connection = await connect(database, role)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE own ()")
    finally:
        await connection.close()


async def test_a_database_without_roles_says_what_to_do(database_template: str) -> None:
    with pytest.raises(ConfigurationError, match="jejo migrate"):
        await connect(database_template, "jejo_nobody")
