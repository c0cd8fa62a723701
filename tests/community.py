"""TimescaleDB's Community edition for tests: PostgreSQL in WebAssembly, which serves one connection at a time.

It is slow, has no background workers and stores nothing on disk, but it runs that edition's own SQL.
"""

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.fetch import is_complete, locked, print_progress
from deploy.local.places import cache_folder
from deploy.local.process import Process, free_port
from tests.databases import execute

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "tests/community_edition"
FILES = (".npmrc", "package.json", "package-lock.json", "serve.mjs")
EMPTY = """
TRUNCATE state_event, count_event, reading, fact_revision, fact_day, ingest_record, dirty_mark, dead_letter,
    dead_letter_spent, dead_letter_count, ingest_offset, ingest_topic, factory, machine, metric RESTART IDENTITY CASCADE
"""


def fetch_community_edition() -> Path:
    """Return a folder of the cache with the server and its npm packages, which are downloaded if they are missing."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is missing: install Node.js 18 or newer (Debian: apt-get install nodejs npm).")
    stamp = hashlib.sha256(b"".join((SOURCES / name).read_bytes() for name in FILES)).hexdigest()
    whole = cache_folder() / "community-edition"
    folder = whole / stamp[:16]
    if is_complete(folder, stamp):
        return folder
    with locked(whole):
        if not is_complete(folder, stamp):
            print_progress("TimescaleDB's Community edition in WebAssembly: downloading 24 MB of packages")
            folder.mkdir(exist_ok=True)
            for name in FILES:
                shutil.copyfile(SOURCES / name, folder / name)
            done = subprocess.run(["npm", "ci"], cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                pytest.fail(
                    f"npm cannot fetch the Community edition: check the network and npm's settings.\n{done.stderr}"
                )
            (folder / ".stamp").write_text(stamp)
    return folder


@contextmanager
def running_community(log: Path) -> Iterator[str]:
    """Start a Community edition database, migrated by ``jejo migrate --bootstrap``, and stop it afterwards."""
    folder = fetch_community_edition()
    port = free_port()
    command = ["node", str(folder / "serve.mjs"), str(port)]
    server = Process(
        "TimescaleDB in WebAssembly", command, log, lambda: server.log_contains(b"ready"), ready_timeout_s=120
    )
    server.start()
    url = f"postgresql://postgres@127.0.0.1:{port}/jejo?sslmode=disable"
    environment = {**os.environ, "JEJO_DATABASE_URL": url}
    migrate = [sys.executable, "-m", "services", "migrate", "--bootstrap"]
    done = subprocess.run(migrate, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    try:
        yield url
    finally:
        server.stop()


@pytest.fixture(scope="session")
def community_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the session's one Community edition database."""
    with running_community(tmp_path_factory.mktemp("community") / "server.log") as url:
        yield url


@pytest.fixture
def community_database(community_server: str) -> str:
    """The same, emptied of facts and registry."""
    asyncio.run(execute(community_server, EMPTY))
    return community_server
