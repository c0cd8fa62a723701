"""Asks Kafka and the database, both at once, how things are."""

import asyncio

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from schemas.wire.codes import Reason
from services.core.database import RETRYABLE, Connection, connect
from services.core.errors import TransientError
from services.core.kafka_compatibility import latest_topic_id
from services.core.migrations import read_migrations
from services.ingest.status import queries
from services.ingest.status.findings import Bus, Count, Findings, Letters, Log, Stored
from services.ingest.status.settings import StatusSettings

ROLE = "jejo_status"
ANSWER_MS = 3000
STATEMENT_TIMEOUT = "5s"
MINUTE_S = 60.0


async def find_out(settings: StatusSettings) -> Findings:
    """Everything that can be had now.

    Raises:
        ConfigurationError: the database refuses the connection, or lacks the role that a migration brings.
    """
    bus, stored = await asyncio.gather(
        asyncio.to_thread(ask_kafka, settings), ask_database(settings), return_exceptions=True
    )
    for answer in (bus, stored):
        if isinstance(answer, BaseException) and not isinstance(answer, TransientError):
            raise answer
    return Findings(
        topic=settings.telemetry_topic,
        program_version=read_migrations()[-1].version,
        bus=bus if isinstance(bus, Bus) else None,
        bus_error=str(bus) if isinstance(bus, TransientError) else None,
        stored=stored if isinstance(stored, Stored) else None,
        stored_error=str(stored) if isinstance(stored, TransientError) else None,
    )


def ask_kafka(settings: StatusSettings) -> Bus:
    """The topic's id and what its partitions hold.

    Raises:
        TransientError: Kafka does not answer.
    """
    servers = settings.kafka_bootstrap_servers
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=servers.split(","),
            client_id="jejo-status",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=ANSWER_MS,
        )
        try:
            found = consumer.partitions_for_topic(settings.telemetry_topic) or ()
            partitions = [TopicPartition(settings.telemetry_topic, partition) for partition in found]
            topic_id = latest_topic_id(consumer, settings.telemetry_topic)
            starts = consumer.beginning_offsets(partitions, timeout_ms=ANSWER_MS) if partitions else {}
            ends = consumer.end_offsets(partitions, timeout_ms=ANSWER_MS) if partitions else {}
        finally:
            consumer.close(autocommit=False)
        logs = {place.partition: Log(starts[place], ends[place]) for place in partitions}
    except (KafkaError, OSError, KeyError) as error:
        raise TransientError(f"Kafka at {servers} does not answer ({error!r}); see that it runs.") from error
    return Bus(topic_id if partitions else None, logs)


async def ask_database(settings: StatusSettings) -> Stored:
    """What ingest and analytics have published in their tables.

    Raises:
        TransientError: the database does not answer.
        ConfigurationError: it refuses the connection.
    """
    connection = await connect(settings.database_url, ROLE, application="jejo status")
    try:
        await connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
        await connection.execute(queries.PLANNING)
        return await read_tables(connection, settings.telemetry_topic)
    except RETRYABLE as error:
        raise TransientError(f"The database went away or is too busy ({error}); run the command again.") from error
    finally:
        connection.terminate()


async def read_tables(connection: Connection, topic: str) -> Stored:
    """One consistent snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        known = await connection.fetchrow(queries.TOPIC, topic)
        offsets = (
            [] if known is None else await connection.fetch(queries.OFFSETS, known["cluster_id"], known["topic_id"])
        )
        recent = await connection.fetchrow(queries.RECENT)
        letters = await connection.fetch(queries.LETTERS, [reason.value for reason in Reason])
        accounted_until = await connection.fetchval(queries.ACCOUNTED_UNTIL)
        waiting = await connection.fetchrow(queries.WAITING_MARKS, accounted_until)
        now_us: int = await connection.fetchval(queries.NOW)
        schema_version: int = await connection.fetchval(queries.SCHEMA_VERSION)
    assert recent is not None
    assert waiting is not None
    whole = recent["records"] < queries.RECORDS
    over_s = MINUTE_S if whole or recent["minute_records"] < queries.RECORDS else max(recent["span_s"], 0.001)
    return Stored(
        now_us=now_us,
        schema_version=schema_version,
        topic_id=None if known is None else known["topic_id"],
        offsets={row["partition"]: row["next_offset"] for row in offsets},
        moved_us=max((row["moved_at"] for row in offsets), default=None),
        records_per_s=recent["minute_records"] / over_s,
        rows_per_s=recent["minute_rows"] / over_s,
        factories_heard=Count(recent["factories"], not whole),
        letters=tuple(
            Letters(row["reason"], *(counted(row[n]) for n in ("last_hour", "total", "waiting"))) for row in letters
        ),
        accounted_until_us=accounted_until,
        marks=Count(waiting["marks"], waiting["at_least"]),
        oldest_mark_us=waiting["oldest"],
    )


def counted(value: int) -> Count:
    """A count that stopped at the most that is counted."""
    return Count(value, value >= queries.COUNTED)
