"""The endpoints of factories' calendars."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.problems import not_found, unprocessable
from services.api.registry import queries
from services.api.registry.calendar_models import LAST_YEAR, CalendarAnswer, CalendarEntry, CalendarPut, CalendarYear
from services.api.registry.calendars import days_of_year
from services.api.registry.fields import FactoryId
from services.api.registry.holiday_queries import read_holidays
from services.api.registry.routes import LookupDep, WriterDep, created
from services.api.registry.things import CALENDAR
from services.api.registry.visibility import check_may_see

router = APIRouter(prefix="/v1", tags=["registry"])

Year = Annotated[
    int | None,
    Query(ge=2000, le=LAST_YEAR, description="Instead of the calendar, the days of this year, each with its shifts."),
]


@router.put("/factories/{factory_id}/calendar", responses=created(CalendarEntry))
async def put_calendar(factory_id: FactoryId, body: CalendarPut, writer: WriterDep) -> CalendarEntry:
    """Register the calendar of a factory, change or end it, which recomputes its accounts for that time."""
    version = await writer.put(CALENDAR, factory_id, body.content(), body.effective_from)
    return CalendarEntry.of(factory_id, version)


@router.get("/factories/{factory_id}/calendar")
async def get_calendar(factory_id: FactoryId, lookup: LookupDep, year: Year = None) -> CalendarAnswer:
    """The calendar of a factory as it is registered now, or was or will be at an instant; or the days of a year."""
    await check_may_see(lookup.databases, lookup.reader, factory_id, lookup.now_us)
    if year is None:
        return CalendarAnswer(CalendarEntry.of(factory_id, await lookup.get(CALENDAR, factory_id)))
    if lookup.at is not None:
        raise unprocessable("Leave out at, or year: the days of a year are those under the calendar in force on each.")
    return CalendarAnswer(await read_year(lookup, factory_id, year))


async def read_year(lookup: LookupDep, factory_id: str, year: int) -> CalendarYear:
    """Returns the days of a year under a factory's calendars.

    Raises:
        Problem: 404 if the factory is not registered, or never had a calendar.
    """
    days = list(days_of_year(year))
    async with lookup.databases.read.connect() as connection:
        number = await queries.find(connection, CALENDAR, factory_id)
        versions = () if number is None else (await queries.read_versions(connection, CALENDAR, [number]))[number]
        holidays = await read_holidays(connection, days[0], days[-1])
    if not versions:
        raise not_found(f"calendar {factory_id}")
    return CalendarYear.of(factory_id, days, versions, holidays)
