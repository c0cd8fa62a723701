"""Whatever is killed, and whenever: facts, dead letters and accounts are exact in the end."""

import random
import time
from collections.abc import Iterator

import pytest

from tests.databases import create_template, database_url
from tests.faults.workload import check_exactly_once, start_workload
from tests.servers import KafkaServer, PostgresServer, private_kafka, private_postgres
from tests.stack import Service, Stack, wait_for

KILLS = 20
SEEN_IN_TRANSACTION = 5
INGEST_IN_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'jejo ingest' AND datname = current_database()
    AND xact_start IS NOT NULL AND backend_xid IS NOT NULL
"""


def wait_for_open_transaction(stack: Stack, seconds: float) -> bool:
    """Watch for a moment at which ingest has written something that is not committed."""
    import asyncio

    import asyncpg

    async def watch() -> bool:
        connection = await asyncpg.connect(stack.database_url)
        try:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                if await connection.fetchval(INGEST_IN_TRANSACTION):
                    return True
            return False
        finally:
            await connection.close()

    return asyncio.run(watch())


def test_twenty_kills_of_ingest_lose_and_double_nothing(stack: Stack) -> None:
    stack.start_api()
    stack.start("analytics")
    workload = start_workload(stack)
    chance = random.Random(2)
    open_when_killed = 0
    kills = 0
    while kills < KILLS or open_when_killed < SEEN_IN_TRANSACTION:
        assert kills < 60, f"only {open_when_killed} of {kills} kills met an open transaction"
        ingest = stack.start("ingest")
        for _ in range(60):
            workload.send_one()
        workload.flush()
        wait_for("ingest to read", ingest.is_ready)
        if kills % 2 == 0:
            open_when_killed += wait_for_open_transaction(stack, 3)
        else:
            time.sleep(chance.uniform(0, 0.3))
        ingest.kill()
        kills += 1
    print(f"{kills} kills of ingest, {open_when_killed} with an open ingest transaction")
    stack.start("ingest")
    workload.flush()
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    check_exactly_once(stack, workload.expected)


def test_sigterm_drains_and_leaves_nothing_behind(stack: Stack) -> None:
    stack.start_api()
    stack.start("analytics")
    workload = start_workload(stack)
    for _ in range(4):
        ingest = stack.start("ingest")
        wait_for("ingest to read", ingest.is_ready)
        workload.send_for(2)
        assert ingest.stop() == 0, ingest.output
    ingest = stack.start("ingest")
    workload.flush()
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    check_exactly_once(stack, workload.expected)


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    with private_postgres() as server:
        yield server


@pytest.fixture
def own_kafka() -> Iterator[KafkaServer]:
    with private_kafka() as server:
        yield server


# kafka-python leaves the sockets of refused connections to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_kills_of_analytics_postgresql_and_kafka_change_nothing(
    own_postgres: PostgresServer, own_kafka: KafkaServer, tmp_path: "object"
) -> None:
    import asyncio
    from pathlib import Path

    from services.ingest.topic import open_topic
    from tests.databases import TEMPLATE, execute

    asyncio.run(create_template(own_postgres))
    asyncio.run(execute(own_postgres.url, f"CREATE DATABASE jejo_faults TEMPLATE {TEMPLATE} STRATEGY file_copy"))
    open_topic(own_kafka.bootstrap, "telemetry")
    stack = Stack(database_url(own_postgres.url, "jejo_faults"), own_kafka, "telemetry", Path(str(tmp_path)))
    try:
        stack.start_api()
        running = {"ingest": stack.start("ingest"), "analytics": stack.start("analytics")}
        workload = start_workload(stack)

        def restart(name: str) -> Service:
            running[name].kill()
            running[name] = stack.start(name)
            return running[name]

        for turn in range(3):
            workload.send_for(2)
            restart("analytics")
            workload.send_for(1)
            own_postgres.kill()
            workload.send_for(1)
            own_postgres.start()
            workload.send_for(1)
            own_kafka.kill()
            own_kafka.start()
            workload.send_for(1)
            if turn == 1:
                restart("ingest")
        workload.flush()
        stack.wait_until_ingested(180)
        stack.wait_until_accounted()
        for name, service in running.items():
            assert service.process.poll() is None, f"{name} ended: {service.output[-2000:]}"
        check_exactly_once(stack, workload.expected)
    finally:
        stack.stop()
