"""The commands that belong to no service: migrate, and keys of API readers."""

import argparse
import asyncio


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``migrate`` and ``keys``."""
    parser = commands.add_parser("migrate", help="bring the database to this program's schema")
    parser.set_defaults(run=run_migrate)

    keys = commands.add_parser("keys", help="keys of API readers").add_subparsers(required=True, metavar="ACTION")
    create = keys.add_parser("create", help="make a key and print it once, alone on standard output")
    create.add_argument("--role", required=True, help="admin, ministry, researcher, region:ID or factory:ID")
    create.add_argument("--name", required=True, help="who holds it; unique")
    create.set_defaults(run=run_keys_create)


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
    from services.core.database import connect
    from services.core.settings import Settings, read_settings

    async def work() -> str:
        connection = await connect(read_settings(Settings).database_url, application="jejo keys")
        try:
            return await create_api_key(connection, args.role, args.name)
        finally:
            await connection.close()

    print(asyncio.run(work()))
    return 0
