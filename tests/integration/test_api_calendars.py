"""Calendars of factories: PUT, GET, the days of a year, and which accounts a change marks dirty."""

import datetime as dt
from typing import Any

import pytest

from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US, seoul_midnight_us
from tests.api import ENTERPRISE, FACTORY, MACHINE, Api

CALENDAR = "/v1/factories/F1/calendar"
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
BODY = {
    "weekly": [{"days": WEEKDAYS, "from": "08:00", "to": "20:00"}],
    "holidays": True,
    "exceptions": [{"date": "2026-12-26", "shifts": []}],
}
NIGHTS = {
    "weekly": [
        {"days": ["mon", "tue"], "from": "06:00", "to": "14:00"},
        {"days": ["mon", "tue"], "from": "14:00", "to": "22:00"},
        {"days": ["mon"], "from": "22:00", "to": "06:00"},
        {"days": ["sun"], "from": "00:00", "to": "24:00"},
        {"days": ["sat"], "from": "16:00", "to": "00:00"},
    ]
}
MARKS = """
    SELECT f.factory_id, m.machine_id, d.from_at, d.to_at
    FROM dirty_mark d JOIN machine m ON m.id = d.machine JOIN factory f ON f.id = m.factory ORDER BY 1, 2, 3
"""
ALWAYS = FIRST_INSTANT_US, LAST_INSTANT_US


def midnight(day: str) -> int:
    """Returns the midnight in Seoul that begins a day."""
    return seoul_midnight_us(dt.date.fromisoformat(day))


def shift(*days: str, start: str = "08:00", end: str = "20:00") -> dict[str, Any]:
    return {"days": list(days), "from": start, "to": end}


async def put(api: Api, **changes: Any) -> dict[str, Any]:
    answer = await api.put(CALENDAR, {**BODY, **changes})
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def clear_marks(api: Api) -> None:
    await api.query("DELETE FROM dirty_mark")


async def test_a_calendar_is_returned_as_it_was_registered(api: Api) -> None:
    await api.register()
    created = await api.put(CALENDAR, BODY)
    entry = {**BODY, "factory_id": "F1", "effective_from": "1999-12-31T15:00:00Z", "effective_to": None}
    assert (created.status_code, created.json()) == (201, entry)
    again = await api.put(CALENDAR, BODY)
    assert (again.status_code, again.json()) == (200, entry)
    found = await api.get(CALENDAR)
    assert found.json() == entry
    assert found.headers["ETag"]
    assert await api.query("SELECT count(*) FROM calendar_version") == [(1,)]


async def test_shifts_may_cross_midnight_touch_and_last_the_whole_day(api: Api) -> None:
    await api.register()
    found = await put(api, **NIGHTS, holidays=False, exceptions=[])
    assert {(*one["days"], one["from"], one["to"]) for one in found["weekly"]} == {
        ("mon", "tue", "06:00", "14:00"),
        ("mon", "tue", "14:00", "22:00"),
        ("mon", "22:00", "06:00"),
        ("sat", "16:00", "24:00"),
        ("sun", "00:00", "24:00"),
    }
    (content,) = (await api.query("SELECT content::text FROM calendar"))[0]
    assert content == (
        '{"weekly": {"0": [[360, 840], [840, 1320], [1320, 1800]], "1": [[360, 840], [840, 1320]], "5": [[960, 1440]],'
        ' "6": [[0, 1440]]}, "holidays": false, "exceptions": {}}'
    )


async def test_equal_calendars_are_stored_once(api: Api) -> None:
    await api.register()
    assert (await api.put("/v1/factories/F2", FACTORY)).status_code == 201
    await put(api)
    split = [{"days": [day], "from": "08:00", "to": "20:00"} for day in reversed(WEEKDAYS)]
    assert (await api.put("/v1/factories/F2/calendar", {**BODY, "weekly": split})).status_code == 201
    assert await api.query("SELECT count(*), count(DISTINCT calendar) FROM calendar_version") == [(2, 1)]
    assert await api.query("SELECT count(*) FROM calendar") == [(1,)]


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"weekly": [shift("mon"), shift("sun", "mon", start="19:00", end="23:00")]}, "weekly",
         "the shifts 08:00-20:00 and 19:00-23:00 of mon overlap"),
        ({"weekly": [shift("mon", start="22:00", end="06:00"), shift("mon", start="23:00", end="24:00")]}, "weekly",
         "the shifts 22:00-06:00 and 23:00-24:00 of mon overlap"),
        ({"weekly": [shift("mo")]}, "weekly.0.days.0", "'mon', 'tue'"),
        ({"weekly": [shift()]}, "weekly.0.days", "at least 1 item"),
        ({"weekly": [shift("mon", "mon")]}, "weekly.0.days", "mon comes twice"),
        ({"weekly": [shift("mon", start="08:00", end="08:00")]}, "weekly.0.to", "a shift of no length"),
        ({"weekly": [shift("mon", start="08:00", end="32:30")]}, "weekly.0.to", "lasts at most 24 hours"),
        ({"weekly": [shift("mon", start="8:00", end="20:00")]}, "weekly.0.from", "write a time as HH:MM"),
        ({"weekly": [shift("mon", start="08:60", end="20:00")]}, "weekly.0.from", "write a time as HH:MM"),
        ({"weekly": [shift("mon", start="08:00", end="24:01")]}, "weekly.0.to", "write a time as HH:MM"),
        ({"weekly": [{"days": ["mon"], "from": 480, "to": "20:00"}]}, "weekly.0.from", "write a time as HH:MM"),
        ({"weekly": [shift("mon", start="24:00", end="08:00")]}, "weekly.0.from", "begins on the next day"),
        ({"weekly": [{"days": ["mon"], "from": "08:00"}]}, "weekly.0.to", "required"),
        ({"weekly": [{"days": ["mon"], "from": "08:00", "to": "20:00", "crew": 1}]}, "weekly.0.crew", "no such field"),
        ({"exceptions": [{"date": "2026-12-26", "shifts": []}] * 2}, "exceptions", "2026-12-26 is an exception twice"),
        ({"exceptions": [{"date": "2026-12-26", "shifts": [{"from": "08:00", "to": "10:00"}] * 2}]},
         "exceptions.0.shifts", "08:00-10:00 and 08:00-10:00 of this day overlap"),
        ({"exceptions": [{"date": "26.12.2026", "shifts": []}]}, "exceptions.0.date", "write a day"),
        ({"exceptions": [{"date": "1999-12-26", "shifts": []}]}, "exceptions.0.date", "from 2000-01-01 on"),
        ({"exceptions": [{"date": "2026-12-26"}]}, "exceptions.0.shifts", "required"),
        ({"weekly": None}, "exceptions", "a calendar that ends"),
        ({"holidays": "yes"}, "holidays", "boolean"),
        ({"effective_from": "2026-03-01T00:00:00Z"}, "effective_from", "a calendar begins at midnight in Seoul"),
        ({"effective_from": "2026-03-01T00:00:01+09:00"}, "effective_from", "a calendar begins at midnight in Seoul"),
    ],
)  # fmt: skip
async def test_an_invalid_calendar_is_refused_by_field(
    api: Api, changes: dict[str, Any], where: str, what: str
) -> None:
    answer = await api.put(CALENDAR, {**BODY, **changes})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["where"] == f"body.{where}"
    assert what in error["what"]


async def test_weekly_is_required(api: Api) -> None:
    answer = await api.put(CALENDAR, {"holidays": True})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"where": "body.weekly", "what": "this is required; add it"}]


async def test_a_calendar_ends_and_keeps_its_history(api: Api) -> None:
    await api.register()
    await put(api, effective_from="2026-01-01")
    ended = await put(api, weekly=None, exceptions=[], effective_from="2026-03-01T00:00:00+09:00")
    assert ended["weekly"] is None
    assert (ended["effective_from"], ended["effective_to"]) == ("2026-02-28T15:00:00Z", None)
    before = (await api.get(CALENDAR, at="2026-02-28")).json()
    assert (before["weekly"], before["effective_to"]) == (BODY["weekly"], "2026-02-28T15:00:00Z")
    assert (await api.get(CALENDAR, at="2026-03-01")).json()["weekly"] is None
    await put(api, holidays=False, effective_from="2026-01-01")
    rows = await api.query("SELECT effective_from, retired_at IS NULL, calendar FROM calendar_version ORDER BY 1, 2, 3")
    january, march = midnight("2026-01-01"), midnight("2026-03-01")
    assert rows == [(january, False, 1), (january, False, 1), (january, True, 2), (march, True, None)]


async def test_there_is_no_calendar_where_none_was_registered(api: Api) -> None:
    assert (await api.put(CALENDAR, BODY)).status_code == 404
    await api.register()
    for answer in (
        await api.get(CALENDAR),
        await api.get(CALENDAR, year=2025),
        await api.get("/v1/factories/F9/calendar"),
    ):
        assert answer.status_code == 404
        assert "There is no calendar" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("role", "reads"),
    [("ministry", 200), ("region:KR-48", 200), ("factory:F1", 200), ("region:KR-11", 403), ("factory:F2", 403),
     ("researcher", 403), (None, 401)],
)  # fmt: skip
async def test_who_sees_a_factory_sees_its_calendar(api: Api, role: str | None, reads: int) -> None:
    await api.register()
    await put(api)
    assert (await api.get(CALENDAR, role)).status_code == reads
    assert (await api.get(CALENDAR, role, year=2025)).status_code == reads
    assert (await api.put(CALENDAR, BODY, role)).status_code == (401 if role is None else 403)


async def test_a_change_marks_the_machines_of_the_factory_for_its_time_and_a_day(api: Api) -> None:
    await api.register()
    for path, body in (
        ("/v1/factories/F1/machines/M2", MACHINE),
        ("/v1/factories/F2", FACTORY),
        ("/v1/factories/F2/machines/M1", MACHINE),
    ):
        assert (await api.put(path, body)).status_code == 201
    await clear_marks(api)
    await put(api)
    assert await api.query(MARKS) == [("F1", "M1", *ALWAYS), ("F1", "M2", *ALWAYS)]
    await put(api, holidays=False, effective_from="2026-03-01")
    await put(api, exceptions=[], effective_from="2026-02-01")
    await clear_marks(api)
    await put(api, weekly=NIGHTS["weekly"], effective_from="2026-02-01")
    time = midnight("2026-02-01"), midnight("2026-03-02")
    assert await api.query(MARKS) == [("F1", "M1", *time), ("F1", "M2", *time)]
    await clear_marks(api)
    await put(api, weekly=NIGHTS["weekly"], effective_from="2026-02-10")
    assert await api.query(MARKS) == []


async def test_no_calendar_instead_of_none_changes_no_accounts(api: Api) -> None:
    await api.register()
    await clear_marks(api)
    await put(api, weekly=None, exceptions=[])
    assert await api.query(MARKS) == []
    await put(api, effective_from="2026-01-01")
    assert await api.query(MARKS) == [("F1", "M1", midnight("2026-01-01"), ALWAYS[1])]


async def test_every_change_is_one_of_the_registry(api: Api) -> None:
    await api.register()
    (before,) = (await api.query("SELECT version FROM registry_version"))[0]
    await put(api)
    await put(api)
    await put(api, holidays=False)
    assert await api.query("SELECT version FROM registry_version") == [(before + 2,)]
    changed = await api.query("SELECT changed_in FROM calendar_version ORDER BY changed_in")
    assert changed == [(before + 1,), (before + 2,)]


async def test_the_days_of_a_year_have_shifts_holidays_and_exceptions(api: Api) -> None:
    await api.register()
    await api.query("INSERT INTO holiday VALUES ('2025-01-29', '설날', 'Korean New Year', 1)")
    await api.query("INSERT INTO holiday VALUES ('2025-03-03', '삼일절 대체 휴일', 'Alternative holiday', 1)")
    await api.query("INSERT INTO holiday VALUES ('2025-01-28', 'retired', 'retired', 1, now(), now())")
    sunday = {"date": "2025-03-02", "shifts": [{"from": "22:00", "to": "06:00"}]}
    worked = {"date": "2025-03-03", "shifts": [{"from": "09:00", "to": "12:00"}]}
    await put(api, exceptions=[worked, sunday], effective_from="2025-01-02")
    await put(api, weekly=None, exceptions=[], effective_from="2025-12-01")
    answer = (await api.get(CALENDAR, year=2025)).json()
    assert answer["factory_id"] == "F1"
    days = {day["date"]: day for day in answer["items"]}
    assert list(days)[::364] == ["2025-01-01", "2025-12-31"]
    usual = [{"from": "08:00", "to": "20:00"}]
    assert days["2025-01-01"]["shifts"] is None
    assert days["2025-01-28"] == {
        "date": "2025-01-28", "weekday": "tue", "shifts": usual, "holiday": None, "exception": False
    }  # fmt: skip
    assert days["2025-01-29"] == {
        "date": "2025-01-29",
        "weekday": "wed",
        "shifts": [],
        "holiday": {"ko": "설날", "en": "Korean New Year"},
        "exception": False,
    }
    assert days["2025-02-01"]["shifts"] == []
    assert (days["2025-03-02"]["shifts"], days["2025-03-02"]["exception"]) == (sunday["shifts"], True)
    assert (days["2025-03-03"]["shifts"], days["2025-03-03"]["exception"]) == (worked["shifts"], True)
    assert days["2025-03-03"]["holiday"]["ko"] == "삼일절 대체 휴일"
    assert days["2025-11-28"]["shifts"] == usual
    assert days["2025-12-01"]["shifts"] is None


@pytest.mark.parametrize(
    ("query", "what"),
    [({"year": "1999"}, "greater"), ({"year": "x"}, "integer"), ({"year": 2025, "at": "2025-01-01"}, "Leave out at")],
)
async def test_an_invalid_year_is_refused(api: Api, query: dict[str, Any], what: str) -> None:
    await api.register()
    answer = await api.get(CALENDAR, **query)
    assert answer.status_code == 422
    assert what in answer.json()["detail"]


async def test_a_calendar_of_many_exceptions_is_stored(api: Api) -> None:
    await api.put("/v1/enterprises/E1", ENTERPRISE)
    await api.put("/v1/factories/F1", FACTORY)
    first = dt.date(2020, 1, 1)
    days = [str(first + dt.timedelta(days=number)) for number in range(3000)]
    exceptions = [{"date": day, "shifts": [{"from": "08:00", "to": "09:30"}]} for day in days]
    assert (await put(api, exceptions=list(reversed(exceptions))))["exceptions"] == exceptions
