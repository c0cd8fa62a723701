"""Limits the size of request bodies, so that nobody, with a key or without, fills the memory."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY_BYTES = 1_048_576


class BodyLimit:
    """ASGI middleware that raises 413 for larger bodies. It is the innermost, so that routes answer with a problem.

    The framework's own limit is not used because it answers in plain text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        is_too_large = announced.isdecimal() and int(announced[:20]) > LARGEST_BODY_BYTES
        received = 0

        async def receive_some() -> Message:
            nonlocal received
            message: Message = {} if is_too_large else await receive()
            received += len(message.get("body", b""))
            if is_too_large or received > LARGEST_BODY_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        await self.app(scope, receive_some, send)
