"""A database on a small file system of its own, for root alone: it is really full, for WAL and all other files."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.places import create_folder
from tests.faults.server_faults import send_one_day
from tests.faults.world import Servers, postgres_with_small_segments, running_world
from tests.servers import scratch_folder
from tests.stack import wait_for

ROOMY_MB = 2048
SPARE_MB = 6


@contextmanager
def small_file_system() -> Iterator[Path]:
    """Mount a tmpfs, roomy at first, on a temporary folder that the servers' user owns."""
    with scratch_folder() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOMY_MB}m", "tmpfs", str(folder)], check=True)
        try:
            yield create_folder(folder)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(folder: Path, megabytes: int) -> None:
    """Change the size of a tmpfs."""
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(folder)], check=True)


def tmpfs_full(servers: Servers, name: str, seed: int) -> dict[str, int]:
    """The database's file system is full until it is enlarged; the server may have to be restarted then."""
    with (
        small_file_system() as folder,
        postgres_with_small_segments(folder) as postgres,
        running_world(Servers(postgres, servers.kafka), name, seed, long=True) as world,
    ):
        worker = world.one_worker()
        world.workload.send_for(1)
        resize(folder, shutil.disk_usage(folder).used // 1_048_576 + SPARE_MB)
        log = postgres.process.log

        def full() -> bool:
            for _ in range(40):
                send_one_day(world)
            return "No space left on device" in worker.output or shutil.disk_usage(folder).free == 0

        wait_for("the file system to be full", full)
        world.workload.send_for(2)
        assert worker.process.poll() is None, worker.output[-3000:]
        resize(folder, ROOMY_MB)
        if not postgres.process.is_running():
            postgres.process.kill()
            postgres.start()
        panics = log.read_bytes().count(b"PANIC")
        world.settle()
        return {"full file systems": 1, "panics of PostgreSQL": panics}
