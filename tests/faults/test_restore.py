"""Backups taken under load, and restored: what was sent since is ingested again, and all ends as if nothing had failed.

The commands are those of docs/operations.md, as they stand there.
"""

import asyncio
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.fetch import fetch_timescaledb
from deploy.local.passwords import ADMINISTRATOR, HOST, ensure_passwords
from deploy.local.places import create_folder
from deploy.local.servers import run_as_owner
from services.core.bootstrap import bootstrap
from services.core.migrations import read_migrations
from services.ingest.stream.topic import open_topic
from tests.databases import execute
from tests.faults.law import check_law
from tests.faults.messages import Kind
from tests.faults.reference import ALWAYS
from tests.faults.workload import IN_USE_US, Workload, start_workload
from tests.servers import KafkaServer, PostgresServer, private_postgres
from tests.stack import ROOT, Stack, wait_for

DOCUMENT = (ROOT / "docs/operations.md").read_text()
PROGRAMS = "usr/lib/postgresql/17/bin"
ACCOUNTS = """
SELECT f.factory_id, m.machine_id, h.hour, h.producing_us, h.idle_us, h.faulted_us, h.producing_automatic_us
FROM machine_hour h JOIN machine m ON m.id = h.machine JOIN factory f ON f.id = m.factory
WHERE h.hour < '2018-01-01Z' ORDER BY 1, 2, 3
"""
LATE = "LATE"


def commands(heading: str, number: int = 0) -> str:
    """Return the commands of a section of the document: the numbered one of its blocks."""
    section = DOCUMENT.split(f"\n### {heading}\n", 1)[1].split("\n### ", 1)[0]
    blocks: list[str] = re.findall(r"(?ms)^ *```sh\n(.*?)^ *```$", section)
    return blocks[number]


def environment(server: PostgresServer, backup: Path) -> dict[str, str]:
    """Return the variables that the document assumes, with a ``jejo`` that is this clone's."""
    tools = backup / "bin"
    tools.mkdir(exist_ok=True)
    python = f'cd "{ROOT}" && exec "{ROOT}/.venv/bin/python" -m services "$@"'
    (tools / "jejo").write_text(f"#!/bin/sh\n{python}\n")
    (tools / "jejo").chmod(0o755)
    return {
        "PATH": f"{tools}:{fetch_timescaledb() / PROGRAMS}:{os.environ['PATH']}",
        "PGHOST": HOST,
        "PGPORT": str(server.port),
        "PGUSER": ADMINISTRATOR,
        "PGDATA": str(server.folder / "data"),
        "BACKUP": str(backup),
        "JEJO_DATABASE_URL": server.url,
        "JEJO_DATABASE_PASSWORDS": str(server.passwords),
    }


def run(text: str, server: PostgresServer, backup: Path) -> None:
    """Run commands as the current user; each must succeed."""
    variables = {**os.environ, **environment(server, backup)}
    done = subprocess.run(["sh", "-euc", text], env=variables, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr


def run_as_server(text: str, server: PostgresServer, backup: Path) -> None:
    """Run commands as the user that the server runs as, who cannot read the current user's password file."""
    password = (server.passwords / ADMINISTRATOR).read_text().strip()
    run_as_owner(["sh", "-euc", text], "The command", PGPASSWORD=password, **environment(server, backup))


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of its own, whose database ``jejo`` is migrated."""
    with private_postgres() as found:
        asyncio.run(bootstrap(found.url, read_migrations(), ensure_passwords(found.passwords)))
        yield found


@pytest.fixture
def backup(server: PostgresServer) -> Path:
    """The folder for backups, which both the current user and the server's can write to."""
    return create_folder(server.folder / "backup")


@pytest.fixture
def running(server: PostgresServer, kafka_server: KafkaServer, tmp_path: Path) -> Iterator[Stack]:
    """All services on that server and a topic of its own."""
    topic = f"restore-{os.getpid()}-{server.port}"
    open_topic(kafka_server.bootstrap, topic)
    stack = Stack(server.url, kafka_server, topic, tmp_path)
    try:
        stack.start_api()
        stack.start("ingest")
        stack.start("analytics")
        yield stack
    finally:
        stack.stop()


def fail_after(back_up: Callable[[], None], stack: Stack, workload: Workload) -> list[tuple[object, ...]]:
    """Back up while records are ingested, send and register more, and stop all services. Returns the accounts."""
    workload.send_each_kind()
    workload.send_for(1)
    # In this thread nothing is sent meanwhile, but ingest is behind and works.
    for _ in range(300):
        workload.send_one(Kind.plain)
    back_up()
    workload.send_for(1)
    register_late(stack)
    workload.registered.machines["F0", LATE] = (IN_USE_US, ALWAYS[1])
    for _ in range(5):
        workload.send(workload.composer.of_machine(workload.gateways[0], LATE))
    workload.flush()
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    check_law(stack, workload.outcome())
    accounts = stack.query(ACCOUNTS)
    assert accounts
    for service in stack.services:
        service.stop()
    return accounts


def register_late(stack: Stack) -> None:
    """Register the machine that the backup does not know."""
    stack.register_machine("F0", LATE)


def go_on(stack: Stack, workload: Workload, accounts: list[tuple[object, ...]]) -> None:
    """Start services on the restored database as the document says, and compare everything with before."""
    behind = len(stack.query("SELECT 1 FROM ingest_record"))
    ingest = stack.start("ingest")
    wait_for("ingest to read", ingest.is_ready)
    stack.wait_until_ingested()
    assert len(stack.query("SELECT 1 FROM ingest_record")) > behind > 0
    # The admin's key is in the backup.
    api = stack.start("api")
    stack.api_url = f"http://127.0.0.1:{api.port}"
    wait_for("the API", api.is_ready)
    register_late(stack)
    replayed = stack.run("dead-letters", "replay", "--reason", "unknown_machine")
    assert replayed.returncode == 0, replayed.stderr
    stack.start("analytics")
    stack.wait_until_accounted()
    check_law(stack, workload.outcome())
    assert stack.query(ACCOUNTS) == accounts
    status = stack.run("status", JEJO_STATUS_DEAD_LETTERS_PER_HOUR="1000000")
    assert status.returncode == 0, status.stdout + status.stderr


def test_a_dump_is_restored_on_another_server(running: Stack, server: PostgresServer, backup: Path) -> None:
    workload = start_workload(running)
    text = commands("Back up with pg_dump")
    accounts = fail_after(lambda: run(text, server, backup), running, workload)
    with private_postgres() as other:
        running.database_url = other.url
        run(commands("Restore from backup"), other, backup)
        go_on(running, workload, accounts)
        running.stop()


def test_a_base_backup_is_restored_in_place(running: Stack, server: PostgresServer, backup: Path) -> None:
    workload = start_workload(running)
    access = str(server.folder / "data/pg_hba.conf")
    (line,) = re.findall(r"`(host\sreplication\s[^`]+)`", DOCUMENT)
    run_as_owner(["tee", "-a", access], "Changing pg_hba.conf", text=" ".join(line.split()) + "\n")
    asyncio.run(execute(server.url, "SELECT pg_reload_conf()"))
    text = commands("Back up with pg_basebackup")
    accounts = fail_after(lambda: run_as_server(text, server, backup), running, workload)
    server.stop()
    run_as_server(commands("Restore from backup", 1), server, backup)
    server.start()
    run("jejo migrate --bootstrap", server, backup)
    go_on(running, workload, accounts)
