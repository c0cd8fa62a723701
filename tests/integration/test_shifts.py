"""When shifts are: the database's function equals the second implementation, day by day, over random calendars."""

import datetime as dt
import random

import pytest

from services.analytics.verification.shifts import read_schedule
from services.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, from_us, seoul_midnight_us
from tests.accounted import registered_fleet
from tests.calendars import random_calendar

FIRST_DAY = dt.date(2017, 3, 1)
START_US = seoul_midnight_us(FIRST_DAY)
DAYS = 14

SHIFTS_OF_MACHINE = """
SELECT extract(epoch FROM GREATEST(x.from_at, s.from_at)) * 1000000 AS from_us,
       extract(epoch FROM LEAST(x.to_at, s.to_at)) * 1000000 AS to_us
FROM machine_span s CROSS JOIN LATERAL shifts_between(ARRAY[s.pattern], $2, $3) AS x
WHERE s.machine = $1 AND s.pattern IS NOT NULL AND x.from_at < s.to_at AND x.to_at > s.from_at
"""
MACHINE = 1


@pytest.mark.parametrize("seed", range(6))
async def test_shifts_in_the_database_are_those_of_the_second_implementation(database: str, seed: int) -> None:
    source = random.Random(seed)
    async with registered_fleet(database, 1) as fleet:
        for day in source.sample(range(DAYS), 2):
            await fleet.owner.execute(
                "INSERT INTO holiday (day, name_ko, name_en, changed_in) VALUES ($1, '휴일', 'Holiday', 1)",
                FIRST_DAY + dt.timedelta(days=day),
            )
        for _ in range(source.randint(1, 5)):
            day = source.randint(-2, DAYS)
            content = None if source.random() < 0.25 else random_calendar(source, START_US + day * DAY_US)
            await fleet.schedule(1, source.choice((None, START_US + day * DAY_US)), content)
        window = START_US + source.randint(0, DAY_US), START_US + (DAYS - 1) * DAY_US + source.randint(0, DAY_US)
        stored = [(int(start), int(end)) for start, end in await fleet.owner.fetch(SHIFTS_OF_MACHINE, MACHINE, *window)]
        schedule = await read_schedule(fleet.owner, 1)
        shifts = schedule.shifts(*window)
        for us in range(window[0], window[1], 10 * MINUTE_US + 7 * SECOND_US):
            expected = schedule.pattern(us) is not None and any(start <= us < end for start, end in shifts)
            assert sum(start <= us < end for start, end in stored) == int(expected), from_us(us)
        patterns = [row["id"] for row in await fleet.owner.fetch("SELECT id FROM shift_pattern ORDER BY id")]
        starts = list(range(window[0], window[1] - HOUR_US, 11 * HOUR_US))
        ends = [us + source.choice((HOUR_US, 11 * HOUR_US)) for us in starts]
        rows = await fleet.owner.fetch("SELECT * FROM scheduled_in($1, $2, $3)", patterns, starts, ends)
        assert len(rows) == len(patterns) * len(starts)
        for pattern, start, us in rows:
            own = ends[starts.index(start)]
            assert us == await fleet.owner.fetchval("SELECT scheduled_us($1, $2, $3)", pattern, start, own)
            assert 0 <= us <= own - start
