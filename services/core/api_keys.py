"""API keys: how one is made, what is kept of it, and which roles there are."""

import hashlib
import re
import secrets

import asyncpg

from services.core.database import Connection
from services.core.errors import ConfigurationError

REGION = "KR-(?:11|2[6-9]|3[01]|4[1-9]|50)"
"""ISO 3166-2:KR."""
ROLE = re.compile(f"admin|ministry|researcher|region:{REGION}|factory:[A-Z0-9][A-Z0-9_-]{{0,31}}")
LONGEST_NAME = 128


def hash_secret(secret: str) -> bytes:
    """What the database keeps of a key or token. Each is 256 random bits, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(secret.encode()).digest()


def check_role(role: str) -> None:
    """Hold a role's text against the roles that there are.

    Raises:
        ConfigurationError: no such role.
    """
    if not ROLE.fullmatch(role):
        raise ConfigurationError(f"No role {role!r}: use admin, ministry, researcher, region:KR-48 or factory:ID.")


def check_name(name: str) -> None:
    """Hold the name of whoever holds a key or link against what a list of them can show.

    Raises:
        ConfigurationError: it is empty, too long or not printable.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigurationError(f"No name {name[:40]!a}: write 1 to {LONGEST_NAME} printable characters in UTF-8.")


async def create_api_key(connection: Connection, role: str, name: str) -> str:
    """A new key for a role; only its hash is stored.

    Raises:
        ConfigurationError: no such role or name, or the name is taken.
    """
    check_role(role)
    check_name(name)
    key = "jejo_" + secrets.token_urlsafe(32)
    try:
        await connection.execute(
            "INSERT INTO api_key (name, role, key_sha256) VALUES ($1, $2, $3)", name, role, hash_secret(key)
        )
    except asyncpg.UniqueViolationError:
        raise ConfigurationError(f"There is a key named {name!r} already: choose another name.") from None
    return key
