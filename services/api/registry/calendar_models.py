"""The HTTP models of calendars: the body of a PUT, a calendar as registered, and the days of a year."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    StrictBool,
    ValidationInfo,
    field_validator,
)

from services.api.registry import calendars, things
from services.api.registry.calendars import Plan, Shift, ShiftedDays, Weekday
from services.api.registry.fields import Day
from services.api.registry.holidays import Holiday
from services.api.registry.models import Dated, Fields, Held, known_end
from services.api.registry.versions import Version
from services.core.times import FIRST_INSTANT_US, seoul_day, seoul_midnight_us

FIRST_DAY = seoul_day(FIRST_INSTANT_US)
LAST_YEAR = 9998

TIME = PlainSerializer(calendars.clock_time, return_type=str, when_used="json")
StartTime = Annotated[
    int,
    BeforeValidator(calendars.parse_start, json_schema_input_type=str),
    TIME,
    Field(description="HH:MM in Seoul.", examples=["08:00"]),
]
EndTime = Annotated[
    int,
    BeforeValidator(calendars.parse_time, json_schema_input_type=str),
    TIME,
    Field(description="HH:MM in Seoul, at most 24:00; before `from`: on the next day.", examples=["20:00"]),
]


class ShiftFields(Fields):
    """A shift, which belongs to the day on which it begins."""

    model_config = ConfigDict(serialize_by_alias=True)

    from_: StartTime = Field(alias="from")
    to: EndTime

    @field_validator("to")
    @classmethod
    def check_to(cls, to: int, info: ValidationInfo) -> int:
        if "from_" in info.data:
            calendars.make_shift(info.data["from_"], to)
        return to

    def shift(self) -> Shift:
        """Returns the shift."""
        return calendars.make_shift(self.from_, self.to)

    @classmethod
    def of(cls, shift: Shift) -> "ShiftFields":
        """Returns the fields of a shift."""
        return cls.model_construct(from_=shift.from_min, to=shift.end_min)


class WeeklyShift(ShiftFields):
    """A shift on some days of each week."""

    days: list[Weekday] = Field(min_length=1)

    @field_validator("days")
    @classmethod
    def check_days(cls, days: list[Weekday]) -> list[Weekday]:
        for day in days:
            if days.count(day) > 1:
                raise ValueError(f"{day} comes twice; write each day once")
        return days

    @classmethod
    def of_days(cls, days: Iterable[Weekday], shift: Shift) -> "WeeklyShift":
        """Returns the fields of a shift on these days."""
        return cls.model_construct(days=list(days), from_=shift.from_min, to=shift.end_min)


class CalendarException(Fields):
    """A day whose shifts replace those of the week, also on a public holiday; without shifts: closed."""

    date: Day
    shifts: list[ShiftFields]

    @field_validator("date")
    @classmethod
    def check_date(cls, date: dt.date) -> dt.date:
        if not FIRST_DAY <= date <= dt.date(LAST_YEAR, 12, 31):
            raise ValueError(f"write a day from {FIRST_DAY} on")
        return date

    @field_validator("shifts")
    @classmethod
    def check_shifts(cls, shifts: list[ShiftFields]) -> list[ShiftFields]:
        calendars.in_order((one.shift() for one in shifts), "this day")
        return shifts


class CalendarFields(Fields):
    """When a factory works. Times are Seoul's; the shifts of a day may touch, and may not overlap."""

    weekly: list[WeeklyShift] | None = Field(
        description="The shifts of each week. Null: no calendar, so all time in use is scheduled."
    )
    holidays: StrictBool = Field(False, description="Whether Korea's public holidays have no shifts.")
    exceptions: list[CalendarException] = Field(default_factory=list, description="Each day at most once.")

    @field_validator("weekly")
    @classmethod
    def check_weekly(cls, weekly: list[WeeklyShift] | None) -> list[WeeklyShift] | None:
        calendars.weekly_of(ShiftedDays(tuple(one.days), one.shift()) for one in weekly or ())
        return weekly

    @field_validator("exceptions")
    @classmethod
    def check_exceptions(cls, exceptions: list[CalendarException], info: ValidationInfo) -> list[CalendarException]:
        calendars.exceptions_of((one.date, ()) for one in exceptions)
        if exceptions and "weekly" in info.data and info.data["weekly"] is None:
            raise ValueError("a calendar that ends (weekly is null) has no exceptions; remove them, or write weekly")
        return exceptions

    def plan(self) -> Plan | None:
        """Returns the calendar in canonical form, None for no calendar."""
        if self.weekly is None:
            return None
        return Plan(
            calendars.weekly_of(ShiftedDays(tuple(one.days), one.shift()) for one in self.weekly),
            self.holidays,
            calendars.exceptions_of((one.date, [shift.shift() for shift in one.shifts]) for one in self.exceptions),
        )


class CalendarPut(CalendarFields, Dated):
    """A PUT of a calendar."""

    @field_validator("effective_from")
    @classmethod
    def check_effective_from(cls, effective_from: int | None) -> int | None:
        if effective_from is not None and effective_from != seoul_midnight_us(seoul_day(effective_from)):
            raise ValueError(
                "a calendar begins at midnight in Seoul; write a date, as 2026-11-22, or 2026-11-22T00:00:00+09:00"
            )
        return effective_from

    def content(self) -> things.Calendar:
        """Returns the content that is to be registered."""
        return things.Calendar(self.plan())


class CalendarEntry(CalendarFields, Held):
    """A calendar as registered."""

    factory_id: str

    @classmethod
    def of(cls, factory_id: str, version: Version[things.Calendar]) -> "CalendarEntry":
        """Returns the entry of a version."""
        plan = version.content.calendar
        return cls.model_construct(
            weekly=None if plan is None else [WeeklyShift.of_days(*one) for one in plan.by_shift()],
            holidays=plan is not None and plan.takes_holidays,
            exceptions=[
                CalendarException.model_construct(date=day, shifts=[ShiftFields.of(shift) for shift in shifts])
                for day, shifts in (() if plan is None else plan.exceptions)
            ],
            factory_id=factory_id,
            effective_from=version.from_us,
            effective_to=known_end(version),
        )


class HolidayNames(BaseModel):
    """A public holiday."""

    ko: str
    en: str


class CalendarDay(BaseModel):
    """One day of a calendar."""

    date: dt.date
    weekday: Weekday
    shifts: list[ShiftFields] | None = Field(
        description="Those that begin on this day. Null: no calendar is in force, so all time in use is scheduled."
    )
    holiday: HolidayNames | None = Field(description="The public holiday on this day, taken by the calendar or not.")
    exception: bool = Field(description="Whether the shifts are those of an exception.")

    @classmethod
    def of(cls, day: dt.date, plan: Plan | None, holiday: Holiday | None) -> "CalendarDay":
        """Returns a day under the plan in force."""
        shifts = None if plan is None else plan.shifts_on(day, is_holiday=holiday is not None)
        return cls.model_construct(
            date=day,
            weekday=calendars.WEEK[day.weekday()],
            shifts=None if shifts is None else [ShiftFields.of(shift) for shift in shifts],
            holiday=None if holiday is None else HolidayNames(ko=holiday.name_ko, en=holiday.name_en),
            exception=plan is not None and plan.is_exception(day),
        )


class CalendarYear(BaseModel):
    """The days of a year, each under the calendar that is in force on it."""

    factory_id: str
    items: list[CalendarDay]

    @classmethod
    def of(
        cls,
        factory_id: str,
        days: Iterable[dt.date],
        versions: Sequence[Version[things.Calendar]],
        holidays: Mapping[dt.date, Holiday],
    ) -> "CalendarYear":
        """Returns days under a factory's calendars, which are those of ``versions``."""
        items = []
        for day in days:
            us = seoul_midnight_us(day)
            plan = next((v.content.calendar for v in versions if v.from_us <= us < v.to_us), None)
            items.append(CalendarDay.of(day, plan, holidays.get(day)))
        return cls.model_construct(factory_id=factory_id, items=items)


class CalendarAnswer(RootModel[CalendarEntry | CalendarYear]):
    """The calendar, or the days of a year."""
