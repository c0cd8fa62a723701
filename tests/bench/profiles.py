"""``make profile``: where each service spends its time under load, sampled from outside by py-spy.

For each service a flame graph for the browser, and a table of functions by their own time and, of ours, by the time
that includes their calls; both in ``build/profile``.
"""

import argparse
import asyncio
import contextlib
import http.client
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.core.database import connect
from services.core.times import HOUR_US
from tests.bench import accounting, kpi_reads
from tests.bench.country import add_marks
from tests.bench.ingest import speed
from tests.bench.ingest.records import Country
from tests.bench.ingest.rounds import Bench, bench
from tests.bench.stacks import Servers, running_servers
from tests.stack import Service, Stack

FOLDER = Path("build/profile")
PY_SPY = Path(sys.executable).with_name("py-spy")
SAMPLES_PER_S = 200
API_S = 15.0
LINES = 15
OURS = re.compile(r"\((services|schemas)/")
WAITING = "SELECT (SELECT count(*) FROM dirty_mark) + (SELECT count(*) FROM dirty_cohort_hour)"


@dataclass(frozen=True, slots=True)
class Sampled:
    """Samples of one process: in all, by the function on top of the stack, and by functions of ours anywhere on it."""

    samples: int
    own: Counter[str]
    total: Counter[str]


def main() -> None:
    """Profile the services named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.profiles", description="Profile services under load.")
    parser.add_argument("service", nargs="*", choices=[*PROFILES, "all"], default="all", help="default: all")
    named = parser.parse_args().service
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_servers() as servers:
        for name, profile in PROFILES.items():
            if name in named or "all" in named:
                profile(servers)
                report(name)


def profile_ingest(servers: Servers) -> None:
    """One worker reads records that wait in Kafka."""
    with bench(servers, "profile_ingest", Country(speed.FACTORIES)) as here:
        readings = speed.prepare(here, "profile_ingest", instants=1)
        worker = here.stack.start("ingest")
        with recording("ingest", worker):
            asyncio.run(wait_until_read(here, readings, worker))


async def wait_until_read(here: Bench, readings: speed.Readings, worker: Service) -> None:
    owner = await connect(here.stack.database_url)
    try:
        await here.wait_until_read(owner, readings.topic, readings.load.records, [worker])
    finally:
        await owner.close()


def profile_analytics(servers: Servers) -> None:
    """The service accounts some hours of 60,000 machines, all of them marked."""
    with servers.stack("profile_analytics") as stack:
        asyncio.run(mark_everything(stack))
        worker = stack.start("analytics")
        with recording("analytics", worker):
            asyncio.run(wait_until_accounted(stack, worker))


PROFILED_FACTORIES = 3000


async def mark_everything(stack: Stack) -> None:
    owner = await connect(stack.database_url)
    try:
        for start in await accounting.fill(owner, PROFILED_FACTORIES):
            await add_marks(owner, start, start + HOUR_US)
        await owner.execute("ANALYZE; CHECKPOINT")
    finally:
        await owner.close()


async def wait_until_accounted(stack: Stack, worker: Service) -> None:
    owner = await connect(stack.database_url)
    try:
        while await owner.fetchval(WAITING):
            assert worker.process.poll() is None, worker.output
            await asyncio.sleep(0.05)
    finally:
        await owner.close()


def profile_api(servers: Servers) -> None:
    """A client asks typical KPI questions, one after the other."""
    with servers.stack("profile_api") as stack:
        asyncio.run(kpi_reads.fill(stack.database_url))
        stack.start_api()
        connection = http.client.HTTPConnection(stack.api_url.removeprefix("http://"), timeout=60)
        with contextlib.closing(connection), recording("api", stack.services[-1]):
            deadline = time.monotonic() + API_S
            while time.monotonic() < deadline:
                for read in kpi_reads.READS:
                    kpi_reads.ask(connection, stack, read, {}, http.client.OK)


PROFILES: dict[str, Callable[[Servers], None]] = {
    "ingest": profile_ingest,
    "analytics": profile_analytics,
    "api": profile_api,
}


@contextmanager
def recording(name: str, service: Service) -> Iterator[None]:
    """Sample a running service meanwhile, into a flame graph and into a file of stacks.

    Raises:
        AssertionError: py-spy cannot read the process: it needs the right to trace processes of the same user.
    """
    wait_until_readable(service)
    formats = {"flamegraph": f"{name}.svg", "raw": f"{name}.stacks"}
    samplers = [
        subprocess.Popen(
            [
                *(str(PY_SPY), "record", "--nonblocking", "--rate", str(SAMPLES_PER_S)),
                *("--format", form, "--output", str(FOLDER / file), "--pid", str(service.process.pid)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for form, file in formats.items()
    ]
    try:
        yield
    finally:
        for sampler in samplers:
            sampler.send_signal(signal.SIGINT)
        for sampler in samplers:
            _, complaint = sampler.communicate(timeout=60)
            assert sampler.returncode == 0, complaint.decode()


def wait_until_readable(service: Service) -> None:
    """Wait until the process has become Python: only then can py-spy find its stacks."""
    deadline = time.monotonic() + 10
    while True:
        dump = [str(PY_SPY), "dump", "--nonblocking", "--pid", str(service.process.pid)]
        done = subprocess.run(dump, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        assert service.process.poll() is None, service.output
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.05)


def report(name: str) -> None:
    """Print a profile's functions, and write them beside its flame graph."""
    lines = list(table(name, read_stacks((FOLDER / f"{name}.stacks").read_text())))
    (FOLDER / f"{name}.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines), f"(flame graph: {FOLDER / name}.svg)", sep="\n", end="\n\n", flush=True)


def read_stacks(text: str) -> Sampled:
    """Parse py-spy's raw format: a line per stack, outermost frame first, ending with the number of samples."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [frame.rpartition(":")[0] + ")" if ":" in frame else frame for frame in stack.split(";")]
        own[frames[-1] or "(unreadable)"] += int(count)
        total.update({frame: int(count) for frame in frames if OURS.search(frame)})
    return Sampled(sum(own.values()), own, total)


def table(name: str, sampled: Sampled) -> Iterator[str]:
    """The functions with the most time, by their own and in total, as shares of all samples."""
    yield f"{name}: {sampled.samples} samples"
    for title, counts in (("own time", sampled.own), ("total time", sampled.total)):
        yield f"  {title}"
        for function, count in counts.most_common(LINES):
            yield f"  {count / max(1, sampled.samples):6.1%}  {function}"


if __name__ == "__main__":
    main()
