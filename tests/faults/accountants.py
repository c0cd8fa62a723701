"""Processes of ``jejo analytics`` that a test starts quickly, with a clock that the test sets."""

import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from tests.stack import free_port

LEAST_MACHINES = 25
"""From so many machines on a country's hour is accounted at once in these processes, instead of 5000."""
IDLE_MS = 1000
"""How long they may stand still within a transaction, instead of minutes."""
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["services.cli", "services.analytics.worker", "services.analytics.settings", __name__])


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process begins with. Its clock is a file with the microseconds since the epoch."""

    environment: dict[str, str]
    clock: Path
    log: Path
    idle_ms: int | None


def work(settings: Settings) -> None:
    """Become ``jejo analytics``, as the command line starts it, but for its clock and constants."""
    from services.analytics import crowded_hours, worker
    from services.cli import main
    from services.core import clock

    out = os.open(settings.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(out, number)
    os.environ.update(settings.environment)
    crowded_hours.LEAST_MACHINES = LEAST_MACHINES
    if settings.idle_ms is not None:
        worker.IDLE_MS = settings.idle_ms
    clock.system_clock = lambda: int(settings.clock.read_text())
    sys.exit(main(["analytics"]))


@dataclass(frozen=True, slots=True)
class Accountant:
    """A process of ``jejo analytics``."""

    process: BaseProcess
    port: int
    log: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def output(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def check(self) -> None:
        """Check that it runs.

        Raises:
            AssertionError: it has ended.
        """
        assert self.process.is_alive(), f"analytics has ended with {self.process.exitcode}: {self.output[-3000:]}"

    def is_killed(self) -> bool:
        """Return whether it was killed.

        Raises:
            AssertionError: it has ended otherwise.
        """
        if self.process.is_alive():
            return False
        assert self.process.exitcode == -signal.SIGKILL, self.output[-3000:]
        return True

    def metric(self, name: str) -> float:
        """Return the value of one of its metrics; 0 before it serves them."""
        try:
            lines = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5).text.splitlines()
        except httpx.TransportError:
            return 0.0
        return sum(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, if it runs, and wait."""
        self.process.kill()
        self.process.join()


@dataclass
class Office:
    """Starts accountants on one database, and ends them; all have the same clock."""

    folder: Path
    accountants: list[Accountant] = field(default_factory=list)

    @property
    def clock(self) -> Path:
        return self.folder / "clock"

    def set_clock(self, now_us: int) -> None:
        """Set the time of all accountants; none ever reads half of it."""
        new = self.folder / "clock.new"
        new.write_text(str(now_us))
        new.replace(self.clock)

    def start(self, database_url: str, idle_ms: int | None = None) -> Accountant:
        """Start a process, which logs in over this address."""
        port = free_port()
        log = self.folder / f"analytics-{len(self.accountants)}.log"
        environment = {
            "PGPASSFILE": os.environ["PGPASSFILE"],
            "JEJO_DATABASE_URL": database_url,
            "JEJO_ANALYTICS_CYCLE_S": "0.05",
            "JEJO_ANALYTICS_METRICS_PORT": str(port),
        }
        process = CONTEXT.Process(target=work, args=(Settings(environment, self.clock, log, idle_ms),), daemon=True)
        process.start()
        self.accountants.append(Accountant(process, port, log))
        return self.accountants[-1]

    def close(self) -> None:
        """Kill all that still run."""
        for accountant in self.accountants:
            accountant.kill()
            accountant.process.close()
        self.accountants.clear()
