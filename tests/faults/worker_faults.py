"""What can happen to workers: killed, stopped, frozen, joined by others, cut off from the database."""

import asyncio
import signal
import time

import asyncpg

from tests.faults.cuts import Cuts, Moment
from tests.faults.proxy import proxy_of
from tests.faults.world import World
from tests.stack import Service, Stack, wait_for

INGEST_IN_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'jejo ingest' AND datname = current_database()
    AND xact_start IS NOT NULL AND backend_xid IS NOT NULL
"""
KILLS = 8
SESSION_S = 6.0
"""The consumers' session timeout in ``Stack``."""


def wait_for_open_transaction(stack: Stack, seconds: float) -> bool:
    """Watch for a moment at which ingest has written something that is not committed."""

    async def watch() -> bool:
        connection = await asyncpg.connect(stack.database_url)
        try:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                if await connection.fetchval(INGEST_IN_TRANSACTION):
                    return True
            return False
        finally:
            await connection.close()

    return asyncio.run(watch())


def kills(world: World) -> dict[str, int]:
    """Workers are killed: every other one as soon as it has an open transaction, the others at random moments."""
    met = 0
    world.stop_workers()
    for turn in range(KILLS):
        # Each in a group of its own, since a group waits for a killed member until its session times out.
        worker = world.start_worker(JEJO_INGEST_GROUP=f"{world.stack.topic}-{world.random.getrandbits(32)}")
        for _ in range(60):
            world.workload.send_one()
        world.workload.flush()
        wait_for("ingest to read", worker.is_ready)
        if turn % 2 == 0:
            met += wait_for_open_transaction(world.stack, 3)
        else:
            time.sleep(world.random.uniform(0, 0.3))
        worker.kill()
    assert met > 0, "no kill met an open transaction"
    return {"kills": KILLS, "kills in an open transaction": met}


def drains(world: World) -> dict[str, int]:
    """Workers end by SIGTERM under load, each with exit code 0."""
    for _ in range(2):
        world.one_worker()
        world.workload.send_for(1)
        world.stop_workers()
    return {"stops": 2}


def rebalances(world: World) -> dict[str, int]:
    """Two workers share; one leaves, another one joins, and one of them is killed."""
    first, second = world.one_worker(), world.start_worker()
    world.workload.send_for(1)
    wait_for("both workers to share", lambda: first.is_ready() and second.is_ready())
    world.workload.send_for(1)
    assert second.stop() == 0, second.output[-3000:]
    world.workload.send_for(1)
    third = world.start_worker()
    world.workload.send_for(1)
    wait_for("the third worker", third.is_ready)
    first.kill()
    world.workload.send_for(1)
    return {"joins": 2, "leaves": 2}


def zombies(world: World) -> dict[str, int]:
    """A worker is stopped past its session timeout while another one takes over, and goes on as if nothing were."""
    met = 0
    turns = (True, False) if world.long else (True,)
    for in_transaction in turns:
        frozen, other = world.one_worker(), world.start_worker()
        world.workload.send_for(1)
        for worker in (frozen, other):
            wait_for("both workers to share", worker.is_ready)
        met += freeze(world, frozen, in_transaction=in_transaction)
        try:
            world.workload.send_for(SESSION_S + 1, per_second=30)
        finally:
            frozen.process.send_signal(signal.SIGCONT)
        world.workload.send_for(0.5)
        assert frozen.process.poll() is None, frozen.output[-3000:]
        wait_for("the woken worker", frozen.is_ready)
        finish(world, other)
    return {"zombies": len(turns), "with an open transaction": met}


def freeze(world: World, worker: Service, *, in_transaction: bool) -> bool:
    """Stop a worker, if wanted at a moment when it has an open transaction; returns whether it has one."""
    for _ in range(20):
        for _ in range(60):
            world.workload.send_one()
        wait_for_open_transaction(world.stack, 2.0 * in_transaction)
        worker.process.send_signal(signal.SIGSTOP)
        # What another worker has open ends meanwhile.
        time.sleep(0.5)
        is_open = wait_for_open_transaction(world.stack, 0.01)
        if is_open or not in_transaction:
            return is_open
        worker.process.send_signal(signal.SIGCONT)
    raise AssertionError("the worker never had an open transaction when it was stopped")


def finish(world: World, worker: Service) -> None:
    """End a worker in good order."""
    assert worker.stop() == 0, worker.output[-3000:]
    world.running()


def cut_connections(world: World) -> dict[str, int]:
    """The connection to the database breaks within a COPY, before a COMMIT and after one, and stalls."""
    world.stop_workers()
    cuts = Cuts()
    with proxy_of(world.servers.postgres, cuts.watch) as proxy:
        database = world.stack.database_url.replace(f":{world.servers.postgres.port}/", f":{proxy.port}/")
        worker = world.start_worker(JEJO_DATABASE_URL=database)
        wait_for("ingest to read", worker.is_ready)
        for moment in Moment:
            cuts.arm(moment)
            world.workload.send_for(0.3)
            wait_for(f"a connection {moment.name}", lambda: cuts.armed is None)
            world.workload.send_for(0.3)
        world.workload.flush()
        world.stack.wait_until_ingested()
        finish(world, worker)
        return {f"connections {moment.name.lower().replace('_', ' ')}": n for moment, n in cuts.fired.items()}
