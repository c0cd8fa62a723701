"""Tests of the migration runner: order, history, locking, and rollback of a failed migration."""

import asyncio
from pathlib import Path

import pytest

from services.core.database import connect
from services.core.errors import ConfigurationError, TransientError
from services.core.migrations import Migration, migrate, read_migrations
from tests.databases import database_url, execute


def more(sql: str) -> list[Migration]:
    """Return the project's migrations and one more."""
    known = read_migrations()
    return [*known, Migration(len(known) + 1, "more", sql)]


async def test_a_migration_is_applied_only_once(database: str) -> None:
    connection = await connect(database)
    assert await migrate(connection, read_migrations()) == []
    (applied,) = await migrate(connection, more("CREATE TABLE more ()"))
    assert applied.name == "more"
    assert await migrate(connection, more("CREATE TABLE more ()")) == []
    await connection.close()


async def test_an_edited_migration_is_rejected(database: str) -> None:
    connection = await connect(database)
    first, *rest = read_migrations()
    edited = Migration(first.version, first.name, first.sql + "\n-- edited")
    with pytest.raises(ConfigurationError, match="was changed after it was applied"):
        await migrate(connection, [edited, *rest])
    await connection.close()


async def test_a_database_newer_than_the_program_is_rejected(database: str) -> None:
    connection = await connect(database)
    await migrate(connection, more("SELECT 1"))
    with pytest.raises(ConfigurationError, match="run a newer version"):
        await migrate(connection, read_migrations())
    await connection.close()


async def test_a_failed_migration_is_rolled_back(database: str) -> None:
    connection = await connect(database)
    with pytest.raises(Exception, match="division by zero"):
        await migrate(connection, more("CREATE TABLE half (); SELECT 1 / 0"))
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    assert await connection.fetchval("SELECT max(version) FROM schema_migration") == len(read_migrations())
    await migrate(connection, more("CREATE TABLE half ()"))
    await connection.close()


async def test_concurrent_runners_apply_a_migration_once(database: str) -> None:
    connections = [await connect(database) for _ in range(4)]
    found = await asyncio.gather(*(migrate(c, more("CREATE TABLE once ()")) for c in connections))
    assert sorted(len(applied) for applied in found) == [0, 0, 0, 1]
    for connection in connections:
        await connection.close()


async def test_a_migration_gives_up_waiting_for_a_reader(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.core.migrations.LOCK_TIMEOUT", "100ms")
    reader, runner = await connect(database), await connect(database)
    async with reader.transaction():
        await reader.fetch("SELECT * FROM enterprise")
        with pytest.raises(TransientError, match="could not get its locks"):
            await migrate(runner, more("ALTER TABLE enterprise ADD COLUMN later integer"))
    await migrate(runner, more("ALTER TABLE enterprise ADD COLUMN later integer"))
    await reader.close()
    await runner.close()


@pytest.mark.parametrize("names", [["0001_a.sql", "0003_c.sql"], ["0001_a.sql", "0001_b.sql"], ["0002_b.sql"]])
def test_migration_numbers_have_no_gaps_or_duplicates(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(ConfigurationError, match=r"must be numbered 1, 2, 3, \.\.\., each once"):
        read_migrations(tmp_path)


OLD_FACTORIES = """
INSERT INTO enterprise (enterprise_id) VALUES ('E1');
INSERT INTO factory (factory_id) VALUES ('F1'), ('F2'), ('F3');
INSERT INTO factory_version (factory, effective_from, effective_to, name, enterprise, region, sector, zone, sponsor,
    level, changed_in)
SELECT id, '1999-12-31 15:00Z', '9999-12-31 00:00Z', factory_id, 1, 'KR-4' || id, 'C25',
    CASE WHEN id < 3 THEN 'Z1' END, CASE WHEN id > 1 THEN 'S' || id END, 'basic', 4
FROM factory;
INSERT INTO machine (factory, machine_id) VALUES (1, 'M1'), (1, 'M2');
INSERT INTO machine_version (machine, effective_from, effective_to, name, kind, automation, state_ttl_us, in_use_from,
    changed_in)
SELECT id, '1999-12-31 15:00Z', '9999-12-31 00:00Z', 'M', 'mill', 'automatic', 600000000, '2016-01-01', 4 FROM machine;
UPDATE registry_version SET version = 4;
"""


async def test_factories_keep_the_zones_and_sponsors_that_they_named(database_template: str) -> None:
    """The migration registers each zone and sponsor under its id, so a PUT of such a factory still works."""
    migrations = read_migrations()
    split = next(n for n, migration in enumerate(migrations) if migration.name == "zones_and_sponsors")
    await execute(database_template, "CREATE DATABASE jejo_old")
    try:
        connection = await connect(database_url(database_template, "jejo_old"))
        await migrate(connection, migrations[:split])
        await connection.execute(OLD_FACTORIES)
        await migrate(connection, migrations)
        zones = await connection.fetch(
            "SELECT zone_id, name, region, changed_in FROM zone JOIN zone_version ON zone.id = zone"
        )
        sponsors = await connection.fetch(
            "SELECT sponsor_id, name FROM sponsor JOIN sponsor_version ON sponsor.id = sponsor"
        )
        assert [tuple(row) for row in zones] == [("Z1", "Z1", "KR-41", 5)]
        assert sorted(tuple(row) for row in sponsors) == [("S2", "S2"), ("S3", "S3")]
        assert await connection.fetchval("SELECT version FROM registry_version") == 5
        counts = await connection.fetch("SELECT factory, machines FROM factory_in_use")
        assert [tuple(row) for row in counts] == [(1, 2)]
        await connection.close()
    finally:
        await execute(database_template, "DROP DATABASE jejo_old WITH (FORCE)")


async def test_a_user_without_privileges_is_told_to_run_the_bootstrap(database_template: str) -> None:
    await execute(database_template, "CREATE ROLE jejo_nobody LOGIN PASSWORD 'secret'")
    try:
        await execute(database_template, "CREATE DATABASE jejo_nobodys OWNER jejo_nobody")
        connection = await connect(
            database_url(database_template, "jejo_nobodys").replace("jejo@", "jejo_nobody:secret@")
        )
        try:
            with pytest.raises(ConfigurationError, match=r"permission denied .*as a superuser of the database"):
                await migrate(connection, read_migrations())
        finally:
            await connection.close()
    finally:
        await execute(database_template, "DROP DATABASE IF EXISTS jejo_nobodys WITH (FORCE)")
        await execute(database_template, "DROP ROLE jejo_nobody")


async def test_a_lost_connection_is_reported(database: str, database_template: str) -> None:
    connection = await connect(database)
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    await execute(database_template, f"SELECT pg_terminate_backend({pid})")
    with pytest.raises(TransientError, match="run `jejo migrate` again"):
        await migrate(connection, read_migrations())
