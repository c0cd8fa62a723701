"""Who is asking, and what they may see. A route without a rule of its own answers nobody.

A program shows an API key with each request; a browser shows the cookie of a session. A browser sends its cookie also
where another site made it ask, so a cookie only reads: what changes anything needs a key.
"""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from services.api.database import Databases, databases_of
from services.api.problems import Problem
from services.core.api_keys import hash_secret
from services.core.times import from_us, to_us

COOKIE = "jejo_session"
READING = ("GET", "HEAD")

bearer = HTTPBearer(auto_error=False, description="An API key, as `jejo keys create` prints it.")
cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="A session, as POST /v1/sessions sets it; it reads.")

INSTANT = sa.TIMESTAMP(timezone=True)
api_key = sa.table("api_key", sa.column("role"), sa.column("key_sha256"), sa.column("revoked_at"))
session = sa.table(
    "session",
    *(sa.column(name) for name in ("session_sha256", "role", "name")),
    *(sa.column(name, INSTANT) for name in ("created_at", "expires_at", "ended_at")),
)


class RoleKind(StrEnum):
    """What a key was made for."""

    ADMIN = "admin"
    MINISTRY = "ministry"
    RESEARCHER = "researcher"
    REGION = "region"
    FACTORY = "factory"


@dataclass(frozen=True, slots=True)
class Reader:
    """The holder of a key. ``subject`` is the region or factory that the role is about."""

    kind: RoleKind
    subject: str | None = None

    @property
    def sees_everything(self) -> bool:
        return self.kind in (RoleKind.ADMIN, RoleKind.MINISTRY)

    def sees_factory(self, factory_id: str, region: str | None) -> bool:
        """Whether the factory's own data are for this reader; ``region`` is where it is now, None if unknown."""
        if self.kind is RoleKind.FACTORY:
            return factory_id == self.subject
        if self.kind is RoleKind.REGION:
            return region is not None and region == self.subject
        return self.sees_everything


def parse_role(text: str) -> Reader:
    """The reader of a stored role."""
    kind, _, subject = text.partition(":")
    return Reader(RoleKind(kind), subject or None)


@dataclass(frozen=True, slots=True)
class Session:
    """An open session, and the hash that finds it."""

    sha256: bytes
    role: str
    name: str
    expires_at_us: int


Secret = Annotated[str | None, Depends(cookie)]
BearerToken = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
Pools = Annotated[Databases, Depends(databases_of)]


def unauthorised(detail: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": "Bearer"})


async def open_session(request: Request, secret: Secret, databases: Pools) -> Session | None:
    """The session of the request's cookie, while it lasts."""
    if not secret:
        return None
    sha256 = hash_secret(secret)
    query = sa.select(session.c.role, session.c.name, session.c.expires_at).where(
        session.c.session_sha256 == sha256,
        session.c.ended_at.is_(None),
        session.c.expires_at > from_us(request.app.state.clock()),
    )
    async with databases.write.connect() as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else Session(sha256, row.role, row.name, to_us(row.expires_at))


async def authenticate(request: Request, token: BearerToken, secret: Secret, databases: Pools) -> Reader:
    """The holder of the key that the request carries, or without one the person whose session it is.

    Raises:
        Problem: 401, there is neither, or it is not valid; 403, a session wants to change something.
    """
    if token is not None:
        query = sa.select(api_key.c.role).where(
            api_key.c.key_sha256 == hash_secret(token.credentials), api_key.c.revoked_at.is_(None)
        )
        async with databases.write.connect() as connection:
            role = (await connection.execute(query)).scalar_one_or_none()
        if role is not None:
            return parse_role(role)
    elif (found := await open_session(request, secret, databases)) is not None:
        if request.method not in READING:
            raise Problem(HTTPStatus.FORBIDDEN, "A session only reads; send an API key as `Authorization: Bearer KEY`.")
        return parse_role(found.role)
    raise unauthorised(
        "Send a valid API key as `Authorization: Bearer KEY`, which `jejo keys create` makes, "
        "or log in with a link, which `jejo keys login-link` makes."
    )


AnyReader = Annotated[Reader, Depends(authenticate)]


def forbidden() -> Problem:
    return Problem(HTTPStatus.FORBIDDEN, "Your key's role may not do this; ask for a key with another role.")


async def admin_only(request: Request, reader: AnyReader) -> Reader:
    """Let admins through.

    Raises:
        Problem: 403.
    """
    if reader.kind is not RoleKind.ADMIN:
        raise forbidden()
    return reader


Admin = Annotated[Reader, Depends(admin_only)]
