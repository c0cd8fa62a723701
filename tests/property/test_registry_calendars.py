"""Calendars in canonical form come back from the form of the API and from the stored one."""

import datetime as dt
import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.api.registry.calendar_models import CalendarEntry, CalendarPut
from services.api.registry.calendars import (
    DAY_MIN,
    WEEK,
    Plan,
    Shift,
    ShiftedDays,
    Shifts,
    from_json,
    to_json,
    weekly_of,
)
from services.api.registry.things import Calendar
from services.api.registry.versions import Version
from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US


@st.composite
def shifts_of_a_day(draw: st.DrawFn) -> Shifts:
    """Draws shifts that do not overlap, of which the last may run over midnight; some touch."""
    bounds = sorted(draw(st.sets(st.integers(0, DAY_MIN), max_size=7)))
    shifts = [Shift(a, b) for a, b in pairwise(bounds) if draw(st.booleans())]
    start = max((one.to_min for one in shifts), default=0)
    if start < DAY_MIN and draw(st.booleans()):
        last = draw(st.integers(max(start, 1), DAY_MIN - 1))
        shifts.append(Shift(last, DAY_MIN + draw(st.integers(1, last)) - 1))
    return tuple(shifts)


days = st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1))
plans = st.builds(
    Plan,
    st.tuples(*[shifts_of_a_day()] * len(WEEK)),
    st.booleans(),
    st.dictionaries(days, shifts_of_a_day(), max_size=4).map(lambda found: tuple(sorted(found.items()))),
)


@given(plans)
def test_a_calendar_is_put_as_it_is_shown(plan: Plan) -> None:
    shown = CalendarEntry.of("F1", Version(FIRST_INSTANT_US, LAST_INSTANT_US, Calendar(plan))).model_dump_json()
    body = {name: value for name, value in json.loads(shown).items() if name in ("weekly", "holidays", "exceptions")}
    assert CalendarPut.model_validate(body).plan() == plan


@given(plans)
def test_a_calendar_is_read_as_it_was_stored(plan: Plan) -> None:
    assert from_json(json.loads(to_json(plan))) == plan


@given(plans, plans)
def test_only_equal_calendars_have_equal_texts(plan: Plan, other: Plan) -> None:
    assert (to_json(plan) == to_json(other)) == (plan == other)


@given(plans)
def test_how_a_week_is_written_does_not_matter(plan: Plan) -> None:
    """Days one by one or together, in any order."""
    single = [ShiftedDays((day,), shift) for day, shifts in zip(WEEK, plan.weekly, strict=True) for shift in shifts]
    assert weekly_of(reversed(single)) == plan.weekly
    assert weekly_of(plan.by_shift()) == plan.weekly


@given(plans, days, st.booleans())
def test_a_day_has_the_shifts_of_its_exception_or_of_no_holiday_or_of_its_week(
    plan: Plan, day: dt.date, is_holiday: bool
) -> None:
    content = json.loads(to_json(plan))
    expected = content["exceptions"].get(str(day))
    if expected is None:
        expected = [] if is_holiday and content["holidays"] else content["weekly"].get(str(day.weekday()), [])
    assert [list(shift) for shift in plan.shifts_on(day, is_holiday=is_holiday)] == expected
