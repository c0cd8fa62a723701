"""How long each service takes from its process's start until it is ready, and the memory that it holds then.

A service is ready when it says so: ingest where it reads on from, analytics that it accounts, the API by ``/readyz``.
"""

import http.client
import statistics
import time
from collections.abc import Callable, Iterator

from tests.bench.figures import Figure
from tests.bench.stacks import Servers, resident_mib
from tests.stack import Service, Stack, free_port

STARTS = 3


def figures(servers: Servers) -> Iterator[Figure]:
    """Start each service a few times, one at a time."""
    with servers.stack("bench_starting") as stack:
        yield from of_service(stack, "ingest", lambda service: "reading on from" in service.output)
        yield from of_service(stack, "analytics", lambda service: "accounting as" in service.output)
        port = free_port()
        yield from of_service(stack, "api", lambda _: answers(port), JEJO_API_PORT=str(port))


def of_service(stack: Stack, name: str, is_ready: Callable[[Service], bool], **environment: str) -> Iterator[Figure]:
    """Medians over a few starts of one service."""
    times, memory = [], []
    for _ in range(STARTS):
        began = time.perf_counter()
        service = stack.start(name, **environment)
        while not is_ready(service):
            assert service.process.poll() is None, service.output
            time.sleep(0.01)
        times.append(time.perf_counter() - began)
        memory.append(resident_mib(service))
        service.stop()
    yield Figure(f"start_{name}_s", statistics.median(times), "s")
    yield Figure(f"memory_{name}_mib", statistics.median(memory), "MiB")


def answers(port: int) -> bool:
    """Whether the API says that it is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
