"""The demo's fleet: its size, and its history, which is sent once, before the present begins."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from tqdm import tqdm

from deploy.local.errors import StackError
from deploy.local.fetch import print_progress
from deploy.local.places import CLONE

TIMEOUT_S = 1800.0
STALLED_AFTER_S = 120.0
"""If nothing changes for this long, something has stopped working."""
STOP_TIMEOUT_S = 10.0

INGESTED = """
SELECT COALESCE(sum(rows_stored::bigint + rows_duplicate + rows_clashed + rows_refused), 0)::bigint FROM ingest_record
"""
# Without the last hour: the fleet keeps sending, so there is always something in it to account.
TO_ACCOUNT = """
WITH until AS (SELECT (SELECT accounted_until - interval '1 hour' FROM analytics_state) AS bound)
SELECT (SELECT count(*) FROM dirty_mark WHERE from_at < bound)
     + (SELECT count(*) FROM dirty_shard WHERE hour < bound)
     + (SELECT count(*) FROM dirty_cohort_hour WHERE hour < bound) FROM until
"""


@dataclass(frozen=True, slots=True)
class FleetSize:
    """The number of factories, and the days of history before today."""

    factories: int
    days: int

    @classmethod
    def from_environment(cls) -> "FleetSize":
        """Return the size set by JEJO_DEMO_FACTORIES (default 300) and JEJO_DEMO_DAYS (default 90).

        Raises:
            StackError: one is not a number, or is too small.
        """
        return cls(
            read_whole_number("JEJO_DEMO_FACTORIES", 300, least=1), read_whole_number("JEJO_DEMO_DAYS", 90, least=0)
        )

    @property
    def arguments(self) -> tuple[str, ...]:
        """The options with which ``jejo gateway simulate`` simulates this fleet."""
        return ("--factories", str(self.factories), "--backfill-days", str(self.days), "--seed", "1")


def read_whole_number(name: str, default: int, *, least: int) -> int:
    """Return a number from the environment.

    Raises:
        StackError: it is not a whole number of at least ``least``.
    """
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or int(text) < least:
        raise StackError(f"{name}={text}: write a whole number of at least {least}.")
    return int(text)


def send_history(running: ExitStack, size: FleetSize, progress: Path, environment: Mapping[str, str]) -> None:
    """Register the fleet unless it is registered, and send the history not sent yet, with progress bars.

    Raises:
        StackError: a command failed.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    simulate = ("gateway", "simulate", *size.arguments, "--until", now, "--progress", str(progress))
    registry = progress.with_suffix(".csv")
    # The file exists from before the import until it has succeeded, so that an interrupted import is repeated.
    if registry.exists() or not progress.exists():
        print_progress(f"Registering {size.factories} factories ...")
        registry.touch()
        run_jejo(running, environment, *simulate, "--registry-csv", str(registry))
        run_jejo(running, environment, "registry", "import", str(registry))
        registry.unlink()
        print_progress(f"Sending the history of their last {size.days} days ...")
    else:
        print_progress("Sending what the fleet did since the last start ...")
    run_jejo(running, environment, *simulate)


def run_jejo(running: ExitStack, environment: Mapping[str, str], *arguments: str) -> None:
    """Run a command of ``jejo`` to its end. Its standard error is ours, so that its progress bars are seen.

    Raises:
        StackError: the command failed.
    """
    command = [sys.executable, "-m", "services", *arguments]
    process = subprocess.Popen(command, cwd=CLONE, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    running.callback(stop, process)
    if process.wait() != 0:
        raise StackError(f"`jejo {' '.join(arguments[:2])}` failed; the reason is above.")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Terminate a process, and kill it if it does not end. Does nothing if it has ended."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_accounted(progress: Path, database_url: str, check_services: Callable[[], None]) -> None:
    """Wait until all rows sent so far are ingested and in the KPIs, with a progress bar.

    Args:
        check_services: raises if a service that is needed has ended.

    Raises:
        StackError: nothing has changed for too long, or it takes too long altogether.
    """
    sent = int(json.loads(progress.read_bytes())["rows"])
    shape = "{desc}: {percentage:3.0f} % |{bar}| {n:,.0f} of {total:,.0f} rows{postfix} [{elapsed}]"
    deadline = time.monotonic() + TIMEOUT_S
    seen, seen_at = (0, 0), time.monotonic()
    with tqdm(total=sent, desc="ingesting", bar_format=shape, disable=None) as bar:
        while True:
            check_services()
            ingested, left = asyncio.run(read_progress(database_url))
            bar.update(max(0, min(ingested, sent) - bar.n))
            bar.set_postfix_str(f"{left:,} marks to account" if left else "")
            if ingested >= sent and left == 0:
                return
            if (ingested, left) != seen:
                seen, seen_at = (ingested, left), time.monotonic()
            if time.monotonic() > min(deadline, seen_at + STALLED_AFTER_S):
                raise StackError(f"Of {sent} rows {ingested} were ingested, and nothing moves: see the services' logs.")
            time.sleep(0.5)


async def read_progress(database_url: str) -> tuple[int, int]:
    """Return the number of rows that ingest has processed, and of marks that analytics has not."""
    connection = await asyncpg.connect(database_url)
    try:
        return int(await connection.fetchval(INGESTED)), int(await connection.fetchval(TO_ACCOUNT))
    finally:
        await connection.close()
