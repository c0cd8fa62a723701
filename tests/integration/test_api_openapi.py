"""Validates real answers against the OpenAPI document: status, content type and schema."""

import codecs
from http import HTTPStatus
from typing import Any

import httpx
import jsonschema

from tests.api import ENTERPRISE, FACTORY, MACHINE, Api
from tests.integration.test_api_access import KEY

FULL_FACTORY = {**FACTORY, "zone": "Z1", "sponsor": "S1", "established_on": "2017-05-01", "closed_on": "2020-01-01"}
FULL_MACHINE = {**MACHINE, "ideal_cycle_s": 0.333333, "capacity_per_h": 1.5, "in_use_to": "2030-01-01"}
CALENDAR = {
    "weekly": [{"days": ["mon", "sun"], "from": "22:00", "to": "06:00"}],
    "holidays": True,
    "exceptions": [{"date": "2026-12-26", "shifts": [{"from": "00:00", "to": "24:00"}]}],
}
BODIES: dict[str, Any] = {
    "/v1/enterprises/{enterprise_id}": ENTERPRISE,
    "/v1/zones/{zone_id}": {"name": "Zone", "region": "KR-48", "designated_on": "2019-02-20"},
    "/v1/sponsors/{sponsor_id}": {"name": "Sponsor", "enterprise_id": "E1"},
    "/v1/factories/{factory_id}": FULL_FACTORY,
    "/v1/factories/{factory_id}/calendar": CALENDAR,
    "/v1/factories/{factory_id}/machines/{machine_id}": FULL_MACHINE,
    "/v1/factories/{factory_id}/gateway-keys/{key_id}": KEY,
    "/v1/programme/populations/{year}": {"rows": [{"region": "KR-48", "sector": "C25", "enterprises": 7}]},
}
IDS = {
    "enterprise_id": "E1",
    "zone_id": "Z1",
    "sponsor_id": "S1",
    "factory_id": "F1",
    "machine_id": "M1",
    "key_id": "K",
    "year": "2026",
}
WINDOWS = {
    "/v1/kpis": {"from": "2026-06-01", "to": "2026-06-03", "interval": "day", "group_by": "factory"},
    "/v1/factories/{factory_id}/machines/{machine_id}/timeline": {"from": "2026-06-01", "to": "2026-06-03"},
    "/v1/factories/{factory_id}/data-quality": {"from": "2026-06-01", "to": "2026-06-03"},
}
IN_CSV = {"/v1/enterprises", "/v1/zones", "/v1/sponsors", "/v1/factories", "/v1/kpis", "/v1/flags"} | {
    f"/v1/factories/{{factory_id}}/{things}" for things in ("machines", "gateway-keys", "data-quality", "flags")
}

RAISE_FLAG = """
INSERT INTO flag (rule, rule_version, kind, factory, machine, month, days, evidence, usual, opened_at, judged_at)
SELECT 'clock_off', 1, 'suspect', id, NULL, '2026-06-01', '{2026-06-02}', '{"days": []}', '{}', now(), now()
FROM factory
"""


def check(description: dict[str, Any], method: str, path: str, answer: httpx.Response) -> str:
    """Validate an answer against the description of its operation.

    Returns:
        Its content type.
    """
    responses = description["paths"][path][method]["responses"]
    status = str(answer.status_code)
    content = responses.get(status, responses.get(f"{status[0]}XX"))["content"]
    media_type: str = answer.headers["content-type"].partition(";")[0]
    assert media_type in content, (method, path, status, media_type)
    if media_type.endswith("json"):
        schema = {**content[media_type]["schema"], "components": description["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())
    return media_type


async def test_answers_are_as_described(api: Api) -> None:
    description = (await api.get("/openapi.json")).json()
    for path, body in BODIES.items():
        for expected in (HTTPStatus.CREATED, HTTPStatus.OK):
            answer = await api.put(path.format(**IDS), body)
            assert answer.status_code == expected, answer.text
            check(description, "put", path, answer)
        check(description, "put", path, await api.put(path.format(**IDS), {**body, "nope": 1}))
    await api.settle_all(1_782_864_000_000_000)
    items = (await api.get("/v1/kpis", **WINDOWS["/v1/kpis"])).json()["items"]
    assert len(items) == 2
    for year in ("2026", "1999"):
        days = await api.get("/v1/factories/F1/calendar", year=year)
        check(description, "get", "/v1/factories/{factory_id}/calendar", days)
    await api.query(RAISE_FLAG)
    in_csv = set()
    for path, operations in description["paths"].items():
        if "get" not in operations:
            continue
        check(description, "get", path, await api.get(path.format(**IDS), role=None, **WINDOWS.get(path, {})))
        for accepted in ("application/json", "text/csv"):
            headers = {"Authorization": f"Bearer {await api.key('admin')}", "Accept": accepted}
            answer = await api.client.get(path.format(**IDS), params=WINDOWS.get(path), headers=headers)
            is_session = path == "/v1/sessions/current"
            assert answer.status_code == (HTTPStatus.UNAUTHORIZED if is_session else HTTPStatus.OK), answer.text
            if check(description, "get", path, answer) == "text/csv":
                in_csv.add(path)
                headers["Accept"] = "text/csv; header=present; bom=present"
                marked = await api.client.get(path.format(**IDS), params=WINDOWS.get(path), headers=headers)
                assert marked.content == codecs.BOM_UTF8 + answer.content, path
                assert "Accept" in marked.headers["vary"]
    assert in_csv == IN_CSV
