"""Plausibility flags on a real database: found, closed by corrected data, kept apart from what an inspector closed."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from services.analytics.flags.judging import keep_flags
from services.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, seoul_day, seoul_midnight_us
from tests.accounted import Count, Fleet, State, registered_fleet

FIRST_DAY = dt.date(2026, 3, 2)
FIRST_US = seoul_midnight_us(FIRST_DAY)
UNTIL_US = FIRST_US + 40 * DAY_US
PRODUCING, DELAYED, IDLE = 1, 3, 5

FLAGS = """
SELECT g.id, g.rule, g.kind, g.machine, g.days, g.evidence::text AS evidence, g.closed_by, g.closed_at IS NULL AS open
FROM flag g ORDER BY g.rule, g.machine, g.month
"""


def day_of(machine: int, day: int, pattern: str, *, ends_idle: bool = True) -> list[State | Count]:
    """A day of 60 changes whose instants depend on the pattern alone: 30 states, and 30 counts between."""
    rng = Random(pattern)
    start_us = FIRST_US + day * DAY_US
    rows: list[State | Count] = []
    for number in range(30):
        at_us = start_us + 8 * HOUR_US + number * 9 * MINUTE_US + rng.randrange(240) * SECOND_US
        rows.append(State(machine, at_us, (PRODUCING, DELAYED)[number % 2], 1))
        rows.append(Count(machine, at_us + 30 * SECOND_US, rng.randrange(1, 9)))
    return [*rows, State(machine, start_us + 20 * HOUR_US, IDLE)] if ends_idle else rows


@asynccontextmanager
async def fleet_on(database: str) -> AsyncIterator[Fleet]:
    """A fleet of three factories, accounted until UNTIL_US."""
    async with registered_fleet(database, 3) as fleet:
        await fleet.owner.execute("INSERT INTO analytics_state (accounted_until) VALUES ($1)", UNTIL_US)
        yield fleet


async def judged(fleet: Fleet) -> dict[tuple[str, int], dict[str, object]]:
    """Settle and judge everything; return the flags by rule and machine."""
    await fleet.settle_all()
    while await keep_flags(fleet.analytics, UNTIL_US, lambda: False, 60):
        pass
    assert await fleet.owner.fetchval("SELECT count(*) FROM flag_mark") == 0
    return {(row["rule"], row["machine"]): dict(row) for row in await fleet.owner.fetch(FLAGS)}


def test_a_replayed_day_is_found_and_a_late_correction_closes_it(database: str) -> None:
    async def run() -> None:
        async with fleet_on(database) as fleet:
            await fleet.add(day_of(1, 0, "a") + day_of(1, 1, "b") + day_of(2, 1, "c"))
            assert await judged(fleet) == {}
            await fleet.add(day_of(5, 20, "a"))
            flags = await judged(fleet)
            assert list(flags) == [("replayed_day", 5)]
            flag = flags["replayed_day", 5]
            assert flag["days"] == [FIRST_DAY + dt.timedelta(days=20)]
            (evidence,) = json.loads(str(flag["evidence"]))["days"]
            assert evidence["same_as"] == {"machine": "F1/M1", "day": FIRST_DAY.isoformat()}
            assert evidence["changes"] == 61
            corrected = day_of(1, 0, "a")[0]
            await fleet.add([State(1, corrected.at_us, DELAYED, 1)])
            again = (await judged(fleet))["replayed_day", 5]
            assert (again["open"], again["closed_by"], again["id"]) == (False, "data", flag["id"])
            await fleet.add([corrected])
            back = (await judged(fleet))["replayed_day", 5]
            assert (back["open"], back["id"]) == (True, flag["id"])

    asyncio.run(run())


def test_identical_series_flag_both_machines(database: str) -> None:
    async def run() -> None:
        async with fleet_on(database) as fleet:
            await fleet.add(day_of(1, 3, "a") + day_of(7, 3, "a"))
            assert await judged(fleet) == {}
            await fleet.add(day_of(1, 35, "b") + day_of(7, 35, "b"))
            flags = await judged(fleet)
            assert {(rule, machine) for rule, machine in flags} == {("identical_series", 1), ("identical_series", 7)}
            evidence = json.loads(str(flags["identical_series", 1]["evidence"]))
            assert [other["machine"] for other in evidence["machines"]] == ["F3/M1"]
            assert len(flags["identical_series", 1]["days"]) == 2  # type: ignore[arg-type]

    asyncio.run(run())


def test_what_an_inspector_closed_stays_closed_while_its_evidence_is_the_same(database: str) -> None:
    async def run() -> None:
        async with fleet_on(database) as fleet:
            await fleet.add([Count(4, FIRST_US + 9 * HOUR_US, 20_000)])
            flag = (await judged(fleet))["beyond_capacity", 4]
            await fleet.owner.execute(
                "UPDATE flag SET closed_at = now(), closed_by = 'ministry', closed_why = 'seen' WHERE id = $1",
                flag["id"],
            )
            await fleet.add([State(4, FIRST_US + 10 * HOUR_US, IDLE), *day_of(5, 0, "x")])
            closed = (await judged(fleet))["beyond_capacity", 4]
            assert (closed["open"], closed["closed_by"]) == (False, "ministry")
            await fleet.add([Count(4, FIRST_US + 11 * HOUR_US, 20_000)])
            opened = (await judged(fleet))["beyond_capacity", 4]
            assert (opened["open"], opened["closed_by"], opened["id"]) == (True, None, flag["id"])

    asyncio.run(run())


def test_a_week_of_nothing_but_production_and_pieces_from_nowhere(database: str) -> None:
    async def run() -> None:
        async with fleet_on(database) as fleet:
            always = [State(1, FIRST_US + n * 10 * MINUTE_US, PRODUCING) for n in range(7 * 144)]
            barren: list[State | Count] = []
            for day in range(0, 25, 5):
                start_us = FIRST_US + day * DAY_US + 8 * HOUR_US
                barren += [State(4, start_us + n * 10 * MINUTE_US, IDLE) for n in range(7)]
                barren.append(Count(4, start_us + 30 * MINUTE_US, 3))
            await fleet.add([*always, *barren])
            flags = await judged(fleet)
            assert set(flags) == {("never_varies", 1), ("pieces_without_production", 4)}
            assert len(flags["never_varies", 1]["days"]) == 7  # type: ignore[arg-type]
            assert len(flags["pieces_without_production", 4]["days"]) == 5  # type: ignore[arg-type]
            assert seoul_day(FIRST_US) == flags["never_varies", 1]["days"][0]  # type: ignore[index]
            # Twenty minutes of seven days are more than a thousandth.
            await fleet.add([State(1, always[-1].at_us - n * DAY_US, IDLE) for n in (2, 3)])
            assert (await judged(fleet))["never_varies", 1]["closed_by"] == "data"

    asyncio.run(run())


RECORD = """
INSERT INTO ingest_record (id, topic, partition, record_offset, received_at, sent_at, newest_at, factory, gateway_id,
    signed, revision, rows_stored, rows_duplicate, rows_clashed, rows_refused, unknown_fields)
OVERRIDING SYSTEM VALUE
VALUES ($1, 1, 0, $1, $2, $3, $4, $5, 'gw', true, 0, 1, 0, 0, 0, 0)
"""


def test_rows_sent_in_bulk_and_a_clock_that_is_off(database: str) -> None:
    async def run() -> None:
        async with fleet_on(database) as fleet:
            await fleet.owner.execute(
                "INSERT INTO ingest_topic (cluster_id, topic_id, topic) VALUES ('c', 't', 'manufacturing.telemetry.v1')"
            )
            # Factory 1 was heard of on the first day, and sends all that follows three weeks later, in two hours.
            first_us = FIRST_US + HOUR_US
            await fleet.owner.execute(RECORD, 10, first_us, first_us, first_us, 1)
            late_us = FIRST_US + 25 * DAY_US
            await fleet.owner.execute(RECORD, 1, late_us, late_us, late_us - 2 * DAY_US, 1)
            await fleet.add([row for day in range(2, 15) for row in day_of(1, day, f"own {day}")])
            # Factory 2's clock is two hours behind.
            for number in range(5):
                received_us = FIRST_US + 10 * HOUR_US + number * MINUTE_US
                sent_us = received_us - 2 * HOUR_US
                await fleet.owner.execute(RECORD, 20 + number, received_us, sent_us, sent_us, 2)
            await fleet.add([State(4, FIRST_US + 10 * HOUR_US, IDLE)])
            await fleet.owner.execute("UPDATE state_event SET record_id = 20 WHERE machine = 4")
            flags = await judged(fleet)
            assert set(flags) == {("sent_in_bulk", 1), ("clock_off", None)}
            bulk = json.loads(str(flags["sent_in_bulk", 1]["evidence"]))
            assert bulk["late_rows"] == bulk["rows"] == 13 * 61
            assert len(bulk["hours_of_receipt"]) == 1
            (clock,) = json.loads(str(flags["clock_off", None]["evidence"]))["days"]  # type: ignore[index]
            assert (clock["records"], clock["receipt_delay_s"]) == (5, 7200.0)

    asyncio.run(run())
