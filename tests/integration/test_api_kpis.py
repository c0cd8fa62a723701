"""``GET /v1/kpis`` over accounts written by hand: sums, buckets, scopes, pages, and refusals."""

from http import HTTPStatus
from typing import Any

import pytest

from tests.api import FACTORY, MACHINE, Api

DAY = {"from": "2017-03-01", "to": "2017-03-02"}
SECOND = 1_000_000


async def account(api: Api) -> None:
    """Two factories, three machines; F1/M1 produces, with counts, in two hours of 1 March 2017 in Seoul."""
    await api.register()
    await api.put("/v1/factories/F1/machines/M1", {**MACHINE, "ideal_cycle_s": 10})
    await api.put("/v1/factories/F1/machines/M2", {**MACHINE, "in_use_from": "2017-03-01", "in_use_to": "2017-03-02"})
    await api.put("/v1/factories/F2", FACTORY)
    await api.put("/v1/factories/F2/machines/M1", MACHINE)
    await api.query("""
        INSERT INTO state_event (machine, at, state, mode, revision, retracted, record_id)
        SELECT 1, '2017-03-01T00:30:00+09:00'::timestamptz + n * interval '10 minutes', 1, 1, 0, false, 1
        FROM generate_series(0, 5) AS n
        UNION ALL SELECT 1, '2017-03-01T01:30:00+09:00', 5, 0, 0, false, 1
    """)
    await api.query("""
        INSERT INTO count_event (machine, at, product, good, scrap, rework, revision, retracted, record_id)
        VALUES (1, '2017-03-01T00:40:00+09:00', '', 90, 10, 0, 0, false, 1)
    """)
    await api.query("INSERT INTO dirty_mark SELECT shard, id, '2017-02-28Z', '2017-03-02Z' FROM machine")
    await api.settle_all(1_600_000_000 * SECOND)


async def items(api: Api, **parameters: Any) -> list[dict[str, Any]]:
    answer = await api.get("/v1/kpis", **{**DAY, **parameters})
    assert answer.status_code == HTTPStatus.OK, answer.text
    found = answer.json()["items"]
    assert isinstance(found, list)
    return found


async def test_sums_are_the_same_from_every_table(api: Api) -> None:
    await account(api)
    whole = [
        (await items(api, scope=scope, interval=interval))[0]
        for scope in ("machine:F1/M1", "factory:F1", "nation")
        for interval in ("total", "day")
    ]
    for item in whole:
        assert item["time_s"]["producing"] == 3600
        assert item["time_s"]["idle"] == 600
        assert item["counts"] == {"good": 90, "scrap": 10, "rework": 0}
        assert item["kpis"]["oee"]["numerator"] == 900
        assert item["kpis"]["oee"]["denominator"] == 4200
        assert item["kpis"]["quality_ratio"]["value"] == 0.9
    machines = [(item["factories"], item["machines"], sum(item["time_s"].values())) for item in whole]
    assert machines == [(1, 1, 86_400)] * 2 + [(1, 2, 172_800)] * 2 + [(2, 3, 259_200)] * 2


async def test_hours_add_up_to_days_and_days_to_months(api: Api) -> None:
    await account(api)
    for scope in ("machine:F1/M1", "factory:F1"):
        hours = await items(api, scope=scope, interval="hour")
        assert len(hours) == 24
        assert [hour["time_s"]["producing"] for hour in hours[:3]] == [1800, 1800, 0]
        assert [hour["kpis"]["oee"]["denominator"] for hour in hours[:3]] == [1800, 2400, 0]
        assert [hour["counts"]["good"] for hour in hours[:3]] == [90, 0, 0]
        month = {"from": "2017-03-01", "to": "2017-04-01"}
        (whole,) = await items(api, scope=scope, interval="month", **month)
        assert whole["time_s"]["producing"] == 3600
        assert (whole["from"], whole["to"]) == ("2017-02-28T15:00:00Z", "2017-03-31T15:00:00Z")
        part = {"from": "2017-03-01T00:00:00+09:00", "to": "2017-03-01T01:00:00+09:00"}
        (one,) = await items(api, scope=scope, interval="total", **part)
        assert one["time_s"] == hours[0]["time_s"]


async def test_groups_have_an_item_each_and_their_own_buckets(api: Api) -> None:
    await account(api)
    found = await items(api, group_by="machine")
    assert [item["scope"] for item in found] == ["machine:F1/M1", "machine:F1/M2", "machine:F2/M1"]
    assert [item["time_s"]["producing"] for item in found] == [3600, 0, 0]
    found = await items(api, group_by="factory", interval="day", to="2017-03-03")
    named = [(item["scope"], item["from"][:10], item["machines"]) for item in found]
    assert named == [
        ("factory:F1", "2017-02-28", 2),
        ("factory:F1", "2017-03-01", 1),
        ("factory:F2", "2017-02-28", 1),
        ("factory:F2", "2017-03-01", 1),
    ]


async def test_no_item_where_no_machine_is_in_use_or_nothing_is_accounted(api: Api) -> None:
    assert (await api.get("/v1/kpis", **DAY)).json()["accounted_until"] is None
    await account(api)
    assert await items(api, scope="machine:F1/M2", **{"from": "2017-03-02", "to": "2017-03-03"}) == []
    assert await items(api, **{"from": "2030-01-01", "to": "2030-01-02"}) == []
    assert await items(api, **{"from": "2015-01-01", "to": "2015-01-02"}) == []
    (running,) = await items(api, scope="machine:F1/M1", **{"from": "2020-09-13", "to": "2020-09-14"})
    assert running["partial"] is True
    assert sum(running["time_s"].values()) == 1_600_000_000 - 1_599_922_800


async def test_a_country_in_use_for_decades_is_more_microseconds_than_fit_in_a_bigint(api: Api) -> None:
    await api.register()
    await api.query("INSERT INTO machine (factory, machine_id) SELECT 1, 'N' || n FROM generate_series(1, 149999) AS n")
    await api.query("""
        INSERT INTO machine_span (machine, from_at, to_at, factory, cohort, automated, first_day, end_day)
        SELECT m.id, s.from_at, s.to_at, s.factory, s.cohort, s.automated, s.first_day, s.end_day
        FROM machine_span s JOIN machine m ON m.id <> s.machine
    """)
    await api.settle_all(2_100_000_000 * SECOND)
    (item,) = await items(api, **{"from": "2016-01-01", "to": "2036-01-01"})
    assert item["machines"] == 150_000
    assert item["time_s"]["unknown"] == 150_000 * 7305 * 86_400


async def test_a_value_without_denominator_is_null_with_a_reason(api: Api) -> None:
    await account(api)
    (silent,) = await items(api, scope="machine:F2/M1")
    assert silent["coverage"] == 0
    reasons = {name: kpi["reason"] for name, kpi in silent["kpis"].items() if kpi["value"] is None}
    for name in ("quality_ratio", "oee", "nee", "effectiveness", "throughput_per_h"):
        assert reasons.pop(name) == "no_counts"
    assert reasons.pop("smart_factory_share") == "not_offered_for_scope"
    assert set(reasons.values()) == {"no_evidence"}
    assert silent["kpis"]["coverage"]["value"] == 0
    assert silent["kpis"]["auto_collected_share"]["value"] == 0
    assert silent["kpis"]["automated_equipment_share"]["value"] == 1


async def test_all_pages_together_are_the_whole(api: Api) -> None:
    await account(api)
    asked: dict[str, Any] = {"group_by": "machine", "interval": "hour", "kpi": "availability"}
    whole = await items(api, **asked)
    pages: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = (await api.get("/v1/kpis", **{**DAY, **asked, "limit": 7, **cursor})).json()
        pages += answer["items"]
        assert len(answer["items"]) <= 7
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert pages == whole
    assert len(whole) == 72
    assert set(whole[0]["kpis"]) == {"availability"}


async def test_intersections(api: Api) -> None:
    await account(api)
    both = [("scope", "factory:F1"), ("scope", "machine:F1/M1"), *DAY.items()]
    (item,) = (await api.ask("GET", "/v1/kpis", params=both)).json()["items"]
    assert (item["scope"], item["machines"]) == ("factory:F1&machine:F1/M1", 1)
    neither = [("scope", "factory:F1"), ("scope", "factory:F2"), *DAY.items()]
    assert (await api.ask("GET", "/v1/kpis", params=neither)).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"from": "2017-03-01T00:30:00Z"}, "2017-03-01T00:00:00Z and 2017-03-01T01:00:00Z"),
        ({"interval": "day", "from": "2017-03-01T00:00:00Z"}, "2017-02-28T15:00:00Z and 2017-03-01T15:00:00Z"),
        ({"interval": "month"}, "2017-02-28T15:00:00Z and 2017-03-31T15:00:00Z"),
        ({"from": "2017-03-02"}, "must lie before to"),
        ({"from": "soon"}, "RFC 3339"),
        ({"to": "2017-02-30"}, "day is out of range"),
        ({"interval": "week"}, "interval"),
        ({"scope": "planet"}, "not a scope"),
        ({"scope": "region:KR-99"}, "not a scope"),
        ({"scope": "size:0"}, "not a scope"),
        ({"scope": "sector:25"}, "not a scope"),
        ({"group_by": "colour"}, "group_by"),
        ({"kpi": "happiness"}, "no KPI happiness"),
        ({"colour": "red"}, "colour"),
        ({"as_of": "2017-03-01"}, "as_of"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"interval": "hour", "from": "2000-01-01", "to": "2200-01-01"}, "1,000,000 buckets in all"),
        ({"limit": "10001"}, "at most 10000 items"),
        ({"cursor": "WyJuYXRpb24iLDBd", "group_by": "region"}, "the question that it belongs to"),
    ],
)
async def test_an_invalid_question_is_answered_with_what_to_ask(api: Api, change: dict[str, str], detail: str) -> None:
    answer = await api.get("/v1/kpis", **{**DAY, **change})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert detail in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_window_is_required(api: Api) -> None:
    assert (await api.get("/v1/kpis", to="2017-03-01")).status_code == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_definitions_are_the_committed_ones(api: Api) -> None:
    import json

    from schemas.figure_definitions import FILE as FIGURES_FILE
    from schemas.kpi_definitions import FILE

    answer = (await api.get("/v1/kpi-definitions")).json()
    figures = {figure["id"]: figure for figure in answer.pop("figures")}
    assert answer.pop("versions") == [1, 2, 3]
    assert answer == json.loads(FILE.read_text())
    listed = {figure["id"]: figure for figure in json.loads(FIGURES_FILE.read_text())["figures"]}
    assert list(figures) == list(listed)
    for name, figure in figures.items():
        assert figure == {field: listed[name][field] for field in ("id", "title", "meaning", "unit", "adds_up")}
