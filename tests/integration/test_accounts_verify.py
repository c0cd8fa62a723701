"""``jejo verify`` reports every kind of alteration of every derived table, and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from services.analytics.engine import advance, start_accounting
from services.core.errors import TransientError
from services.core.times import DAY_US, HOUR_US, MINUTE_US
from tests.accounted import MARK, Count, Fleet, State, registered_fleet

NOON_US = 1_488_326_400_000_000 + 3 * HOUR_US
"""Noon in Seoul."""
UNTIL_US = NOON_US + 2 * DAY_US + 10 * MINUTE_US
DERIVED = (
    *("machine_hour_pack", "machine_day_pack", "open_hold", "closed_factory_hour", "closed_factory_day"),
    *("cohort_hour", "cohort_day", "machine_span"),
    *("group_day", "group_step", "schedule_step", "cohort_group", "factory_span"),
)
CHANGED = " UNION ALL ".join(
    f"(SELECT '{table}' FROM (TABLE {table} EXCEPT ALL TABLE kept_{table}) AS t LIMIT 1)" for table in DERIVED
)
KEYS = ("machine", "factory", "hour", "day", "cohort")


async def run_fleet(database: str, story: Callable[[Fleet], Awaitable[None]]) -> None:
    async with registered_fleet(database, 2) as fleet:
        await start_accounting(fleet.analytics, UNTIL_US)
        for machine in (1, 2, 4):
            await fleet.add(State(machine, NOON_US + n * 9 * MINUTE_US, 1 + n % 7, n % 4) for n in range(200))
            await fleet.add(Count(machine, NOON_US + n * 7 * MINUTE_US, n) for n in range(200))
        await fleet.settle_all()
        await story(fleet)


async def differences(fleet: Fleet) -> bool:
    return bool(await fleet.verify(NOON_US - DAY_US, UNTIL_US))


def test_every_column_and_every_row(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def altered(fleet: Fleet, table: str, statement: str) -> bool:
        """Whether an alteration of a derived table is found, or the database refuses it; it is undone."""
        try:
            assert (await fleet.owner.execute(statement)).split()[-1] == "1", statement
            found = await differences(fleet)
        except asyncpg.ForeignKeyViolationError:
            return True
        await fleet.owner.execute(f"TRUNCATE {table}; INSERT INTO {table} TABLE kept_{table}")
        assert await fleet.owner.fetch(CHANGED) == [], statement
        return found

    async def story(fleet: Fleet) -> None:
        await fleet.add(State(machine, UNTIL_US - 4 * MINUTE_US, machine, 1) for machine in (1, 2, 4))
        await fleet.add([Count(4, UNTIL_US - 2 * MINUTE_US, 5)])
        shifts = {"weekly": {str(day): [[480, 1020]] for day in range(7)}, "holidays": False, "exceptions": {}}
        await fleet.schedule(2, NOON_US - 12 * HOUR_US, shifts)
        await fleet.settle_all()
        assert not await differences(fleet)
        for table in DERIVED:
            await fleet.owner.execute(f"CREATE TABLE kept_{table} AS TABLE {table}")
        columns = await fleet.owner.fetch(
            "SELECT table_name AS t, column_name AS c, udt_name AS d FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name = ANY($1) ORDER BY 1, 2",
            DERIVED,
        )
        for table, column, kind in columns:
            one = f"ctid = (SELECT max(ctid) FROM {table})"
            place = f"{column}[1]" if kind.startswith("_") else column
            if column == "seen_to":
                change = "seen_to = at - interval '1 second'"
            elif (table, column) == ("machine_span", "pattern"):
                change = "pattern = CASE WHEN pattern IS NULL THEN 1 END"
            elif column in KEYS:
                step = {"hour": "interval '1 year'", "day": "400"}.get(column, "3")
                change = f"{place} = {place} + {step}"
            else:
                change = f"{place} = " + {
                    "bool": f"NOT {place}",
                    "numeric": f"{place} + 0.25",
                    "timestamptz": f"{place} - interval '1 second'",
                    "date": f"{place} - 1",
                    "text": f"{place} || 'x'",
                }.get(kind.removeprefix("_"), f"{place} + 1")
            capsys.readouterr()
            assert await altered(fleet, table, f"UPDATE {table} SET {change} WHERE {one}"), f"{table}.{column}"
            if table == "open_hold":
                assert " hold at " in capsys.readouterr().out, column
        for table in DERIVED:
            delete = f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})"
            assert await altered(fleet, table, delete), table
        for machine, flag in ((3, "false"), (4, "true"), (99, "true"), (1, "true")):
            assert await altered(
                fleet,
                "machine_day_pack",
                f"UPDATE machine_day_pack SET machine = machine || {machine}, cohort = cohort || cohort[1], "
                f"has_counts = has_counts || {flag}, has_evidence = has_evidence || {flag}, "
                f"is_signed = is_signed || {flag} WHERE factory = 1 AND day = '2017-03-01'",
            ), machine
        for table in ("machine_hour_pack", "machine_day_pack", "open_hold"):
            twice = ", ".join(f"{c} = {c} || {c}[1]" for t, c, kind in columns if t == table and kind.startswith("_"))
            row = f"ctid = (SELECT min(ctid) FROM {table})"
            assert await altered(fleet, table, f"UPDATE {table} SET {twice} WHERE {row}"), table
        last_hour = "(SELECT max(ctid) FROM machine_hour_pack)"
        last_day = "(SELECT max(ctid) FROM closed_factory_day)"
        for table, change in (
            ("closed_factory_day", f"factory = 99 WHERE ctid = {last_day}"),
            ("machine_hour_pack", f"hour = hour + interval '30 min' WHERE ctid = {last_hour}"),
            ("open_hold", "factory = 99 WHERE factory = 2"),
        ):
            assert await altered(fleet, table, f"UPDATE {table} SET {change}"), change
        assert not await differences(fleet)

    asyncio.run(run_fleet(database, story))


def test_hours_of_a_machine_without_versions_are_found_and_go_when_settled(database: str) -> None:
    async def story(fleet: Fleet) -> None:
        await fleet.owner.execute("UPDATE machine_version SET retired_at = now() WHERE machine = 1")
        await fleet.owner.execute("SELECT refresh_machine_spans(ARRAY[1])")
        assert await differences(fleet)
        await fleet.owner.execute(MARK, 1, 1, NOON_US, UNTIL_US)
        await fleet.settle_all()
        assert not await differences(fleet)
        assert await fleet.owner.fetchval("SELECT count(*) FROM machine_hour WHERE machine = 1") == 0

    asyncio.run(run_fleet(database, story))


def test_only_marks_that_affect_the_window_are_waited_for(database: str) -> None:
    async def story(fleet: Fleet) -> None:
        await fleet.add([State(1, UNTIL_US - 1, 2)])
        assert not await fleet.verify(NOON_US - 3 * DAY_US, NOON_US)
        with pytest.raises(TransientError, match="1 dirty marks are still waiting"):
            await differences(fleet)

    asyncio.run(run_fleet(database, story))


def test_a_horizon_in_the_middle_of_a_day_and_of_a_hold(database: str) -> None:
    """Accounts before the horizon stay as they are and are not compared."""

    async def story(fleet: Fleet) -> None:
        # Machine 4 has all its counts of the day before the horizon, so the day is counted by what is sealed.
        await fleet.owner.execute(
            "UPDATE count_event SET retracted = true WHERE machine = 4 AND at >= $1", NOON_US + HOUR_US
        )
        await fleet.register(4, None, ideal_cycle_us=20_000_000)
        await fleet.settle_all()
        assert not await differences(fleet)
        await fleet.owner.execute("UPDATE fact_horizon SET sealed_before = $1", NOON_US + 90 * MINUTE_US)
        assert not await differences(fleet)
        await fleet.add([State(machine, NOON_US + 3 * HOUR_US, 2) for machine in fleet.machines])
        await advance(fleet.analytics, UNTIL_US + HOUR_US)
        await fleet.settle_all()
        assert not await differences(fleet)
        counted = "SELECT counted FROM machine_day WHERE machine = 4 AND day = '2017-03-01'"
        assert await fleet.owner.fetchval(counted)

    asyncio.run(run_fleet(database, story))
