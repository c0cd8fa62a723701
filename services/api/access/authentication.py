"""Authenticates requests by API key or session cookie.

A browser also sends its cookie with requests that another site triggers, so a cookie only reads: every change needs a
key. The one exception is ending the session itself.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from services.api.access.credentials import hash_secret
from services.api.access.queries import Session, read_key, read_session
from services.api.access.readers import Reader, RoleKind, forbidden, parse_role, unauthorised
from services.api.access.shares import Shares
from services.api.dependencies import Now, Pools
from services.api.problems import Problem

COOKIE = "jejo_session"
READING = ("GET", "HEAD")

bearer = HTTPBearer(auto_error=False, description="An API key, as `jejo keys create` prints it.")
cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="A session, as POST /v1/sessions sets it; it reads.")

Secret = Annotated[str | None, Depends(cookie)]
BearerToken = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


async def take_place(request: Request, token: BearerToken, secret: Secret) -> AsyncIterator[None]:
    """Hold one of the reader's places among the requests that use the database, until the route has its answer.

    A route whose answer is made later takes the place along: ``keep_place``.

    Raises:
        Problem: 429 if the reader has too many requests under way.
    """
    shown = secret if token is None else token.credentials
    if not shown:
        yield
        return
    shares = request.app.state.shares
    assert isinstance(shares, Shares)
    async with AsyncExitStack() as place:
        await place.enter_async_context(shares.place(hash_secret(shown)))
        request.state.place = place
        yield


def keep_place(request: Request) -> AsyncExitStack:
    """Return what gives back the reader's place when it is closed, instead of when the route returns."""
    place = request.state.place
    assert isinstance(place, AsyncExitStack)
    return place.pop_all()


HasPlace = Annotated[None, Depends(take_place, scope="function")]


async def find_session(secret: Secret, databases: Pools, now: Now) -> Session | None:
    """Return the open session of the request's cookie, if there is one."""
    if not secret:
        return None
    async with databases.write.connect() as connection:
        return await read_session(connection, hash_secret(secret), now)


async def authenticate(
    request: Request, token: BearerToken, secret: Secret, databases: Pools, now: Now, _: HasPlace
) -> Reader:
    """Return the holder of the request's key, or without a key the person whose session it is.

    Raises:
        Problem: 401 if there is no valid key or session; 403 if a session tries to change something.
    """
    if token is not None:
        async with databases.write.connect() as connection:
            # One statement needs no transaction around it, which would be two more round trips for every request.
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            held = await read_key(connection, hash_secret(token.credentials))
        if held is not None:
            return parse_role(held.role, held.name)
    elif (session := await find_session(secret, databases, now)) is not None:
        if request.method not in READING:
            raise Problem(HTTPStatus.FORBIDDEN, "A session only reads; send an API key as `Authorization: Bearer KEY`.")
        return parse_role(session.role, session.name)
    raise unauthorised(
        "Send a valid API key as `Authorization: Bearer KEY`, which `jejo keys create` makes, "
        "or log in with a link, which `jejo keys login-link` makes."
    )


AnyReader = Annotated[Reader, Depends(authenticate)]


async def require_admin(reader: AnyReader) -> Reader:
    """Return the reader if it is an admin.

    Raises:
        Problem: 403 if it is not.
    """
    if reader.kind is not RoleKind.ADMIN:
        raise forbidden()
    return reader


Admin = Annotated[Reader, Depends(require_admin)]


async def require_ministry(reader: AnyReader) -> Reader:
    """Return the reader if it is an admin or of the ministry.

    Raises:
        Problem: 403 if it is not.
    """
    if not reader.sees_everything:
        raise forbidden()
    return reader


Ministry = Annotated[Reader, Depends(require_ministry)]
