"""PUT and GET of the registry: versions in time, invalid requests, and what a change marks dirty."""

import base64
from http import HTTPStatus
from typing import Any

import pytest
from nacl.signing import SigningKey

from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US
from tests.api import ENTERPRISE, FACTORY, MACHINE, Api

MACHINE_PATH = "/v1/factories/F1/machines/M1"
PUBLIC = base64.b64encode(bytes(SigningKey(bytes(32)).verify_key)).decode()
NEUTRAL_POINT = base64.b64encode(b"\x01" + bytes(31)).decode()


async def registry_version(api: Api) -> int:
    ((version,),) = await api.query("SELECT version FROM registry_version")
    return int(version)


async def test_get_returns_what_was_put(api: Api) -> None:
    await api.register()
    body = {
        **MACHINE,
        "state_ttl_s": 30,
        "ideal_cycle_s": 12.5,
        "capacity_per_h": 200.5,
        "in_use_to": "2030-01-01",
    }
    put = await api.put(MACHINE_PATH, body)
    assert put.status_code == HTTPStatus.OK
    got = (await api.get(MACHINE_PATH)).json()
    assert got == put.json()
    assert {name: got[name] for name in body} == body
    assert (got["factory_id"], got["machine_id"]) == ("F1", "M1")
    assert got["effective_from"] == "1999-12-31T15:00:00Z"
    assert got["effective_to"] is None
    factory = (await api.get("/v1/factories/F1")).json()
    assert {name: factory[name] for name in FACTORY} == FACTORY
    assert factory["zone"] is None
    assert (await api.get("/v1/enterprises/E1")).json()["employees"] == 42
    key = {"public_key": PUBLIC, "valid_from": "2016-01-01T00:00:00Z", "valid_to": "2030-01-01T00:00:00Z"}
    assert (await api.put("/v1/factories/F1/gateway-keys/k1", key)).status_code == HTTPStatus.CREATED
    got = (await api.get("/v1/factories/F1/gateway-keys/k1")).json()
    assert {name: got[name] for name in key} == key


async def test_a_put_from_an_instant_on_adds_a_version(api: Api) -> None:
    await api.register()
    later = await api.put("/v1/enterprises/E1", {**ENTERPRISE, "employees": 50, "effective_from": "2020-01-01"})
    assert later.json()["effective_from"] == "2019-12-31T15:00:00Z"
    before = (await api.get("/v1/enterprises/E1", at="2019-06-01")).json()
    assert (before["employees"], before["effective_to"]) == (42, "2019-12-31T15:00:00Z")
    assert (await api.get("/v1/enterprises/E1")).json()["employees"] == 50
    corrected = await api.put("/v1/enterprises/E1", {**ENTERPRISE, "employees": 60})
    assert corrected.json()["effective_from"] == "2019-12-31T15:00:00Z"
    assert (await api.get("/v1/enterprises/E1", at="2019-06-01")).json()["employees"] == 42
    versions = await api.query(
        "SELECT employees, retired_at IS NULL FROM enterprise_version ORDER BY changed_in, effective_from"
    )
    assert versions == [(42, False), (42, True), (50, False), (60, True)]


async def test_putting_the_same_again_changes_nothing(api: Api) -> None:
    await api.register()
    version = await registry_version(api)
    assert version == 3
    assert (await api.put(MACHINE_PATH, MACHINE)).status_code == HTTPStatus.OK
    assert (await api.put(MACHINE_PATH, {**MACHINE, "effective_from": "2020-01-01"})).status_code == HTTPStatus.OK
    assert await registry_version(api) == version
    assert await api.query("SELECT count(*) FROM machine_version") == [(1,)]
    assert await api.query("SELECT count(*) FROM dirty_mark") == [(0,)]


@pytest.mark.parametrize(
    ("change", "marked"),
    [
        ({"name": "Another"}, []),
        ({"capacity_per_h": 9.5}, []),
        ({"state_ttl_s": 60}, [(FIRST_INSTANT_US, LAST_INSTANT_US)]),
        ({"ideal_cycle_s": 5}, [(FIRST_INSTANT_US, LAST_INSTANT_US)]),
        ({"in_use_to": "2020-01-01"}, [(FIRST_INSTANT_US, LAST_INSTANT_US)]),
        ({"state_ttl_s": 60, "effective_from": "1970-01-02T00:00:00Z"}, None),
        # Nine in the morning in Seoul: from the midnight before.
        ({"state_ttl_s": 60, "effective_from": "2020-01-01T00:00:00Z"}, [(1_577_804_400_000_000, LAST_INSTANT_US)]),
    ],
)
async def test_only_changes_that_accounts_depend_on_mark_them(
    api: Api, change: dict[str, Any], marked: list[tuple[int, int]] | None
) -> None:
    await api.register()
    answer = await api.put(MACHINE_PATH, {**MACHINE, **change})
    if marked is None:
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        return
    assert answer.status_code == HTTPStatus.OK
    assert await api.query("SELECT from_at, to_at FROM dirty_mark") == marked


REFUSED = {
    "an unknown field": (MACHINE_PATH, {**MACHINE, "colour": "red"}),
    "a missing field": (MACHINE_PATH, {"name": "M"}),
    "a TTL too short": (MACHINE_PATH, {**MACHINE, "state_ttl_s": 0.5}),
    "a TTL too long": (MACHINE_PATH, {**MACHINE, "state_ttl_s": 86_401}),
    "a TTL that is not a number": (MACHINE_PATH, {**MACHINE, "state_ttl_s": True}),
    "a TTL in other digits": (MACHINE_PATH, {**MACHINE, "state_ttl_s": "６００"}),
    "a cycle of nothing": (MACHINE_PATH, {**MACHINE, "ideal_cycle_s": 0}),
    "a cycle finer than microseconds": (MACHINE_PATH, {**MACHINE, "ideal_cycle_s": 0.0000001}),
    "use before 2000": (MACHINE_PATH, {**MACHINE, "in_use_from": "1999-12-31"}),
    "use that ends before it begins": (MACHINE_PATH, {**MACHINE, "in_use_to": "2016-01-01"}),
    "an unknown automation": (MACHINE_PATH, {**MACHINE, "automation": "magic"}),
    "a bad machine id": ("/v1/factories/F1/machines/-x", MACHINE),
    "a bad factory id": ("/v1/factories/f1", FACTORY),
    "an unknown region": ("/v1/factories/F1", {**FACTORY, "region": "KR-99"}),
    "an invalid sector": ("/v1/factories/F1", {**FACTORY, "sector": "machines"}),
    "an unknown level": ("/v1/factories/F1", {**FACTORY, "level": "super"}),
    "an enterprise not registered": ("/v1/factories/F1", {**FACTORY, "enterprise_id": "E9"}),
    "a zone not registered": ("/v1/factories/F1", {**FACTORY, "zone": "Z9"}),
    "a sponsor not registered": ("/v1/factories/F1", {**FACTORY, "sponsor": "S9"}),
    "a sponsor of no enterprise": ("/v1/sponsors/S1", {"name": "S", "enterprise_id": "E9"}),
    "a zone in an unknown region": ("/v1/zones/Z1", {"name": "Z", "region": "KR-99"}),
    "a zone without a region": ("/v1/zones/Z1", {"name": "Z"}),
    "a day that would be seconds since 1970": ("/v1/factories/F1", {**FACTORY, "established_on": "20170501"}),
    "a day that is a number": ("/v1/factories/F1", {**FACTORY, "established_on": 20170501}),
    "a factory that closes before it opens": (
        "/v1/factories/F1",
        {**FACTORY, "established_on": "2017-05-01", "closed_on": "2017-04-30"},
    ),
    "employees as a text": ("/v1/enterprises/E1", {"name": "A", "employees": "42"}),
    "an empty name": ("/v1/enterprises/E1", {"name": ""}),
    "employees in Python's notation": ("/v1/enterprises/E1", {"name": "A", "employees": "1_2"}),
    "employees that are a boolean": ("/v1/enterprises/E1", {"name": "A", "employees": True}),
    "a capacity in Python's notation": (MACHINE_PATH, {**MACHINE, "capacity_per_h": "1_0"}),
    "a blank name of an enterprise": ("/v1/enterprises/E1", {"name": " "}),
    "a blank name of a factory": ("/v1/factories/F1", {**FACTORY, "name": "\u3000\t"}),
    "a blank name of a machine": (MACHINE_PATH, {**MACHINE, "name": "\u3164"}),
    "a blank name of a zone": ("/v1/zones/Z1", {"name": "\u00a0", "region": "KR-48"}),
    "a blank name of a sponsor": ("/v1/sponsors/S1", {"name": "\u200b"}),
    "NUL in a name": ("/v1/enterprises/E1", {"name": "a\x00b"}),
    "an invalid instant": ("/v1/enterprises/E1", {**ENTERPRISE, "effective_from": "yesterday"}),
    "a truncated key": (
        "/v1/factories/F1/gateway-keys/k1",
        {"public_key": PUBLIC[:20], "valid_from": "2016-01-01T00:00:00Z"},
    ),
    "a key that signs anything": (
        "/v1/factories/F1/gateway-keys/k1",
        {"public_key": NEUTRAL_POINT, "valid_from": "2016-01-01T00:00:00Z"},
    ),
    "a key that ends before it begins": (
        "/v1/factories/F1/gateway-keys/k1",
        {"public_key": PUBLIC, "valid_from": "2016-01-01T00:00:00Z", "valid_to": "2015-01-01T00:00:00Z"},
    ),
}


async def test_invalid_bodies_are_refused_with_a_sentence(api: Api) -> None:
    await api.register()
    version = await registry_version(api)
    for name, (path, body) in REFUSED.items():
        answer = await api.put(path, body)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, name
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == 422
        assert problem["title"]
        assert problem["detail"], name
    assert await registry_version(api) == version


async def test_factories_can_name_only_registered_zones_and_sponsors(api: Api) -> None:
    await api.register()
    named = {**FACTORY, "zone": "Z1", "sponsor": "S1"}
    refused = (await api.put("/v1/factories/F1", named)).json()["detail"]
    assert refused == "Register zone Z1 first, or correct zone. Register sponsor S1 first, or correct sponsor."
    zone = {"name": "반월시화", "region": "KR-41", "designated_on": "2019-02-20"}
    sponsor = {"name": "Hanbit Group", "enterprise_id": "E1"}
    for path, body in (("/v1/zones/Z1", zone), ("/v1/sponsors/S1", sponsor), ("/v1/sponsors/S2", {"name": "Other"})):
        put = await api.put(path, body)
        assert put.status_code == HTTPStatus.CREATED
        got = (await api.get(path)).json()
        assert got == put.json()
        assert body.items() <= got.items()
    assert (await api.put("/v1/factories/F1", named)).json()["zone"] == "Z1"
    renamed = await api.put("/v1/sponsors/S1", {"name": "Hanbit", "effective_from": "2020-01-01"})
    assert (renamed.status_code, renamed.json()["enterprise_id"]) == (HTTPStatus.OK, None)
    assert (await api.get("/v1/sponsors/S1", at="2019-01-01")).json()["enterprise_id"] == "E1"


async def test_unregistered_things_are_not_found(api: Api) -> None:
    await api.register()
    for path in (
        "/v1/enterprises/E9",
        "/v1/zones/Z9",
        "/v1/factories/F9",
        "/v1/factories/F1/machines/M9",
        "/v1/factories/F1/nothing",
    ):
        answer = await api.get(path)
        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await api.put("/v1/factories/F9/machines/M1", MACHINE)).status_code == HTTPStatus.NOT_FOUND
    assert (await api.ask("DELETE", MACHINE_PATH)).status_code == HTTPStatus.METHOD_NOT_ALLOWED


async def test_invalid_json_is_answered_with_a_problem(api: Api) -> None:
    answer = await api.ask("PUT", "/v1/enterprises/E1", content=b"{")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.headers["content-type"] == "application/problem+json"


async def test_concurrent_puts_follow_each_other(api: Api) -> None:
    import asyncio

    await api.register()
    names = [f"Name {n}" for n in range(12)]
    answers = await asyncio.gather(*(api.put("/v1/enterprises/E1", {"name": name}) for name in names))
    assert {answer.status_code for answer in answers} == {HTTPStatus.OK}
    assert await registry_version(api) == 3 + len(names)
    assert await api.query("SELECT count(*) FROM enterprise_version WHERE retired_at IS NULL") == [(1,)]


async def test_concurrent_first_puts_register_one_thing(api: Api) -> None:
    import asyncio

    await api.key("admin")
    answers = await asyncio.gather(*(api.put("/v1/enterprises/E7", ENTERPRISE) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
