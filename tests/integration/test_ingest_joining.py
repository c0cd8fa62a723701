"""A worker whose polls are shorter than a join of the group joins all the same, and goes on reading."""

import time

from services.ingest.bus import Assignment, finish_joining, make_consumer
from services.ingest.settings import IngestSettings
from services.ingest.topic import open_topic
from tests.stack import Stack

JOINS = 5


def test_a_join_is_finished_however_short_the_polls(stack: Stack) -> None:
    for n in range(JOINS):
        topic = f"{stack.topic}-{n}"
        open_topic(stack.kafka.bootstrap, topic)
        settings = IngestSettings(kafka_bootstrap_servers=stack.kafka.bootstrap, ingest_group=topic)
        consumer = make_consumer(settings)
        try:
            assignment = Assignment(consumer)
            consumer.partitions_for_topic(topic)
            consumer.subscribe([topic], listener=assignment)
            # The leader's first view of the topic is empty, so it joins a second time of its own accord.
            settled_at = time.monotonic() + 1
            deadline = time.monotonic() + 30
            while time.monotonic() < settled_at or consumer._coordinator.rejoining or not consumer.assignment():
                consumer.poll(timeout_ms=1)
                finish_joining(consumer)
                assert time.monotonic() < deadline, "the group was never joined for good"
            consumer.resume(*consumer.assignment())
            stack.producer().send(topic, value=b"{}", key=b"F1").get(timeout=30)
            while not consumer.poll(timeout_ms=50):
                assert time.monotonic() < deadline, "nothing is read any more"
        finally:
            consumer.close(autocommit=False)
