"""What the peers' programs have in common: arguments, the registry's numbers, and reports to the benchmark.

A program prints ``ready`` once it may read, and after each commit how many rows it has stored so far. The benchmark
takes the time of these lines, and ends the program.
"""

import argparse
from dataclasses import dataclass
from typing import Any

import asyncpg

COLUMNS = ("machine", "metric", "at", "value", "revision", "retracted", "record_id")
MACHINES = "SELECT f.factory_id, m.machine_id, m.id FROM machine m JOIN factory f ON f.id = m.factory"


@dataclass(frozen=True, slots=True)
class Arguments:
    """Where a program reads and writes."""

    bootstrap: str
    topic: str
    group: str
    database: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of machines and metrics in the tables."""

    machines: dict[tuple[str, str], int]
    metrics: dict[str, int]


def arguments() -> Arguments:
    """Parse the command line."""
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "topic", "group", "database"):
        parser.add_argument(f"--{name}", required=True)
    return Arguments(**vars(parser.parse_args()))


async def load_numbers(database: str) -> Numbers:
    """Load all numbers once, as nothing changes meanwhile."""
    connection: Any = await asyncpg.connect(database)
    try:
        machines = {(row[0], row[1]): row[2] for row in await connection.fetch(MACHINES)}
        metrics = dict(await connection.fetch("SELECT name, id FROM metric"))
    finally:
        await connection.close()
    return Numbers(machines, metrics)


def report(what: str | int) -> None:
    """Report progress to the benchmark."""
    print(what, flush=True)
