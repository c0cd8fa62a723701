"""The local stack itself: real servers that survive being killed and leave nothing behind when stopped."""

import asyncio
import os

import asyncpg
from kafka import KafkaConsumer, KafkaProducer

from tests.servers import private_kafka, private_postgres


def is_alive(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")


def execute(url: str, *statements: str) -> list[asyncpg.Record]:
    async def work() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return list(await connection.fetch(statements[-1]))
        finally:
            await connection.close()

    return asyncio.run(work())


def test_timescaledb_makes_hypertables_survives_a_kill_and_stops() -> None:
    with private_postgres() as server:
        made = "SELECT create_hypertable('t', by_range('at'))"
        execute(
            server.url,
            "CREATE EXTENSION timescaledb",
            "CREATE TABLE t (at timestamptz NOT NULL)",
            made,
            "INSERT INTO t VALUES (now()) RETURNING 1",
        )
        server.kill()
        server.start()
        assert execute(server.url, "SELECT count(*) FROM t")[0][0] == 1
        pid = server.pid
    assert not is_alive(pid)


def test_kafka_keeps_what_it_acknowledged_over_a_kill_and_stops() -> None:
    with private_kafka() as server:
        send_and_read(server.bootstrap, b"one", [b"one"])
        server.kill()
        server.start()
        send_and_read(server.bootstrap, b"two", [b"one", b"two"])
        pid = server.pid
    assert not is_alive(pid)


def send_and_read(bootstrap: str, value: bytes, expected: list[bytes]) -> None:
    from services.ingest.topic import open_topic

    open_topic(bootstrap, "t")
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    producer.send("t", value=value, partition=0).get(timeout=60)
    producer.close()
    consumer = KafkaConsumer("t", bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000)
    try:
        assert [next(consumer).value for _ in expected] == expected
    finally:
        consumer.close()
