"""What a worker answers at ``/metrics`` and ``/readyz``, without a socket."""

import json
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from prometheus_client import CollectorRegistry, Counter

from services.core.monitoring import MonitoringApp, Readiness


@pytest.fixture
def readiness() -> Readiness:
    return Readiness("Kafka")


@pytest.fixture
def app(readiness: Readiness) -> MonitoringApp:
    registry = CollectorRegistry()
    Counter("jejo_test", "A counter.", registry=registry)
    return MonitoringApp(registry, readiness)


def get(app: MonitoringApp, path: str) -> tuple[str, bytes]:
    """The status line and the body of a GET."""
    answered: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        answered.append(status)

    environ: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    body = b"".join(app(environ, start_response))
    return answered[0], body


def test_a_worker_is_not_ready_until_it_is_set_ready(app: MonitoringApp, readiness: Readiness) -> None:
    status, body = get(app, "/readyz")
    assert (status, json.loads(body)) == (
        "503 Service Unavailable",
        {"status": "not ready", "waiting_for": "Kafka"},
    )
    readiness.set_ready()
    status, body = get(app, "/readyz")
    assert (status, json.loads(body)) == ("200 OK", {"status": "ready"})
    readiness.set_waiting("the database")
    assert json.loads(get(app, "/readyz")[1])["waiting_for"] == "the database"


def test_metrics_are_served_ready_or_not(app: MonitoringApp) -> None:
    status, body = get(app, "/metrics")
    assert status == "200 OK"
    assert b"jejo_test_total 0.0" in body


def test_other_paths_are_not_found(app: MonitoringApp) -> None:
    assert get(app, "/")[0] == "404 Not Found"
