"""API keys: how one is made, what is kept of it, and which roles there are."""

import hashlib
import re
import secrets

import asyncpg

from services.core.database import Connection
from services.core.errors import ConfigurationError

ROLE = re.compile(r"admin|ministry|researcher|region:KR-(?:11|2[6-9]|3[01]|4[1-9]|50)|factory:[A-Z0-9][A-Z0-9_-]{0,31}")


def hash_secret(secret: str) -> bytes:
    """What the database keeps of a key or token. Each is 256 random bits, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(secret.encode()).digest()


def check_reader(role: str, name: str) -> None:
    """Hold a role's text against the roles that there are, and see that somebody is named readably.

    Raises:
        ConfigurationError: no such role, or no name.
    """
    if not name.strip():
        raise ConfigurationError("--name is empty: name who holds it.")
    if not name.isprintable():
        raise ConfigurationError(f"--name is {name!a}: write characters that can be printed, in UTF-8.")
    if not ROLE.fullmatch(role):
        raise ConfigurationError(f"No role {role!r}: use admin, ministry, researcher, region:KR-48 or factory:ID.")


async def create_api_key(connection: Connection, role: str, name: str) -> str:
    """A new key for a role; only its hash is stored.

    Raises:
        ConfigurationError: no such role, no name, or it is taken.
    """
    check_reader(role, name)
    key = "jejo_" + secrets.token_urlsafe(32)
    try:
        await connection.execute(
            "INSERT INTO api_key (name, role, key_sha256) VALUES ($1, $2, $3)", name, role, hash_secret(key)
        )
    except asyncpg.UniqueViolationError:
        raise ConfigurationError(f"There is a key named {name!r} already: choose another name.") from None
    return key
