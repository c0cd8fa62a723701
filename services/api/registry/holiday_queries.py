"""The SQL of public holidays: reading and changing them, and what must change with them."""

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.registry.holidays import Holiday
from services.api.registry.queries import is_any, rows_as_table
from services.api.registry.tables import (
    calendar,
    calendar_version,
    dirty_mark,
    holiday,
    machine,
    machine_span,
)
from services.core.times import DAY_US, LAST_INSTANT_US, seoul_midnight_us

c = holiday.c


async def read_holidays(connection: AsyncConnection, first: dt.date, last: dt.date) -> Mapping[dt.date, Holiday]:
    """Returns the holidays from the first day to the last, both included."""
    query = sa.select(c.day, c.name_ko, c.name_en).where(c.retired_at.is_(None), c.day.between(first, last))
    return {row.day: Holiday(row.day, row.name_ko, row.name_en) for row in await connection.execute(query)}


async def retire_holidays(connection: AsyncConnection, days: Sequence[dt.date]) -> None:
    """Retires the rows of days as of this transaction."""
    changed = sa.update(holiday).where(is_any(c.day, days), c.retired_at.is_(None))
    await connection.execute(changed.values(retired_at=sa.func.now()))


async def add_holidays(connection: AsyncConnection, added: Sequence[Holiday], registry_version: int) -> None:
    """Adds holidays as of this transaction."""
    columns = [c.day, c.name_ko, c.name_en, c.changed_in]
    given = rows_as_table(columns, [(one.day, one.name_ko, one.name_en, registry_version) for one in added])
    await connection.execute(sa.insert(holiday).from_select(columns, sa.select(*given.c)))


def affected(days: Sequence[dt.date]) -> "sa.Select[tuple[int, int, int]]":
    """Returns factories and the instants [from_at, to_at) that change with days: their calendar takes the holiday.

    A calendar without a shift on that day of the week, or with an exception on the day, is none the different. A night
    shift runs into the day after.
    """
    rows = [
        (
            seoul_midnight_us(day),
            min(seoul_midnight_us(day) + 2 * DAY_US, LAST_INSTANT_US),
            str(day),
            str(day.weekday()),
        )
        for day in days
    ]
    columns = [dirty_mark.c.from_at, dirty_mark.c.to_at, sa.column("day", sa.Text), sa.column("weekday", sa.Text)]
    given = rows_as_table(columns, rows)
    v, content = calendar_version.c, calendar.c.content
    return (
        sa.select(v.factory, given.c.from_at, given.c.to_at)
        .join(calendar, calendar.c.id == v.calendar)
        .join(given, sa.and_(v.effective_from <= given.c.from_at, given.c.from_at < v.effective_to))
        .where(
            v.retired_at.is_(None),
            content["holidays"].as_boolean(),
            content["weekly"].has_key(given.c.weekday),
            ~content["exceptions"].has_key(given.c.day),
        )
    )


async def mark_days(connection: AsyncConnection, days: Sequence[dt.date]) -> tuple[int, int]:
    """Recomputes the spans of the machines that days concern, and marks their accounts dirty where they are in use.

    Time that has not come has no accounts, so days in the future are not marked.

    Returns:
        How many machines are marked, and of how many factories.
    """
    found = affected(days).cte("affected")
    machines = sa.select(machine.c.id).where(machine.c.factory.in_(sa.select(found.c.factory)))
    await connection.execute(sa.select(sa.func.refresh_machine_spans(sa.func.array(machines.scalar_subquery()))))
    in_use = sa.exists().where(
        machine_span.c.machine == machine.c.id,
        machine_span.c.from_at < found.c.to_at,
        machine_span.c.to_at > found.c.from_at,
    )
    marks = (
        sa.select(machine.c.shard, machine.c.id, found.c.from_at, found.c.to_at)
        .join(found, found.c.factory == machine.c.factory)
        .where(in_use, found.c.from_at <= sa.func.now())
    )
    await connection.execute(sa.insert(dirty_mark).from_select(["shard", "machine", "from_at", "to_at"], marks))
    # Distinct first, which hashes; to count distinct values would sort millions of marks.
    marked = marks.with_only_columns(machine.c.id, machine.c.factory).distinct().subquery("marked")
    counts = sa.select(sa.func.count(), sa.func.count(sa.distinct(marked.c.factory))).select_from(marked)
    row = (await connection.execute(counts)).one()
    return int(row[0]), int(row[1])
