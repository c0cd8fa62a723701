"""What can be wrong with a whole record batch: it cannot be unpacked, or would take more memory than there is."""

from tests.faults.messages import Kind
from tests.faults.workload import CODECS
from tests.faults.world import World
from tests.unreadable_batches import unreadable_batches


def batches(world: World) -> dict[str, int]:
    """Batches that cannot be read come among honest records of every codec, and a worker is killed among them.

    Each is in a partition that honest records are in, too, and followed by some.
    """
    workload = world.workload
    worker = world.one_worker()
    broken = list(unreadable_batches()) * (3 if world.long else 1)
    world.random.shuffle(broken)
    for number, batch in enumerate(broken):
        gateway = world.random.choice(workload.gateways)
        promise = workload.send(workload.composer.compose(Kind.plain, gateway))
        workload.send_unreadable(batch.raw, promise.get(timeout=60).partition)
        for codec in CODECS:
            workload.send(workload.composer.compose(workload.composer.any_kind(), gateway), codec)
            workload.send_one(None, codec)
        if number == len(broken) // 2:
            worker.kill()
            worker = world.start_worker(JEJO_INGEST_GROUP=f"{world.stack.topic}-{world.random.getrandbits(32)}")
    return {"unreadable batches": len(broken)}
