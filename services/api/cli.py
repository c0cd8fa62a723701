"""The commands of the API: the server, the import of a registry and of populations, and credentials of its readers."""

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import socket

IMPORT_EXAMPLE = """\
thing,enterprise_id,factory_id,machine_id,name,region,sector,level,kind,automation,in_use_from
enterprise,E0001,,,Hanbit Precision,,,,,,
factory,E0001,F000001,,Changwon 2,KR-48,C29,basic,,,
machine,,F000001,CNC-01,Mazak 1,,,,machining_centre,automatic,2016-01-01
"""
POPULATIONS_EXAMPLE = """\
region,sector,enterprises
KR-48,C25,1840
KR-48,C29,2210
"""
ROLE_HELP = "admin, ministry, researcher, region:ID or factory:ID"
LONGEST_LINK_MINUTES = 7 * 24 * 60
FIRST_HOLIDAYS, LAST_HOLIDAYS = 2000, 2099
"""Years. The lunar calendar, which some holidays follow, is known until 2100."""


@click.command("api")
def run_api() -> int:
    """Serve KPIs and the registry over HTTP.

    Serves until SIGTERM or SIGINT; requests under way are finished first.
    """
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
    """Return a socket bound to the address, for the server to accept connections from.

    Raises:
        ConfigurationError: the address is in use, or not this machine's.
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


@click.group("registry", no_args_is_help=False)
def registry() -> None:
    """Enter factories and their machines in bulk."""


@registry.command("import", epilog="\b\nExample:\n" + textwrap.indent(IMPORT_EXAMPLE, "  "))
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.csv")
@click.option("--dry-run", is_flag=True, help="validate and count everything, and import nothing")
@click.option(
    "--effective-from",
    metavar="WHEN",
    help="when lines take effect that have no effective_from of their own: RFC 3339, or a date (midnight in Seoul); "
    "default: as a PUT without effective_from",
)
def import_csv(file: Path, dry_run: bool, effective_from: str | None) -> int:
    """Import a CSV file, all of it or nothing.

    Everything is imported in one transaction, by the same rules as a PUT of the API. If a line is invalid, each
    invalid line is reported with its number, field and reason, and the exit code is 2.

    The first line names the columns, in any order. The column `thing` says what each line is (enterprise, zone,
    sponsor, factory, calendar, machine, gateway_key); the others are the ids (enterprise_id, zone_id, sponsor_id,
    factory_id, machine_id, key_id) and the fields of PUT bodies. An empty cell is a field left out. Lines may come in
    any order: a factory may stand before its enterprise. UTF-8, with or without Excel's byte order mark.

    The shifts of a calendar are written as mon-fri 08:00-20:00; sat 08:00-12:00, its exceptions as 2026-12-26;
    2026-12-27 08:00-12:00.
    """
    import asyncio
    import gc
    import sys

    from services.api.instants import parse_instant
    from services.api.registry.importing import BadLines, import_file
    from services.api.settings import ApiSettings
    from services.core.clock import system_clock
    from services.core.errors import ConfigurationError
    from services.core.settings import read_settings

    if effective_from is not None:
        try:
            parse_instant(effective_from)
        except ValueError as error:
            raise ConfigurationError(f"Correct --effective-from: {error}.") from error
    url = read_settings(ApiSettings).database_url
    # Millions of objects without cycles stay until the end: looking for cycles among them takes a third of the time.
    gc.disable()
    work = import_file(url, file, effective_from, system_clock(), dry_run=dry_run)
    try:
        outcomes = asyncio.run(work)
    except BadLines as error:
        print("\n".join(error.lines), file=sys.stderr)
        raise
    for thing, outcome in outcomes.items():
        print(f"{thing}: {outcome.new} new, {outcome.changed} changed, {outcome.unchanged} as before")
    print("dry run: nothing was imported" if dry_run else "imported")
    return 0


@click.group("holidays", no_args_is_help=False)
def holidays() -> None:
    """Keep Korea's public holidays up to date."""


@holidays.command("update")
@click.option("--dry-run", is_flag=True, help="print what would change, and change nothing")
@click.option(
    "--from-year",
    type=click.IntRange(FIRST_HOLIDAYS, LAST_HOLIDAYS),
    default=FIRST_HOLIDAYS,
    show_default=True,
    metavar="YEAR",
    help="the first year to update",
)
@click.option(
    "--to-year",
    type=click.IntRange(FIRST_HOLIDAYS, LAST_HOLIDAYS),
    metavar="YEAR",
    help="the last year to update; default: next year",
)
def update_public_holidays(dry_run: bool, from_year: int, to_year: int | None) -> int:
    """Take over public holidays from a library.

    They are Korea's, substitute and one-off ones included, as the package `holidays` has them. Each day that is added
    (+), renamed (~) or removed (-) is printed. Factories whose calendar takes holidays are accounted again for the days
    that are added or removed. Run again, it changes nothing. Run it once a year, and after each release of Jejo, since
    one-off holidays are announced months or weeks ahead.
    """
    import asyncio

    from services.api.registry.holiday_library import public_holidays
    from services.api.registry.holiday_update import update_holidays
    from services.api.settings import ApiSettings
    from services.core.clock import system_clock
    from services.core.errors import ConfigurationError
    from services.core.settings import read_settings
    from services.core.times import seoul_day

    last_year = seoul_day(system_clock()).year + 1 if to_year is None else to_year
    if last_year < from_year:
        raise ConfigurationError(f"Correct --from-year: it must not be after {last_year}, the last year.")
    url = read_settings(ApiSettings).database_url
    wanted = public_holidays(from_year, last_year)
    updated = asyncio.run(update_holidays(url, wanted, from_year, last_year, dry_run=dry_run))
    changes = updated.changes
    for one in changes.added:
        print(f"+ {one}")
    for before, after in changes.renamed:
        print(f"~ {after}, was {before.name_ko} ({before.name_en})")
    for one in changes.removed:
        print(f"- {one}")
    print(f"{len(changes.added)} added, {len(changes.renamed)} renamed, {len(changes.removed)} removed")
    print(f"machines to be accounted again: {updated.machines} (factories: {updated.factories})")
    print("dry run: nothing was changed" if dry_run else "updated")
    return 0


@click.group("programme", no_args_is_help=False)
def programme() -> None:
    """Enter what the programme reports."""


@programme.command("import-populations", epilog="\b\nExample:\n" + textwrap.indent(POPULATIONS_EXAMPLE, "  "))
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.csv")
@click.option("--year", type=click.IntRange(2000, 2199), required=True, metavar="YEAR", help="a year in Seoul")
@click.option("--dry-run", is_flag=True, help="validate and count everything, and import nothing")
def import_population_file(file: Path, year: int, dry_run: bool) -> int:
    """Import a year's population of enterprises.

    All of the file is imported, or nothing. It has the columns `region`, `sector` and `enterprises`, and a line for
    each region and sector. It takes the place of what was reported for the year before, which stays in the history. If
    a line is invalid, each invalid line is reported with its number, field and reason, and the exit code is 2.
    """
    import asyncio
    import getpass
    import sys

    from services.api.programme.population_import import import_populations
    from services.api.registry.importing import BadLines
    from services.api.settings import ApiSettings
    from services.core.clock import system_clock
    from services.core.settings import read_settings

    url = read_settings(ApiSettings).database_url
    by = f"jejo programme import-populations ({getpass.getuser()})"
    try:
        imported = asyncio.run(import_populations(url, file, year, by, system_clock(), dry_run=dry_run))
    except BadLines as error:
        print("\n".join(error.lines), file=sys.stderr)
        raise
    print(f"{year}: {imported.rows} rows, {imported.enterprises} enterprises")
    print("dry run: nothing was imported" if dry_run else "imported")
    return 0


def web_address(text: str) -> str:
    """Return ``text`` if it is the http or https address of a host.

    Raises:
        BadParameter: it is not.
    """
    if not re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", text):
        raise click.BadParameter("write http://HOST:PORT or https://HOST")
    return text


def link_minutes(text: str) -> int:
    """Parse how many minutes a link may wait to be used.

    Raises:
        BadParameter: it is not a whole number from one minute to a week.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LONGEST_LINK_MINUTES):
        raise click.BadParameter(f"write whole minutes, from 1 to {LONGEST_LINK_MINUTES} (a week)")
    return int(text)


@click.group("keys", no_args_is_help=False)
def keys() -> None:
    """Create keys and login links for API readers."""


@keys.command("create")
@click.option("--role", required=True, help=ROLE_HELP)
@click.option("--name", required=True, help="who holds it; unique")
def create_key(role: str, name: str) -> int:
    """Create an API key and print it once.

    The key is alone on standard output; only its hash is stored.
    """
    import asyncio

    from services.api.access.credentials import create_api_key
    from services.api.settings import KeysSettings
    from services.core.database import check_tables, connect
    from services.core.settings import read_settings

    async def work() -> str:
        connection = await connect(read_settings(KeysSettings).database_url, application="jejo keys")
        try:
            await check_tables(connection)
            return await create_api_key(connection, role, name)
        finally:
            await connection.close()

    print(asyncio.run(work()))
    return 0


@keys.command("login-link")
@click.option("--role", required=True, help=ROLE_HELP)
@click.option("--name", required=True, help="who is to log in with it")
@click.option(
    "--url",
    type=web_address,
    default="http://127.0.0.1:8000",
    show_default=True,
    metavar="URL",
    help="where the dashboard is",
)
@click.option(
    "--valid-minutes",
    type=link_minutes,
    default="60",
    show_default=True,
    metavar="MINUTES",
    help="how long the link may wait to be opened",
)
def create_login_link(role: str, name: str, url: str, valid_minutes: int) -> int:
    """Print a link that opens the dashboard for one person, once.

    The link is alone on standard output; only a hash of its token is stored.
    """
    import asyncio

    from services.api.access.credentials import create_login_token
    from services.api.settings import KeysSettings
    from services.core.clock import system_clock
    from services.core.database import check_tables, connect
    from services.core.settings import read_settings
    from services.core.times import MINUTE_US

    async def work() -> str:
        connection = await connect(read_settings(KeysSettings).database_url, application="jejo keys")
        try:
            await check_tables(connection)
            return await create_login_token(connection, role, name, system_clock(), valid_minutes * MINUTE_US)
        finally:
            await connection.close()

    # After the #, so that the token never reaches a server's or a proxy's log.
    print(f"{url.rstrip('/')}/#login={asyncio.run(work())}")
    return 0


COMMANDS: tuple[click.Command, ...] = (run_api, registry, holidays, programme, keys)
