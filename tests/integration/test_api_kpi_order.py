"""``GET /v1/kpis?order_by=``: best and worst, by the exact ratio, with cursors."""

import csv
import io
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from http import HTTPStatus
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from schemas.kpi_definitions import read_definitions
from services.api.cursors import make_cursor
from services.api.instants import parse_instant
from services.api.kpis.questions import GroupBy, Question, parse_scopes
from services.api.kpis.rank_queries import ranked_labels
from services.api.kpis.ranking import Ranking
from services.api.kpis.windows import Interval, buckets
from tests.api import ENTERPRISE, FACTORY, MACHINE, Api

DAY = {"from": "2017-03-01", "to": "2017-03-02"}
HOUR = {"from": "2017-03-01T01:00:00+09:00", "to": "2017-03-01T02:00:00+09:00"}
SECOND = 1_000_000
KNOWN = read_definitions().by_id()
KPIS = list(KNOWN)
MACHINES = ["machine:F1/M1", "machine:F2/M1", "machine:F3/M1", "machine:F1/M2", "machine:F4/M1"]
"""Those that have counts and evidence, and those that have not; each in the order of labels."""
GROUPS = ["region", "sector", "zone", "sponsor", "level", "size", "factory", "machine"]

STATES = """
INSERT INTO state_event (machine, at, state, mode, revision, retracted, record_id)
SELECT m.id, '2017-03-01T01:00:00+09:00'::timestamptz + make_interval(mins => w.minute), w.state, w.mode, 0, false, 1
FROM (VALUES ('F1', 'M1', 0, 1, 1), ('F1', 'M1', 10, 5, 0), ('F1', 'M1', 20, 0, 0),
             ('F1', 'M2', 0, 1, 3), ('F1', 'M2', 5, 2, 0), ('F1', 'M2', 15, 0, 0),
             ('F2', 'M1', 0, 1, 1), ('F2', 'M1', 5, 5, 0), ('F2', 'M1', 10, 0, 0),
             ('F3', 'M1', 0, 4, 0), ('F3', 'M1', 10, 1, 2), ('F3', 'M1', 18, 3, 0), ('F3', 'M1', 19, 0, 0))
    AS w(factory_id, machine_id, minute, state, mode)
JOIN factory f USING (factory_id)
JOIN machine m ON m.factory = f.id AND m.machine_id = w.machine_id
"""
COUNTS = """
INSERT INTO count_event (machine, at, product, good, scrap, rework, revision, retracted, record_id)
SELECT m.id, '2017-03-01T01:04:00+09:00', '', w.good, w.scrap, 0, 0, false, 1
FROM (VALUES ('F1', 'M1', 40, 4), ('F2', 'M1', 10, 1), ('F3', 'M1', 7, 0)) AS w(factory_id, machine_id, good, scrap)
JOIN factory f USING (factory_id)
JOIN machine m ON m.factory = f.id AND m.machine_id = w.machine_id
"""


@pytest_asyncio.fixture
async def country(api: Api) -> Api:
    """Five factories: F1/M1 and F2/M1 are equally available with different sums; F4 is silent, F5 out of use."""
    await api.register()
    for enterprise, employees in (("E2", 7), ("E3", 900)):
        await api.put(f"/v1/enterprises/{enterprise}", {**ENTERPRISE, "employees": employees})
    for path, of_zone in (("zones/Z1", {"region": "KR-48"}), ("zones/Z2", {"region": "KR-26"}), ("sponsors/S1", {})):
        assert (await api.put(f"/v1/{path}", {"name": path, **of_zone})).status_code == HTTPStatus.CREATED
    factories: tuple[tuple[str, dict[str, Any]], ...] = (
        ("F1", {"zone": "Z1"}),
        ("F2", {"region": "KR-26", "sector": "C10", "enterprise_id": "E2", "zone": "Z2", "sponsor": "S1"}),
        ("F3", {"region": "KR-11", "sector": "C25", "enterprise_id": "E3", "level": "advanced", "sponsor": "S1"}),
        ("F4", {"region": "KR-11", "level": "none", "zone": "Z1"}),
        ("F5", {"region": "KR-50"}),
    )
    for factory, differing in factories:
        await api.put(f"/v1/factories/{factory}", {**FACTORY, **differing})
    machines: tuple[tuple[str, dict[str, Any]], ...] = (
        ("F1/machines/M1", {"ideal_cycle_s": 10}),
        ("F1/machines/M2", {"automation": "manual"}),
        ("F2/machines/M1", {"ideal_cycle_s": 20}),
        ("F3/machines/M1", {"ideal_cycle_s": 7, "automation": "manual"}),
        ("F4/machines/M1", {}),
        ("F5/machines/M1", {"in_use_to": "2017-03-01"}),
    )
    for path, differing in machines:
        answer = await api.put(f"/v1/factories/{path}", {**MACHINE, **differing})
        assert answer.is_success, answer.text
    await api.query(STATES)
    await api.query(COUNTS)
    await api.query("INSERT INTO dirty_mark SELECT shard, id, '2017-02-28Z', '2017-03-02Z' FROM machine")
    await api.settle_all(1_600_000_000 * SECOND)
    return api


async def ask(api: Api, **parameters: Any) -> dict[str, Any]:
    answer = await api.get("/v1/kpis", **{**DAY, **parameters})
    return read(answer)


def read(answer: httpx.Response) -> dict[str, Any]:
    """Return the answer with its numbers as they are written, none of them rounded."""
    assert answer.status_code == HTTPStatus.OK, answer.text
    found: dict[str, Any] = answer.json(parse_float=Decimal)
    return found


def scopes(items: Iterable[dict[str, Any]]) -> list[str]:
    return [item["scope"] for item in items]


def reference(items: Iterable[dict[str, Any]], order_by: str) -> list[dict[str, Any]]:
    """Return the items in order, naively: one fraction for each."""
    kpi = order_by.removeprefix("-")

    def key(item: dict[str, Any]) -> tuple[bool, Fraction, str]:
        value = item["kpis"][kpi]
        if value["value"] is None:
            return True, Fraction(0), item["scope"]
        ratio = Fraction(value["numerator"]) / Fraction(value["denominator"])
        return False, -ratio if order_by.startswith("-") else ratio, item["scope"]

    return sorted(items, key=key)


async def test_best_and_worst(country: Api) -> None:
    best = await ask(country, group_by="machine", order_by="-availability")
    assert scopes(best["items"]) == [
        "machine:F1/M1",
        "machine:F2/M1",
        "machine:F3/M1",
        "machine:F1/M2",
        "machine:F4/M1",
    ]
    values = [item["kpis"]["availability"]["value"] for item in best["items"]]
    assert values[0] == values[1] == Decimal("0.5")
    assert values[-1] is None
    worst = await ask(country, group_by="machine", order_by="availability", limit=2)
    assert scopes(worst["items"]) == ["machine:F1/M2", "machine:F3/M1"]
    assert worst["next_cursor"] is not None
    assert worst["accounted_until"] == best["accounted_until"]


@pytest.mark.parametrize("group_by", GROUPS)
async def test_every_kpi_orders_every_group_by_its_exact_value(country: Api, group_by: str) -> None:
    for window in (DAY, HOUR):
        unordered = (await ask(country, group_by=group_by, **window))["items"]
        assert unordered
        for kpi in KPIS:
            for order_by in (kpi, f"-{kpi}"):
                page = await ask(country, group_by=group_by, order_by=order_by, **window)
                assert page["items"] == reference(unordered, order_by), order_by
                assert page["next_cursor"] is None


async def test_pages_neither_repeat_nor_leave_out(country: Api) -> None:
    for order_by in ("availability", "-availability", "quality_ratio", "-coverage", "-auto_collected_share"):
        asked = {"group_by": "machine", "order_by": order_by, "kpi": "oee"}
        whole = (await ask(country, **asked))["items"]
        assert len(whole) == 5
        for limit in (1, 2, 4):
            found: list[dict[str, Any]] = []
            cursor: dict[str, str] = {}
            while True:
                page = await ask(country, **asked, limit=limit, **cursor)
                assert len(page["items"]) == limit or page["next_cursor"] is None
                found += page["items"]
                if page["next_cursor"] is None:
                    break
                cursor = {"cursor": page["next_cursor"]}
            assert found == whole


async def test_only_the_kpis_asked_for_are_answered(country: Api) -> None:
    (item,) = (await ask(country, group_by="factory", order_by="-oee", kpi="availability", limit=1))["items"]
    assert list(item["kpis"]) == ["availability"]


async def test_csv_has_the_same_items_and_leads_to_the_next_page(country: Api) -> None:
    asked = {**DAY, "group_by": "factory", "order_by": "-availability", "limit": "2"}
    url: Any = httpx.URL("http://api/v1/kpis", params=asked)
    found: list[str] = []
    while url is not None:
        answer = await country.client.get(
            url, headers={"Authorization": f"Bearer {await country.key('admin')}", "Accept": "text/csv"}
        )
        assert answer.status_code == HTTPStatus.OK, answer.text
        found += [row["scope"] for row in csv.DictReader(io.StringIO(answer.text))]
        url = answer.links.get("next", {}).get("url")
    items = (await ask(country, group_by="factory", order_by="-availability"))["items"]
    assert found == scopes(items)
    assert len(found) == 4


async def test_any_window_of_one_bucket_can_be_ordered(country: Api) -> None:
    total = (await ask(country, group_by="factory", order_by="-availability"))["items"]
    for interval in ("day", "total"):
        assert (await ask(country, group_by="factory", order_by="-availability", interval=interval))["items"] == total
    hour = await ask(country, group_by="factory", order_by="-availability", interval="hour", **HOUR)
    assert scopes(hour["items"]) == scopes(total)


async def test_within_a_scope_and_without_groups(country: Api) -> None:
    seoul = await ask(country, scope="region:KR-11", group_by="factory", order_by="-availability")
    assert scopes(seoul["items"]) == ["factory:F3", "factory:F4"]
    assert scopes((await ask(country, order_by="-availability"))["items"]) == ["nation"]
    own = await ask(country, scope="factory:F1", group_by="machine", order_by="availability")
    assert scopes(own["items"]) == ["machine:F1/M2", "machine:F1/M1"]
    for group_by, label in (("factory", "factory:F1"), ("machine", "machine:F1/M2"), ("region", "region:KR-48")):
        alone = await ask(country, scope="machine:F1/M2", group_by=group_by, order_by="-coverage")
        assert scopes(alone["items"]) == [label]
    nothing = await ask(country, scope="zone:Z9", group_by="factory", order_by="oee")
    assert (nothing["items"], nothing["next_cursor"]) == ([], None)
    future = {"from": "2030-01-01", "to": "2030-01-02"}
    assert (await ask(country, group_by="factory", order_by="oee", **future))["items"] == []


@pytest.mark.parametrize("group_by", [GroupBy.FACTORY, GroupBy.MACHINE, GroupBy.REGION])
@pytest.mark.parametrize("window", [DAY, HOUR])
async def test_a_kpi_of_days_with_counts_can_be_ordered(
    country: Api, group_by: GroupBy, window: dict[str, str]
) -> None:
    """No KPI is made of them yet, but a definition may be."""
    share = msgspec.structs.replace(KNOWN["coverage"], numerator=("counted_days",), denominator=("machine_days",))
    whole = buckets(parse_instant(window["from"]), parse_instant(window["to"]), Interval.TOTAL)
    question = Question(parse_scopes([]), group_by, Interval.TOTAL, whole, whole.to_us)
    async with country.app.state.databases.read.connect() as connection:
        rows = (await connection.execute(ranked_labels(question, Ranking(share, True), 100))).all()
    found = {row.label: Fraction(int(row.rank), 10**100) for row in rows}
    if group_by is GroupBy.MACHINE:
        assert found == {**dict.fromkeys(MACHINES[:3], 1), **dict.fromkeys(MACHINES[3:], 0)}
        assert list(found) == [*MACHINES[:3], *MACHINES[3:]]
    elif group_by is GroupBy.FACTORY:
        assert found == {"factory:F2": 1, "factory:F3": 1, "factory:F1": Fraction(1, 2), "factory:F4": 0}
        assert list(found) == ["factory:F2", "factory:F3", "factory:F1", "factory:F4"]
    else:
        half = Fraction(1, 2)
        assert found == {"region:KR-26": 1, "region:KR-11": half, "region:KR-48": half}
        assert list(found) == ["region:KR-26", "region:KR-11", "region:KR-48"]


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"interval": "hour"}, "A scope needs one value to be ordered by, and this window has 24 buckets"),
        ({"interval": "day", "to": "2017-03-03"}, "this window has 2 buckets; ask for interval=total"),
        ({"order_by": "happiness"}, "There is no KPI happiness to order by"),
        ({"order_by": "-"}, "There is no KPI"),
        ({"order_by": "scope"}, "There is no KPI scope"),
        ({"order_by": "x" * 101}, "order_by"),
        ({"cursor": "x"}, "This cursor is not of order_by=-availability"),
    ],
)
async def test_an_order_that_cannot_be_is_refused(api: Api, change: dict[str, str], detail: str) -> None:
    asked = {**DAY, "group_by": "factory", "order_by": "-availability", **change}
    answer = await api.get("/v1/kpis", **asked)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert detail in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_cursor_of_another_order_is_refused(country: Api) -> None:
    asked: dict[str, Any] = {"group_by": "factory", "limit": 1}
    cursors = {
        order_by: (await ask(country, **asked, **order_by_of(order_by)))["next_cursor"]
        for order_by in ("", "availability", "-availability", "oee")
    }
    for order_by in cursors:
        for made_by, cursor in cursors.items():
            answer = await country.get("/v1/kpis", **{**DAY, **asked}, **order_by_of(order_by), cursor=cursor)
            expected = HTTPStatus.OK if order_by == made_by else HTTPStatus.UNPROCESSABLE_ENTITY
            assert answer.status_code == expected, (order_by, made_by, answer.text)


async def test_a_cursor_of_another_question_is_refused(country: Api) -> None:
    asked: dict[str, Any] = {**DAY, "order_by": "oee", "limit": 1}
    cursor = (await ask(country, group_by="factory", **asked))["next_cursor"]
    labels = ["factory:F\0", "machine:F1/M1", "region:KR-48", "nation", ""]
    for other in [cursor, *(make_cursor(("oee", None, label)) for label in labels)]:
        answer = await country.get("/v1/kpis", **asked, group_by="sector", cursor=other)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "send the cursor with the question that it belongs to" in answer.json()["detail"].lower()


def order_by_of(order_by: str) -> dict[str, str]:
    return {"order_by": order_by} if order_by else {}
