"""Connections to the database: as which login, with which codecs, and what an error means for the caller.

Instants cross this boundary as integers (microseconds since the Unix epoch), so nothing is rounded and nothing needs a
time zone.
"""

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import asyncpg

from services.core.errors import ConfigurationError, TransientError

POSTGRES_EPOCH_US = 946_684_800_000_000

OWNER = "jejo_migrate"
LOGINS = (OWNER, "jejo_ingest", "jejo_analytics", "jejo_api", "jejo_verify", "jejo_status", "jejo_keys", "researcher")
"""The database's users of Jejo. ``schemas/bootstrap/roles.sql`` makes them; OWNER owns every table."""

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InternalClientError,
    TimeoutError,
)
"""The server is away or going: nothing is known of a commit under way.

A server that dies between two messages leaves the client in a state of its own (InternalClientError), which lasts: only
another connection helps.
"""

CONTENTION = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)
"""The transaction was rolled back because of another; it may be run again at once."""

SHORTAGE = (asyncpg.InsufficientResourcesError,)
"""The server is out of connections, memory or disk; back off."""

RETRYABLE = AWAY + CONTENTION + SHORTAGE


def address_for(database_url: str, login: str, password: str | None = None) -> str:
    """The address with ``login`` as its user.

    A password in the address belongs to the user in it, so it is kept only where that user is ``login``.
    """
    scheme, user, server = parts_of(database_url)
    if user_of(database_url) == login and (":" in user or password is None):
        return database_url
    secret = "" if password is None else ":" + quote(password, safe="")
    return f"{scheme}://{quote(login, safe='')}{secret}@{server}"


def user_of(database_url: str) -> str | None:
    """The user that an address names, if any."""
    name = parts_of(database_url)[1].partition(":")[0]
    return unquote(name) or None


def parts_of(database_url: str) -> tuple[str, str, str]:
    """Scheme, user with password (empty where there is none), and the rest of an address."""
    scheme, _, rest = database_url.partition("://")
    user, at, server = rest.partition("@")
    return (scheme, user, server) if at and "/" not in user else (scheme, "", rest)


async def connect(database_url: str, login: str | None = None, *, application: str = "jejo") -> Connection:
    """Open a connection as ``login``, or else as the user of the address.

    Raises:
        TransientError: the server cannot be reached now.
        ConfigurationError: the server refuses the address or the login, or the database has no tables for the login.
    """
    settings = {"application_name": application, "TimeZone": "UTC"}
    address = database_url if login is None else address_for(database_url, login)
    try:
        connection = await asyncpg.connect(address, server_settings=settings, timeout=10)
    except asyncpg.ClientConfigurationError as error:
        raise ConfigurationError(f"{error}: correct JEJO_DATABASE_URL.") from error
    except (asyncpg.CannotConnectNowError, *AWAY, *SHORTAGE) as error:
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
    """Close the connection if the database has no tables yet: logins belong to the whole server, so one may get in.

    Raises:
        ConfigurationError: the database was never migrated.
    """
    if await connection.fetchval("SELECT to_regclass('public.schema_migration') IS NULL"):
        await connection.close()
        raise ConfigurationError("The database has no tables yet: run `jejo migrate --bootstrap` on it first.")


async def set_codecs(connection: Connection) -> None:
    """Make ``timestamptz`` an integer of microseconds since the Unix epoch, in both directions."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda us: (us - POSTGRES_EPOCH_US,),
        decoder=lambda parts: parts[0] + POSTGRES_EPOCH_US,
    )
