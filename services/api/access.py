"""Who is asking, and what they may see. A route without a rule of its own answers nobody."""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.api.database import Databases, databases_of
from services.api.problems import Problem
from services.core.api_keys import hash_api_key

bearer = HTTPBearer(auto_error=False, description="An API key, as `jejo keys create` prints it.")
api_key = sa.table("api_key", sa.column("role"), sa.column("key_sha256"), sa.column("revoked_at"))


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


async def authenticate(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    databases: Annotated[Databases, Depends(databases_of)],
) -> Reader:
    """The holder of the key that the request carries.

    Raises:
        Problem: 401, there is no key or it is not valid.
    """
    if credentials is not None:
        query = sa.select(api_key.c.role).where(
            api_key.c.key_sha256 == hash_api_key(credentials.credentials), api_key.c.revoked_at.is_(None)
        )
        async with databases.write.connect() as connection:
            role = (await connection.execute(query)).scalar_one_or_none()
        if role is not None:
            return parse_role(role)
    raise Problem(
        HTTPStatus.UNAUTHORIZED,
        "Send a valid API key as `Authorization: Bearer KEY`; `jejo keys create` makes one.",
        {"WWW-Authenticate": "Bearer"},
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
