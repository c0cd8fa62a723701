"""The lack of kafka-python that Jejo works around is still one."""

from kafka import KafkaConsumer


def test_kafka_python_still_has_no_public_topic_id() -> None:
    """Fails once kafka-python offers one: use that instead of ``latest_topic_id``."""
    public = [name for name in dir(KafkaConsumer) if not name.startswith("_")]
    assert not [name for name in public if "topic_id" in name or "cluster" in name]
