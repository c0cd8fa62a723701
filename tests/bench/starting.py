"""How long each service takes from its process's start until ``/readyz`` answers 200, and the memory it holds then."""

import statistics
import time
from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.stacks import Servers, resident_mib
from tests.stack import Stack

STARTS = 3


def figures(servers: Servers) -> Iterator[Figure]:
    """Start each service a few times, one at a time."""
    with servers.stack("bench_starting") as stack:
        for name in ("ingest", "analytics", "api"):
            yield from of_service(stack, name)


def of_service(stack: Stack, name: str) -> Iterator[Figure]:
    """Medians over a few starts of one service."""
    times, memory = [], []
    for _ in range(STARTS):
        began = time.perf_counter()
        service = stack.start(name)
        while not service.is_ready():
            time.sleep(0.01)
        times.append(time.perf_counter() - began)
        memory.append(resident_mib(service))
        service.stop()
    yield Figure(f"start_{name}_s", statistics.median(times), "s")
    yield Figure(f"memory_{name}_mib", statistics.median(memory), "MiB")
