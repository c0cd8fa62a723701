"""A connection that works as ingest does."""

from services.core.database import Connection, connect

ROLE = "jejo_ingest"


async def connect_to_write(database_url: str, application: str) -> Connection:
    """Connect in ingest's role. Plans are made for the instants asked for, so that only their chunks are locked.

    Raises:
        TransientError: the server cannot be reached now.
        ConfigurationError: the server refuses the connection, or the database has no schema yet.
    """
    connection = await connect(database_url, ROLE, application=application)
    await connection.execute("SET plan_cache_mode = force_custom_plan")
    return connection
