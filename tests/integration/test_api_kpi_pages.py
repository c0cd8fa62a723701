"""Pages of ``GET /v1/kpis`` read what is on them, and a question is refused by its number of buckets before that."""

from http import HTTPStatus
from typing import Any

import pytest
import sqlalchemy as sa

from services.api.kpis import answers, paging
from services.api.kpis.questions import GroupBy
from tests.api import FACTORY, MACHINE, Api

SECOND = 1_000_000
UNTIL_US = 1_488_611_200 * SECOND
"""2017-03-04 16:06:40 in Seoul, within an hour."""
WINDOW = {"from": "2017-02-27", "to": "2017-03-06"}
WHOLE = {**WINDOW, "interval": "total"}
DAYS = {**WINDOW, "interval": "day"}
WITH_GAP = {"from": "2017-02-28", "to": "2017-03-02T06:00:00+09:00", "interval": "hour"}
"""Hours in which machines come and go, and nobody is in KR-48 for some of them."""
PARTIAL = {"from": "2017-03-04T10:00:00+09:00", "to": "2017-03-05", "interval": "hour"}
"""Hours of which one has just begun, and later ones have not."""
TWO_DAYS = {"from": "2017-02-28", "to": "2017-03-02"}


async def register(api: Api) -> None:
    """Factories whose ids are beginnings of each other, and machines that are in use now and then."""
    await api.register()
    for factory, region in (("F1-A", "KR-48"), ("F10", "KR-26"), ("F2", "KR-26")):
        await api.put(f"/v1/factories/{factory}", {**FACTORY, "region": region})
    for path, use in {
        "F1/machines/M-2": ("2017-03-01", "2017-03-03"),
        "F1-A/machines/M1": ("2017-03-02", None),
        "F1-A/machines/M.1": ("2016-01-01", "2017-02-28"),
        "F10/machines/M1": ("2017-02-28", "2017-03-01"),
        "F2/machines/M1": ("2018-01-01", None),
    }.items():
        await api.put(f"/v1/factories/{path}", {**MACHINE, "in_use_from": use[0], "in_use_to": use[1]})
    # F1 is in another region for a while, so that region's time in use has a gap.
    for region, since in (("KR-27", "2017-03-01T01:15:00+09:00"), ("KR-48", "2017-03-04T12:00:00+09:00")):
        await api.put("/v1/factories/F1", {**FACTORY, "region": region, "effective_from": since})
    await api.query("""
        INSERT INTO state_event (machine, at, state, mode, revision, retracted, record_id)
        SELECT m, '2017-02-28Z'::timestamptz + n * interval '5 hours', 1 + n % 5, 1, 0, false, 1
        FROM generate_series(0, 20) AS n, generate_series(1, 5) AS m
    """)
    await api.query("INSERT INTO dirty_mark SELECT shard, id, '2017-02-27Z', '2017-03-12Z' FROM machine")
    await api.settle_all(UNTIL_US)


async def read_pages(api: Api, limit: int, **asked: Any) -> list[dict[str, Any]]:
    """Return the items of all pages, each of which is full but the last."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await api.get("/v1/kpis", limit=limit, **asked, **cursor)
        assert answer.status_code == HTTPStatus.OK, answer.text
        page = answer.json()
        found += page["items"]
        if page["next_cursor"] is None:
            assert len(page["items"]) <= limit
            return found
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize("part", [3, 1000])
async def test_pages_of_every_group_and_interval_are_the_whole(
    api: Api, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    await register(api)
    questions = [
        (name, asked | ({"group_by": group_by} if group_by else {}))
        for name, asked in (("total", WHOLE), ("day", DAYS), ("gap", WITH_GAP), ("partial", PARTIAL))
        for group_by in (None, *GroupBy)
    ]
    expected = {(name, asked.get("group_by")): await read_pages(api, 10_000, **asked) for name, asked in questions}
    labels = [item["scope"] for item in expected["total", "machine"]]
    assert labels == sorted(labels)
    assert labels[:3] == ["machine:F1-A/M.1", "machine:F1-A/M1", "machine:F1/M-2"]
    assert sum(item["time_s"]["producing"] for item in expected["gap", "machine"]) > 0
    assert len(expected["gap", "region"]) > len(expected["gap", None])
    assert any(item["partial"] for item in expected["partial", "machine"])
    for module, name in ((paging, "PART"), (paging, "WHOLE"), (answers, "WHOLE")):
        monkeypatch.setattr(module, name, part)
    for name, asked in questions:
        for limit in (7, 100):
            found = await read_pages(api, limit, **asked)
            assert found == expected[name, asked.get("group_by")], (asked, limit)


@pytest.mark.parametrize("group_by", [GroupBy.MACHINE, GroupBy.FACTORY, GroupBy.REGION])
async def test_a_page_of_a_large_question_reads_its_own_rows(api: Api, group_by: GroupBy) -> None:
    """Eight years by hour, of which a page has three."""
    await register(api)
    rows = 0

    def count(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal rows
        rows += max(cursor.rowcount, 0)

    engine = api.app.state.databases.read.sync_engine
    sa.event.listen(engine, "after_cursor_execute", count)
    asked: dict[str, Any] = {"group_by": group_by, "interval": "hour", "from": "2016-01-01", "to": "2024-01-01"}
    asked["limit"] = 3
    page = (await api.get("/v1/kpis", **asked)).json()
    assert len(page["items"]) == 3
    assert rows < 60
    page = (await api.get("/v1/kpis", **asked, cursor=page["next_cursor"])).json()
    assert len(page["items"]) == 3
    assert rows < 120
    sa.event.remove(engine, "after_cursor_execute", count)


async def test_questions_are_refused_by_their_buckets(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two days are 48 hours, in which three machines of two factories in three regions are in use."""
    await register(api)
    monkeypatch.setattr("services.api.kpis.costs.FEW", {})
    in_use = {"machine": 3, "factory": 2, "region": 3, "level": 1, "zone": 0, None: 1}
    for group_by, labels in in_use.items():
        asked = {**TWO_DAYS, "interval": "hour", **({"group_by": group_by} if group_by else {})}
        monkeypatch.setattr("services.api.kpis.costs.MOST_BUCKETS", max(labels, 1) * 48)
        assert (await api.get("/v1/kpis", **asked)).status_code == HTTPStatus.OK, group_by
        monkeypatch.setattr("services.api.kpis.costs.MOST_BUCKETS", labels * 48 - 1)
        if labels:
            answer = await api.get("/v1/kpis", **asked)
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, group_by
            assert f"may have {labels * 48 - 1:,} buckets in all" in answer.json()["detail"]
            assert "longer interval or a shorter window, narrow the scope" in answer.json()["detail"]


async def test_only_labels_in_scope_count(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(api)
    monkeypatch.setattr("services.api.kpis.costs.MOST_BUCKETS", 48)
    asked = {**TWO_DAYS, "interval": "hour", "group_by": "machine"}
    for scope, status in (
        ("factory:F10", HTTPStatus.OK),
        ("region:KR-26", HTTPStatus.OK),
        ("machine:F1/M1", HTTPStatus.OK),
        ("factory:F1", HTTPStatus.UNPROCESSABLE_ENTITY),
        ("region:KR-48", HTTPStatus.UNPROCESSABLE_ENTITY),
    ):
        assert (await api.get("/v1/kpis", **asked, scope=scope)).status_code == status, scope


async def test_a_large_question_within_the_bound_is_answered(api: Api) -> None:
    """A century of hours of one machine; of 17 regions it would be too many if all of them were in use."""
    await register(api)
    asked: dict[str, Any] = {"interval": "hour", "from": "2000-01-01", "to": "2100-01-01", "limit": 1}
    (item,) = (await api.get("/v1/kpis", **asked, scope="machine:F1/M1")).json()["items"]
    assert item["from"] == "2015-12-31T15:00:00Z"
    asked |= {"from": "2014-01-01", "to": "2024-01-01"}
    (item,) = (await api.get("/v1/kpis", **asked, group_by="region")).json()["items"]
    assert item["scope"] == "region:KR-26"


async def test_a_question_too_large_reads_no_sums(api: Api) -> None:
    await register(api)
    asked = {"interval": "hour", "from": "2000-01-01", "to": "2100-01-01", "group_by": "machine"}
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = api.app.state.databases.read.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    answer = await api.get("/v1/kpis", **asked)
    sa.event.remove(engine, "before_cursor_execute", note)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "876,600 of interval hour, for each machine of at least 2" in answer.json()["detail"]
    assert statements
    assert not any("_hour" in statement or "_day " in statement for statement in statements)
