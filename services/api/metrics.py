"""Metrics of the API, for Prometheus."""

import time
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS")

Next = Callable[[Request], Awaitable[Response]]


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

    async def observe(self, request: Request, call_next: Next) -> Response:
        """Count and time a request, as middleware."""
        began = time.perf_counter()
        status = 500
        try:
            response = await call_next(request)
            status = response.status_code
            return response
        finally:
            # The route's pattern instead of the path, and known methods only: callers must not add labels without end.
            route = getattr(request.scope.get("route"), "path", "none")
            method = request.method if request.method in METHODS else "other"
            self._requests.labels(route, method, str(status)).inc()
            self._seconds.labels(route, method).observe(time.perf_counter() - began)

    def exposition(self) -> Response:
        """Return all metrics in Prometheus' text format."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
