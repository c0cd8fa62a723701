"""Runs rounds of all scenarios, each round with a seed of its own, and keeps the results in a file for later starts."""

import asyncio
import functools
import json
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.places import is_root
from tests.faults.accounting_faults import ACCOUNTING
from tests.faults.accounting_world import accounting_world
from tests.faults.model.run import run_model
from tests.faults.scenarios import SCENARIOS
from tests.faults.small_disk import tmpfs_full
from tests.faults.world import Servers, World, migrated_database, running_world

ROOT = Path(__file__).parents[2]
MODEL = "whatever Hypothesis draws"
MODEL_EXAMPLES = 300
TMPFS = "the file system is full"
"""A scenario for root alone, on a database of its own; the others have the disk full in a way that needs no root."""


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario in one round: what happened, and what broke the law (None: nothing)."""

    seed: int
    scenario: str
    seconds: float
    counts: dict[str, int]
    broken: str | None
    commit: str


def read_results(file: Path) -> list[Result]:
    """Return the results of earlier starts. A last line that was cut off is left out."""
    found = []
    for line in file.read_text().splitlines() if file.exists() else ():
        try:
            found.append(Result(**json.loads(line)))
        except (json.JSONDecodeError, TypeError):
            continue
    return found


def commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def run_round(servers: Servers, seed: int, deadline: float, only: str | None = None) -> Iterator[Result]:
    """Run all scenarios on one world, in the seed's order, then those with worlds of their own, and the model.

    Ends at the deadline, or when the law was broken.

    Args:
        only: run this scenario alone.
    """
    if only in ACCOUNTING:
        yield run_one(only, seed, functools.partial(accounted, servers, only, seed))
        return
    order = random.Random(seed).sample(list(SCENARIOS), len(SCENARIOS)) if only is None else [only]
    with running_world(servers, f"round-{os.getpid()}-{seed}", seed, long=True) as world:
        for name in order:
            if time.monotonic() > deadline:
                return
            result = run_one(name, seed, functools.partial(settled, world, name))
            yield result
            if result.broken is not None:
                return
    if only is not None:
        return
    for name in ACCOUNTING:
        if time.monotonic() < deadline:
            yield run_one(name, seed, functools.partial(accounted, servers, name, seed))
    if time.monotonic() < deadline:
        yield run_one(MODEL, seed, lambda: model(servers, seed))
    if is_root() and time.monotonic() < deadline:
        yield run_one(TMPFS, seed, lambda: tmpfs_full(servers, f"disk-{os.getpid()}-{seed}", seed))


def run_one(name: str, seed: int, scenario: Callable[[], dict[str, int]]) -> Result:
    """Run a scenario and return its result; what it asserts is the law."""
    start, counts, broken = time.monotonic(), {}, None
    try:
        counts = scenario()
    except AssertionError as error:
        # A note of Hypothesis's has the example.
        broken = "\n".join([str(error), *getattr(error, "__notes__", ())])
    return Result(seed, name, round(time.monotonic() - start, 1), counts, broken, commit())


def accounted(servers: Servers, name: str, seed: int) -> dict[str, int]:
    """Run a scenario of analytics on a database of its own."""

    async def run(url: str) -> dict[str, int]:
        async with accounting_world(servers.postgres, url, seed, long=True) as world:
            return await ACCOUNTING[name](world)

    with migrated_database(servers, f"accounts-{os.getpid()}-{seed}") as url:
        return asyncio.run(run(url))


def model(servers: Servers, seed: int) -> dict[str, int]:
    """Run the model on a database of its own."""
    with migrated_database(servers, f"model-{os.getpid()}-{seed}") as url:
        return run_model(servers.postgres, url, examples=MODEL_EXAMPLES, number=seed)


def settled(world: World, name: str) -> dict[str, int]:
    """Run a scenario on a world, and check the law afterwards."""
    counts = SCENARIOS[name](world)
    world.settle()
    return counts


def run_for(servers: Servers, minutes: float, file: Path, only: str | None = None) -> None:
    """Run rounds for a time, of all scenarios or of one, going on with the next seed, and print a line for each."""
    deadline = time.monotonic() + 60 * minutes
    seed = max((result.seed for result in read_results(file)), default=0)
    file.parent.mkdir(exist_ok=True)
    while time.monotonic() < deadline:
        seed += 1
        results = []
        for result in run_round(servers, seed, deadline, only):
            results.append(result)
            with file.open("a") as out:
                out.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
        print(line_of(seed, results), flush=True)


def line_of(seed: int, results: list[Result]) -> str:
    """Return one line about a round."""
    seconds = sum(result.seconds for result in results)
    broken = [f"{result.scenario}: {result.broken}" for result in results if result.broken is not None]
    return f"seed {seed}: {len(results)} scenarios in {seconds:.0f} s, {'; '.join(broken) or 'the law held'}"


def table_of(results: list[Result]) -> str:
    """Return a table of all results: scenario, rounds, how often the law was broken, and what happened in all."""
    lines = [f"{'scenario':<26} {'rounds':>6} {'broken':>6}  counts"]
    for name in (*SCENARIOS, *ACCOUNTING, MODEL, *([TMPFS] if is_root() else [])):
        own = [result for result in results if result.scenario == name]
        counts: Counter[str] = Counter()
        for result in own:
            counts.update(result.counts)
        broken = sum(result.broken is not None for result in own)
        happened = ", ".join(f"{count} {what}" for what, count in counts.items())
        lines.append(f"{name:<26} {len(own):>6} {broken:>6}  {happened}")
    return "\n".join(lines)
