"""The entry of a simulated fleet in the registry, through an API that stands in for the real one."""

import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from services.core.errors import ConfigurationError, TransientError
from services.gateway.fleet import make_fleet
from services.gateway.registration import register_fleet

FLEET = make_fleet(5, 2, 2)
MONDAY = dt.date(2024, 3, 4)
REAL_CLIENT = httpx.Client


class Api:
    """A registry that takes what an admin puts and gives it back."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.puts: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.headers["Authorization"] != "Bearer admin":
            return httpx.Response(403, json={"title": "not yours"})
        if request.method == "GET":
            return httpx.Response(200 if path in self.entries else 404, json=self.entries.get(path))
        self.puts.append(path)
        self.entries[path] = json.loads(request.content)
        return httpx.Response(200, json=self.entries[path])


def register(
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[httpx.Request], httpx.Response],
    key: str = "admin",
    day: dt.date = MONDAY,
) -> None:
    client = partial(REAL_CLIENT, transport=httpx.MockTransport(answer))
    monkeypatch.setattr("services.gateway.registration.httpx.Client", client)
    register_fleet("http://api", key, 5, FLEET, day)


def test_everything_is_entered_owners_first(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    register(monkeypatch, api)
    assert api.puts[:5] == [
        "/v1/enterprises/E0001",
        "/v1/factories/F000001",
        "/v1/factories/F000001/gateway-keys/sim-5",
        "/v1/factories/F000001/machines/M01",
        "/v1/factories/F000001/machines/M02",
    ]
    assert len(api.puts) == 10


def test_a_machine_that_is_known_keeps_the_day_it_came_into_use(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    register(monkeypatch, api)
    before = dict(api.entries)
    register(monkeypatch, api, day=MONDAY + dt.timedelta(days=30))
    assert api.entries == before


def test_a_key_that_is_not_an_admins_is_the_operators_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="403"):
        register(monkeypatch, Api(), key="other")


def test_an_api_that_fails_when_asked_for_a_machine_is_not_taken_for_one_that_knows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500 if request.method == "GET" else 200)

    with pytest.raises(TransientError, match="500"):
        register(monkeypatch, answer)


def test_an_api_that_does_not_answer_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(TransientError, match="does not answer"):
        register(monkeypatch, answer)
