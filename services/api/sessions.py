"""Sessions of browsers: one is opened with a login link's token, told whose it is, and ended."""

import secrets
from http import HTTPStatus
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.access import (
    COOKIE,
    INSTANT,
    BearerToken,
    Pools,
    Session,
    open_session,
    session,
    unauthorised,
)
from services.api.instants import Instant
from services.core.api_keys import hash_secret
from services.core.times import HOUR_US, SECOND_US, from_us

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

SESSION_US = 12 * HOUR_US
NEW_LINK = "ask the platform's operator for a new login link, which `jejo keys login-link` makes"

login_token = sa.table(
    "login_token",
    *(sa.column(name) for name in ("token_sha256", "role", "name")),
    *(sa.column(name, INSTANT) for name in ("expires_at", "used_at")),
)


class CurrentSession(BaseModel):
    """Who is logged in, as what, and until when."""

    role: str
    name: str
    expires_at: Instant


def entry(found: Session) -> CurrentSession:
    return CurrentSession.model_construct(role=found.role, name=found.name, expires_at=found.expires_at_us)


@router.post("", status_code=HTTPStatus.CREATED)
async def log_in(request: Request, response: Response, token: BearerToken, databases: Pools) -> CurrentSession:
    """Trade a login link's one-time token, sent as `Authorization: Bearer`, for a session's cookie."""
    if token is None:
        raise unauthorised(f"Send the link's token as `Authorization: Bearer TOKEN`; {NEW_LINK}.")
    secret = secrets.token_urlsafe(32)
    async with databases.write.begin() as connection:
        opened = await use(connection, token.credentials, secret, request.app.state.clock())
    if opened is None:
        raise unauthorised(f"This login link is unknown, was used already or has expired; {NEW_LINK}.")
    response.headers["Cache-Control"] = "no-store"
    response.set_cookie(
        COOKIE,
        secret,
        max_age=SESSION_US // SECOND_US,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return entry(opened)


async def use(connection: AsyncConnection, token: str, secret: str, now_us: int) -> Session | None:
    """Use a token up and open a session, within the caller's transaction.

    The update waits for another of the same token, and then finds it used: a token opens one session at most.

    Returns:
        None where the token is unknown, used or expired.
    """
    taken = (
        sa.update(login_token)
        .where(
            login_token.c.token_sha256 == hash_secret(token),
            login_token.c.used_at.is_(None),
            login_token.c.expires_at > from_us(now_us),
        )
        .values(used_at=from_us(now_us))
        .returning(login_token.c.role, login_token.c.name)
    )
    row = (await connection.execute(taken)).one_or_none()
    if row is None:
        return None
    opened = Session(hash_secret(secret), row.role, row.name, now_us + SESSION_US)
    await connection.execute(
        sa.insert(session).values(
            session_sha256=opened.sha256,
            role=opened.role,
            name=opened.name,
            created_at=from_us(now_us),
            expires_at=from_us(opened.expires_at_us),
        )
    )
    return opened


async def current_session(found: Annotated[Session | None, Depends(open_session)]) -> Session:
    """The session of the request's cookie.

    Raises:
        Problem: 401, there is none, or no longer.
    """
    if found is None:
        raise unauthorised(f"There is no session, or it has ended; {NEW_LINK}.")
    return found


Current = Annotated[Session, Depends(current_session)]


@router.get("/current")
async def get_current_session(found: Current) -> CurrentSession:
    """Whose session this is."""
    return entry(found)


@router.delete("/current", status_code=HTTPStatus.NO_CONTENT)
async def log_out(request: Request, response: Response, found: Current, databases: Pools) -> None:
    """End this session: the one change that a cookie may make."""
    ended = (
        sa.update(session)
        .where(session.c.session_sha256 == found.sha256, session.c.ended_at.is_(None))
        .values(ended_at=from_us(request.app.state.clock()))
    )
    async with databases.write.begin() as connection:
        await connection.execute(ended)
    response.delete_cookie(COOKIE, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict")
