"""The command that belongs to no service: migrate."""

import click


@click.command("migrate")
@click.option("--bootstrap", "as_superuser", is_flag=True, help="first prepare the database, as a superuser")
def migrate_database(as_superuser: bool) -> int:
    """Bring the database to this program's schema.

    Prints the name of each migration applied. With --bootstrap it first creates or updates TimescaleDB's extension,
    creates the services' logins and restricts the extension's functions. That is needed once for each version of
    TimescaleDB and of this program.
    """
    import asyncio

    from services.core.bootstrap import bootstrap, check_bootstrap
    from services.core.database import connect
    from services.core.migrations import Migration, migrate, read_migrations
    from services.core.settings import MigrationSettings, Settings, read_settings

    async def prepare_and_migrate() -> list[Migration]:
        settings = read_settings(Settings)
        return await bootstrap(settings.database_url, read_migrations(), settings.read_passwords())

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


COMMANDS: tuple[click.Command, ...] = (migrate_database,)
