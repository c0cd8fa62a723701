"""Registration of a simulated fleet: its entries, and how they are PUT, with a stand-in for the API."""

import base64
import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey

from services.core.errors import ConfigurationError, TransientError
from services.core.times import DAY_US, seoul_midnight_us
from services.simulator.cohorts import RegistryChange, draw_changes
from services.simulator.country import LEVELS
from services.simulator.fleet import Factory, make_fleet, signing_seed
from services.simulator.registration import (
    calendar_entry,
    change_entry,
    enterprise_entry,
    factory_entry,
    key_entry,
    machine_entries,
    programme_entries,
    register_fleet,
)

FLEET = make_fleet(5, 3, 2)
MONDAY = dt.date(2024, 3, 4)
COUNTRY = make_fleet(1, 300)
REAL_CLIENT = httpx.AsyncClient


def test_registry_entries_have_the_contracts_bodies() -> None:
    factory = make_fleet(5, 1, 2)[0]
    path, body = enterprise_entry(factory.enterprise)
    assert path == "/v1/enterprises/E0001"
    assert set(body) == {"name", "employees", "effective_from"}
    path, body = factory_entry(factory)
    assert path == "/v1/factories/F000001"
    assert body["level"] in LEVELS
    assert body["effective_from"] == "1999-12-31T15:00:00Z"
    assert (body["established_on"] is None) == (body["level"] == "none")
    path, body = key_entry(5, factory)
    assert path == "/v1/factories/F000001/gateway-keys/sim-5"
    assert base64.b64decode(body["public_key"]) == bytes(SigningKey(signing_seed(5, "F000001")).verify_key)
    machines = dict(machine_entries(factory, MONDAY))
    assert list(machines) == ["/v1/factories/F000001/machines/M01", "/v1/factories/F000001/machines/M02"]
    assert machines["/v1/factories/F000001/machines/M01"]["in_use_from"] == "2024-03-04"


def test_a_calendar_covers_the_working_day_with_its_breaks() -> None:
    calendars = [body for path, body in map(calendar_entry, COUNTRY) if path.endswith("/calendar")]
    assert {(*body["weekly"][0]["days"], body["weekly"][0]["from"], body["weekly"][0]["to"]) for body in calendars} == {
        ("mon", "tue", "wed", "thu", "fri", "08:00", "17:00"),
        ("mon", "tue", "wed", "thu", "fri", "sat", "06:00", "22:00"),
        ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "00:00", "24:00"),
    }


def test_only_the_zones_and_sponsors_of_the_fleet_are_registered() -> None:
    entries = dict(programme_entries(COUNTRY))
    assert entries["/v1/sponsors/posco"] == {"name": "POSCO"}
    assert set(entries["/v1/zones/changwon"]) == {"name", "region", "designated_on"}
    assert not list(programme_entries([factory for factory in COUNTRY if not factory.zone and not factory.sponsor]))


def test_the_entry_of_a_change_takes_effect_at_its_instant() -> None:
    start_us = seoul_midnight_us(MONDAY)
    for change in draw_changes(1, COUNTRY, start_us, start_us + 90 * DAY_US, 1):
        path, body = change_entry(change)
        assert body["effective_from"].startswith("2024-0")
        assert path.startswith("/v1/factories/" if isinstance(change.new, Factory) else "/v1/enterprises/")


class Api:
    """A registry that stores what an admin puts and returns it."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.puts: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.headers["Authorization"] != "Bearer admin":
            return httpx.Response(403, json={"title": "not yours"})
        if request.method == "GET":
            return httpx.Response(200 if path in self.entries else 404, json=self.entries.get(path))
        status = 200 if path in self.entries else 201
        self.puts.append(path)
        self.entries[path] = json.loads(request.content)
        return httpx.Response(status, json=self.entries[path])


def register(
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[httpx.Request], httpx.Response],
    key: str = "admin",
    day: dt.date = MONDAY,
    fleet: tuple[Factory, ...] = FLEET,
    changes: Sequence[RegistryChange] = (),
) -> None:
    client = partial(REAL_CLIENT, transport=httpx.MockTransport(answer))
    monkeypatch.setattr("services.simulator.registration.httpx.AsyncClient", client)
    register_fleet("http://api", key, 5, fleet, day, changes)


def test_everything_is_registered_owners_first(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    register(monkeypatch, api)
    kinds = [re.sub("/v1/factories/F[0-9]+", "F", path).rsplit("/", 1)[0] for path in api.puts]
    owners = len({factory.enterprise.enterprise_id for factory in FLEET})
    programme = [path.rsplit("/", 1)[0] for path, _ in programme_entries(FLEET)]
    # Factories, then their calendars, whose paths begin with those of the factories.
    factories = ["F"] * 3 + ["F"] * 3
    assert kinds == programme + ["/v1/enterprises"] * owners + factories + ["F/gateway-keys"] * 3 + ["F/machines"] * 6
    assert len(set(api.puts)) == len(api.puts)


def test_zones_and_sponsors_are_registered_before_their_factories(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    register(monkeypatch, api, fleet=make_fleet(5, 60, 1))
    for path, body in api.entries.items():
        if re.fullmatch("/v1/factories/F[0-9]+", path):
            for kind in ("zone", "sponsor"):
                named = f"/v1/{kind}s/{body[kind]}"
                assert body[kind] is None or api.puts.index(named) < api.puts.index(path)
    assert any(path.startswith("/v1/zones/") for path in api.puts)
    assert any(path.startswith("/v1/sponsors/") for path in api.puts)


def test_a_change_is_registered_last_and_takes_effect_at_its_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    moved = RegistryChange(1_709_539_200_000_000, replace(FLEET[0], region="KR-49"))
    register(monkeypatch, api, changes=[moved])
    assert api.puts[-1] == "/v1/factories/F000001"
    assert api.entries["/v1/factories/F000001"]["region"] == "KR-49"
    assert api.entries["/v1/factories/F000001"]["effective_from"] == "2024-03-04T08:00:00Z"


def test_a_registered_machine_keeps_the_day_it_came_into_use(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    register(monkeypatch, api)
    before = dict(api.entries)
    register(monkeypatch, api, day=MONDAY + dt.timedelta(days=30))
    assert api.entries == before


def test_a_key_that_is_not_an_admins_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="403"):
        register(monkeypatch, Api(), key="other")


def test_a_failing_api_is_not_mistaken_for_one_that_knows_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500 if request.method == "GET" else 200)  # 200: it was there already.

    with pytest.raises(TransientError, match="500"):
        register(monkeypatch, answer)


def test_an_api_that_does_not_answer_is_a_transient_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(TransientError, match="does not answer"):
        register(monkeypatch, answer)
