"""Serves a worker's metrics at ``/metrics`` and its readiness at ``/readyz``, on a port of its own."""

import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from services.core.errors import ConfigurationError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class Readiness:
    """Whether a worker is doing its work, and what it is waiting for otherwise.

    The worker sets it, and the server's threads read it.
    """

    def __init__(self, waiting_for: str) -> None:
        self._waiting_for: str | None = waiting_for

    @property
    def waiting_for(self) -> str | None:
        """What the worker is waiting for; None if it is ready."""
        return self._waiting_for

    def set_waiting(self, waiting_for: str) -> None:
        """Set the worker not ready, since it is waiting for something."""
        self._waiting_for = waiting_for

    def set_ready(self) -> None:
        """Set the worker ready."""
        self._waiting_for = None


@contextmanager
def serve_monitoring(
    registry: CollectorRegistry, readiness: Readiness, host: str, port: int | None, setting: str
) -> Iterator[None]:
    """Serve ``/metrics`` and ``/readyz`` while the block runs; without a port, serve nothing.

    ``/readyz`` answers 200 if the worker is ready, else 503 with what it is waiting for.

    Args:
        setting: the environment variable that gives the port.

    Raises:
        ConfigurationError: the address is taken, or not this machine's.
    """
    if port is None:
        yield
        return
    try:
        server = bind(MonitoringApp(registry, readiness), host, port)
    except OSError as error:
        raise ConfigurationError(
            f"Metrics cannot be served at {host}:{port} ({error.strerror}): correct JEJO_METRICS_HOST, or "
            f"set {setting} to another port."
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="monitoring", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class MonitoringApp:
    """The WSGI application behind ``serve_monitoring``."""

    def __init__(self, registry: CollectorRegistry, readiness: Readiness) -> None:
        self._metrics: WSGIApplication = make_wsgi_app(registry)
        self._readiness = readiness

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                return self._metrics(environ, start_response)
            case "/readyz":
                waiting_for = self._readiness.waiting_for
                if waiting_for is None:
                    return respond(start_response, HTTPStatus.OK, {"status": "ready"})
                body = {"status": "not ready", "waiting_for": waiting_for}
                return respond(start_response, HTTPStatus.SERVICE_UNAVAILABLE, body)
            case _:
                return respond(start_response, HTTPStatus.NOT_FOUND, {"paths": ["/metrics", "/readyz"]})


def respond(start_response: "StartResponse", status: HTTPStatus, body: object) -> list[bytes]:
    """Answer a request with JSON."""
    content = json.dumps(body).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [content]


class ThreadingServer(ThreadingMixIn, WSGIServer):
    """One thread per request, so that a slow reader holds up no other."""

    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    """Logs no requests."""

    def log_message(self, format: str, *args: object) -> None:
        """Drop the line."""


def bind(app: MonitoringApp, host: str, port: int) -> WSGIServer:
    """Return a server that listens at the address, over IPv4 or IPv6 as the host is.

    Raises:
        OSError: the address is taken, or not this machine's.
    """
    (family, *_), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

    class Server(ThreadingServer):
        address_family = family

    return make_server(host, port, app, Server, QuietHandler)
