"""Connections to the database: as which role, with which codecs, and what an error means for the caller.

Instants cross this boundary as integers (microseconds since the Unix epoch), so nothing is rounded and nothing needs a
time zone.
"""

from typing import TYPE_CHECKING

import asyncpg

from services.core.errors import ConfigurationError, TransientError

POSTGRES_EPOCH_US = 946_684_800_000_000

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


async def connect(database_url: str, role: str | None = None, *, application: str = "jejo") -> Connection:
    """One connection that works as ``role`` (none: as the user of the address).

    Raises:
        TransientError: the server cannot be reached now.
        ConfigurationError: the server refuses the address, the user or the role, or a role finds no tables.
    """
    settings = {"application_name": application, "TimeZone": "UTC"}
    if role is not None:
        settings["role"] = role
    try:
        connection = await asyncpg.connect(database_url, server_settings=settings, timeout=10)
    except asyncpg.ClientConfigurationError as error:
        raise ConfigurationError(f"{error}: correct JEJO_DATABASE_URL.") from error
    except (asyncpg.CannotConnectNowError, *AWAY, *SHORTAGE) as error:
        raise TransientError(f"The database does not answer ({error}); see that it runs, or wait for it.") from error
    except (asyncpg.UndefinedObjectError, asyncpg.InvalidParameterValueError) as error:
        raise ConfigurationError(f"{error}: run `jejo migrate` on this database first.") from error
    except (asyncpg.PostgresError, ValueError) as error:
        raise ConfigurationError(
            f"The database refuses the connection ({error}); correct JEJO_DATABASE_URL."
        ) from error
    await set_codecs(connection)
    if role is not None:
        await see_that_tables_are_there(connection)
    return connection


async def see_that_tables_are_there(connection: Connection) -> None:
    """Roles belong to the whole server, so that a database without tables may let them in. Closes it then.

    Raises:
        ConfigurationError: there are none.
    """
    if await connection.fetchval("SELECT to_regclass('public.schema_migration') IS NULL"):
        await connection.close()
        raise ConfigurationError("The database has no tables yet: run `jejo migrate` on it first.")


async def set_codecs(connection: Connection) -> None:
    """Make ``timestamptz`` an integer of microseconds since the Unix epoch, in both directions."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda us: (us - POSTGRES_EPOCH_US,),
        decoder=lambda parts: parts[0] + POSTGRES_EPOCH_US,
    )
