"""The commands of the API: the server, and the import of a registry."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

IMPORT_HELP = """\
Import a CSV file into the registry: all of it in one transaction, or nothing. Every line goes by the same rules as a
PUT of the API. If a line is wrong, each wrong line is named with its number, field and reason, and the exit code is 2.

The first line names the columns, in any order. The column `thing` says what each line is (enterprise, zone, sponsor,
factory, machine, gateway_key); the others are the ids (enterprise_id, zone_id, sponsor_id, factory_id, machine_id,
key_id) and the fields of PUT bodies. An empty cell is a field left out. Lines may come in any order: a factory may
stand before its enterprise. UTF-8, with or without Excel's byte order mark.
"""
IMPORT_EXAMPLE = """\
example:
  thing,enterprise_id,factory_id,machine_id,name,region,sector,level,kind,automation,in_use_from
  enterprise,E0001,,,Hanbit Precision,,,,,,
  factory,E0001,F000001,,Changwon 2,KR-48,C29,basic,,,
  machine,,F000001,CNC-01,Mazak 1,,,,machining_centre,automatic,2016-01-01
"""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``api`` and ``registry import``."""
    parser = commands.add_parser("api", help="serve KPIs and the registry over HTTP")
    parser.set_defaults(run=run_api)
    registry = commands.add_parser("registry", help="enterprises, zones, sponsors, factories, machines, gateway keys")
    actions = registry.add_subparsers(required=True, metavar="ACTION")
    load = actions.add_parser(
        "import",
        help="import a CSV file, all of it or nothing",
        description=IMPORT_HELP,
        epilog=IMPORT_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    load.add_argument("file", type=Path, metavar="FILE.csv")
    load.add_argument("--dry-run", action="store_true", help="check and count everything, and import nothing")
    load.add_argument(
        "--effective-from",
        metavar="WHEN",
        help="from when lines hold that have no effective_from of their own: RFC 3339, or a date (midnight in "
        "Seoul); default: as a PUT without effective_from",
    )
    load.set_defaults(run=run_import)


def run_api(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; requests under way are finished first."""
    import gc
    import logging

    import uvicorn

    from services.api.app import create_app
    from services.api.settings import ApiSettings
    from services.core.clock import system_clock
    from services.core.logging import configure_logging
    from services.core.settings import read_settings

    settings = read_settings(ApiSettings)
    configure_logging(settings.log_level, settings.log_format)
    app = create_app(settings, system_clock)
    listener = listen(settings.api_host, settings.api_port)
    # What is there now stays for good: the collector need not walk over all of it in the middle of a long answer.
    gc.freeze()
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=10)
    )
    logging.getLogger(__name__).info("listening at %s, port %d", settings.api_host, settings.api_port)
    with listener:
        server.run(sockets=[listener])
    return 0 if server.started else 1


def listen(host: str, port: int) -> "socket.socket":
    """What the server takes connections from.

    Raises:
        ConfigurationError: the address is taken, or not this machine's.
    """
    import socket

    from services.core.errors import ConfigurationError

    # Named, since asyncio sends without delay only where the protocol is known to be TCP.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        return listener
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"The API cannot listen at {host}:{port} ({error.strerror}): set JEJO_API_PORT to another port, or correct "
            "JEJO_API_HOST."
        ) from error


def run_import(args: argparse.Namespace) -> int:
    """Import a file; what became of it goes to standard output, what is wrong with it to standard error."""
    import asyncio
    import sys

    from services.api.instants import parse_instant
    from services.api.registry.importing import BadLines, import_file
    from services.core.clock import system_clock
    from services.core.errors import ConfigurationError
    from services.core.settings import Settings, read_settings

    if args.effective_from is not None:
        try:
            parse_instant(args.effective_from)
        except ValueError as error:
            raise ConfigurationError(f"Correct --effective-from: {error}.") from error
    url = read_settings(Settings).database_url
    work = import_file(url, args.file, args.effective_from, system_clock(), dry_run=args.dry_run)
    try:
        outcomes = asyncio.run(work)
    except BadLines as error:
        print("\n".join(error.lines), file=sys.stderr)
        raise
    for thing, outcome in outcomes.items():
        print(f"{thing}: {outcome.new} new, {outcome.changed} changed, {outcome.unchanged} as before")
    print("dry run: nothing was imported" if args.dry_run else "imported")
    return 0
