"""How long it takes to register a country: 30,000 factories with 20 machines and a key each."""

import asyncio
import resource
import time
from collections.abc import Iterator

from services.core.database import connect
from services.core.times import FIRST_INSTANT_US, SECOND_US, seoul_day
from services.simulator.fleet import make_fleet
from services.simulator.registration import fleet_entries, register_fleet, write_import_file
from tests.bench.country import ADD_KEYS, register
from tests.bench.figures import Figure
from tests.bench.stacks import Servers
from tests.stack import Stack

FACTORIES = 30_000
MACHINES = 20
SEED = 1
HTTP_FACTORIES = 20


def figures(servers: Servers) -> Iterator[Figure]:
    """Register the same country in each way: as a file, in SQL, and a small part of it over HTTP."""
    name = f"register_{FACTORIES}"
    with servers.stack("bench_registering") as stack:
        took, cpu = import_file(stack)
        yield Figure(f"ingest.{name}_s", took, "s", "60")
        yield Figure(f"ingest.{name}_client_cpu_s", cpu, "s")
    with servers.stack("bench_registering_sql") as stack:
        yield Figure(f"ingest.{name}_in_sql_s", asyncio.run(in_sql(stack)), "s", "60")
    with servers.stack("bench_registering_http") as stack:
        yield Figure("registry_puts_per_s", over_http(stack), "PUT/s")


def import_file(stack: Stack) -> tuple[float, float]:
    """Run ``jejo registry import``; return its seconds from start to end, and its processor seconds."""
    file = stack.folder / "country.csv"
    write_import_file(file, SEED, make_fleet(SEED, FACTORIES, MACHINES), seoul_day(FIRST_INSTANT_US), ())
    before, began = children_cpu_s(), time.perf_counter()
    done = stack.run("registry", "import", str(file))
    took = time.perf_counter() - began
    assert done.returncode == 0, done.stderr
    check(stack, FACTORIES)
    return took, children_cpu_s() - before


def children_cpu_s() -> float:
    """Processor seconds of the processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def in_sql(stack: Stack) -> float:
    """Register as other benchmarks do, without a file; return the seconds."""
    owner = await connect(stack.database_url)
    try:
        began = time.perf_counter()
        await register(owner, FACTORIES, str(MACHINES), 600 * SECOND_US)
        await owner.execute(ADD_KEYS, bytes(32))
        return time.perf_counter() - began
    finally:
        await owner.close()


def over_http(stack: Stack) -> float:
    """Register a small fleet as the simulator does; return requests per second."""
    stack.start_api()
    fleet, day = make_fleet(SEED, HTTP_FACTORIES, MACHINES), seoul_day(FIRST_INSTANT_US)
    requests = sum(1 for _ in fleet_entries(SEED, fleet, day, ()))
    began = time.perf_counter()
    register_fleet(stack.api_url, stack.admin_key, SEED, fleet, day)
    return requests / (time.perf_counter() - began)


def check(stack: Stack, factories: int) -> None:
    """Assert that everything is registered, with spans in use and counts."""
    (found,) = stack.query("""
        SELECT (SELECT count(*) FROM factory), (SELECT count(*) FROM machine), (SELECT count(*) FROM gateway_key),
               (SELECT count(DISTINCT machine) FROM machine_span), (SELECT sum(machines) FROM factory_in_use)
    """)
    machines = factories * MACHINES
    assert found == (factories, machines, factories, machines, machines), found
