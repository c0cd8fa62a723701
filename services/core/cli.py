"""The commands that belong to no service: migrate, and keys and login links of API readers."""

import re

import click

ROLE_HELP = "admin, ministry, researcher, region:ID or factory:ID"
LONGEST_LINK_MINUTES = 7 * 24 * 60


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


@click.command("migrate")
@click.option("--bootstrap", "as_superuser", is_flag=True, help="first prepare the database, as a superuser")
def migrate_database(as_superuser: bool) -> int:
    """Bring the database to this program's schema.

    Prints the name of each migration applied. With --bootstrap it first creates or updates TimescaleDB's extension,
    makes the services' logins and closes the extension's functions: once for each version of TimescaleDB and of this
    program.
    """
    import asyncio

    from services.core.bootstrap import bootstrap, check_bootstrap
    from services.core.database import connect
    from services.core.migrations import Migration, migrate, read_migrations
    from services.core.settings import MigrationSettings, Settings, read_settings

    async def prepare_and_migrate() -> list[Migration]:
        settings = read_settings(Settings)
        return await bootstrap(settings.database_url, read_migrations(), settings.passwords_of_logins())

    async def migrate_as_owner() -> list[Migration]:
        connection = await connect(read_settings(MigrationSettings).database_url, application="jejo migrate")
        try:
            await check_bootstrap(connection)
            return await migrate(connection, read_migrations())
        finally:
            await connection.close()

    async def work() -> None:
        applied = await (prepare_and_migrate() if as_superuser else migrate_as_owner())
        for migration in applied:
            print(f"applied {migration.version:04d} {migration.name}")
        if not applied:
            print("nothing to apply: the schema is up to date")

    asyncio.run(work())
    return 0


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

    from services.core.api_keys import create_api_key
    from services.core.database import check_tables, connect
    from services.core.settings import KeysSettings, read_settings

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

    from services.core.clock import system_clock
    from services.core.database import check_tables, connect
    from services.core.login_tokens import create_login_token
    from services.core.settings import KeysSettings, read_settings
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


COMMANDS: tuple[click.Command, ...] = (migrate_database, keys)
