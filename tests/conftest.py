"""Fixtures for all tiers. Servers start when a test first needs them; if they cannot, the test fails."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests.api import api
from tests.community import community_database, community_server
from tests.databases import database, database_template, module_database
from tests.servers import kafka_server, postgres_server
from tests.stack import stack

__all__ = [
    "api",
    "community_database",
    "community_server",
    "database",
    "database_template",
    "kafka_server",
    "module_database",
    "postgres_server",
    "stack",
]

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("default", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_configure(config: pytest.Config) -> None:
    """Remove settings from the environment that would lead tests to other servers than their own."""
    for name in list(os.environ):
        if name.startswith("JEJO_") and name not in ("JEJO_CACHE_DIR", "JEJO_REAL_DATA_DIR"):
            del os.environ[name]
    # The password file for the servers that tests start, which their clients read.
    os.environ["PGPASSFILE"] = str(Path(tempfile.mkdtemp(prefix="jejo-passwords-")) / "pgpass")
    # Its log records of broken connections keep frames, and thus sockets, which a later test would find unclosed.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the password file."""
    shutil.rmtree(Path(os.environ["PGPASSFILE"]).parent, ignore_errors=True)
