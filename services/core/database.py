"""Connections to the database: logins, codecs, and the classes of errors that callers handle.

Instants are passed as integers (microseconds since the Unix epoch), so they are never rounded and need no time zone.
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import asyncpg

from services.core.errors import ConfigurationError, TransientError

POSTGRES_EPOCH_US = 946_684_800_000_000

OWNER = "jejo_migrate"
LOGINS = (OWNER, "jejo_ingest", "jejo_analytics", "jejo_api", "jejo_verify", "jejo_status", "jejo_keys", "researcher")
"""Jejo's database users. ``schemas/bootstrap/roles.sql`` creates them; OWNER owns every table."""

USER_PARAMETER = re.compile(r"[?&]user=([^&]*)")
PASSWORD_PARAMETER = re.compile(r"[?&]password=")
CREDENTIALS = re.compile(r"(?<=[?&])(?:user|password)=[^&]*&?")

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InternalClientError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    TimeoutError,
)
"""The server is unavailable or shutting down; whether a pending commit succeeded is unknown.

If the server dies between two messages, the connection stays broken (InternalClientError): open a new one.
"""

CONTENTION = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)
"""The transaction was rolled back because of another one; retry it at once."""

SHORTAGE = (asyncpg.InsufficientResourcesError, asyncpg.PostgresSystemError)
"""The server is out of connections, memory or disk, or its disk fails; back off."""

RETRYABLE = UNAVAILABLE + CONTENTION + SHORTAGE


def address_for(database_url: str, login: str, password: str | None = None) -> str:
    """Return the address with ``login`` as its user and ``password``, unless it has one for that user.

    A password in the address belongs to the user in it, so it is kept only if that user is ``login``.
    """
    scheme, user, server = split_address(database_url)
    has_password = ":" in user or PASSWORD_PARAMETER.search(server) is not None
    if user_in_address(database_url) == login and (has_password or password is None):
        return database_url
    server = CREDENTIALS.sub("", server).rstrip("?&")
    secret = "" if password is None else ":" + quote(password, safe="")
    return f"{scheme}://{quote(login, safe='')}{secret}@{server}"


def user_in_address(database_url: str) -> str | None:
    """Return the user that an address names, if any."""
    _, user, server = split_address(database_url)
    parameter = USER_PARAMETER.search(server)
    name = user.partition(":")[0] or (parameter[1] if parameter else "")
    return unquote(name) or None


def split_address(database_url: str) -> tuple[str, str, str]:
    """Split an address into scheme, user with password (empty if it has none), and the rest."""
    scheme, _, rest = database_url.partition("://")
    user, at, server = rest.partition("@")
    return (scheme, user, server) if at and not {"/", "?"} & set(user) else (scheme, "", rest)


async def connect(
    database_url: str, login: str | None = None, *, application: str = "jejo", search_path: str | None = None
) -> Connection:
    """Open a connection as ``login`` to a migrated database; without ``login``, as the address's user to any database.

    ``search_path`` replaces the user's own from the first query on.

    Raises:
        TransientError: the server is unavailable.
        ConfigurationError: the server refuses the address or the login, or the database has not been migrated.
    """
    settings = {"application_name": application, "TimeZone": "UTC"}
    if search_path is not None:
        settings["search_path"] = search_path
    address = database_url if login is None else address_for(database_url, login)
    try:
        connection = await asyncpg.connect(address, server_settings=settings, timeout=10)
    except asyncpg.ClientConfigurationError as error:
        raise ConfigurationError(f"{error}: correct JEJO_DATABASE_URL.") from error
    except (asyncpg.CannotConnectNowError, *UNAVAILABLE, *SHORTAGE) as error:
        raise TransientError(f"The database does not answer ({error}); check that it runs, or wait for it.") from error
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise ConfigurationError(
            f"The database refuses the login ({error}): run `jejo migrate --bootstrap` as a superuser first, or "
            "correct JEJO_DATABASE_URL or JEJO_DATABASE_PASSWORDS."
        ) from error
    except (asyncpg.PostgresError, ValueError) as error:
        raise ConfigurationError(
            f"The database refuses the connection ({error}); correct JEJO_DATABASE_URL."
        ) from error
    await set_codecs(connection)
    if login is not None:
        await check_tables(connection)
    return connection


async def check_tables(connection: Connection) -> None:
    """Check that the database has Jejo's tables, and close the connection if it has none.

    Logins belong to the whole server, so they can connect to databases that have not been migrated.

    Raises:
        ConfigurationError: the database has not been migrated.
    """
    if await connection.fetchval("SELECT to_regclass('public.schema_migration') IS NULL"):
        await connection.close()
        raise ConfigurationError("The database has no tables yet: run `jejo migrate --bootstrap` on it first.")


async def set_codecs(connection: Connection) -> None:
    """Have ``timestamptz`` encoded from, and decoded to, integer microseconds since the Unix epoch."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda us: (us - POSTGRES_EPOCH_US,),
        decoder=lambda parts: parts[0] + POSTGRES_EPOCH_US,
    )
