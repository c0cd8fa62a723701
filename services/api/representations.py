"""Gives every GET a strong ETag, conditional requests (304) and HEAD (RFC 9110); answers that stream have no ETag.

Wraps the compression, so each encoding of an answer is a representation with an ETag of its own.
"""

import re
from collections.abc import Sequence
from contextlib import closing
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.pages import parse_accepted
from services.api.spool import Spool, send_spool
from services.api.streams import MEDIA_TYPES

ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
CACHE_CONTROL = "private, no-cache"
VARY = "Accept, Accept-Encoding, Authorization, Cookie"
OF_CONTENT = ("content-length", "content-type", "content-encoding")
"""Headers that a 304 omits, since they describe a body."""


def entity_tag(sha256: str) -> str:
    """Return the strong tag of a body with a hash, which is in hexadecimal."""
    return f'"{sha256[:32]}"'


def is_known(tag: str, if_none_match: Sequence[str]) -> bool:
    """Return whether the caller already has the representation, by weak comparison (RFC 9110, section 13.1.2).

    Args:
        if_none_match: the header's lines.
    """
    listed = ",".join(if_none_match)
    return listed.strip() == "*" or tag in ENTITY_TAG.findall(listed)


def refuses_gzip(accept_encoding: Sequence[str]) -> bool:
    """Return whether the caller refuses gzip (``gzip;q=0``), which the compressing middleware does not check.

    Args:
        accept_encoding: the header's lines.
    """
    return dict(parse_accepted(part) for part in ",".join(accept_encoding).split(",")).get("gzip") == 0


def accepts_stream(accept: Sequence[str]) -> bool:
    """Return whether the caller names a media type that streams, and that is not to be compressed once more.

    Args:
        accept: the header's lines.
    """
    return any(parse_accepted(part)[0] in MEDIA_TYPES for part in ",".join(accept).split(","))


class HeadIsSent(Exception):
    """The headers of a stream are all that the caller asked for; it ends what makes the stream."""


class Representations:
    """ASGI middleware. It collects an answer before sending it, since the headers depend on all of its bytes.

    Answers that stream are passed on as they come, without an ETag.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        start: Message = {}
        streams = False
        with closing(Spool()) as body:

            async def hold(message: Message) -> None:
                nonlocal streams
                if message["type"] == "http.response.start":
                    start.update(message)
                    streams = Headers(raw=message["headers"]).get("content-type") in MEDIA_TYPES
                    if streams:
                        await send(message)
                    if streams and method == "HEAD":
                        await send({"type": "http.response.body", "body": b""})
                        raise HeadIsSent
                elif streams:
                    await send(message)
                elif message["type"] == "http.response.body":
                    body.write(message.get("body", b""))

            asked = Headers(scope=scope)
            if refuses_gzip(asked.getlist("accept-encoding")) or accepts_stream(asked.getlist("accept")):
                scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
            # Routes only know GET. The scope is changed, not copied, so that outer middleware sees the route.
            scope["method"] = "GET"
            try:
                await self.app(scope, receive, hold)
            except HeadIsSent:
                return
            finally:
                scope["method"] = method
            if streams:
                return
            status = finish(start, body, Headers(scope=scope).getlist("if-none-match"))
            await send({**start, "status": status})
            if method == "HEAD" or status == HTTPStatus.NOT_MODIFIED:
                await send({"type": "http.response.body", "body": b""})
            else:
                await send_spool(body, send)


def finish(start: Message, body: Spool, if_none_match: Sequence[str]) -> int:
    """Complete the headers of an answer in place, and return its status."""
    headers = MutableHeaders(raw=start["headers"])
    if start["status"] != HTTPStatus.OK:
        headers.setdefault("Cache-Control", "no-store")
        return int(start["status"])
    headers["ETag"] = tag = entity_tag(body.sha256)
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = CACHE_CONTROL
        headers["Vary"] = VARY
    if not is_known(tag, if_none_match):
        headers["Content-Length"] = str(body.size)
        return int(start["status"])
    for name in OF_CONTENT:
        del headers[name]
    return HTTPStatus.NOT_MODIFIED
