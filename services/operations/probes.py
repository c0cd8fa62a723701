"""Asks Kafka and the database, both at once, for their state."""

import asyncio

from schemas.wire.codes import Reason
from services.analytics import read_backlog
from services.core.clock import system_clock
from services.core.database import RETRYABLE, Connection, connect
from services.core.errors import TransientError
from services.core.migrations import read_migrations
from services.ingest import read_logs, read_open_transactions, read_progress
from services.operations import queries
from services.operations.findings import Bus, Count, DeadLetterCounts, Findings, Stored
from services.operations.settings import StatusSettings

ROLE = "jejo_status"
CLIENT = "jejo-status"
KAFKA_TIMEOUT_MS = 3000
STATEMENT_TIMEOUT = "5s"
MINUTE_S = 60.0
SHORTEST_SPAN_S = 0.001


async def probe_all(settings: StatusSettings) -> Findings:
    """Return what Kafka and the database answer now; of one that does not answer, why.

    Raises:
        ConfigurationError: the database refuses the connection, or lacks the role that a migration creates.
    """
    kafka, stored = await asyncio.gather(
        asyncio.to_thread(probe_kafka, settings), probe_database(settings), return_exceptions=True
    )
    for result in (kafka, stored):
        if isinstance(result, BaseException) and not isinstance(result, TransientError):
            raise result
    return Findings(
        topic=settings.telemetry_topic,
        program_version=read_migrations()[-1].version,
        asked_us=system_clock(),
        kafka=kafka if isinstance(kafka, Bus) else None,
        kafka_error=str(kafka) if isinstance(kafka, TransientError) else None,
        stored=stored if isinstance(stored, Stored) else None,
        stored_error=str(stored) if isinstance(stored, TransientError) else None,
    )


def probe_kafka(settings: StatusSettings) -> Bus:
    """Return the topic's id, the bounds of its logs, and the transactions open in it.

    Raises:
        TransientError: Kafka does not answer.
    """
    servers, topic = settings.kafka_bootstrap_servers, settings.telemetry_topic
    logs = read_logs(servers, topic, client_id=CLIENT, timeout_ms=KAFKA_TIMEOUT_MS)
    return Bus(logs, read_open_transactions(servers, topic, logs, client_id=CLIENT, timeout_ms=KAFKA_TIMEOUT_MS))


async def probe_database(settings: StatusSettings) -> Stored:
    """Return what ingest and analytics have committed.

    Raises:
        TransientError: the database does not answer.
        ConfigurationError: it refuses the connection.
    """
    connection = await connect(settings.database_url, ROLE, application="jejo status")
    try:
        await connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
        await connection.execute(queries.SET_PLANNING)
        return await read_tables(connection, settings.telemetry_topic)
    except RETRYABLE as error:
        raise TransientError(f"The database went away or is too busy ({error}); run the command again.") from error
    finally:
        connection.terminate()


async def read_tables(connection: Connection, topic: str) -> Stored:
    """Read everything in one consistent snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        progress = await read_progress(connection, topic)
        recent = await connection.fetchrow(queries.RECENT_RECORDS)
        letters = await connection.fetch(queries.DEAD_LETTERS, [reason.value for reason in Reason])
        backlog = await read_backlog(connection)
        now_us: int = await connection.fetchval(queries.NOW)
        schema_version: int = await connection.fetchval(queries.SCHEMA_VERSION)
    assert recent is not None
    whole_hour = recent["records"] < queries.RECORDS_READ
    whole_minute = whole_hour or recent["minute_records"] < queries.RECORDS_READ
    span_s = MINUTE_S if whole_minute else max(recent["span_s"], SHORTEST_SPAN_S)
    return Stored(
        now_us=now_us,
        schema_version=schema_version,
        progress=progress,
        records_per_s=recent["minute_records"] / span_s,
        rows_per_s=recent["minute_rows"] / span_s,
        factories_heard=Count(recent["factories"], at_least=not whole_hour),
        dead_letters=tuple(
            DeadLetterCounts(
                reason=row["reason"],
                last_hour=bounded_count(row["last_hour"]),
                total=bounded_count(row["total"]),
                waiting=bounded_count(row["waiting"]),
                counted=row["counted"],
            )
            for row in letters
        ),
        backlog=backlog,
    )


def bounded_count(value: int) -> Count:
    """Return a count of dead letters, which stopped at LETTERS_COUNTED."""
    return Count(value, at_least=value >= queries.LETTERS_COUNTED)
