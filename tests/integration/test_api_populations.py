"""The programme's populations over HTTP and from files, and the share of enterprises that have a smart factory."""

import asyncio
import datetime as dt
import io
import random
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from services.api.programme.population_import import Imported, import_populations
from services.api.registry.importing import BadLines
from services.core.times import DAY_US, seoul_midnight_us
from tests.api import FACTORY, MACHINE, Api

KPI = "smart_factory_share"
UNTIL_US = seoul_midnight_us(dt.date(2021, 1, 1))
ROWS = [
    {"region": "KR-11", "sector": "C25", "enterprises": 10},
    {"region": "KR-48", "sector": "C25", "enterprises": 20},
    {"region": "KR-48", "sector": "C29", "enterprises": 40},
]


async def report(api: Api, year: int = 2020, rows: Any = ROWS, role: str = "admin") -> dict[str, Any]:
    answer = await api.put(f"/v1/programme/populations/{year}", {"rows": rows}, role)
    assert answer.status_code in (HTTPStatus.OK, HTTPStatus.CREATED), answer.text
    return dict(answer.json())


async def register(api: Api, factory: str, enterprise: str, effective_from: str | None = None, **fields: Any) -> None:
    answer = await api.put(f"/v1/enterprises/{enterprise}", {"name": enterprise, "employees": 5})
    assert answer.status_code in (HTTPStatus.OK, HTTPStatus.CREATED), answer.text
    body = {**FACTORY, "enterprise_id": enterprise, "effective_from": effective_from, **fields}
    answer = await api.put(f"/v1/factories/{factory}", {k: v for k, v in body.items() if v is not None})
    assert answer.status_code in (HTTPStatus.OK, HTTPStatus.CREATED), answer.text
    answer = await api.put(f"/v1/factories/{factory}/machines/M1", MACHINE)
    assert answer.status_code in (HTTPStatus.OK, HTTPStatus.CREATED), answer.text


async def shares(api: Api, **asked: Any) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return numerator, denominator and reason by scope and end of the bucket (a day in UTC)."""
    window = {"from": "2020-06-01", "to": "2020-07-01", "kpi": KPI} | asked
    answer = await api.get("/v1/kpis", **window)
    assert answer.status_code == HTTPStatus.OK, answer.text
    found = {}
    for item in answer.json()["items"]:
        kpi = item["kpis"][KPI]
        assert kpi["value"] == (kpi["numerator"] / kpi["denominator"] if kpi["denominator"] else None)
        found[item["scope"], item["to"]] = (kpi["numerator"], kpi["denominator"], kpi["reason"])
    return found


async def share(api: Api, **asked: Any) -> tuple[Any, ...]:
    (found,) = (await shares(api, **asked)).values()
    return found


async def some_country(api: Api) -> None:
    """E1 has two factories in two sectors of KR-48 and one in KR-11; E2 becomes smart in 2020, E3 has level none."""
    await register(api, "F1", "E1", sector="C25", established_on="2018-01-01")
    await register(api, "F2", "E1", sector="C29", level="advanced", established_on="2019-01-01")
    await register(api, "F3", "E1", sector="C25", region="KR-11", level="none")
    await register(api, "F3", "E1", sector="C25", region="KR-11", effective_from="2020-06-16")
    await register(api, "F4", "E2", sector="C25", established_on="2020-06-20", closed_on="2020-12-01")
    await register(api, "F5", "E3", sector="C29", level="none")
    await api.settle_all(UNTIL_US)


async def test_an_enterprise_counts_once_in_each_scope(api: Api) -> None:
    await some_country(api)
    await report(api)
    assert await share(api) == (2, 70, None)
    assert await share(api, scope="region:KR-48") == (2, 60, None)
    assert await share(api, scope="region:KR-11") == (1, 10, None)
    assert await share(api, scope="sector:C25") == (2, 30, None)
    assert await share(api, scope="sector:C29") == (1, 40, None)
    assert await share(api, scope=["region:KR-48", "sector:C25"]) == (2, 20, None)
    assert list((await shares(api, group_by="region")).values()) == [(1, 10, None), (2, 60, None)]
    assert list((await shares(api, group_by="region", scope="sector:C29")).values()) == [(1, 40, None)]
    assert list((await shares(api, group_by="sector", scope="region:KR-48")).values()) == [(2, 20, None), (1, 40, None)]


async def test_it_is_a_stock_at_the_last_instant_before_the_end(api: Api) -> None:
    await some_country(api)
    await report(api)
    asked = {"scope": "region:KR-48", "interval": "day", "from": "2020-06-19", "to": "2020-06-22"}
    assert [found[0] for found in (await shares(api, **asked)).values()] == [1, 2, 2]
    hours = {"interval": "hour", "from": "2020-06-15T22:00:00+09:00", "to": "2020-06-16T02:00:00+09:00"}
    assert [found[0] for found in (await shares(api, scope="region:KR-11", **hours)).values()] == [0, 0, 1, 1]
    year = await shares(api, interval="month", **{"from": "2020-05-01", "to": "2021-01-01"})
    assert [found[0] for found in year.values()] == [1, 2, 2, 2, 2, 2, 2, 1]
    assert await share(api, **{"from": "2018-01-01", "to": "2020-12-01"}) == (2, 70, None)
    assert await share(api, **{"from": "2018-01-01", "to": "2020-12-02"}) == (1, 70, None)


async def test_each_seoul_year_has_its_own_population(api: Api) -> None:
    await some_country(api)
    await report(api, 2019, [{**row, "enterprises": 3} for row in ROWS])
    await report(api)
    asked = {"interval": "day", "from": "2019-12-30", "to": "2020-01-02"}
    assert [found[1] for found in (await shares(api, **asked)).values()] == [9, 9, 70]
    assert await share(api, **{"from": "2019-01-01", "to": "2020-01-01"}) == (1, 9, None)


async def test_a_missing_cell_makes_null_where_it_is_needed(api: Api) -> None:
    await some_country(api)
    assert await share(api) == (2, 0, "no_population")
    await report(api, rows=ROWS[:2])
    assert await share(api) == (2, 0, "no_population")
    assert await share(api, scope="region:KR-48") == (2, 0, "no_population")
    assert await share(api, scope="region:KR-11") == (1, 10, None)
    assert await share(api, scope="sector:C25") == (2, 30, None)
    assert await share(api, scope=["region:KR-48", "sector:C29"]) == (1, 0, "no_population")
    found = await shares(api, group_by="region")
    assert list(found.values()) == [(1, 10, None), (2, 0, "no_population")]
    await report(api, 2021)
    assert await share(api) == (2, 0, "no_population")


@pytest.mark.parametrize("scope", ["zone:Z1", "sponsor:S1", "level:basic", "size:1-9", "factory:F1", "machine:F1/M1"])
async def test_other_scopes_are_not_offered(api: Api, scope: str) -> None:
    for kind in ("zones", "sponsors"):
        body = {"name": "N", "region": "KR-48"} if kind == "zones" else {"name": "N"}
        assert (await api.put(f"/v1/{kind}/{kind[0].upper()}1", body)).status_code == HTTPStatus.CREATED
    await register(api, "F1", "E1", zone="Z1", sponsor="S1", sector="C25")
    await api.settle_all(UNTIL_US)
    await report(api)
    assert await share(api, scope=scope) == (0, 0, "not_offered_for_scope")
    group_by = scope.partition(":")[0]
    for order_by in ({}, {"order_by": KPI}):
        assert list((await shares(api, group_by=group_by, **order_by)).values()) == [(0, 0, "not_offered_for_scope")]
    assert await share(api, scope=[scope, "region:KR-48"]) == (0, 0, "not_offered_for_scope")


async def test_every_form_and_order_has_the_same_figures(api: Api) -> None:
    await some_country(api)
    await report(api)
    for asked in ({"interval": "day"}, {"interval": "hour", "to": "2020-06-03"}, {}):
        window = {"from": "2020-06-01", "to": "2020-07-01", "group_by": "region", "kpi": KPI} | asked
        json = await shares(api, **window)
        headers = {"Authorization": f"Bearer {await api.key('admin')}", "Accept": "application/vnd.apache.parquet"}
        answer = await api.client.get("/v1/kpis", params=window, headers=headers)
        rows = pq.read_table(io.BytesIO(answer.content)).to_pylist()
        bulk = [(row[f"{KPI}_numerator"], row[f"{KPI}_denominator"], row[f"{KPI}_reason"]) for row in rows]
        assert bulk == list(json.values())
    for window in ({}, {"from": "2020-06-01T01:00:00+09:00"}):
        best = list(await shares(api, group_by="region", order_by=f"-{KPI}", **window))
        assert [scope for scope, _ in best] == ["region:KR-11", "region:KR-48"]


async def test_a_report_supersedes_the_one_before_which_is_kept(api: Api) -> None:
    api.app.state.clock = lambda: UNTIL_US
    first = await report(api, rows=list(reversed(ROWS)))
    assert first["rows"] == ROWS
    assert (first["year"], first["recorded_by"]) == (2020, "test admin")
    api.app.state.clock = lambda: UNTIL_US + DAY_US
    again = await report(api, role="ministry")
    assert again == first
    second = await report(api, rows=ROWS[:1], role="ministry")
    assert second["rows"] == ROWS[:1]
    assert [(one["recorded_by"], one["enterprises"]) for one in second["history"]] == [
        ("test ministry", 10),
        ("test admin", 70),
    ]
    assert (await api.get("/v1/programme/populations/2020", "ministry")).json() == second
    then = (await api.get("/v1/programme/populations/2020", at="2021-01-01")).json()
    assert (then["rows"], then["recorded_at"]) == (ROWS, "2020-12-31T15:00:00Z")
    assert (await api.get("/v1/programme/populations/2019")).status_code == HTTPStatus.NOT_FOUND
    before = await api.get("/v1/programme/populations/2020", at="2020-12-31")
    assert before.status_code == HTTPStatus.NOT_FOUND


async def test_two_reports_at_once_are_one_after_the_other(api: Api) -> None:
    await api.key("admin")
    bodies = [[{**row, "enterprises": n} for row in ROWS] for n in range(1, 5)]
    await asyncio.gather(*(report(api, rows=rows) for rows in bodies))
    found = (await api.get("/v1/programme/populations/2020")).json()
    assert sorted(one["enterprises"] for one in found["history"]) == [3, 6, 9, 12]
    assert await api.query("SELECT count(*) FROM population WHERE superseded_at IS NULL") == [(1,)]


@pytest.mark.parametrize("role", ["researcher", "region:KR-48", "factory:F1"])
async def test_who_may_report_and_read(api: Api, role: str) -> None:
    assert (await api.put("/v1/programme/populations/2020", {"rows": ROWS}, role)).status_code == HTTPStatus.FORBIDDEN
    assert (await api.get("/v1/programme/populations/2020", role)).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([{**ROWS[0], "region": "KR-99"}], "there is no region 'KR-99'"),
        ([{**ROWS[0], "sector": "C99"}], "there is no sector 'C99'"),
        ([{**ROWS[0], "sector": "25"}], "there is no sector '25'"),
        ([*ROWS, {**ROWS[1], "enterprises": 1}], "KR-48 C25 has two rows"),
        ([{**ROWS[0], "enterprises": -1}], "greater than or equal to 0"),
        ([{**ROWS[0], "enterprises": 1.5}], "integer"),
        ([{**ROWS[0], "enterprises": True}], "whole number"),
        ([{**ROWS[0], "colour": "red"}], "there is no such field"),
        ([{"region": "KR-48", "sector": "C25"}], "this is required"),
        ([], "at least 1 item"),
    ],
)
async def test_invalid_rows_are_refused_by_name(api: Api, body: Any, detail: str) -> None:
    for sent in (body, {"rows": body}):
        answer = await api.put("/v1/programme/populations/2020", sent)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert detail in answer.json()["detail"]
    assert (await api.get("/v1/programme/populations/2020")).status_code == HTTPStatus.NOT_FOUND


async def test_a_year_is_a_year(api: Api) -> None:
    for year in ("1999", "2200", "soon"):
        answer = await api.put(f"/v1/programme/populations/{year}", {"rows": ROWS})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_rows_come_from_a_file_too(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "2020.csv"
    file.write_text("\ufeffregion,sector,enterprises\nKR-48,C29,40\nKR-11,C25,10.0\n\n", encoding="utf-8")
    imported = await import_populations(api.database_url, file, 2020, "me", UNTIL_US, dry_run=True)
    assert imported == Imported(2, 50)
    assert (await api.get("/v1/programme/populations/2020")).status_code == HTTPStatus.NOT_FOUND
    await import_populations(api.database_url, file, 2020, "me", UNTIL_US, dry_run=False)
    found = (await api.get("/v1/programme/populations/2020")).json()
    assert found["rows"] == [ROWS[0], ROWS[2]]
    assert found["recorded_by"] == "me"


async def test_invalid_lines_are_all_reported_and_nothing_is_imported(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "2020.csv"
    lines = ("region,sector,enterprises", "KR-99,C25,1", "KR-48,C25,1", "KR-48,C25,2", "KR-48,C99,x", "KR-48,C29,")
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BadLines) as raised:
        await import_populations(api.database_url, file, 2020, "me", UNTIL_US, dry_run=False)
    found = [line.removeprefix(f"{file}:") for line in raised.value.lines]
    assert [line.split(": ")[:2] for line in found] == [
        ["2", "region"],
        ["4", "sector"],
        ["5", "sector"],
        ["5", "enterprises"],
        ["6", "enterprises"],
    ]
    assert "there is no region 'KR-99'" in found[0]
    assert "line 3 has the same region and sector (KR-48 C25)" in found[1]
    assert await api.query("SELECT * FROM population") == []


VERSIONS = """
SELECT e.enterprise_id, v.region, v.sector, v.level <> 'none',
       GREATEST(v.effective_from, v.established_on::timestamp AT TIME ZONE 'Asia/Seoul'),
       LEAST(v.effective_to, v.closed_on::timestamp AT TIME ZONE 'Asia/Seoul')
FROM factory_version v JOIN enterprise e ON e.id = v.enterprise WHERE v.retired_at IS NULL
"""
STEPS = "SELECT region, sector, at, enterprises FROM programme_step ORDER BY 1, 2, 3"
CELLS = "SELECT region, sector, from_at, to_at FROM programme_cell ORDER BY 1, 2, 3"


Present = list[tuple[str, str, str, bool, int, int]]
"""Enterprise, region, sector, whether it is smart, from and to."""


def counted(present: Present) -> list[tuple[int, int]]:
    """Return how many enterprises there are from each instant on at which that changes."""
    found: list[tuple[int, int]] = []
    for at in sorted({us for version in present for us in version[4:]}):
        now = len({enterprise for enterprise, *_, start, end in present if start <= at < end})
        if not found or found[-1][1] != now:
            found.append((at, now))
    return found


def steps_of(present: Present) -> list[tuple[Any, ...]]:
    """Return what the table of steps should have: sets of enterprises at each instant, one after the other."""
    scopes = {scope for _, r, s, *_ in present for scope in (("", ""), (r, ""), ("", s), (r, s))}
    found = []
    for region, sector in sorted(scopes):
        before = 0
        for at, now in counted([v for v in present if v[3] and region in ("", v[1]) and sector in ("", v[2])]):
            found.append((region, sector, at, now - before))
            before = now
    return found


def cells_of(present: Present) -> list[tuple[Any, ...]]:
    """Return what the table of cells should have."""
    found = []
    for region, sector in sorted({(r, s) for _, r, s, *_ in present}):
        own = counted([(region, *v[1:]) for v in present if v[1:3] == (region, sector)])
        found += [(region, sector, at, end) for (at, now), (end, _) in pairwise(own) if now]
    return found


async def check_kept(api: Api) -> None:
    """Compare what triggers keep with what the versions say."""
    present = [version for version in await api.query(VERSIONS) if version[4] < version[5]]
    assert await api.query(STEPS) == steps_of(present)
    assert await api.query(CELLS) == cells_of(present)


@pytest.mark.parametrize("seed", range(3))
async def test_steps_follow_every_change_of_the_registry(api: Api, seed: int) -> None:
    chance = random.Random(seed)
    days = [f"20{year}-0{month}-01" for year in range(15, 21) for month in (3, 6, 9)]
    for n in range(40):
        first, last = sorted(chance.sample(days, 2))
        await register(
            api,
            f"F{chance.randrange(1, 7)}",
            f"E{chance.randrange(1, 4)}",
            chance.choice([None, None, *days]),
            region=chance.choice(["KR-11", "KR-48"]),
            sector=chance.choice(["C25", "C29"]),
            level=chance.choice(["none", "basic", "advanced"]),
            established_on=chance.choice([None, first]),
            closed_on=chance.choice([None, None, last]),
        )
        if n % 10 == 9:
            await check_kept(api)
    await api.query("DELETE FROM factory_version WHERE factory = 1")
    await check_kept(api)
    await api.query("TRUNCATE factory_version")
    assert await api.query(STEPS) == await api.query(CELLS) == []


async def test_each_bucket_is_the_same_in_whatever_window(api: Api) -> None:
    await some_country(api)
    await report(api)
    whole = await shares(api, group_by="sector", interval="day")
    days = [UNTIL_US - n * DAY_US for n in range(185, 215)]
    for first, last in pairwise(sorted(days)):
        iso = [dt.datetime.fromtimestamp(us // 10**6, dt.UTC).isoformat() for us in (first, last)]
        part = await shares(api, group_by="sector", interval="day", **{"from": iso[0], "to": iso[1]})
        assert part.items() <= whole.items() or last > seoul_midnight_us(dt.date(2020, 7, 1))
