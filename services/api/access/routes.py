"""``/v1/sessions``: log in with a login link's token, ask whose session it is, log out."""

import secrets
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.api.access.authentication import COOKIE, BearerToken, find_session
from services.api.access.credentials import hash_secret
from services.api.access.models import CurrentSession
from services.api.access.queries import Session, add_session, end_session, use_login_token
from services.api.access.readers import unauthorised
from services.api.dependencies import Now, Pools
from services.core.times import HOUR_US, SECOND_US

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

SESSION_US = 12 * HOUR_US
NEW_LINK = "ask the platform's operator for a new login link, which `jejo keys login-link` makes"


@router.post("", status_code=HTTPStatus.CREATED)
async def log_in(
    request: Request, response: Response, token: BearerToken, databases: Pools, now: Now
) -> CurrentSession:
    """Exchange a login link's one-time token, sent as `Authorization: Bearer`, for a session's cookie."""
    if token is None:
        raise unauthorised(f"Send the link's token as `Authorization: Bearer TOKEN`; {NEW_LINK}.")
    secret = secrets.token_urlsafe(32)
    async with databases.write.begin() as connection:
        invited = await use_login_token(connection, hash_secret(token.credentials), now)
        if invited is None:
            raise unauthorised(f"This login link is unknown, was used already or has expired; {NEW_LINK}.")
        opened = Session(hash_secret(secret), invited.role, invited.name, now + SESSION_US)
        await add_session(connection, opened, now)
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
    return describe(opened)


async def require_session(session: Annotated[Session | None, Depends(find_session)]) -> Session:
    """Return the session of the request's cookie.

    Raises:
        Problem: 401 if there is none, or it has ended.
    """
    if session is None:
        raise unauthorised(f"There is no session, or it has ended; {NEW_LINK}.")
    return session


OwnSession = Annotated[Session, Depends(require_session)]


@router.get("/current")
async def get_current_session(session: OwnSession) -> CurrentSession:
    """Whose session this is."""
    return describe(session)


@router.delete("/current", status_code=HTTPStatus.NO_CONTENT)
async def log_out(request: Request, response: Response, session: OwnSession, databases: Pools, now: Now) -> None:
    """End this session: the one change that a cookie may make."""
    async with databases.write.begin() as connection:
        await end_session(connection, session.sha256, now)
    response.delete_cookie(COOKIE, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict")


def describe(session: Session) -> CurrentSession:
    """Return a session as the API shows it."""
    return CurrentSession.model_construct(role=session.role, name=session.name, expires_at=session.expires_at_us)
