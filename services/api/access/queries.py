"""SQL about API keys, login tokens and sessions. Only hashes of secrets are stored."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.instants import INSTANT
from services.core.times import from_us, to_us

# As `jejo keys` uses them, with asyncpg; the API itself may add neither keys nor tokens.
ADD_API_KEY = "INSERT INTO api_key (name, role, key_sha256) VALUES ($1, $2, $3)"
ADD_LOGIN_TOKEN = """
INSERT INTO login_token (token_sha256, role, name, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5)
"""

api_key = sa.table("api_key", *(sa.column(name) for name in ("role", "name", "key_sha256", "revoked_at")))
session = sa.table(
    "session",
    *(sa.column(name) for name in ("session_sha256", "role", "name")),
    *(sa.column(name, INSTANT) for name in ("created_at", "expires_at", "ended_at")),
)
login_token = sa.table(
    "login_token",
    *(sa.column(name) for name in ("token_sha256", "role", "name")),
    *(sa.column(name, INSTANT) for name in ("expires_at", "used_at")),
)


HOLDER_OF_KEY = sa.select(api_key.c.role, api_key.c.name).where(
    api_key.c.key_sha256 == sa.bindparam("sha256", type_=sa.LargeBinary), api_key.c.revoked_at.is_(None)
)


@dataclass(frozen=True, slots=True)
class Session:
    """An open session, with the hash of its secret."""

    sha256: bytes
    role: str
    name: str
    expires_at_us: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a key, or is invited by a login token."""

    role: str
    name: str


async def read_key(connection: AsyncConnection, sha256: bytes) -> Holder | None:
    """Return who holds a key, or None if the key is unknown or revoked."""
    row = (await connection.execute(HOLDER_OF_KEY, {"sha256": sha256})).one_or_none()
    return None if row is None else Holder(row.role, row.name)


async def read_session(connection: AsyncConnection, sha256: bytes, now_us: int) -> Session | None:
    """Return a session, or None if it is unknown, expired or ended."""
    query = sa.select(session.c.role, session.c.name, session.c.expires_at).where(
        session.c.session_sha256 == sha256, session.c.ended_at.is_(None), session.c.expires_at > from_us(now_us)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Session(sha256, row.role, row.name, to_us(row.expires_at))


async def use_login_token(connection: AsyncConnection, sha256: bytes, now_us: int) -> Holder | None:
    """Mark a token used and return whom it invites, or None if it is unknown, used or expired.

    A second use at the same time waits for the first transaction to end, and then finds the token used.
    """
    statement = (
        sa.update(login_token)
        .where(
            login_token.c.token_sha256 == sha256,
            login_token.c.used_at.is_(None),
            login_token.c.expires_at > from_us(now_us),
        )
        .values(used_at=from_us(now_us))
        .returning(login_token.c.role, login_token.c.name)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Holder(row.role, row.name)


async def add_session(connection: AsyncConnection, opened: Session, now_us: int) -> None:
    """Store a session that begins now."""
    await connection.execute(
        sa.insert(session).values(
            session_sha256=opened.sha256,
            role=opened.role,
            name=opened.name,
            created_at=from_us(now_us),
            expires_at=from_us(opened.expires_at_us),
        )
    )


async def end_session(connection: AsyncConnection, sha256: bytes, now_us: int) -> None:
    """End a session, unless it has ended."""
    await connection.execute(
        sa.update(session)
        .where(session.c.session_sha256 == sha256, session.c.ended_at.is_(None))
        .values(ended_at=from_us(now_us))
    )
