"""Creates API keys and one-time login tokens. Only hashes of them are stored."""

import hashlib
import re
import secrets

import asyncpg

from services.api.access.queries import ADD_API_KEY, ADD_LOGIN_TOKEN
from services.core.database import Connection
from services.core.errors import ConfigurationError

ROLE = re.compile(r"admin|ministry|researcher|region:KR-(?:11|2[6-9]|3[01]|4[1-9]|50)|factory:[A-Z0-9][A-Z0-9_-]{0,31}")


def hash_secret(secret: str) -> bytes:
    """Return what is stored of a secret. It has 256 random bits, so a plain SHA-256 cannot be reversed by guessing."""
    return hashlib.sha256(secret.encode()).digest()


def check_holder(role: str, name: str) -> None:
    """Check the role and the name of the person or program that a credential is for.

    Raises:
        ConfigurationError: if the role does not exist, or the name is empty or cannot be printed.
    """
    if not name.strip():
        raise ConfigurationError("--name is empty: name who holds it.")
    if not name.isprintable():
        raise ConfigurationError(f"--name is {name!a}: write characters that can be printed, in UTF-8.")
    if not ROLE.fullmatch(role):
        raise ConfigurationError(f"No role {role!r}: use admin, ministry, researcher, region:KR-48 or factory:ID.")


async def create_api_key(connection: Connection, role: str, name: str) -> str:
    """Create a key for a role and return it.

    Raises:
        ConfigurationError: if role or name is invalid, or the name is taken.
    """
    check_holder(role, name)
    key = "jejo_" + secrets.token_urlsafe(32)
    try:
        await connection.execute(ADD_API_KEY, name, role, hash_secret(key))
    except asyncpg.UniqueViolationError:
        raise ConfigurationError(f"There is a key named {name!r} already: choose another name.") from None
    return key


async def create_login_token(connection: Connection, role: str, name: str, now_us: int, valid_us: int) -> str:
    """Create a token that opens one session, within ``valid_us`` microseconds from now, and return it.

    Raises:
        ConfigurationError: if role or name is invalid.
    """
    check_holder(role, name)
    token = secrets.token_urlsafe(32)
    await connection.execute(ADD_LOGIN_TOKEN, hash_secret(token), role, name, now_us, now_us + valid_us)
    return token
