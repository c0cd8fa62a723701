"""The registry changes under load: what holds for a record is decided by its receipt."""

import time

from tests.faults.messages import Gateway, Kind, now_us, text_of
from tests.faults.reference import ALWAYS
from tests.faults.workload import IN_USE_US
from tests.faults.world import World

AHEAD_US = 1_500_000


def registry_changes(world: World) -> dict[str, int]:
    """Keys are registered and revoked, machines and factories added, each in force for every record after it.

    A key's end lies a moment ahead, so that its PUT has returned by then: records received before count, others do not.
    """
    workload, stack = world.workload, world.stack
    world.one_worker()
    number = len(workload.registered.keys)
    factory_id = f"G{number}"
    old = workload.register_gateway(factory_id)
    for turn in range(2):
        send_both(world, old, turn)
        key_id = f"k{turn + 2}"
        sender = stack.register_key(factory_id, key_id)
        workload.registered.keys[factory_id, key_id] = ALWAYS
        new = Gateway(factory_id, key_id, sender.seed)
        send_both(world, new, turn)
        # Whole milliseconds, as Kafka's time stamps.
        end_us = (now_us() + AHEAD_US) // 1000 * 1000
        workload.registered.keys[factory_id, old.key_id] = (0, end_us)
        revoke(world, old, end_us)
        assert now_us() < end_us, "the API took too long for this test"
        while now_us() < end_us + 300_000:
            send_both(world, old, turn)
            send_both(world, new, turn)
            time.sleep(0.02)
        machine_id = f"L{turn}"
        stack.register_machine(factory_id, machine_id)
        workload.registered.machines[factory_id, machine_id] = (IN_USE_US, ALWAYS[1])
        for _ in range(5):
            send_of_machine(world, new, machine_id)
        old = new
    return {"keys revoked": 2, "keys registered": 3, "machines registered": 4}


def revoke(world: World, gateway: Gateway, end_us: int) -> None:
    """Register the end of a key with the API, everything else as it was."""
    path = f"/v1/factories/{gateway.factory_id}/gateway-keys/{gateway.key_id}"
    body = world.stack.get(path)
    known = {name: body[name] for name in ("public_key", "valid_from", "valid_to", "compromised_since") if name in body}
    world.stack.put(path, {**known, "revoked_at": text_of(end_us)})


def send_both(world: World, gateway: Gateway, turn: int) -> None:
    """Send what is valid and what has a row of an unknown machine."""
    kind = Kind.unknown_machine if turn and world.random.random() < 0.3 else Kind.plain
    world.workload.send(world.workload.composer.compose(kind, gateway))
    world.workload.send_one()


def send_of_machine(world: World, gateway: Gateway, machine_id: str) -> None:
    world.workload.send(world.workload.composer.of_machine(gateway, machine_id))
