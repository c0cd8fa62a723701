"""``definition_version`` and ``meanings``: older formulas on today's inputs, and every flag and reason explained."""

import csv
import io
import json
from http import HTTPStatus
from typing import Any

import pyarrow as pa
import pytest

from schemas.kpi_definitions import read_definitions, read_versions
from tests.api import Api
from tests.integration.test_api_kpis import DAY, account

VERSIONS = read_versions()


async def page(api: Api, **asked: Any) -> dict[str, Any]:
    answer = await api.get("/v1/kpis", **{**DAY, **asked})
    assert answer.status_code == HTTPStatus.OK, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("asked", [{}, {"interval": "day"}, {"group_by": "factory"}, {"scope": "machine:F1/M1"}])
async def test_an_older_version_answers_with_its_kpis_on_the_same_inputs(api: Api, asked: dict[str, str]) -> None:
    await account(api)
    now = await page(api, **asked)
    assert now["definition_version"] == read_definitions().definition_version
    for number, version in VERSIONS.items():
        # Twice, since answers are remembered.
        for _ in range(2):
            then = await page(api, definition_version=number, **asked)
            assert then["definition_version"] == number
            for item, current in zip(then["items"], now["items"], strict=True):
                assert item["kpis"].keys() == version.by_id().keys()
                assert {**item, "kpis": None, "coverage": None} == {**current, "kpis": None, "coverage": None}
                for name in ("availability", "oee", "quality_ratio"):
                    assert item["kpis"][name] == current["kpis"][name]
    shown = "automatic_production_share"
    flags = [(await page(api, definition_version=n))["items"][0]["kpis"][shown]["flags"] for n in (1, 2)]
    assert "declared_far_above" not in flags[0]


async def test_every_form_takes_a_version(api: Api) -> None:
    await account(api)
    asked = {**DAY, "definition_version": "1"}
    headers = {"Authorization": f"Bearer {await api.key('admin')}"}
    answer = await api.client.get("/v1/kpis", params=asked, headers={**headers, "Accept": "text/csv"})
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert {name for name in row if name in VERSIONS[3].by_id()} == VERSIONS[1].by_id().keys()
    assert answer.links["describedby"]["url"] == "/v1/kpi-definitions?definition_version=1"
    arrow = {**headers, "Accept": "application/vnd.apache.arrow.stream"}
    answer = await api.client.get("/v1/kpis", params=asked, headers=arrow)
    schema = pa.ipc.open_stream(answer.content).read_all().schema
    assert schema.metadata[b"definition_version"] == b"1"
    assert json.loads(schema.metadata[b"meanings"])["reasons"].keys() >= {"no_evidence", "no_counts"}
    assert "nee" not in schema.names
    ordered = await page(api, definition_version=1, group_by="factory", order_by="-oee", kpi="oee")
    assert [item["scope"] for item in ordered["items"]] == ["factory:F1", "factory:F2"]


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ({"definition_version": "99"}, "no version '99' of the KPI definitions; ask for one of 1, 2, 3"),
        ({"definition_version": "one"}, "one of 1, 2, 3"),
        ({"definition_version": "1", "kpi": "nee"}, "Version 1 of the definitions has no nee"),
        ({"definition_version": "1", "order_by": "nee", "group_by": "factory"}, "no KPI nee to order by"),
    ],
)
async def test_what_a_version_does_not_have_is_refused(api: Api, asked: dict[str, str], detail: str) -> None:
    answer = await api.get("/v1/kpis", **{**DAY, **asked})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert detail in answer.json()["detail"]


async def test_definitions_are_published_by_version(api: Api) -> None:
    current = (await api.get("/v1/kpi-definitions", "researcher")).json()
    assert current["versions"] == list(VERSIONS)
    for number, version in VERSIONS.items():
        found = (await api.get("/v1/kpi-definitions", definition_version=number)).json()
        assert found["definition_version"] == number
        assert [kpi["id"] for kpi in found["kpis"]] == list(version.by_id())
        assert found["meanings"] == current["meanings"]
        assert found["figures"] == current["figures"]
    unknown = await api.get("/v1/kpi-definitions", definition_version=7)
    assert unknown.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "one of 1, 2, 3" in unknown.json()["detail"]


@pytest.mark.parametrize("group_by", [None, "region", "sector", "level", "size", "factory", "machine"])
async def test_every_flag_and_reason_of_an_answer_is_explained_in_it(api: Api, group_by: str | None) -> None:
    await account(api)
    asked = {} if group_by is None else {"group_by": group_by}
    found = await page(api, interval="day", **asked)
    kpis = [kpi for item in found["items"] for kpi in item["kpis"].values()]
    meanings = found["meanings"]
    reasons = {kpi["reason"] for kpi in kpis} - {None}
    flags = {flag for kpi in kpis for flag in kpi["flags"]}
    assert reasons
    assert flags
    for codes, known in ((reasons, meanings["reasons"]), (flags, meanings["flags"])):
        for code in codes:
            assert known[code]["title"]["en"] != known[code]["title"]["ko"]
            assert known[code]["meaning"]["en"] != known[code]["meaning"]["ko"]
    one = (await page(api, kpi="mttr_h"))["meanings"]
    assert one["reasons"].keys() == {"no_evidence", "no_failures"}
    assert (await page(api, **{"from": "2030-01-01", "to": "2030-01-02"}))["meanings"] == meanings
