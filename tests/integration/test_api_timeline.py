"""A machine's timeline agrees with its time accounts, and ends where these end."""

import random
from collections import Counter
from http import HTTPStatus
from typing import Any

import pytest

from schemas.wire.codes import State
from services.analytics.engine import advance, settle, shards_with_work, start_accounting
from services.api.instants import parse_instant
from services.core.database import connect
from services.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, SEOUL_OFFSET_US, from_us, rfc3339, seoul_day
from tests.api import MACHINE, Api

PATH = "/v1/factories/F1/machines/M1/timeline"
DAY = {"from": "2017-03-01", "to": "2017-03-02"}
MIDNIGHT_US = 1_488_294_000_000_000
"""2017-03-01 00:00 in Seoul."""

ADD_STATES = """
INSERT INTO state_event (machine, at, state, mode, reason, revision, retracted, record_id)
SELECT 1, at, state, mode, reason, 0, retracted, 1
FROM unnest($1::timestamptz[], $2::smallint[], $3::smallint[], $4::text[], $5::boolean[])
    AS w(at, state, mode, reason, retracted)
ON CONFLICT DO NOTHING
"""
ADD_COUNTS = """
INSERT INTO count_event (machine, at, product, good, scrap, rework, revision, retracted, record_id)
SELECT 1, at, product, good, 1, 2, 0, retracted, 1
FROM unnest($1::timestamptz[], $2::text[], $3::integer[], $4::boolean[]) AS w(at, product, good, retracted)
"""
MARK_ALL = "INSERT INTO dirty_mark SELECT shard, id, '2016-01-01Z', '2018-01-01Z' FROM machine"

StateTuple = tuple[int, int, int, str | None, bool]
CountTuple = tuple[int, str, int, bool]


async def account(api: Api, states: list[StateTuple], counts: list[CountTuple], until_us: int) -> None:
    """Write facts of F1/M1 and account them up to an instant. Instants are microseconds after MIDNIGHT_US."""
    for statement, rows in ((ADD_STATES, states), (ADD_COUNTS, counts)):
        if rows:
            at, *rest = (list(column) for column in zip(*rows, strict=True))
            await api.query(statement, [MIDNIGHT_US + us for us in at], *rest)
    await api.query(MARK_ALL)
    connection = await connect(api.database_url, "jejo_analytics")
    try:
        await start_accounting(connection, MIDNIGHT_US + until_us)
        for shard in await shards_with_work(connection):
            while await settle(connection, shard):
                pass
        await advance(connection, MIDNIGHT_US + until_us)
    finally:
        await connection.close()


async def timeline(api: Api, role: str = "admin", **window: str) -> dict[str, Any]:
    answer = await api.get(PATH, role, **window)
    assert answer.status_code == HTTPStatus.OK, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


def hours(segments: list[dict[str, Any]]) -> list[tuple[str, str, str, str | None, str | None]]:
    """Return segments with their times of day in Seoul."""

    def seoul(text: str) -> str:
        return from_us(parse_instant(text) + SEOUL_OFFSET_US).strftime("%H:%M")

    return [(seoul(s["from"]), seoul(s["to"]), s["state"], s["mode"], s["reason"]) for s in segments]


async def test_a_day_as_it_was(api: Api) -> None:
    await api.register()
    nine = 9 * HOUR_US
    producing, faulted, unknown = State.producing.value, State.faulted.value, State.unknown.value
    states: list[StateTuple] = [
        (nine, producing, 1, None, False),
        (nine + 5 * MINUTE_US, producing, 1, None, False),
        (nine + 10 * MINUTE_US, producing, 2, None, False),
        (nine + 12 * MINUTE_US, faulted, 0, "door", False),
        (nine + 14 * MINUTE_US, faulted, 0, "tool", False),
        (nine + 15 * MINUTE_US, producing, 1, None, True),
        (nine + 20 * MINUTE_US, unknown, 0, "UNAVAILABLE", False),
        (nine + 40 * MINUTE_US, producing, 3, None, False),
    ]
    counts: list[CountTuple] = [
        (nine + MINUTE_US, "B", 4, False),
        (nine + MINUTE_US, "A", 3, False),
        (nine + 2 * MINUTE_US, "", 9, True),
        (nine + 30 * MINUTE_US, "", 0, False),
        (DAY_US, "", 7, False),
    ]
    await account(api, states, counts, 2 * DAY_US)
    found = await timeline(api, **DAY)
    assert hours(found["segments"]) == [
        ("00:00", "09:00", "unknown", None, None),
        ("09:00", "09:10", "producing", "automatic", None),
        ("09:10", "09:12", "producing", "semi_automatic", None),
        ("09:12", "09:14", "faulted", None, "door"),
        ("09:14", "09:20", "faulted", None, "tool"),
        ("09:20", "09:40", "unknown", None, None),
        ("09:40", "09:50", "producing", "manual", None),
        ("09:50", "00:00", "unknown", None, None),
    ]
    assert found["counts"] == [
        {"at": "2017-03-01T00:01:00Z", "good": 3, "scrap": 1, "rework": 2, "product": "A"},
        {"at": "2017-03-01T00:01:00Z", "good": 4, "scrap": 1, "rework": 2, "product": "B"},
        {"at": "2017-03-01T00:30:00Z", "good": 0, "scrap": 1, "rework": 2, "product": ""},
    ]
    del found["segments"], found["counts"]
    assert found == {
        "machine": "F1/M1",
        "from": "2017-02-28T15:00:00Z",
        "to": "2017-03-01T15:00:00Z",
        "partial": False,
        "accounted_until": "2017-03-02T15:00:00Z",
        "shifts": [],
        "has_calendar": False,
        "counts_truncated": False,
    }


async def test_seconds_in_each_state_are_the_time_account(api: Api) -> None:
    """Over four random days with silence, explicit unknowns, retracted rows, other TTLs, and time out of use."""
    chance = random.Random(7)
    await api.register()
    path = PATH.removesuffix("/timeline")
    for change in (
        {"state_ttl_s": 90, "effective_from": "2017-03-01T10:20:30+09:00"},
        {"state_ttl_s": 3000, "effective_from": "2017-03-02T01:02:03.000004+09:00"},
        {"in_use_to": "2017-03-03", "state_ttl_s": 3000, "effective_from": "2017-03-02T12:00:00+09:00"},
        {"in_use_from": "2017-03-04", "effective_from": "2017-03-03T12:00:00+09:00"},
    ):
        assert (await api.put(path, {**MACHINE, **change})).status_code == HTTPStatus.OK
    states = [
        (
            chance.randrange(-DAY_US // 4, 4 * DAY_US),
            chance.randrange(8),
            chance.randrange(4),
            chance.choice([None, "tool"]),
            chance.random() < 0.1,
        )
        for _ in range(1500)
    ]
    counts = [(chance.randrange(4 * DAY_US), "", chance.randrange(9), chance.random() < 0.1) for _ in range(300)]
    await account(api, states, counts, 3 * DAY_US + 5 * HOUR_US + 17)
    for day in range(4):
        start = MIDNIGHT_US + day * DAY_US
        window = {"from": str(seoul_day(start)), "to": str(seoul_day(start + DAY_US))}
        found = await timeline(api, **window)
        kpis = (await api.get("/v1/kpis", scope="machine:F1/M1", interval="day", **window)).json()["items"]
        in_state: Counter[str] = Counter()
        for segment in found["segments"]:
            in_state[segment["state"]] += parse_instant(segment["to"]) - parse_instant(segment["from"])
        if day == 2:
            assert (kpis, found["segments"], found["counts"]) == ([], [], [])
            continue
        (item,) = kpis
        assert {state: in_state[state] / SECOND_US for state in item["time_s"]} == item["time_s"]
        assert item["time_s"]["unknown"] > 0
        assert item["partial"] is found["partial"]
        made = {name: sum(count[name] for count in found["counts"]) for name in ("good", "scrap", "rework")}
        assert made == item["counts"]
        assert made["good"] > 0
    whole = await timeline(api, **{"from": "2017-03-01", "to": "2017-03-05"})
    assert [s for s in whole["segments"] if s["from"] == s["to"]] == []


async def test_what_is_not_accounted_yet_is_left_out(api: Api) -> None:
    await api.register()
    empty = await timeline(api, **DAY)
    assert (empty["partial"], empty["accounted_until"]) == (True, None)
    assert (empty["segments"], empty["counts"]) == ([], [])
    rows: list[StateTuple] = [(HOUR_US + n * MINUTE_US, State.idle.value, 0, None, False) for n in range(60)]
    counts: list[CountTuple] = [(us, "", 1, False) for us in (HOUR_US, 90 * MINUTE_US - 1, 90 * MINUTE_US)]
    await account(api, rows, counts, 90 * MINUTE_US)
    found = await timeline(api, **DAY)
    assert found["partial"] is True
    assert found["accounted_until"] == rfc3339(MIDNIGHT_US + 90 * MINUTE_US)
    assert [(s["state"], s["to"]) for s in found["segments"]][-1] == ("idle", found["accounted_until"])
    assert len(found["counts"]) == 2
    ahead = await timeline(api, **{"from": "2017-03-05", "to": "2017-03-06"})
    assert (ahead["partial"], ahead["segments"], ahead["counts"]) == (True, [], [])


async def test_a_hold_reaches_into_the_window_and_out_of_it(api: Api) -> None:
    await api.register()
    await api.put(PATH.removesuffix("/timeline"), {**MACHINE, "state_ttl_s": 86_400})
    rows: list[StateTuple] = [
        (-DAY_US, State.setup.value, 0, None, False),
        (-DAY_US + 1, State.setup.value, 0, None, False),
        (12 * HOUR_US, State.idle.value, 0, None, False),
    ]
    await account(api, rows, [], 2 * DAY_US)
    found = await timeline(api, **{"from": "2017-03-01", "to": "2017-03-02"})
    assert [(s["from"], s["state"]) for s in found["segments"]] == [
        ("2017-02-28T15:00:00Z", "setup"),
        ("2017-02-28T15:00:00.000001Z", "unknown"),
        ("2017-03-01T03:00:00Z", "idle"),
    ]
    assert found["segments"][-1]["to"] == found["to"]


async def test_truncated_counts_are_reported(api: Api) -> None:
    await api.register()
    counts: list[CountTuple] = [(n * SECOND_US, "", n, False) for n in range(20_001)]
    await account(api, [], counts, DAY_US)
    found = await timeline(api, **DAY)
    assert found["counts_truncated"] is True
    assert [count["good"] for count in found["counts"]] == list(range(20_000))
    less = await timeline(api, **{"from": "2017-03-01T00:00:01+09:00", "to": "2017-03-02"})
    assert (less["counts_truncated"], len(less["counts"])) == (False, 20_000)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"to": "2017-03-08T00:00:01+09:00"}, "at most 7 days"),
        ({"to": "2017-03-01"}, "before `to`"),
        ({"to": "2017-02-01"}, "before `to`"),
        ({"from": "noon"}, "RFC 3339"),
        ({"limit": "1"}, "limit"),
    ],
)
async def test_an_invalid_window_is_answered_with_what_to_ask(api: Api, change: dict[str, str], detail: str) -> None:
    await api.register()
    answer = await api.get(PATH, **{**DAY, **change})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert detail in answer.json()["detail"]


async def test_a_window_need_not_begin_on_the_hour_and_may_last_a_week(api: Api) -> None:
    await api.register()
    await account(api, [], [], 30 * DAY_US)
    window = {"from": "2017-03-01T01:02:03.000004+09:00", "to": "2017-03-08T01:02:03.000004+09:00"}
    found = await timeline(api, **window)
    assert [(s["from"], s["to"], s["state"]) for s in found["segments"]] == [(found["from"], found["to"], "unknown")]


async def test_time_before_the_horizon_is_refused_instead_of_unknown(api: Api) -> None:
    await api.register()
    await account(api, [], [], 30 * DAY_US)
    await api.query("UPDATE fact_horizon SET sealed_before = '2017-03-01T12:00:00+09:00'")
    answer = await api.get(PATH, **DAY)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "2017-03-01T03:00:00Z" in answer.json()["detail"]
    await timeline(api, **{"from": "2017-03-01T12:00:00+09:00", "to": "2017-03-02"})


async def test_who_may_read_the_machine_may_read_its_timeline(api: Api) -> None:
    await api.register()
    for role in ("ministry", "region:KR-48", "factory:F1"):
        await timeline(api, role, **DAY)
    for role in ("region:KR-11", "factory:F2", "researcher"):
        assert (await api.get(PATH, role, **DAY)).status_code == HTTPStatus.FORBIDDEN
    missing = await api.get("/v1/factories/F1/machines/M9/timeline", **DAY)
    assert missing.status_code == HTTPStatus.NOT_FOUND
    assert "F1/M9" in missing.json()["detail"]


async def test_a_cached_timeline_is_answered_with_304(api: Api) -> None:
    await api.register()
    await account(api, [], [], 30 * DAY_US)
    first = await api.get(PATH, **DAY)
    headers = {"Authorization": f"Bearer {await api.key('admin')}", "If-None-Match": first.headers["etag"]}
    again = await api.client.get(PATH, params=DAY, headers=headers)
    assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b"")
    await api.query("UPDATE machine_version SET in_use_to = '2017-03-01'")
    assert (await api.client.get(PATH, params=DAY, headers=headers)).status_code == HTTPStatus.OK


async def test_outside_shifts_idle_and_missing_time_is_off_shift(api: Api) -> None:
    await api.register()
    weekly = [
        {"days": ["wed"], "from": "09:00", "to": "10:00"},
        {"days": ["tue", "wed"], "from": "22:00", "to": "02:00"},
    ]
    answer = await api.put("/v1/factories/F1/calendar", {"weekly": weekly, "holidays": False, "exceptions": []})
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    nine, idle, producing = 9 * HOUR_US, State.idle.value, State.producing.value
    states: list[StateTuple] = [
        (nine - 5 * MINUTE_US, idle, 1, "no order", False),
        (nine + 5 * MINUTE_US, producing, 1, None, False),
        (nine + 58 * MINUTE_US, producing, 1, None, False),
        (nine + 64 * MINUTE_US, idle, 1, None, False),
    ]
    await account(api, states, [], 2 * DAY_US)
    found = await timeline(api, **DAY)
    assert hours(found["segments"]) == [
        ("00:00", "02:00", "unknown", None, None),
        ("02:00", "08:55", "off_shift", None, None),
        ("08:55", "09:00", "off_shift", "automatic", "no order"),
        ("09:00", "09:05", "idle", "automatic", "no order"),
        ("09:05", "09:15", "producing", "automatic", None),
        ("09:15", "09:58", "unknown", None, None),
        ("09:58", "10:04", "producing", "automatic", None),
        ("10:04", "10:14", "off_shift", "automatic", None),
        ("10:14", "22:00", "off_shift", None, None),
        ("22:00", "00:00", "unknown", None, None),
    ]
    assert [(shift["from"], shift["to"]) for shift in found["shifts"]] == [
        ("2017-02-28T15:00:00Z", "2017-02-28T17:00:00Z"),
        ("2017-03-01T00:00:00Z", "2017-03-01T01:00:00Z"),
        ("2017-03-01T13:00:00Z", "2017-03-01T15:00:00Z"),
    ]
    answer = await api.get("/v1/kpis", scope="machine:F1/M1", interval="day", **DAY)
    (item,) = answer.json()["items"]
    assert item["time_s"]["idle"] == 300
    assert item["time_s"]["producing"] == 960
    assert item["time_s"]["unknown"] == 5 * 3600 - 1020
    assert item["time_s"]["off_shift"] == 19 * 3600 - 240
    assert item["coverage"] == 1020 / (5 * 3600)
