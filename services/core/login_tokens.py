"""One-time login tokens: how one is made, and what is kept of it. The API trades one for a session."""

import secrets

from services.core.api_keys import check_reader, hash_secret
from services.core.database import Connection

ADD = """
INSERT INTO login_token (token_sha256, role, name, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5)
"""


async def create_login_token(connection: Connection, role: str, name: str, now_us: int, valid_us: int) -> str:
    """A new token that opens one session of a role, within ``valid_us`` microseconds; only its hash is stored.

    Raises:
        ConfigurationError: no such role, or no name.
    """
    check_reader(role, name)
    token = secrets.token_urlsafe(32)
    await connection.execute(ADD, hash_secret(token), role, name, now_us, now_us + valid_us)
    return token
