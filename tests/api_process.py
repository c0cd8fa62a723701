"""The API as a process of its own, with what it shows of itself: memory, queries under way."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.api.access.credentials import create_api_key
from services.core.database import Connection, connect
from tests.stack import Service, free_port, start_service, wait_for

UNDER_WAY = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'jejo api' AND state = 'active'
"""
OPEN_TRANSACTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'jejo api' AND state <> 'idle'
"""


@dataclass(frozen=True, slots=True)
class ApiProcess:
    """A running API and its address."""

    service: Service
    url: str
    database_url: str

    @property
    def peak_mb(self) -> float:
        """The most memory that the process ever had resident, in MB."""
        status = Path(f"/proc/{self.service.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    async def headers(self, name: str) -> dict[str, str]:
        """Return the headers of a new key of the ministry."""
        connection = await connect(self.database_url)
        try:
            return {"Authorization": f"Bearer {await create_api_key(connection, 'ministry', name)}"}
        finally:
            await connection.close()


@contextmanager
def running_api(database_url: str, folder: Path, **settings: str) -> Iterator[ApiProcess]:
    """Start the API on a free port, wait until it is ready, and stop it afterwards."""
    port = free_port()
    environment = {**os.environ, "JEJO_DATABASE_URL": database_url, "JEJO_API_PORT": str(port), **settings}
    service = start_service(("api",), environment, folder / "api.log", port)
    try:
        wait_for("the API", service.is_ready)
        yield ApiProcess(service, f"http://127.0.0.1:{port}", database_url)
    finally:
        service.stop()


async def queries_under_way(connection: Connection) -> int:
    """Return how many queries of the API the server is executing."""
    return int(await connection.fetchval(UNDER_WAY))


async def open_transactions(connection: Connection) -> int:
    """Return how many of the API's connections are in a query or a transaction."""
    return int(await connection.fetchval(OPEN_TRANSACTIONS))
