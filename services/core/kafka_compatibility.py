"""What Jejo uses of the private parts of kafka-python's consumer; ``kafka_batches`` has those of its record batches.

No other module may touch any.

Each works around a fault, or something missing, of kafka-python 3.0.12. Tests named after the faults
(test_kafka_compatibility in tests/unit and tests/integration) fail with a version of kafka-python that has mended
one: its function can then go.
"""

from kafka import KafkaConsumer


def resume_join(consumer: KafkaConsumer) -> None:
    """Make the next poll continue a group join that the last poll left unfinished. Call it after every poll.

    Fault, in 3.0.12: a group leader that rejoins because the topic's partitions changed records the change as handled
    before the join completes (``ConsumerCoordinator.need_rejoin`` compares the snapshots and turns False). If the
    poll's time runs out in between, no later poll awaits the join, and nothing is fetched any more.

    Requesting a join while one is under way only has that one awaited.
    """
    if is_joining(consumer):
        consumer._coordinator.request_rejoin()


def is_joining(consumer: KafkaConsumer) -> bool:
    """Return whether a join of the consumer's group has begun and not completed."""
    return consumer._coordinator.rejoining


def latest_topic_id(consumer: KafkaConsumer, topic: str) -> str | None:
    """Return the topic's id according to the consumer's newest metadata, or None if that does not have it.

    Lack, in 3.0.12: a consumer fetches by topic id, and so knows before anybody else that a topic was recreated, but
    offers no public way to ask for the id.
    """
    found = consumer._cluster.topic_id(topic)
    return None if found is None else str(found)
