"""What can happen to the topic: truncated by retention, recreated, with transactions aborted and left open."""

import re

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from services.ingest.stream.topic import open_topic
from tests.faults.messages import Gateway, Kind
from tests.faults.world import World
from tests.stack import Service, wait_for

MOVE = re.compile(r"jejo offsets move --partition (\d+) --to (\d+)")
STORED = """
SELECT o.partition, o.next_offset FROM ingest_offset o JOIN ingest_topic t USING (cluster_id, topic_id)
WHERE t.topic = $1 AND t.retired_at IS NULL
"""
LAST_PARTITION = 23


def exits_with(worker: Service, text: str) -> str:
    """Wait until a worker has stopped because a person must decide, and return what it printed."""
    wait_for("the end of the worker", lambda: worker.process.poll() is not None)
    assert worker.process.returncode == 2, worker.output[-3000:]
    assert text in worker.output, worker.output[-3000:]
    return worker.output


def retention(world: World) -> dict[str, int]:
    """The log loses records before they are read: ingest stops, and goes on as the command that it names says."""
    workload, stack = world.workload, world.stack
    world.one_worker()
    world.stop_workers()
    for kind in (Kind.plain, Kind.bad_json, Kind.unknown_machine, Kind.revised) * 2:
        for gateway in workload.gateways[:2]:
            workload.send(workload.composer.compose(kind, gateway))
    ends: dict[int, int] = {}
    for delivery in workload.deliveries():
        topic, partition, offset = delivery.place
        if topic == workload.topic:
            ends[partition] = max(ends.get(partition, 0), offset + 1)
    stored = dict(stack.query(STORED, stack.topic))
    behind = {partition: end for partition, end in ends.items() if end > stored[partition] + 1}
    # The last record of each log is still there.
    starts = {partition: end - 1 for partition, end in behind.items()}
    admin = KafkaAdminClient(bootstrap_servers=stack.kafka.bootstrap)
    try:
        admin.delete_records({TopicPartition(stack.topic, partition): start for partition, start in starts.items()})
    finally:
        admin.close()
    lost = sum(workload.lose(workload.topic, p, range(stored[p], start)) for p, start in starts.items())
    moved: dict[int, int] = {}
    for _ in starts:
        output = exits_with(world.start_worker(), "records are missing")
        command = MOVE.search(output)
        assert command is not None, output
        done = stack.run(*command[0].split()[1:])
        assert done.returncode == 0, done.stderr
        moved[int(command[1])] = int(command[2])
    assert moved == starts
    return {"truncated partitions": len(starts), "records lost by the log": lost}


def recreated(world: World) -> dict[str, int]:
    """The topic is recreated and grows past the old offsets: ingest stops, and reads it once it is adopted."""
    workload, stack = world.workload, world.stack
    lonely = workload.register_gateway(f"R{workload.topic}")
    send_to_last_partition(world, lonely, 3)
    world.one_worker()
    workload.flush()
    stack.wait_until_ingested()
    world.stop_workers()
    before = dict(stack.query(STORED, stack.topic))[LAST_PARTITION]
    admin = KafkaAdminClient(bootstrap_servers=stack.kafka.bootstrap)
    try:
        admin.delete_topics([stack.topic])
        wait_for("the end of the topic", lambda: stack.topic not in [t["name"] for t in admin.describe_topics()])
    finally:
        admin.close()
    open_topic(stack.kafka.bootstrap, stack.topic)
    workload.topic += 1
    send_to_last_partition(world, lonely, before + 5)
    workload.flush()
    exits_with(world.start_worker(), "jejo offsets adopt")
    done = stack.run("offsets", "adopt")
    assert done.returncode == 0, done.stderr
    return {"recreated topics": 1}


def send_to_last_partition(world: World, gateway: Gateway, count: int) -> None:
    for _ in range(count):
        world.workload.send(world.workload.composer.compose(Kind.plain, gateway), None, LAST_PARTITION)


def transactions(world: World) -> dict[str, int]:
    """Transactions are committed, aborted, and left open: only what was committed is there, once, if later."""
    workload = world.workload
    composer, gateway = workload.composer, workload.gateways[0]
    world.one_worker()
    with workload.transactional(5000) as producer:
        for commit in (True, False, True, False):
            producer.begin_transaction()
            for _ in range(5):
                message = composer.compose(Kind.plain, gateway)
                promise = producer.send(workload.stack.topic, message.value, message.key, list(message.headers))
                if commit:
                    workload.expect(message, promise)
            producer.flush(timeout=60)
            workload.send_one(Kind.repeated if commit else Kind.plain)
            if commit:
                producer.commit_transaction()
            else:
                producer.abort_transaction()
        producer.begin_transaction()
        message = composer.compose(Kind.plain, gateway)
        producer.send(workload.stack.topic, message.value, message.key, list(message.headers))
        producer.flush(timeout=60)
        # Honest records behind the open transaction wait with it.
        workload.send_for(2, per_second=30)
    # The next producer of the same transactions ends the open one.
    with workload.transactional(5000):
        pass
    return {"aborted transactions": 2, "transactions left open": 1}
