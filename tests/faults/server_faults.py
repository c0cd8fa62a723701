"""What can happen to the servers: killed and restarted, and a disk that is full for a while."""

import sys
from pathlib import Path

from tests.faults.messages import MINUTE_US, ORIGIN_US, Kind, bytes_of, signed
from tests.faults.reference import Row
from tests.faults.world import World
from tests.stack import wait_for

NO_SPACE = Path(__file__).with_name("no_space.py")
LARGEST_FILE = 2 * 1024 * 1024
"""Where files end while the disk is full; a WAL segment has half of that."""
READINGS = 1000


def postgresql_killed(world: World) -> dict[str, int]:
    """PostgreSQL is killed and restarted under load, and analytics with it."""
    worker = world.one_worker()
    for _ in range(2):
        world.workload.send_for(1)
        world.servers.postgres.kill()
        world.workload.send_for(0.5)
        world.servers.postgres.start()
        world.restart_analytics()
        world.workload.send_for(1)
    wait_for("ingest to read", worker.is_ready)
    return {"kills of PostgreSQL": 2}


def kafka_killed(world: World) -> dict[str, int]:
    """Kafka is killed and restarted under load."""
    worker = world.one_worker()
    world.workload.send_for(1)
    world.servers.kafka.kill()
    world.workload.send_for(0.5)
    world.servers.kafka.start()
    world.workload.send_for(1)
    world.workload.flush()
    wait_for("ingest to read", worker.is_ready)
    return {"kills of Kafka": 1}


def disk_full(world: World) -> dict[str, int]:
    """The database cannot extend a file; ingest waits, and goes on when there is space again.

    The server runs under a filter of system calls by which files end at an offset: see ``no_space.py``. This is the
    only full disk that every user can have; what PostgreSQL makes of ENOSPC is the same.
    """
    postgres = world.servers.postgres
    worker = world.one_worker()
    plain = list(postgres.process.command)
    # The server's user may be unable to read the repository.
    script = postgres.folder / NO_SPACE.name
    script.write_bytes(NO_SPACE.read_bytes())
    script.chmod(0o644)
    postgres.stop()
    postgres.process.command = [str(Path(sys.executable).resolve()), str(script), str(LARGEST_FILE), *plain]
    try:
        postgres.start()
        for _ in range(80):
            send_one_day(world)
        wait_for("the database to be full", lambda: postgres.process.log_contains(b"No space left on device"))
        world.workload.send_for(2)
        assert worker.process.poll() is None, worker.output[-3000:]
        refused = postgres.process.log.read_bytes().count(b"No space left on device")
    finally:
        postgres.process.command = plain
        postgres.kill()
        postgres.start()
    assert worker.process.poll() is None, worker.output[-3000:]
    return {"full disks": 1, "writes refused for lack of space": refused}


def send_one_day(world: World) -> None:
    """Send a record with many readings of one day, so that their chunk's file grows."""
    workload = world.workload
    gateway = workload.gateways[0]
    at = ORIGIN_US + 365 * 1440 * MINUTE_US + workload.sent * READINGS * 1000
    rows = tuple(Row("readings", i, "M1", "load_pct", at + i * 1000, (float(i),)) for i in range(READINGS))
    workload.send(signed(gateway, bytes_of(gateway.factory_id, at, 0, rows), rows=rows))


def everything(world: World) -> dict[str, int]:
    """Nothing fails but what is sent: every kind of record in every codec."""
    world.one_worker()
    world.workload.send_each_kind()
    world.workload.send_each_kind()
    return {"records of every kind and codec": 10 * len(Kind)}
