"""Calendars: how times and cells are parsed, what is refused, and which shifts a day has."""

import datetime as dt
import json
from typing import Any

import pytest

from services.api.numbers import CELLS
from services.api.registry.calendar_cells import parse_exceptions, parse_weekly
from services.api.registry.calendars import (
    Plan,
    Shift,
    ShiftedDays,
    Weekday,
    exceptions_of,
    from_json,
    in_order,
    make_shift,
    parse_start,
    parse_time,
    to_json,
    weekly_of,
)
from services.api.registry.csv_file import Line
from services.api.registry.holidays import Holiday, compare
from services.api.registry.importing import CalendarLine, parse_lines

MONDAY = dt.date(2026, 11, 23)
EVERY_DAY = ShiftedDays(tuple(Weekday), Shift(480, 1200))


@pytest.mark.parametrize(("text", "minutes"), [("00:00", 0), ("08:05", 485), ("23:59", 1439), ("24:00", 1440)])
def test_a_time_is_read(text: str, minutes: int) -> None:
    assert parse_time(text) == minutes


@pytest.mark.parametrize(
    "text", ["", "8:00", "08:00 ", "08:00:00", "24:01", "25:00", "12:60", "0800", "٠٨:٠٠", "-1:00", "08:0", 480, None]
)
def test_what_is_no_time_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="write a time as HH:MM"):
        parse_time(text)


def test_no_shift_begins_at_the_end_of_a_day() -> None:
    with pytest.raises(ValueError, match="a shift from 24:00 begins on the next day"):
        parse_start("24:00")


@pytest.mark.parametrize(
    ("start", "end", "shift"),
    [
        (480, 1200, (480, 1200)),
        (1320, 360, (1320, 1800)),
        (0, 1440, (0, 1440)),
        (960, 0, (960, 1440)),
        (1, 0, (1, 1440)),
        (1439, 1438, (1439, 2878)),
    ],
)
def test_a_shift_that_ends_before_it_begins_ends_on_the_next_day(start: int, end: int, shift: tuple[int, int]) -> None:
    assert make_shift(start, end) == shift


@pytest.mark.parametrize("minutes", [0, 480])
def test_a_shift_of_no_length_is_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match="a shift of no length"):
        make_shift(minutes, minutes)


def test_shifts_of_a_day_may_touch_and_not_overlap() -> None:
    early, late, night = Shift(360, 840), Shift(840, 1320), Shift(1320, 1800)
    assert in_order([night, early, late], "mon") == (early, late, night)
    with pytest.raises(ValueError, match="the shifts 06:00-14:00 and 13:59-22:00 of mon overlap"):
        in_order([Shift(839, 1320), early], "mon")
    with pytest.raises(ValueError, match="the shifts 06:00-14:00 and 06:00-14:00 of mon overlap"):
        in_order([early, early], "mon")


def test_a_night_shift_may_run_into_the_shift_of_the_day_after() -> None:
    night = ShiftedDays((Weekday.MON,), Shift(1320, 1800))
    weekly = weekly_of([night, ShiftedDays((Weekday.TUE,), Shift(300, 600))])
    assert weekly[:3] == ((Shift(1320, 1800),), (Shift(300, 600),), ())


def test_an_exception_replaces_the_week_and_the_holiday() -> None:
    plan = Plan(weekly_of([EVERY_DAY]), True, exceptions_of([(MONDAY, [Shift(0, 60)]), (dt.date(2026, 11, 24), [])]))
    for is_holiday in (False, True):
        assert plan.shifts_on(MONDAY, is_holiday=is_holiday) == (Shift(0, 60),)
        assert plan.shifts_on(dt.date(2026, 11, 24), is_holiday=is_holiday) == ()
    assert plan.shifts_on(dt.date(2026, 11, 25), is_holiday=False) == (Shift(480, 1200),)
    assert plan.shifts_on(dt.date(2026, 11, 25), is_holiday=True) == ()
    working = Plan(plan.weekly, False, ())
    assert working.shifts_on(MONDAY, is_holiday=True) == (Shift(480, 1200),)


def test_an_exception_comes_once() -> None:
    with pytest.raises(ValueError, match="2026-11-23 is an exception twice"):
        exceptions_of([(MONDAY, []), (MONDAY, [Shift(0, 60)])])


def test_the_stored_form_is_that_of_the_contract() -> None:
    weekdays = ShiftedDays(tuple(Weekday)[:1], Shift(480, 1200)), ShiftedDays((Weekday.SAT,), Shift(480, 720))
    plan = Plan(weekly_of(weekdays), True, exceptions_of([(dt.date(2026, 12, 26), [])]))
    stored = {"weekly": {"0": [[480, 1200]], "5": [[480, 720]]}, "holidays": True, "exceptions": {"2026-12-26": []}}
    assert json.loads(to_json(plan)) == stored
    assert from_json(stored) == plan


def shift(days: str, start: str, end: str) -> dict[str, Any]:
    return {"days": days.split(), "from": start, "to": end}


@pytest.mark.parametrize(
    ("cell", "weekly"),
    [
        ("none", None),
        (" Closed ", []),
        (
            "mon-fri 08:00-20:00; sat 08:00-12:00",
            [shift("mon tue wed thu fri", "08:00", "20:00"), shift("sat", "08:00", "12:00")],
        ),
        ("MON,wed 08:00-20:00;", [shift("mon wed", "08:00", "20:00")]),
        ("sat-mon 22:00-06:00", [shift("sat sun mon", "22:00", "06:00")]),
        ("sun  06:00-14:00  14:00-22:00", [shift("sun", "06:00", "14:00"), shift("sun", "14:00", "22:00")]),
        ("mon-mon 00:00-24:00", [shift("mon", "00:00", "24:00")]),
    ],
)
def test_a_cell_of_shifts_is_read_as_the_body_of_a_put(cell: str, weekly: list[dict[str, Any]] | None) -> None:
    assert parse_weekly(cell) == weekly


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("mo 08:00-20:00", "there is no day 'mo'; the days are mon, tue, wed, thu, fri, sat, sun"),
        ("mon- 08:00-20:00", "there is no day ''"),
        ("mon,,tue 08:00-20:00", "there is no day ''"),
        ("mon", "mon has no shift"),
        ("mon 08:00", "08:00 is no shift; write one as 08:00-20:00"),
        ("mon 08:00-", "08:00- is no shift"),
        ("mon 08:00-12:00;;tue 08:00-12:00", "nothing is between two semicolons"),
        (";", "nothing is between two semicolons"),
    ],
)
def test_a_wrong_cell_of_shifts_is_refused(cell: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse_weekly(cell)


def test_a_cell_of_exceptions_is_read_as_the_body_of_a_put() -> None:
    assert parse_exceptions("2026-12-26; 2026-12-27 08:00-12:00 13:00-17:00") == [
        {"date": "2026-12-26", "shifts": []},
        {"date": "2026-12-27", "shifts": [{"from": "08:00", "to": "12:00"}, {"from": "13:00", "to": "17:00"}]},
    ]
    with pytest.raises(ValueError, match="write days and their shifts"):
        parse_exceptions("08:00-12:00")


def test_a_line_of_a_file_follows_the_rules_of_a_put() -> None:
    cells = {"factory_id": "F1", "weekly": "mon 22:00-06:00", "holidays": "true", "exceptions": "2026-12-26"}
    line = CalendarLine.model_validate_strings({**cells, "effective_from": "2026-03-01"}, context=CELLS)
    assert line.plan() == Plan(((Shift(1320, 1800),), (), (), (), (), (), ()), True, ((dt.date(2026, 12, 26), ()),))


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"weekly": "mon 08:00-20:00 19:00-21:00"}, "weekly", "the shifts 08:00-20:00 and 19:00-21:00 of mon overlap"),
        ({"weekly": "mon 08:00-08:00"}, "weekly.0.to", "a shift of no length"),
        ({"weekly": "mon 8:00-20:00"}, "weekly.0.from", "write a time as HH:MM"),
        ({"weekly": "mo 08:00-20:00"}, "weekly", "there is no day 'mo'"),
        ({"weekly": ""}, "weekly", "every calendar needs one"),
        ({"weekly": "none"}, "exceptions", "a calendar that ends"),
        ({"holidays": "perhaps"}, "holidays", "input should be a valid boolean"),
        ({"exceptions": "2026-12-26; 2026-12-26"}, "exceptions", "2026-12-26 is an exception twice"),
        ({"effective_from": "2026-03-01T00:00:00Z"}, "effective_from", "a calendar begins at midnight in Seoul"),
        ({"name": "A"}, "name", "no calendar has one"),
    ],
)  # fmt: skip
def test_an_invalid_line_names_the_column(changes: dict[str, str], field: str, reason: str) -> None:
    good = {"thing": "calendar", "factory_id": "F1", "weekly": "mon 08:00-20:00", "exceptions": "2026-12-26"}
    cells = {name: cell for name, cell in {**good, **changes}.items() if cell}
    found = parse_lines([Line(2, cells)], None)
    assert [line.field for line in found.bad] == [field]
    assert found.bad[0].reason.startswith(reason)
    assert "WeeklyShift" not in found.bad[0].reason


def test_holidays_are_compared_by_day() -> None:
    days = [dt.date(2025, 1, day) for day in (1, 27, 28, 29)]
    before = [Holiday(day, "가", "A") for day in days[:3]]
    after = [Holiday(days[3], "나", "B"), Holiday(days[1], "다", "A"), before[0]]
    changes = compare(before, after)
    assert changes.added == (after[0],)
    assert changes.renamed == ((before[1], after[1]),)
    assert changes.removed == (before[2],)
    assert changes.retired() == [days[1], days[2]]
    assert changes.current() == [after[0], after[1]]
    assert changes.changed_days() == [days[2], days[3]]
    assert compare(before, reversed(before)).is_empty
