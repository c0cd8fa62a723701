"""Servers that are away when ingest starts, and a topic that is recreated while it is read."""

import asyncio
import json
import time

from kafka.admin import KafkaAdminClient

from services.ingest.stream.topic import open_topic
from tests.databases import database_url, execute
from tests.stack import Sender, Service, Stack, free_port, wait_for

AT = "2017-03-01T00:00:00Z"


def send(sender: Sender, second: int, partition: int = 0) -> None:
    at = f"2017-03-01T00:00:{second:02}Z"
    states = [{"machine_id": "M1", "at": at, "state": "idle"}]
    value = json.dumps({"factory_id": "F1", "gateway_id": "gw-1", "sent_at": at, "states": states}).encode()
    sender.send(value, partition=partition).get(timeout=30)


def exit_of(service: Service) -> int:
    wait_for("the end of the process", lambda: service.process.poll() is not None)
    return int(service.process.returncode)


def test_without_servers_it_waits_and_stops_on_sigterm(stack: Stack) -> None:
    nowhere = free_port()
    no_kafka = stack.start("ingest", JEJO_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{nowhere}")
    no_database = stack.start("ingest", JEJO_DATABASE_URL=f"postgresql://jejo@127.0.0.1:{nowhere}/jejo")
    wait_for("a log line about Kafka", lambda: "Kafka at" in no_kafka.output)
    wait_for("a log line about the database", lambda: "The database does not answer" in no_database.output)
    for service in (no_kafka, no_database):
        assert service.process.poll() is None
        assert service.stop() == 0, service.output
        assert "Traceback" not in service.output


def test_a_database_without_tables_is_reported(stack: Stack) -> None:
    asyncio.run(execute(stack.database_url, "CREATE DATABASE jejo_without_tables"))
    try:
        url = database_url(stack.database_url, "jejo_without_tables")
        service = stack.start("ingest", JEJO_DATABASE_URL=url)
        assert exit_of(service) == 2
        assert "The database has no tables yet: run `jejo migrate --bootstrap`" in service.output
    finally:
        asyncio.run(execute(stack.database_url, "DROP DATABASE jejo_without_tables WITH (FORCE)"))


def test_a_topic_recreated_while_it_is_read_stops_ingest_until_adopted(stack: Stack) -> None:
    stack.start_api()
    sender = stack.register_factory("F1", "M1")
    ingest = stack.start("ingest", JEJO_KAFKA_METADATA_MAX_AGE_MS="1000")
    send(sender, 1)
    stack.wait_until_ingested()
    admin = KafkaAdminClient(bootstrap_servers=stack.kafka.bootstrap)
    admin.create_partitions({stack.topic: 25})
    wait_for("the new partition", lambda: stack.query("SELECT 1 FROM ingest_offset WHERE partition = 24"), 90)
    admin.delete_topics([stack.topic])
    time.sleep(1)
    open_topic(stack.kafka.bootstrap, stack.topic)
    admin.close()
    for second in (2, 3, 4):
        send(sender, second)
    assert exit_of(ingest) == 2
    assert "offsets adopt" in ingest.output
    assert stack.query("SELECT count(*) FROM state_event") == [(1,)]
    assert stack.run("offsets", "adopt").returncode == 0
    stack.start("ingest")
    wait_for("the new topic's facts", lambda: stack.query("SELECT count(*) FROM state_event") == [(4,)])
