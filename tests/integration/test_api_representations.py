"""Every GET of the API supports conditional requests, HEAD and compression."""

import gzip
from http import HTTPStatus

import httpx
import pytest

from tests.api import MACHINE, Api
from tests.integration.test_api_access import KEY
from tests.stack import Stack

WINDOW = "from=2017-03-01&to=2017-03-02"
GETS = (
    "/openapi.json",
    "/v1/kpi-definitions",
    f"/v1/kpis?scope=factory:F1&{WINDOW}",
    "/v1/enterprises/E1",
    "/v1/factories/F1",
    "/v1/factories/F1/machines/M1",
    "/v1/factories/F1/gateway-keys/k1",
    f"/v1/factories/F1/machines/M1/timeline?{WINDOW}",
    "/v1/programme",
)


@pytest.mark.parametrize("path", GETS)
async def test_a_known_tag_is_answered_with_304(api: Api, path: str) -> None:
    await api.register()
    await api.put("/v1/factories/F1/gateway-keys/k1", KEY)
    api.app.state.clock = lambda: 1_700_000_000_000_000
    headers = {"Authorization": f"Bearer {await api.key('admin')}", "Accept-Encoding": "identity"}
    got = await api.client.get(path, headers=headers)
    assert got.status_code == HTTPStatus.OK
    assert got.headers["cache-control"] == "private, no-cache"
    assert got.headers["vary"] == "Accept, Accept-Encoding, Authorization, Cookie"
    for sent in (got.headers["etag"], f'"other", W/{got.headers["etag"]}', "*"):
        known = await api.client.get(path, headers={**headers, "If-None-Match": sent})
        assert (known.status_code, known.content) == (HTTPStatus.NOT_MODIFIED, b""), sent
        assert known.headers["etag"] == got.headers["etag"]
    head = await api.client.head(path, headers=headers)
    assert (head.status_code, head.headers, head.content) == (got.status_code, got.headers, b"")
    for method in ("GET", "HEAD"):
        unasked = await api.client.request(method, path, headers={"If-None-Match": "*"})
        assert unasked.status_code == HTTPStatus.UNAUTHORIZED
        assert unasked.headers["cache-control"] == "no-store"


async def test_a_change_has_another_tag(api: Api) -> None:
    await api.register()
    path = "/v1/factories/F1/machines/M1"
    headers = {"Authorization": f"Bearer {await api.key('admin')}"}
    tag = (await api.client.get(path, headers=headers)).headers["etag"]
    await api.put(path, {**MACHINE, "name": "Another"})
    changed = await api.client.get(path, headers={**headers, "If-None-Match": tag})
    assert changed.status_code == HTTPStatus.OK
    assert changed.headers["etag"] != tag


async def test_head_is_counted_on_its_route(api: Api) -> None:
    await api.ask("HEAD", "/v1/factories/F9")
    text = (await api.get("/metrics", None)).text
    assert 'jejo_api_requests_total{method="HEAD",route="/v1/factories/{factory_id}",status="404"} 1.0' in text


def test_over_a_real_connection(stack: Stack) -> None:
    stack.start_api()
    with httpx.Client(base_url=stack.api_url, headers={**stack.headers, "Accept-Encoding": "gzip"}) as client:
        with client.stream("GET", "/v1/kpi-definitions") as got:
            raw = b"".join(got.iter_raw())
        assert got.headers["content-encoding"] == "gzip"
        assert int(got.headers["content-length"]) == len(raw)
        head = client.head("/v1/kpi-definitions")
        assert {**head.headers, "date": ""} == {**got.headers, "date": ""}
        known = client.get("/v1/kpi-definitions", headers={"If-None-Match": got.headers["etag"]})
        assert (known.status_code, known.content) == (HTTPStatus.NOT_MODIFIED, b"")
        plain = client.get("/v1/kpi-definitions", headers={"Accept-Encoding": "identity"})
        assert gzip.decompress(raw) == plain.content
        assert plain.headers["etag"] != got.headers["etag"]
