"""The commands of ingest: the worker, dead letters and offsets."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from schemas.wire.codes import Reason

if TYPE_CHECKING:
    from services.core.database import Connection
    from services.ingest.settings import IngestSettings

T = TypeVar("T")

LARGEST = 2**63 - 1
REASON = click.Choice([reason.value for reason in Reason])


def positive_number(text: str) -> int:
    """Parse a whole number of at least 1 that fits a bigint.

    Raises:
        BadParameter: it is not one.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LARGEST):
        raise click.BadParameter("write a whole number of at least 1")
    return int(text)


@click.command("ingest")
def run_ingest() -> int:
    """Read the telemetry topic into the database, exactly once.

    Works until SIGTERM or SIGINT, then drains and leaves the group.
    """
    import signal
    import threading

    from services.core.logging import configure_logging
    from services.core.settings import read_settings
    from services.ingest.settings import IngestSettings
    from services.ingest.worker import run_worker

    settings = read_settings(IngestSettings)
    configure_logging(settings.log_level, settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_worker(settings, stop.is_set)
    return 0


def with_connection(work: "Callable[[Connection, IngestSettings], Awaitable[T]]") -> T:
    """Run ``work`` on a connection with ingest's role and settings.

    Raises:
        TransientError: the database went away.
    """
    import asyncio

    from services.core.database import RETRYABLE
    from services.core.errors import TransientError
    from services.core.settings import read_settings
    from services.ingest.database import connect_to_write
    from services.ingest.settings import IngestSettings

    async def run() -> T:
        settings = read_settings(IngestSettings)
        connection = await connect_to_write(settings.database_url, "jejo operator")
        try:
            return await work(connection, settings)
        except RETRYABLE as error:
            raise TransientError(f"The database went away ({error}); run the command again.") from error
        finally:
            await connection.close()

    return asyncio.run(run())


@click.group("dead-letters", no_args_is_help=False)
def dead_letters() -> None:
    """Show and replay what could not become a fact."""


@dead_letters.command("list")
@click.option("--reason", type=REASON, metavar="CODE", help="only those with this reason code")
@click.option("--factory", metavar="ID", help="only those that claim this factory")
@click.option(
    "--limit", type=positive_number, default="100", show_default=True, metavar="N", help="show at most this many"
)
@click.option("--replayed", is_flag=True, help="also show those that have become facts since")
def list_waiting(reason: str | None, factory: str | None, limit: int, replayed: bool) -> int:
    """List dead letters, the latest first, one per line."""
    from services.ingest.letters.dead_letters import list_dead_letters

    for line in with_connection(
        lambda connection, _: list_dead_letters(connection, reason, factory, limit, replayed=replayed)
    ):
        print(line)
    return 0


@dead_letters.command("counts")
@click.option("--reason", type=REASON, metavar="CODE", help="only those with this reason code")
@click.option(
    "--limit", type=positive_number, default="100", show_default=True, metavar="N", help="show at most this many"
)
def counts(reason: str | None, limit: int) -> int:
    """List dead letters that were only counted.

    One line per hour of receipt, partition and reason, the latest first.
    """
    from services.ingest.letters.dead_letters import list_counts

    for line in with_connection(lambda connection, _: list_counts(connection, reason, limit)):
        print(line)
    return 0


@dead_letters.command("show")
@click.argument("number", type=positive_number, metavar="ID")
def show(number: int) -> int:
    """Print everything stored of one dead letter as JSON.

    ID is its number, as `jejo dead-letters list` shows it.
    """
    import json

    from services.ingest.letters.dead_letters import show_dead_letter

    print(json.dumps(with_connection(lambda connection, _: show_dead_letter(connection, number)), indent=2))
    return 0


@dead_letters.command("replay")
@click.argument("numbers", type=positive_number, nargs=-1, metavar="[ID]...")
@click.option("--reason", type=REASON, metavar="CODE", help="only those with this reason code")
@click.option("--factory", metavar="ID", help="only those that claim this factory")
def replay_waiting(numbers: tuple[int, ...], reason: str | None, factory: str | None) -> int:
    """Judge dead letters again and store what is now valid, once.

    Without IDs, all that wait are replayed.
    """
    from services.ingest.letters.replay import Choice, replay

    choice = Choice(reason, factory, numbers or None)
    done = with_connection(
        lambda connection, settings: replay(
            connection,
            choice,
            require_signatures=settings.require_signatures,
            limits=settings.letter_limits,
        )
    )
    print(f"{done.seen} dead letters judged again, {done.turned} turned into facts, {done.rows_stored} rows stored")
    return 0


@click.group("offsets", no_args_is_help=False)
def offsets() -> None:
    """Show and change how far the topic has been read."""


@offsets.command("list")
def list_stored() -> int:
    """List topic, partition and next offset."""
    from services.ingest.stream.offsets import list_offsets

    for line in with_connection(lambda connection, _: list_offsets(connection)):
        print(line)
    return 0


@offsets.command("adopt")
def adopt_recreated() -> int:
    """Read the recreated topic of the configured name from its start."""
    from services.ingest.stream.offsets import adopt_topic
    from services.ingest.stream.topic import open_topic

    async def adopt(connection: "Connection", settings: "IngestSettings") -> None:
        name = open_topic(settings.kafka_bootstrap_servers, settings.telemetry_topic)
        await adopt_topic(connection, name)
        print(f"topic {name.topic} with id {name.topic_id} will be read, from its start if it never was before")

    with_connection(adopt)
    return 0


@offsets.command("move")
@click.option("--partition", type=int, required=True, metavar="N", help="a partition of the topic")
@click.option("--to", "offset", type=int, required=True, metavar="OFFSET", help="the next to read, within the log")
def move(partition: int, offset: int) -> int:
    """Read one partition on from another offset."""
    from services.ingest.stream.offsets import enter_topic, override_offset
    from services.ingest.stream.topic import log_of, open_topic

    async def work(connection: "Connection", settings: "IngestSettings") -> None:
        name = open_topic(settings.kafka_bootstrap_servers, settings.telemetry_topic)
        log = log_of(settings.kafka_bootstrap_servers, settings.telemetry_topic, partition)
        await override_offset(connection, await enter_topic(connection, name), partition, offset, log)
        print(f"partition {partition} will continue at offset {offset}")

    with_connection(work)
    return 0


COMMANDS: tuple[click.Command, ...] = (run_ingest, dead_letters, offsets)
