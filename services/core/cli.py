"""The commands that belong to no service: migrate, and keys and login links of API readers."""

import argparse
import asyncio
import re

ROLE_HELP = "admin, ministry, researcher, region:ID or factory:ID"
LONGEST_LINK_MINUTES = 7 * 24 * 60


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``migrate`` and ``keys``."""
    parser = commands.add_parser("migrate", help="bring the database to this program's schema")
    parser.set_defaults(run=run_migrate)

    keys = commands.add_parser("keys", help="keys of API readers").add_subparsers(required=True, metavar="ACTION")
    create = keys.add_parser("create", help="make a key and print it once, alone on standard output")
    create.add_argument("--role", required=True, help=ROLE_HELP)
    create.add_argument("--name", required=True, help="who holds it; unique")
    create.set_defaults(run=run_keys_create)
    link = keys.add_parser("login-link", help="print a link that opens the dashboard for one person, once")
    link.add_argument("--role", required=True, help=ROLE_HELP)
    link.add_argument("--name", required=True, help="who is to log in with it")
    link.add_argument(
        "--url", type=web_address, default="http://127.0.0.1:8000", help="where the dashboard is; default: %(default)s"
    )
    link.add_argument(
        "--valid-minutes", type=link_minutes, default=60, metavar="MINUTES", help="how long it may wait; default: 60"
    )
    link.set_defaults(run=run_keys_login_link)


def web_address(text: str) -> str:
    """Where a link can lead.

    Raises:
        ArgumentTypeError: it is no http or https address.
    """
    if not re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", text):
        raise argparse.ArgumentTypeError("write http://HOST:PORT or https://HOST")
    return text


def link_minutes(text: str) -> int:
    """How long a link may wait to be used.

    Raises:
        ArgumentTypeError: it is no whole number of minutes, or more than a week of them.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LONGEST_LINK_MINUTES):
        raise argparse.ArgumentTypeError(f"write whole minutes, from 1 to {LONGEST_LINK_MINUTES} (a week)")
    return int(text)


def run_migrate(args: argparse.Namespace) -> int:
    """Apply the missing migrations, naming each on standard output."""
    from services.core.database import connect
    from services.core.migrations import migrate, read_migrations
    from services.core.settings import Settings, read_settings

    async def work() -> None:
        connection = await connect(read_settings(Settings).database_url, application="jejo migrate")
        try:
            applied = await migrate(connection, read_migrations())
        finally:
            await connection.close()
        for migration in applied:
            print(f"applied {migration.version:04d} {migration.name}")
        if not applied:
            print("nothing to apply: the schema is up to date")

    asyncio.run(work())
    return 0


def run_keys_create(args: argparse.Namespace) -> int:
    """Make an API key: its hash goes into the database, the key to standard output, once."""
    from services.core.api_keys import create_api_key
    from services.core.database import connect, see_that_tables_are_there
    from services.core.settings import Settings, read_settings

    async def work() -> str:
        connection = await connect(read_settings(Settings).database_url, application="jejo keys")
        try:
            await see_that_tables_are_there(connection)
            return await create_api_key(connection, args.role, args.name)
        finally:
            await connection.close()

    print(asyncio.run(work()))
    return 0


def run_keys_login_link(args: argparse.Namespace) -> int:
    """Make a one-time token: its hash goes into the database, the link that carries it to standard output, once."""
    from services.core.clock import system_clock
    from services.core.database import connect, see_that_tables_are_there
    from services.core.login_tokens import create_login_token
    from services.core.settings import Settings, read_settings
    from services.core.times import MINUTE_US

    async def work() -> str:
        connection = await connect(read_settings(Settings).database_url, application="jejo keys")
        try:
            await see_that_tables_are_there(connection)
            valid_us = args.valid_minutes * MINUTE_US
            return await create_login_token(connection, args.role, args.name, system_clock(), valid_us)
        finally:
            await connection.close()

    # After the #, so that the token never reaches a server's or a proxy's log.
    print(f"{args.url.rstrip('/')}/#login={asyncio.run(work())}")
    return 0
