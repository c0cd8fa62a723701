"""``GET /v1/kpis`` by cohort: membership at each second, shares of the registry, CSV, and who may ask."""

import csv
import io
from http import HTTPStatus
from typing import Any

import pytest

from services.analytics.verification.run import verify
from services.analytics.verification.snapshot import Window
from services.api.registry.things import Size
from tests.api import ENTERPRISE, FACTORY, MACHINE, Api

DAY = {"from": "2017-03-01", "to": "2017-03-02"}
SECOND = 1_000_000
MOVED_AT = "2017-03-01T01:15:00+09:00"
MARCH = Window(1_488_294_000 * SECOND, (1_488_294_000 + 31 * 86_400) * SECOND)
UNTIL_US = 1_600_000_000 * SECOND

STATES = """
INSERT INTO state_event (machine, at, state, mode, revision, retracted, record_id)
SELECT m, '2017-03-01T01:00:00+09:00'::timestamptz + n * interval '10 minutes', 1, 1, 0, false, 1
FROM generate_series(1, 2) AS m, generate_series(0, 2) AS n
UNION ALL SELECT m, '2017-03-01T01:30:00+09:00', 4, 0, 0, false, 1 FROM generate_series(1, 2) AS m
UNION ALL SELECT 1, '2017-03-01T01:31:00+09:00', 2, 0, 0, false, 1
UNION ALL SELECT 1, '2017-03-01T01:36:00+09:00', 0, 0, 0, false, 1
UNION ALL SELECT 2, '2017-03-01T01:40:00+09:00', 0, 0, 0, false, 1
"""
COUNTS = """
INSERT INTO count_event (machine, at, product, good, scrap, rework, revision, retracted, record_id)
VALUES (1, '2017-03-01T01:10:00+09:00', '', 60, 0, 0, 0, false, 1),
       (1, '2017-03-01T01:20:00+09:00', '', 50, 10, 0, 0, false, 1),
       (3, '2017-03-01T01:20:00+09:00', '', 7, 0, 0, 0, false, $1)
"""


async def account(api: Api, *, unsigned: bool = False) -> None:
    """F1 moves from KR-48 to KR-26 at 01:15 on 1 March 2017, with M1 of cycle 10 s; F2 in KR-26 has M1 and M2.

    F1/M1 and F2/M1 produce from 01:00 to 01:30, then fail; F2/M2 only counts.
    """
    await api.register()
    await api.put("/v1/factories/F1/machines/M1", {**MACHINE, "ideal_cycle_s": 10})
    await api.put("/v1/factories/F1", {**FACTORY, "region": "KR-26", "effective_from": MOVED_AT})
    await api.put("/v1/enterprises/E2", {**ENTERPRISE, "employees": 300})
    await api.put("/v1/factories/F2", {**FACTORY, "enterprise_id": "E2", "region": "KR-26", "level": "advanced"})
    await api.put("/v1/factories/F2/machines/M1", {**MACHINE, "automation": "manual"})
    await api.put("/v1/factories/F2/machines/M2", {**MACHINE, "automation": "robot"})
    await api.query("""
        INSERT INTO ingest_record (id, topic, partition, record_offset, received_at, sent_at, factory, gateway_id,
            signed, revision, rows_stored, rows_duplicate, rows_clashed, rows_refused, unknown_fields)
        VALUES (2, 1, 0, 0, now(), '2017-03-01Z', 2, 'g', false, 0, 1, 0, 0, 0, 0)
    """)
    await api.query(STATES)
    await api.query(COUNTS, 2 if unsigned else 1)
    await api.query("INSERT INTO dirty_mark SELECT shard, id, '2017-02-28Z', '2017-03-02Z' FROM machine")
    await api.settle_all(UNTIL_US)


async def items(api: Api, *scopes: str, **parameters: Any) -> list[dict[str, Any]]:
    asked = [("scope", scope) for scope in scopes] + list({**DAY, **parameters}.items())
    answer = await api.ask("GET", "/v1/kpis", params=asked)
    assert answer.status_code == HTTPStatus.OK, answer.text
    found = answer.json()["items"]
    assert isinstance(found, list)
    return found


async def test_a_second_belongs_to_the_region_of_that_second(api: Api) -> None:
    await account(api)
    for interval in ("total", "day"):
        (south,) = await items(api, "region:KR-48", interval=interval)
        (busan,) = await items(api, "region:KR-26", interval=interval)
        assert south["time_s"]["producing"] == 900
        assert busan["time_s"]["producing"] == 900 + 1800
        assert (south["counts"]["good"], busan["counts"]["good"]) == (60, 57)
        assert (south["factories"], south["machines"]) == (1, 1)
        assert (busan["factories"], busan["machines"]) == (2, 3)
        assert sum(south["time_s"].values()) == 75 * 60
        assert sum(busan["time_s"].values()) == 2 * 86_400 + 86_400 - 75 * 60
    hours = {item["scope"]: item for item in await items(api, group_by="region", interval="hour", kpi="oee")}
    assert hours["region:KR-26"]["kpis"]["oee"]["denominator"] == 0
    one = {"from": "2017-03-01T01:00:00+09:00", "to": "2017-03-01T02:00:00+09:00"}
    by_region = {item["scope"]: item for item in await items(api, group_by="region", interval="hour", **one)}
    assert by_region["region:KR-48"]["time_s"]["producing"] == 900
    assert by_region["region:KR-26"]["time_s"]["producing"] == 2700
    (before,) = await items(api, "factory:F1", "region:KR-48")
    (after,) = await items(api, "factory:F1", "region:KR-26")
    (machine,) = await items(api, "machine:F1/M1", "region:KR-48")
    assert before["time_s"] == machine["time_s"]
    assert [part["time_s"]["producing"] for part in (before, after)] == [900, 900]


async def test_groups_add_up_to_the_nation(api: Api) -> None:
    await account(api)
    for interval in ("hour", "day", "total"):
        (nation, *hours) = await items(api, interval=interval)
        for group in ("region", "sector", "level", "size"):
            groups = [
                item for item in await items(api, group_by=group, interval=interval) if item["from"] == nation["from"]
            ]
            for state, seconds in nation["time_s"].items():
                assert sum(item["time_s"][state] for item in groups) == pytest.approx(seconds, abs=1e-9), (group, state)
            for name, kpi in nation["kpis"].items():
                if not name.endswith("_share") and name != "nee":
                    whole = sum(item["kpis"][name]["numerator"] for item in groups)
                    assert whole == pytest.approx(kpi["numerator"], abs=1e-9), (group, name)
        assert len(hours) == (23 if interval == "hour" else 0)
    labels = [item["scope"] for item in await items(api, group_by="size")]
    assert labels == ["size:10-49", "size:300+"]
    assert await items(api, group_by="zone") == []
    assert await items(api, "region:KR-48", "region:KR-26") == []


async def test_the_measured_kpis_of_the_example(api: Api) -> None:
    await account(api)
    (factory,) = await items(api, "factory:F1")
    kpis = factory["kpis"]
    # 1800 s producing, 60 s faulted, 300 s setting up; one failure; 120 pieces of 10 s, 110 of them good.
    assert (kpis["mtbf_h"]["value"], kpis["mtbf_h"]["numerator"], kpis["mtbf_h"]["denominator"]) == (0.5, 0.5, 1)
    assert kpis["mttr_h"]["value"] == pytest.approx(60 / 3600)
    assert kpis["oee"]["value"] == pytest.approx(1100 / 2160)
    assert kpis["nee"]["value"] == pytest.approx(2100 / 1800 * 1100 / 2160)
    assert kpis["nee"]["numerator"] == 1100 * 2100
    assert kpis["nee"]["denominator"] == 2160 * 1800
    assert kpis["throughput_per_h"]["value"] == pytest.approx(120 / (2160 / 3600))
    assert kpis["setup_ratio"]["value"] == pytest.approx(300 / 2100)
    (silent,) = await items(api, "machine:F2/M2")
    assert silent["kpis"]["mtbf_h"]["reason"] == "no_evidence"
    (nation,) = await items(api)
    assert nation["kpis"]["mtbf_h"]["denominator"] == 2


async def test_shares_are_stocks_at_the_last_instant(api: Api) -> None:
    await account(api)
    shares = {item["scope"]: item["kpis"] for item in await items(api, group_by="region")}
    assert set(shares) == {"region:KR-26", "region:KR-48"}
    assert shares["region:KR-48"]["automated_equipment_share"]["reason"] == "not_in_use"
    busan = shares["region:KR-26"]
    automated, collected = busan["automated_equipment_share"], busan["auto_collected_share"]
    assert (automated["numerator"], automated["denominator"]) == (2, 3)
    assert (collected["numerator"], collected["denominator"]) == (3, 3)
    one = {"from": "2017-03-01T00:00:00+09:00", "to": "2017-03-01T01:00:00+09:00"}
    hours = {item["scope"]: item["kpis"] for item in await items(api, group_by="region", **one)}
    assert hours["region:KR-48"]["auto_collected_share"]["numerator"] == 0
    assert hours["region:KR-48"]["automated_equipment_share"]["value"] == 1
    by_hour = await items(api, "region:KR-26", interval="hour", kpi="auto_collected_share")
    assert [item["kpis"]["auto_collected_share"]["numerator"] for item in by_hour[:3]] == [0, 3, 0]


async def test_unsigned_counts_do_not_make_a_machine_connected(api: Api) -> None:
    await account(api, unsigned=True)
    (busan,) = await items(api, "region:KR-26")
    assert busan["kpis"]["auto_collected_share"]["numerator"] == 2
    assert busan["counts"]["good"] == 57


async def test_a_correction_moves_what_was_counted(api: Api) -> None:
    await account(api)
    await api.put("/v1/factories/F2", {**FACTORY, "enterprise_id": "E2", "region": "KR-11", "level": "advanced"})
    await api.put("/v1/enterprises/E2", {**ENTERPRISE, "employees": 9})
    await api.settle_all(UNTIL_US)
    by_region = {item["scope"]: item for item in await items(api, group_by="region")}
    assert by_region["region:KR-11"]["time_s"]["producing"] == 1800
    assert by_region["region:KR-26"]["time_s"]["producing"] == 900
    assert by_region["region:KR-11"]["kpis"]["quality_ratio"]["numerator"] == 7
    sizes = {item["scope"]: item["machines"] for item in await items(api, group_by="size")}
    assert sizes == {"size:1-9": 2, "size:10-49": 1}
    left = await api.query("SELECT count(*) FROM cohort_day d JOIN cohort c ON c.id = d.cohort WHERE c.size = '300+'")
    assert left == [(0,)]


async def test_kpis_before_the_horizon_do_not_change(api: Api) -> None:
    """Facts before noon are gone, so a correction of all time applies from noon on."""
    await account(api)
    morning = {"from": "2017-03-01T00:00:00+09:00", "to": "2017-03-01T12:00:00+09:00"}
    afternoon = {"from": "2017-03-01T12:00:00+09:00", "to": "2017-03-02T00:00:00+09:00"}
    amounts = ("scope", "factories", "machines", "time_s", "counts")
    before = [[item[name] for name in amounts] for item in await items(api, group_by="region", **morning)]
    await api.query("UPDATE fact_horizon SET sealed_before = '2017-03-01T11:40:00+09:00'")
    for name in ("first name", "second name"):
        for region in ("KR-28", "KR-11"):
            await api.put("/v1/factories/F2", {**FACTORY, "enterprise_id": "E2", "region": region, "name": name})
        await api.put("/v1/factories/F2/machines/M1", {**MACHINE, "in_use_from": "2017-04-01"})
        await api.settle_all(UNTIL_US)
        assert [[item[name] for name in amounts] for item in await items(api, group_by="region", **morning)] == before
        after = {item["scope"]: item["machines"] for item in await items(api, group_by="region", **afternoon)}
        assert after == {"region:KR-11": 1, "region:KR-26": 1}
        owners = await api.query(
            "SELECT machine, region FROM machine_span s JOIN cohort c ON c.id = s.cohort "
            "WHERE first_day <= '2017-03-01' AND end_day > '2017-03-01' ORDER BY machine"
        )
        assert owners == [(1, "KR-26"), (2, "KR-26"), (3, "KR-11")]
        assert await verify(api.database_url, MARCH, None, 0, ledger=False) == 0
    await api.query("UPDATE fact_horizon SET sealed_before = '2017-03-02T00:00:00+09:00'")
    whole = [of_facts(item) for item in await items(api, group_by="region")]
    await api.put("/v1/factories/F1", {**FACTORY, "region": "KR-11"})
    await api.settle_all(UNTIL_US)
    assert [of_facts(item) for item in await items(api, group_by="region")] == whole
    assert await verify(api.database_url, MARCH, None, 0, ledger=False) == 0


def of_facts(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item without the KPI that needs no facts, and so follows the registry at any time."""
    return {**item, "kpis": {name: kpi for name, kpi in item["kpis"].items() if name != "smart_factory_share"}}


async def test_days_with_counts_belong_to_the_cohort_of_the_day(api: Api) -> None:
    """F1's day with counts belongs to KR-26, where F1 was last; half of the days are enough to be flagged."""
    await account(api)
    (south,) = await items(api, "region:KR-48", kpi="quality_ratio")
    assert south["kpis"]["quality_ratio"]["numerator"] == 60
    stored = await api.query(
        "SELECT c.region, sum(d.count_days), sum(d.counted_days) FROM cohort_day d JOIN cohort c ON c.id = d.cohort "
        "GROUP BY c.region ORDER BY 1"
    )
    assert stored == [("KR-26", 2, 1), ("KR-48", 0, 0)]


async def test_the_database_and_the_program_agree_on_sizes(api: Api) -> None:
    rows = await api.query(
        "SELECT n, size_of(n) FROM generate_series(0, 400) AS n UNION ALL SELECT NULL, size_of(NULL)"
    )
    assert len(rows) == 402
    assert all(Size.of(employees) == size for employees, size in rows)


async def test_csv_has_the_same_items(api: Api) -> None:
    await account(api)
    key = await api.key("admin")
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/csv"}
    asked = {**DAY, "group_by": "factory", "kpi": "oee", "limit": "1"}
    answer = await api.client.get("/v1/kpis", params=asked, headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    follow = await api.client.get(answer.links["next"]["url"], headers=headers)
    rows += list(csv.DictReader(io.StringIO(follow.text)))
    assert "next" not in follow.links
    whole = await items(api, group_by="factory", kpi="oee")
    assert [row["scope"] for row in rows] == [item["scope"] for item in whole] == ["factory:F1", "factory:F2"]
    assert [float(row["producing_s"]) for row in rows] == [item["time_s"]["producing"] for item in whole]
    assert float(rows[0]["oee"]) == whole[0]["kpis"]["oee"]["value"]
    assert (rows[1]["oee"], rows[1]["oee_reason"]) == ("", whole[1]["kpis"]["oee"]["reason"])
    assert rows[0]["oee_flags"] == ""
    assert rows[0]["partial"] == "false"


async def test_all_pages_of_factories_together_are_the_whole(api: Api) -> None:
    await account(api)
    for group in ("factory", "machine", "region"):
        whole = await items(api, group_by=group, interval="hour", kpi="availability")
        pages: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        for _ in range(30):
            asked: dict[str, Any] = {**DAY, "group_by": group, "interval": "hour", "limit": 5, **cursor}
            answer = (await api.get("/v1/kpis", **asked, kpi="availability")).json()
            pages += answer["items"]
            if answer["next_cursor"] is None:
                break
            cursor = {"cursor": answer["next_cursor"]}
        assert pages == whole


async def test_a_regional_officer_asks_within_the_region(api: Api) -> None:
    await account(api)
    for role, scopes, expected in (
        ("region:KR-26", ("region:KR-26",), 200),
        ("region:KR-26", ("region:KR-26", "sector:C29"), 200),
        ("region:KR-26", ("factory:F1",), 200),
        ("region:KR-26", ("region:KR-48",), 403),
        ("region:KR-26", ("sector:C29",), 403),
        ("region:KR-26", (), 403),
        ("region:KR-48", ("factory:F1",), 403),
        ("factory:F1", ("factory:F1",), 200),
        ("factory:F1", ("region:KR-26",), 403),
        ("researcher", ("nation",), 403),
        ("ministry", ("zone:Z9",), 200),
    ):
        asked = [("scope", scope) for scope in scopes] + list(DAY.items())
        assert (await api.ask("GET", "/v1/kpis", role, params=asked)).status_code == expected, (role, scopes)
