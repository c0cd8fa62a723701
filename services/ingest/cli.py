"""The commands of ingest: the worker, dead letters, offsets, and how things are."""

import argparse
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from schemas.wire.codes import Reason
from services.ingest.status.command import add_status_command

if TYPE_CHECKING:
    from services.core.database import Connection
    from services.ingest.settings import IngestSettings

T = TypeVar("T")

REASONS = [reason.value for reason in Reason]
LARGEST = 2**63 - 1


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``ingest``, ``status``, ``dead-letters`` and ``offsets``."""
    parser = commands.add_parser("ingest", help="read the telemetry topic into the database, exactly once")
    parser.set_defaults(run=run_ingest)
    add_status_command(commands)
    add_dead_letters(commands.add_parser("dead-letters", help="what could not become a fact"))
    add_offsets(commands.add_parser("offsets", help="how far the topic was read, and the operator's decisions on it"))


def add_dead_letters(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the latest first, a line each")
    listing.add_argument("--reason", choices=REASONS, metavar="CODE", help="only those with this reason code")
    listing.add_argument("--factory", metavar="ID", help="only those that claim this factory")
    listing.add_argument("--limit", type=number, default=100, help="at most so many; default: %(default)s")
    listing.add_argument("--replayed", action="store_true", help="also those that became facts since")
    listing.set_defaults(run=run_list)
    show = actions.add_parser("show", help="everything kept of one, as JSON")
    show.add_argument("id", type=number, help="its number, as `jejo dead-letters list` shows it")
    show.set_defaults(run=run_show)
    replay = actions.add_parser("replay", help="judge them again; what can be a fact now becomes one, once")
    replay.add_argument("id", type=number, nargs="*", help="only these; default: all that wait")
    replay.add_argument("--reason", choices=REASONS, metavar="CODE", help="only those with this reason code")
    replay.add_argument("--factory", metavar="ID", help="only those that claim this factory")
    replay.set_defaults(run=run_replay)


def add_offsets(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="topic, partition, next offset").set_defaults(run=run_offsets_list)
    adopt = actions.add_parser("adopt", help="read the present topic of the configured name, made anew, from its start")
    adopt.set_defaults(run=run_offsets_adopt)
    move = actions.add_parser("move", help="read one partition on from another offset")
    move.add_argument("--partition", type=int, required=True, metavar="N", help="of the topic")
    move.add_argument("--to", type=int, required=True, metavar="OFFSET", help="the next one to read, within the log")
    move.set_defaults(run=run_offsets_move)


def number(text: str) -> int:
    """A whole number that the database can count to.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LARGEST):
        raise argparse.ArgumentTypeError("write a whole number of at least 1")
    return int(text)


def run_ingest(args: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT, then drain and leave the group."""
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
    """Run an action on a connection that works as ingest does."""
    import asyncio

    from services.core.database import RETRYABLE
    from services.core.errors import TransientError
    from services.core.settings import read_settings
    from services.ingest.connection import connect_to_write
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


def run_list(args: argparse.Namespace) -> int:
    from services.ingest.dead_letters import list_dead_letters

    for line in with_connection(
        lambda connection, _: list_dead_letters(
            connection, args.reason, args.factory, args.limit, replayed=args.replayed
        )
    ):
        print(line)
    return 0


def run_show(args: argparse.Namespace) -> int:
    import json

    from services.ingest.dead_letters import show_dead_letter

    print(json.dumps(with_connection(lambda connection, _: show_dead_letter(connection, args.id)), indent=2))
    return 0


def run_replay(args: argparse.Namespace) -> int:
    from services.ingest.replay import Choice, replay

    choice = Choice(args.reason, args.factory, tuple(args.id) or None)
    done = with_connection(
        lambda connection, settings: replay(
            connection,
            choice,
            require_signatures=settings.require_signatures,
            bytes_per_hour=settings.dead_letter_bytes_per_hour,
        )
    )
    print(f"{done.seen} dead letters judged again, {done.turned} turned into facts, {done.rows_stored} rows stored")
    return 0


def run_offsets_list(args: argparse.Namespace) -> int:
    from services.ingest.offsets import list_offsets

    for line in with_connection(lambda connection, _: list_offsets(connection)):
        print(line)
    return 0


def run_offsets_adopt(args: argparse.Namespace) -> int:
    from services.ingest.offsets import adopt_topic
    from services.ingest.topic import open_topic

    async def adopt(connection: "Connection", settings: "IngestSettings") -> None:
        name = open_topic(settings.kafka_bootstrap_servers, settings.telemetry_topic)
        await adopt_topic(connection, name)
        print(f"topic {name.topic} with id {name.topic_id} will be read, where it never was from its start")

    with_connection(adopt)
    return 0


def run_offsets_move(args: argparse.Namespace) -> int:
    from services.ingest.offsets import enter_topic, move_offset
    from services.ingest.topic import log_of, open_topic

    async def move(connection: "Connection", settings: "IngestSettings") -> None:
        name = open_topic(settings.kafka_bootstrap_servers, settings.telemetry_topic)
        log = log_of(settings.kafka_bootstrap_servers, settings.telemetry_topic, args.partition)
        await move_offset(connection, await enter_topic(connection, name), args.partition, args.to, log)
        print(f"partition {args.partition} will be read on from offset {args.to}")

    with_connection(move)
    return 0
