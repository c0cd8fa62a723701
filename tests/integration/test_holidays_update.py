"""``jejo holidays update``: what it prints and stores, and which machines it marks."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from services.cli import main
from services.core.clock import system_clock
from services.core.database import connect
from services.core.times import DAY_US, seoul_day, seoul_midnight_us
from tests.api import ENTERPRISE, FACTORY, MACHINE, Api

WEEKDAYS = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "20:00"}
YEAR = ("--from-year", "2025", "--to-year", "2025")
LUNAR_NEW_YEAR = dt.date(2025, 1, 29)
ONE_OFF, ELECTION, SUBSTITUTE = dt.date(2025, 1, 27), dt.date(2025, 6, 3), dt.date(2025, 3, 3)
MARKS = """
    SELECT f.factory_id, m.machine_id, d.from_at, d.to_at
    FROM dirty_mark d JOIN machine m ON m.id = d.machine JOIN factory f ON f.id = m.factory ORDER BY 1, 2, 3
"""


async def update(api: Api, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setenv("JEJO_DATABASE_URL", api.database_url)
    return await asyncio.to_thread(main, ["holidays", "update", *options])


def days_from(*days: dt.date) -> list[tuple[int, int]]:
    """Returns the spans that are marked for holidays: the day, and the next, on which a night shift may end."""
    return [(seoul_midnight_us(day), seoul_midnight_us(day) + 2 * DAY_US) for day in days]


async def holidays_of(api: Api) -> dict[dt.date, tuple[str, str]]:
    rows = await api.query("SELECT day, name_ko, name_en FROM holiday WHERE retired_at IS NULL")
    return {day: (korean, english) for day, korean, english in rows}


async def version_of(api: Api) -> int:
    ((version,),) = await api.query("SELECT version FROM registry_version")
    return int(version)


async def test_it_stores_holidays_of_every_kind_and_changes_nothing_the_second_time(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await update(api, monkeypatch) == 0
    first = capsys.readouterr().out.splitlines()
    found = await holidays_of(api)
    assert found[LUNAR_NEW_YEAR] == ("설날", "Korean New Year")
    assert found[ONE_OFF] == ("임시공휴일", "Temporary Public Holiday")
    assert found[ELECTION] == ("대통령 선거일", "Presidential Election Day")
    assert found[SUBSTITUTE] == ("삼일절 대체 휴일", "Alternative holiday for Independence Movement Day")
    present = seoul_day(system_clock()).year
    assert {day.year for day in found} == set(range(2000, present + 2))
    assert "+ 2025-01-29 설날 (Korean New Year)" in first
    assert first[-3:] == [
        f"{len(found)} added, 0 renamed, 0 removed",
        "machines to be accounted again: 0 (factories: 0)",
        "updated",
    ]
    version = await version_of(api)
    assert await api.query("SELECT DISTINCT changed_in FROM holiday") == [(version,)]
    assert await update(api, monkeypatch) == 0
    assert capsys.readouterr().out.splitlines() == [
        "0 added, 0 renamed, 0 removed",
        "machines to be accounted again: 0 (factories: 0)",
        "updated",
    ]
    assert await version_of(api) == version
    assert await api.query("SELECT count(*) FROM holiday") == [(len(found),)]


async def test_a_dry_run_prints_the_same_and_changes_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await register(api)
    version = await version_of(api)
    assert await update(api, monkeypatch, *YEAR, "--dry-run") == 0
    dry = capsys.readouterr().out.splitlines()
    assert dry[-1] == "dry run: nothing was changed"
    assert await holidays_of(api) == {}
    assert await version_of(api) == version
    assert await api.query(MARKS) == []
    assert await update(api, monkeypatch, *YEAR) == 0
    assert capsys.readouterr().out.splitlines()[:-1] == dry[:-1]


async def register(api: Api) -> None:
    """Registers F1 to F4, each with a machine, and no marks: F1 takes holidays from 2024 to March 2025."""
    assert (await api.put("/v1/enterprises/E1", ENTERPRISE)).status_code == 201
    for number in range(1, 5):
        assert (await api.put(f"/v1/factories/F{number}", FACTORY)).status_code == 201
        assert (await api.put(f"/v1/factories/F{number}/machines/M1", MACHINE)).status_code == 201
    late = {**MACHINE, "in_use_from": "2025-02-01"}
    assert (await api.put("/v1/factories/F1/machines/M2", late)).status_code == 201
    calendars: list[tuple[str, dict[str, Any]]] = [
        ("F1", {"weekly": [WEEKDAYS], "holidays": True, "effective_from": "2024-01-01"}),
        ("F1", {"weekly": None, "effective_from": "2025-04-01"}),
        ("F2", {"weekly": [WEEKDAYS], "holidays": False}),
        ("F3", {"weekly": [{**WEEKDAYS, "days": ["mon"]}], "holidays": True,
                "exceptions": [{"date": str(ONE_OFF), "shifts": []}], "effective_from": "2025-01-20"}),
        ("F3", {"weekly": None, "effective_from": "2025-04-01"}),
    ]  # fmt: skip
    for factory, body in calendars:
        answer = await api.put(f"/v1/factories/{factory}/calendar", body)
        assert answer.status_code in (200, 201), answer.text
    await api.query("DELETE FROM dirty_mark")


async def test_it_marks_machines_in_use_whose_calendar_takes_the_holiday(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """F2 takes no holidays, F3 works on Mondays and has an exception, F4 has no calendar; F1's M2 comes in February."""
    await register(api)
    assert await update(api, monkeypatch, *YEAR) == 0
    new_year = [dt.date(2025, 1, 1), *(dt.date(2025, 1, day) for day in (27, 28, 29, 30))]
    assert await api.query(MARKS) == [
        *(("F1", "M1", *span) for span in days_from(*new_year, SUBSTITUTE)),
        *(("F1", "M2", *span) for span in days_from(SUBSTITUTE)),
        *(("F3", "M1", *span) for span in days_from(SUBSTITUTE)),
    ]
    assert "machines to be accounted again: 3 (factories: 2)" in capsys.readouterr().out


async def test_it_marks_nothing_in_the_future(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(api)
    body = {"weekly": [WEEKDAYS], "holidays": True}
    assert (await api.put("/v1/factories/F4/calendar", body)).status_code == 201
    await api.query("DELETE FROM dirty_mark")
    assert await update(api, monkeypatch, "--from-year", "2050", "--to-year", "2050") == 0
    assert await holidays_of(api)
    assert await api.query(MARKS) == []


async def test_a_changed_day_is_retired_and_only_its_machines_are_marked(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await update(api, monkeypatch, *YEAR) == 0
    await register(api)
    capsys.readouterr()
    changes = [
        ("DELETE FROM holiday WHERE day = $1", ONE_OFF),
        ("UPDATE holiday SET name_ko = '선거' WHERE day = $1", ELECTION),
        ("INSERT INTO holiday VALUES ($1, '가짜', 'Made up', 1)", dt.date(2025, 2, 5)),
        ("INSERT INTO holiday VALUES ($1, '다른 해', 'Of another year', 1)", dt.date(2024, 2, 5)),
    ]
    for statement, day in changes:
        await api.query(statement, day)
    version = await version_of(api)
    assert await update(api, monkeypatch, *YEAR) == 0
    assert capsys.readouterr().out.splitlines() == [
        "+ 2025-01-27 임시공휴일 (Temporary Public Holiday)",
        "~ 2025-06-03 대통령 선거일 (Presidential Election Day), was 선거 (Presidential Election Day)",
        "- 2025-02-05 가짜 (Made up)",
        "1 added, 1 renamed, 1 removed",
        "machines to be accounted again: 2 (factories: 1)",
        "updated",
    ]
    assert await version_of(api) == version + 1
    rows = await api.query(
        "SELECT day, name_ko, changed_in, retired_at IS NULL FROM holiday WHERE day = ANY($1) ORDER BY day, changed_in",
        [ONE_OFF, ELECTION, dt.date(2025, 2, 5), dt.date(2024, 2, 5)],
    )
    assert rows == [
        (dt.date(2024, 2, 5), "다른 해", 1, True),
        (ONE_OFF, "임시공휴일", version + 1, True),
        (dt.date(2025, 2, 5), "가짜", 1, False),
        (ELECTION, "선거", 1, False),
        (ELECTION, "대통령 선거일", version + 1, True),
    ]
    made_up = days_from(dt.date(2025, 2, 5))
    assert await api.query(MARKS) == [
        *(("F1", "M1", *span) for span in [*days_from(ONE_OFF), *made_up]),
        *(("F1", "M2", *span) for span in made_up),
    ]


async def test_it_fails_without_a_database_and_on_an_empty_span_of_years(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await update(api, monkeypatch, "--from-year", "2025", "--to-year", "2024") == 2
    assert "Correct --from-year" in capsys.readouterr().err
    connection = await connect(api.database_url)
    await connection.execute("REVOKE INSERT ON holiday FROM jejo_api")
    await connection.close()
    assert await update(api, monkeypatch, *YEAR) == 2
    assert "No holiday was changed: the database failed" in capsys.readouterr().err
