"""A service's own figures, served to Prometheus on an address of their own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from services.core.errors import ConfigurationError


@contextmanager
def serve_metrics(registry: CollectorRegistry, host: str, port: int | None, setting: str) -> Iterator[None]:
    """Serve the figures at ``/metrics`` while the block runs; without a port, serve nothing.

    Args:
        setting: the environment variable that gives the port.

    Raises:
        ConfigurationError: the address is taken, or not this machine's.
    """
    if port is None:
        yield
        return
    server: WSGIServer
    thread: threading.Thread
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise ConfigurationError(
            f"Figures cannot be served at {host}:{port} ({error.strerror}): correct JEJO_METRICS_HOST, or "
            f"set {setting} to another port."
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
