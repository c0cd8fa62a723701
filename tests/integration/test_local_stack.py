"""Tests of the local stack: its servers survive a kill, require passwords and leave no process behind."""

import asyncio
import os
import shutil
import socket
from pathlib import Path

import asyncpg
import pytest
from kafka import KafkaConsumer, KafkaProducer

from deploy.local import servers
from deploy.local.errors import StackError
from deploy.local.passwords import pgpass_file
from deploy.local.process import free_port, require_free_port
from deploy.local.servers import run_as_owner
from tests.servers import PostgresServer, private_kafka, private_postgres


def is_alive(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")


def execute(
    url: str, *statements: str, password: str | None = None, passfile: Path | None = None
) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url, password=password, passfile=str(passfile) if passfile else None)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return list(await connection.fetch(statements[-1]))
        finally:
            await connection.close()

    return asyncio.run(run())


def test_timescaledb_creates_hypertables_survives_a_kill_and_stops() -> None:
    with private_postgres() as server:
        execute(
            server.url,
            "CREATE EXTENSION timescaledb",
            "CREATE TABLE t (at timestamptz NOT NULL)",
            "SELECT create_hypertable('t', by_range('at'))",
            "INSERT INTO t VALUES (now()) RETURNING 1",
        )
        server.kill()
        server.start()
        assert execute(server.url, "SELECT count(*) FROM t")[0][0] == 1
        pid = server.pid
    assert not is_alive(pid)


@pytest.mark.parametrize("user", ["jejo", "postgres", "jejo_api", "researcher"])
def test_postgresql_rejects_other_users_of_the_machine(
    postgres_server: PostgresServer, database: str, tmp_path: Path, user: str
) -> None:
    """Another user connects from the same address, but without the password file."""
    for password in (None, "guess"):
        with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
            execute(database.replace("jejo@", f"{user}@"), "SELECT 1", password=password, passfile=tmp_path / "none")
    folder = postgres_server.passwords
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())


@pytest.mark.parametrize("other", ["postgres", "template1"])
def test_postgresql_admits_only_the_superuser_to_databases_that_are_not_ours(
    postgres_server: PostgresServer, database: str, other: str
) -> None:
    """In them, every user may create temporary tables and large objects."""
    url = postgres_server.url.rsplit("/", 1)[0] + f"/{other}"
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match=r"no pg_hba\.conf entry"):
        execute(url.replace("jejo@", "researcher@"), "SELECT 1")
    assert execute(url, "SELECT 1")[0][0] == 1


def test_an_old_data_folder_without_passwords_is_upgraded(tmp_path: Path) -> None:
    with private_postgres() as server:
        execute(server.url, "CREATE TABLE kept ()", "SELECT 1")
        server.stop()
        shutil.rmtree(server.passwords)
        hba = server.folder / "data/pg_hba.conf"
        hba.write_text("host all all 127.0.0.1/32 trust\n")
        server.start()
        assert "scram-sha-256" in hba.read_text()
        assert execute(server.url, "SELECT to_regclass('kept')::text")[0][0] == "kept"
        with pytest.raises(asyncpg.InvalidPasswordError):
            execute(server.url, "SELECT 1", passfile=tmp_path / "none")


def test_lost_passwords_are_replaced_even_if_the_first_attempt_is_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(command: list[str], what: str, **options: str) -> str:
        if "--single" in command:
            raise StackError("interrupted")
        return run_as_owner(command, what, **options)

    with private_postgres() as server:
        server.stop()
        (server.passwords / "jejo").write_text("")
        with monkeypatch.context() as interrupting:
            interrupting.setattr(servers, "run_as_owner", interrupted)
            with pytest.raises(StackError, match="interrupted"):
                server.start()
        server.start()
        assert execute(server.url, "SELECT 1")[0][0] == 1
        assert (server.folder / "data/pg_hba.conf").read_text() == servers.ACCESS


def test_kafka_keeps_acknowledged_records_after_a_kill_and_stops() -> None:
    with private_kafka() as server:
        send_and_read(server.bootstrap, b"one", [b"one"])
        server.kill()
        server.start()
        send_and_read(server.bootstrap, b"two", [b"one", b"two"])
        pid = server.pid
    assert not is_alive(pid)


def send_and_read(bootstrap: str, value: bytes, expected: list[bytes]) -> None:
    from services.ingest.stream.topic import open_topic

    open_topic(bootstrap, "t")
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    producer.send("t", value=value, partition=0).get(timeout=60)
    producer.close()
    consumer = KafkaConsumer("t", bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000)
    try:
        assert [next(consumer).value for _ in expected] == expected
    finally:
        consumer.close()


def test_a_port_in_use_names_the_setting() -> None:
    require_free_port(free_port(), "Kafka", "set X")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StackError, match=r"which Kafka needs, is in use: stop the program there, or set X\."):
            require_free_port(taken.getsockname()[1], "Kafka", "set X")


def test_a_private_server_leaves_no_password_behind() -> None:
    with private_postgres() as server:
        entry = f"127.0.0.1:{server.port}:"
        assert entry in pgpass_file().read_text()
    assert entry not in (pgpass_file().read_text() if pgpass_file().exists() else "")
