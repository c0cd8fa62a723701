"""Plausibility flags over HTTP: who sees which, pages, CSV, and closing by an inspector's word."""

import datetime as dt

import pytest

from services.core.times import HOUR_US, seoul_midnight_us
from tests.api import Api

DAY = dt.date(2026, 3, 2)

REGISTERED = """
SELECT f.factory_id, f.id, m.id FROM factory f JOIN machine m ON m.factory = f.id ORDER BY 1
"""
RAISE = """
INSERT INTO flag (rule, rule_version, kind, factory, machine, month, days, evidence, usual, opened_at, judged_at)
VALUES ($1, 1, 'sham', $2, $3, '2026-03-01', $4, $5, '{"equal_days": 0}', $6, $6)
RETURNING id
"""


async def register_two(api: Api) -> list[int]:
    """Register F1 in KR-48 and F2 in KR-26, each with a flag that names the other's machine; return the ids."""
    await api.register()
    for path, body in (
        ("/v1/factories/F2", {"name": "B", "enterprise_id": "E1", "region": "KR-26", "sector": "C25", "level": "none"}),
        (
            "/v1/factories/F2/machines/M1",
            {"name": "M", "kind": "press", "automation": "manual", "in_use_from": "2016-01-01"},
        ),
    ):
        assert (await api.put(path, body)).status_code == 201
    ids = []
    other = {"F1": "F2/M1", "F2": "F1/M1"}
    for name, factory, machine in await api.query(REGISTERED):
        evidence = f'{{"days": [{{"day": "2026-03-02", "same_as": {{"machine": "{other[name]}"}}}}]}}'
        at_us = seoul_midnight_us(DAY) + 30 * HOUR_US
        ((flag,),) = await api.query(RAISE, "replayed_day", factory, machine, [DAY], evidence, at_us)
        ids.append(flag)
    return ids


async def test_flags_by_scope_rule_and_time(api: Api) -> None:
    first, second = await register_two(api)

    async def ids(**parameters: object) -> list[int]:
        answer = await api.get("/v1/flags", "ministry", **parameters)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await ids() == [first, second]
    assert await ids(scope="region:KR-48") == [first]
    assert await ids(scope=["sector:C25", "level:none"]) == [second]
    assert await ids(scope="machine:F2/M1") == [second]
    assert await ids(rule="never_varies") == []
    assert await ids(**{"from": "2026-03-02", "to": "2026-03-03"}) == [first, second]
    assert await ids(to="2026-03-02") == await ids(**{"from": "2026-03-03"}) == []
    (item,) = (await api.get("/v1/factories/F1/flags", "ministry")).json()["items"]
    assert item == {
        "id": first,
        "rule": "replayed_day",
        "rule_version": 1,
        "kind": "sham",
        "meaning": item["meaning"],
        "factory_id": "F1",
        "machine_id": "M1",
        "days": ["2026-03-02"],
        "evidence": {
            "days": [{"day": "2026-03-02", "same_as": {"machine": "F2/M1"}}],
            "usual": {"equal_days": 0},
        },
        "open": True,
        "opened_at": "2026-03-02T21:00:00Z",
        "judged_at": "2026-03-02T21:00:00Z",
        "closed_at": None,
        "closed_by": None,
        "closed_why": None,
    }
    assert (await api.get("/v1/flags", scope="factory:F9")).status_code == 404
    assert (await api.get("/v1/flags", scope="everything")).status_code == 422
    assert (await api.get("/v1/flags", **{"from": "2026-03-02", "to": "2026-03-02"})).status_code == 422


async def test_pages_and_csv(api: Api) -> None:
    first, second = await register_two(api)
    page = (await api.get("/v1/flags", limit=1)).json()
    rest = (await api.get("/v1/flags", limit=1, cursor=page["next_cursor"])).json()
    assert [item["id"] for item in (*page["items"], *rest["items"])] == [first, second]
    assert rest["next_cursor"] is None
    headers = {"Authorization": f"Bearer {await api.key('admin')}", "Accept": "text/csv"}
    csv = await api.client.get("/v1/flags?limit=1", headers=headers)
    head, row, _ = csv.text.split("\r\n")
    assert head.startswith("id,rule,rule_version,kind,factory_id,machine_id,days,open")
    assert row.startswith(f"{first},replayed_day,1,sham,F1,M1,2026-03-02,true")
    assert 'rel="next"' in csv.headers["link"]


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        ("ministry", None, 200),
        ("region:KR-48", None, 403),
        ("region:KR-48", "region:KR-48", 200),
        ("region:KR-48", "region:KR-26", 403),
        ("region:KR-48", "factory:F2", 403),
        ("factory:F1", None, 403),
        ("factory:F1", "factory:F1", 200),
        ("factory:F1", "factory:F2", 403),
        ("researcher", None, 403),
        (None, None, 401),
    ],
)
async def test_who_sees_flags(api: Api, role: str | None, scope: str | None, status: int) -> None:
    await register_two(api)
    parameters = {} if scope is None else {"scope": scope}
    assert (await api.get("/v1/flags", role, **parameters)).status_code == status


async def test_machines_of_other_factories_are_not_shown(api: Api) -> None:
    await register_two(api)
    for role in ("factory:F1", "region:KR-48"):
        (item,) = (await api.get("/v1/factories/F1/flags", role)).json()["items"]
        assert item["evidence"]["days"][0]["same_as"] == {"machine": None}
    (item,) = (await api.get("/v1/factories/F1/flags", "ministry")).json()["items"]
    assert item["evidence"]["days"][0]["same_as"] == {"machine": "F2/M1"}


async def test_closing_by_ministry_or_region(api: Api) -> None:
    first, second = await register_two(api)

    async def close(flag: int, role: str, why: str = "visited") -> int:
        answer = await api.ask("POST", f"/v1/flags/{flag}/closing", role, json={"why": why})
        return answer.status_code

    assert await close(first, "factory:F1") == 403
    assert await close(first, "region:KR-26") == 403
    assert await close(first, "researcher") == 403
    assert await close(first, "region:KR-48", " ") == 422
    assert await close(first, "region:KR-48") == 200
    assert await close(first, "ministry") == 409
    assert await close(second, "ministry") == 200
    assert await close(999, "ministry") == 404
    assert await close(999, "region:KR-48") == 403
    items = (await api.get("/v1/flags")).json()["items"]
    assert [(item["open"], item["closed_by"], item["closed_why"]) for item in items] == [
        (False, "region:KR-48", "visited"),
        (False, "ministry", "visited"),
    ]
