"""Metrics of the API, for Prometheus."""

import time
from http import HTTPStatus

from fastapi import Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS")
CLIENT_LEFT = 499
"""The status of a request that got no answer, since its client had gone; nginx has made it known."""


class ApiMetrics:
    """Counts requests by route, method and status, and times them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "jejo_api_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "jejo_api_request_seconds", "Seconds from request to answer.", ["route", "method"], registry=self.registry
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count and time a request."""
        # The route's pattern instead of the path, and known methods only: callers must not add labels without end.
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(seconds)

    def exposition(self) -> Response:
        """Return all metrics in Prometheus' text format."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class Observed:
    """ASGI middleware that counts and times every request."""

    def __init__(self, app: ASGIApp, metrics: ApiMetrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status, answered = HTTPStatus.INTERNAL_SERVER_ERROR.value, CLIENT_LEFT

        async def note_status(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
            status = answered
        finally:
            self._metrics.observe(scope, status, time.perf_counter() - began)
