"""Counts the programme's figures on several days in one query, from the registry's versions in force.

On a day the version in force at its last instant counts; on a day that is not over, the version in force now. A factory
does not count once it is closed, or before it is established. *Installed*: level basic or above, and established.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.instants import INSTANT
from services.api.programme.targets import RegistryCount
from services.api.registry.tables import factory_version
from services.api.registry.things import Level
from services.core.times import DAY_US, from_us, seoul_day, seoul_midnight_us

FIRST_YEAR = 2014


@dataclass(frozen=True, slots=True)
class Standing:
    """The counts of one day."""

    on: dt.date
    counts: Mapping[RegistryCount, int]


def reported_days(now_us: int) -> list[dt.date]:
    """Return the last day of each year since 2014, and today."""
    today = seoul_day(now_us)
    ends = [dt.date(year, 12, 31) for year in range(FIRST_YEAR, today.year + 1)]
    return [*(day for day in ends if day < today), today]


async def read_standings(connection: AsyncConnection, days: Sequence[dt.date], now_us: int) -> list[Standing]:
    """Return the counts of each day, in order of time."""
    v = factory_version.c
    last_instants = [from_us(min(seoul_midnight_us(day) + DAY_US - 1, now_us)) for day in days]
    point = (
        sa.func.unnest(sa.literal(list(days), ARRAY(sa.Date)), sa.literal(last_instants, ARRAY(INSTANT)))
        .table_valued(sa.column("day", sa.Date), sa.column("at", INSTANT))
        .render_derived(name="point")
    )
    counts = sa.and_(
        v.retired_at.is_(None),
        v.effective_from <= point.c.at,
        v.effective_to > point.c.at,
        sa.or_(v.established_on.is_(None), v.established_on <= point.c.day),
        sa.or_(v.closed_on.is_(None), v.closed_on > point.c.day),
    )
    installed = sa.and_(v.level != Level.NONE.value, v.established_on.is_not(None))
    # Factories that are alike are counted first, so that the distinct values are then counted over few rows.
    alike = (
        sa.select(
            point.c.day,
            v.region,
            v.zone,
            v.sponsor,
            sa.case((v.sponsor.is_not(None), v.enterprise)).label("firm"),
            installed.label("installed"),
            sa.func.count().label("factories"),
        )
        .select_from(sa.outerjoin(point, factory_version, counts))
        .group_by(sa.text("1, 2, 3, 4, 5, 6"))
        .subquery("alike")
    )
    a = alike.c
    chosen: Mapping[RegistryCount, sa.ColumnElement[int]] = {
        RegistryCount.INSTALLED: sa.func.coalesce(sa.func.sum(a.factories).filter(a.installed), 0),
        RegistryCount.ZONES: sa.func.count(a.zone.distinct()),
        RegistryCount.REGIONS: sa.func.count(a.region.distinct()).filter(a.installed),
        RegistryCount.SPONSORS: sa.func.count(a.sponsor.distinct()),
        RegistryCount.SPONSORED_FACTORIES: sa.func.coalesce(sa.func.sum(a.factories).filter(a.sponsor.is_not(None)), 0),
        RegistryCount.SPONSORED_FIRMS: sa.func.count(a.firm.distinct()),
    }
    query = (
        sa.select(a.day, *(column.label(count.value) for count, column in chosen.items()))
        .group_by(a.day)
        .order_by(a.day)
    )
    rows = (await connection.execute(query)).mappings()
    return [Standing(row["day"], {count: int(row[count.value]) for count in chosen}) for row in rows]
