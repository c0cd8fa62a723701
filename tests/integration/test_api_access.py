"""Who may do what over HTTP. Without a key only health answers, and whatever is not allowed is refused."""

import base64
import itertools
import os
from http import HTTPStatus
from typing import Any

import pytest
from nacl.signing import SigningKey

from tests.api import ENTERPRISE, FACTORY, MACHINE, Api

OPEN = {"/healthz", "/readyz", "/metrics"}
ROLES = ("admin", "ministry", "researcher", "region:KR-48", "region:KR-11", "factory:F1", "factory:F2")
KEY = {
    "public_key": base64.b64encode(bytes(SigningKey(bytes(32)).verify_key)).decode(),
    "valid_from": "2016-01-01T00:00:00Z",
}
WINDOW = {"from": "2017-03-01", "to": "2017-03-02"}
PUTS: dict[str, Any] = {
    "/v1/enterprises/E1": ENTERPRISE,
    "/v1/zones/Z1": {"name": "Zone", "region": "KR-48"},
    "/v1/sponsors/S1": {"name": "Sponsor", "enterprise_id": "E1"},
    "/v1/factories/F1": FACTORY,
    "/v1/factories/F1/machines/M1": MACHINE,
    "/v1/factories/F1/gateway-keys/k1": KEY,
}
OWN_FACTORY = {"admin", "ministry", "region:KR-48", "factory:F1"}
READS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "/v1/enterprises/E1": ({}, {"admin", "ministry"}),
    "/v1/enterprises": ({}, {"admin", "ministry"}),
    "/v1/zones/Z1": ({}, {"admin", "ministry"}),
    "/v1/zones": ({}, {"admin", "ministry"}),
    "/v1/sponsors/S1": ({}, {"admin", "ministry"}),
    "/v1/sponsors": ({}, {"admin", "ministry"}),
    "/v1/factories": ({}, set(ROLES) - {"researcher"}),
    "/v1/factories/F1": ({}, OWN_FACTORY),
    "/v1/factories/F1/machines": ({}, OWN_FACTORY),
    "/v1/factories/F1/gateway-keys": ({}, {"admin", "factory:F1"}),
    "/v1/factories/F1/machines/M1": ({}, OWN_FACTORY),
    "/v1/factories/F1/machines/M1/timeline": (WINDOW, OWN_FACTORY),
    "/v1/factories/F1/gateway-keys/k1": ({}, {"admin", "factory:F1"}),
    "/v1/programme": ({}, {"admin", "ministry"}),
    "/v1/kpi-definitions": ({}, set(ROLES)),
    "/openapi.json": ({}, set(ROLES)),
    "/asyncapi.json": ({}, set(ROLES)),
    "/v1/kpis": (WINDOW, {"admin", "ministry"}),
    "/v1/kpis?scope=nation&group_by=factory": (WINDOW, {"admin", "ministry"}),
    "/v1/kpis?scope=factory:F1": (WINDOW, OWN_FACTORY),
    "/v1/kpis?scope=machine:F1/M1": (WINDOW, OWN_FACTORY),
    "/v1/kpis?scope=nation&scope=factory:F1": (WINDOW, OWN_FACTORY),
}


async def status(api: Api, path: str, role: str | None, parameters: dict[str, Any]) -> int:
    path, _, scopes = path.partition("?")
    pairs = [tuple(pair.split("=")) for pair in scopes.split("&") if pair] + list(parameters.items())
    return (await api.ask("GET", path, role, params=pairs)).status_code


async def test_every_role_may_do_exactly_what_is_listed(api: Api) -> None:
    for path, body in PUTS.items():
        assert (await api.put(path, body)).status_code == HTTPStatus.CREATED
    for (path, (parameters, allowed)), role in itertools.product(READS.items(), ROLES):
        expected = HTTPStatus.OK if role in allowed else HTTPStatus.FORBIDDEN
        assert await status(api, path, role, parameters) == expected, (path, role)
    for (path, body), role in itertools.product(PUTS.items(), ROLES):
        expected = HTTPStatus.OK if role == "admin" else HTTPStatus.FORBIDDEN
        assert (await api.put(path, body, role)).status_code == expected, (path, role)


async def test_only_health_answers_without_a_key(api: Api) -> None:
    described = (await api.get("/openapi.json")).json()["paths"]
    assert set(described) >= OPEN
    reachable = {path: set(methods) for path, methods in described.items()} | {
        "/openapi.json": {"get"},
        "/asyncapi.json": {"get"},
    }
    for path, methods in reachable.items():
        for method in methods:
            answer = await api.ask(method.upper(), path.replace("{", "").replace("}", ""), None)
            if path in OPEN:
                assert answer.status_code == HTTPStatus.OK, path
            else:
                assert answer.status_code == HTTPStatus.UNAUTHORIZED, (method, path)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
    for path in ("/docs", "/redoc", "/v1", "/index.html", "/v1/sessions/"):
        assert (await api.get(path, None)).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic YWRtaW46YWRtaW4=", "Bearer", "jejo_x"])
async def test_an_invalid_key_is_refused(api: Api, header: str) -> None:
    answer = await api.client.get("/v1/kpi-definitions", headers={"Authorization": header})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_revoked_key_is_refused(api: Api) -> None:
    assert (await api.get("/v1/kpi-definitions", "ministry")).status_code == HTTPStatus.OK
    await api.query("UPDATE api_key SET revoked_at = now() WHERE role = 'ministry'")
    assert (await api.get("/v1/kpi-definitions", "ministry")).status_code == HTTPStatus.UNAUTHORIZED


async def test_keys_are_not_stored(api: Api) -> None:
    key = await api.key("admin")
    ((row,),) = await api.query("SELECT api_key::text FROM api_key")
    assert key not in row
    assert key.removeprefix("jejo_") not in row


async def test_an_unknown_factory_looks_like_one_of_others(api: Api) -> None:
    machine = "/v1/factories/F9/machines/M1"
    for path in ("/v1/factories/F9", "/v1/factories/F9/machines", machine, f"{machine}/timeline", "/v1/kpis"):
        parameters = {"/v1/kpis": {"scope": "factory:F9", **WINDOW}, f"{machine}/timeline": WINDOW}.get(path, {})
        for role in ("factory:F1", "region:KR-48"):
            assert (await api.get(path, role, **parameters)).status_code == HTTPStatus.FORBIDDEN
        assert (await api.get(path, "ministry", **parameters)).status_code == HTTPStatus.NOT_FOUND


async def test_an_officer_learns_nothing_about_factories_elsewhere(api: Api) -> None:
    """The part of the own region is empty for a factory elsewhere as for one that does not exist."""
    await api.register()
    answers = []
    for other in ("factory:F1", "machine:F1/M1", "factory:F9", "machine:F9/M1", "machine:F1/M9"):
        answer = await api.get("/v1/kpis", "region:KR-11", scope=["region:KR-11", other], **WINDOW)
        answers.append((answer.status_code, answer.json()["items"], answer.headers["etag"]))
    assert answers == [(HTTPStatus.OK, [], answers[0][2])] * len(answers)


async def test_a_factory_that_moved_is_visible_to_its_new_region(api: Api) -> None:
    await api.register()
    assert (await api.get("/v1/factories/F1", "region:KR-11")).status_code == HTTPStatus.FORBIDDEN
    moved = {**FACTORY, "region": "KR-11", "effective_from": "2020-01-01"}
    assert (await api.put("/v1/factories/F1", moved)).status_code == HTTPStatus.OK
    assert (await api.get("/v1/factories/F1", "region:KR-11")).status_code == HTTPStatus.OK
    assert (await api.get("/v1/factories/F1", "region:KR-48")).status_code == HTTPStatus.FORBIDDEN


async def test_metrics_have_routes_but_no_ids(api: Api) -> None:
    secret = f"F{os.getpid()}"
    await api.get(f"/v1/factories/{secret}")
    text = (await api.get("/metrics", None)).text
    assert 'route="/v1/factories/{factory_id}"' in text
    assert secret not in text
