"""The research views show what the tables have, in words; versions tile time; a query of one day reads one day."""

import itertools
import random
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from schemas.figure_definitions import Table, figures_of
from schemas.wire.codes import Mode, State
from services.core.database import Connection, connect
from services.core.times import DAY_US, FIRST_INSTANT_US, HOUR_US, LAST_INSTANT_US

ORIGIN_US = 1_740_927_600_000_000
"""Midnight of 3 March 2025 in Seoul."""
DAYS = 40
EMPLOYEES = (None, 0, 1, 9, 10, 49, 50, 299, 300)
SIZES = (None, None, "1-9", "1-9", "10-49", "10-49", "50-299", "50-299", "300+")

ENTERPRISE_VERSION = """
INSERT INTO enterprise_version (enterprise, effective_from, effective_to, name, employees, changed_in, retired_at)
VALUES ($1, $2, $3, $4, $5, 1, $6)
"""
FACTORY_VERSION = """
INSERT INTO factory_version (factory, effective_from, effective_to, name, enterprise, region, sector, level, changed_in,
    retired_at)
VALUES ($1, $2, $3, $4, $5, $6, 'C29', 'basic', 1, $7)
"""
REGISTERED = """
INSERT INTO factory (factory_id) VALUES ('F1');
INSERT INTO machine (factory, machine_id) VALUES (1, 'M1'), (1, 'M2');
INSERT INTO metric (name) VALUES ('load_pct');
"""


@pytest.fixture
async def owner(database: str) -> AsyncIterator[Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def researcher(database: str, owner: Connection) -> AsyncIterator[Connection]:
    connection = await connect(database, "researcher")
    yield connection
    await connection.close()


def spans(chance: random.Random, first_us: int) -> list[tuple[int, int]]:
    """Return consecutive spans for versions, from an instant to the end of time."""
    days = sorted(chance.sample(range(1, DAYS), chance.randrange(4)))
    edges = [first_us, *(ORIGIN_US + day * DAY_US for day in days), LAST_INSTANT_US]
    return list(itertools.pairwise(edges))


async def test_a_factory_is_as_registered_at_every_instant(owner: Connection, researcher: Connection) -> None:
    chance = random.Random(7)
    enterprises: dict[int, list[tuple[int, int, int]]] = {}
    for n in range(1, 9):
        await owner.execute("INSERT INTO enterprise (enterprise_id) VALUES ($1)", f"E{n}")
        # Some enterprises are registered later than their factories.
        first = chance.choice([FIRST_INSTANT_US, ORIGIN_US])
        enterprises[n] = [(*span, chance.randrange(len(EMPLOYEES))) for span in spans(chance, first)]
        for start, end, size in enterprises[n]:
            await owner.execute(ENTERPRISE_VERSION, n, start, end, str(start), EMPLOYEES[size], None)
        await owner.execute(ENTERPRISE_VERSION, n, FIRST_INSTANT_US, LAST_INSTANT_US, "wrong", 1, ORIGIN_US)
    factories: dict[str, list[tuple[int, int, str, int]]] = {}
    for n in range(1, 25):
        await owner.execute("INSERT INTO factory (factory_id) VALUES ($1)", f"F{n}")
        factories[f"F{n}"] = [
            (*span, chance.choice(["KR-11", "KR-48"]), chance.randrange(1, 9))
            for span in spans(chance, FIRST_INSTANT_US)
        ]
        for start, end, region, enterprise in factories[f"F{n}"]:
            await owner.execute(FACTORY_VERSION, n, start, end, str(start), enterprise, region, None)
        await owner.execute(FACTORY_VERSION, n, FIRST_INSTANT_US, LAST_INSTANT_US, "wrong", 1, "KR-50", ORIGIN_US)

    def registered_at(factory_id: str, us: int) -> tuple[str, str | None]:
        (version,) = [v for v in factories[factory_id] if v[0] <= us < v[1]]
        sizes = [size for start, end, size in enterprises[version[3]] if start <= us < end]
        return version[2], SIZES[sizes[0]] if sizes else None

    rows = await researcher.fetch("SELECT * FROM factory ORDER BY factory_id, effective_from")
    shown: dict[str, list[Any]] = {}
    for row in rows:
        shown.setdefault(row["factory_id"], []).append(row)
    assert set(shown) == set(factories)
    for factory_id, versions in shown.items():
        edges = [versions[0]["effective_from"], *(version["effective_to"] for version in versions)]
        assert [version["effective_from"] for version in versions] == edges[:-1]
        assert (edges[0], edges[-1]) == (FIRST_INSTANT_US, LAST_INSTANT_US)
        contents = [(version["region"], version["size"]) for version in versions]
        assert all(a != b for a, b in itertools.pairwise(contents))
        for us in (FIRST_INSTANT_US, *(ORIGIN_US + day * DAY_US for day in range(-1, DAYS + 1))):
            found = [
                s for s, v in zip(contents, versions, strict=True) if v["effective_from"] <= us < v["effective_to"]
            ]
            assert found == [registered_at(factory_id, us)]


async def test_codes_are_shown_as_the_words_of_the_wire(owner: Connection, researcher: Connection) -> None:
    await owner.execute(REGISTERED)
    fact = "INSERT INTO state_event VALUES (1, $1, $2, $3, NULL, 0, false, 1)"
    for state in State:
        await owner.execute(fact, ORIGIN_US + state, state, 0)
    for mode in Mode:
        await owner.execute(fact, ORIGIN_US + 100 + mode, 1, mode)
    rows = await researcher.fetch("SELECT at, state, mode FROM state_event ORDER BY at")
    assert [row["state"] for row in rows[: len(State)]] == [state.name for state in State]
    assert [row["mode"] for row in rows[len(State) :]] == [mode.name for mode in Mode]


async def test_retracted_facts_are_absent(owner: Connection, researcher: Connection) -> None:
    await owner.execute(REGISTERED)
    for at, retracted in ((ORIGIN_US, False), (ORIGIN_US + 1, True)):
        await owner.execute("INSERT INTO state_event VALUES (1, $1, 1, 1, 'r', 3, $2, 1)", at, retracted)
        await owner.execute("INSERT INTO count_event VALUES (1, $1, 'P', 1, 2, 3, 3, $2, 1)", at, retracted)
        await owner.execute("INSERT INTO reading VALUES (1, 1, $1, 1.5, 3, $2, 1)", at, retracted)
    machine = ("F1", "M1")
    expected = {
        "state_event": (*machine, ORIGIN_US, "producing", "automatic", "r", 3),
        "count_event": (*machine, ORIGIN_US, "P", 1, 2, 3, 3),
        "reading": (*machine, "load_pct", ORIGIN_US, 1.5, 3),
    }
    for view, row in expected.items():
        assert [tuple(found) for found in await researcher.fetch(f"SELECT * FROM {view}")] == [row]


async def test_a_query_of_one_day_reads_one_chunk(owner: Connection, researcher: Connection) -> None:
    await owner.execute(REGISTERED)
    await owner.execute(
        "INSERT INTO state_event SELECT 1 + n % 2, '2025-02-28 15:00Z'::timestamptz + n * INTERVAL '10 min', 1, 1, "
        "NULL, 0, false, 1 FROM generate_series(0, 144 * 30) AS n"
    )
    await owner.execute("ANALYZE")
    plan = await researcher.fetch(
        "EXPLAIN SELECT count(*) FROM state_event "
        "WHERE factory_id = 'F1' AND machine_id = 'M1' AND at >= '2025-03-10 02:00Z' AND at < '2025-03-10 03:00Z'"
    )
    text = "\n".join(row[0] for row in plan)
    assert len(set(re.findall(r"_hyper_\d+_\d+_chunk", text))) == 1, text
    # The conditions are applied to the tables: nothing is filtered after the join.
    assert "SubqueryScan" not in text.replace(" ", ""), text


async def add_ones(owner: Connection, table: str, **given: str) -> None:
    """Add a row to a derived table with 1 in every column that is not given."""
    columns = await owner.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
        f"public.{table}",
    )
    row = {column["attname"]: "1" for column in columns} | given
    await owner.execute(f"INSERT INTO public.{table} ({', '.join(row)}) VALUES ({', '.join(row.values())})")


async def add_hours(owner: Connection, hour: str, machines: str, cohorts: str, factory: str = "1") -> None:
    """Add a factory's hour to the packed accounts, with 1 in every figure of each machine; arguments are SQL."""
    figures = [figure.id for figure in figures_of(Table.MACHINE_HOUR)]
    ones = ", ".join(["array_fill(1, ARRAY[cardinality(machine)])"] * len(figures))
    await owner.execute(
        f"INSERT INTO public.machine_hour_pack (factory, hour, machine, cohort, {', '.join(figures)}) "
        f"SELECT {factory}, {hour}, machine, cohort, {ones} "
        f"FROM (SELECT {machines}::integer[] AS machine, {cohorts}::integer[] AS cohort) AS own"
    )


async def test_hours_and_days_that_may_grow_are_partial(owner: Connection, researcher: Connection) -> None:
    await owner.execute(REGISTERED)
    await owner.execute("INSERT INTO analytics_state (accounted_until) VALUES ($1)", ORIGIN_US + 90 * 60 * 1_000_000)
    for hour in ("'2025-03-02 15:00Z'", "'2025-03-02 16:00Z'"):
        await add_hours(owner, hour, "ARRAY[1]", "ARRAY[1]")
    for day in ("'2025-03-02'", "'2025-03-03'"):
        await add_ones(owner, "closed_factory_day", day=day)
    hours = await researcher.fetch("SELECT hour, partial, counted, region FROM machine_hour ORDER BY hour")
    assert [tuple(r) for r in hours] == [(ORIGIN_US, False, False, None), (ORIGIN_US + HOUR_US, True, False, None)]
    days = await researcher.fetch("SELECT day, partial FROM factory_day ORDER BY day")
    assert [(str(r["day"]), r["partial"]) for r in days] == [("2025-03-02", False), ("2025-03-03", True)]


async def test_an_hour_and_a_day_in_two_cohorts_have_a_row_for_each(owner: Connection, researcher: Connection) -> None:
    await owner.execute(REGISTERED)
    await owner.execute(
        "INSERT INTO cohort (region, sector, level) VALUES ('KR-11', 'C10', 'none'), ('KR-48', 'C29', 'basic')"
    )
    await add_hours(owner, "'2025-03-02 15:00Z'", "ARRAY[1, 1]", "ARRAY[1, 2]")
    for cohort in ("1", "2"):
        await add_ones(owner, "closed_factory_day", day="'2025-03-03'", cohort=cohort)
    figures = {"machine_hour": Table.RESEARCH_MACHINE_HOUR, "factory_day": Table.RESEARCH_FACTORY_DAY}
    for view, table in figures.items():
        rows = await researcher.fetch(f"SELECT * FROM {view} ORDER BY region")
        assert [(row["region"], row["sector"], row["level"]) for row in rows] == [
            ("KR-11", "C10", "none"),
            ("KR-48", "C29", "basic"),
        ]
        for row in rows:
            assert sum(1 for value in row.values() if value == 1 and value is not True) == len(figures_of(table)), dict(
                row
            )


async def test_one_machines_hours_are_found_by_index(owner: Connection, researcher: Connection) -> None:
    await owner.execute(REGISTERED)
    await owner.execute(
        "INSERT INTO factory (factory_id) SELECT 'G' || n FROM generate_series(2, 50) AS n; "
        "INSERT INTO machine (factory, machine_id) SELECT 1 + n % 50, 'N' || n FROM generate_series(1, 500) AS n; "
        "INSERT INTO cohort (region) VALUES ('KR-11')"
    )
    for factory in range(1, 51):
        await add_hours(
            owner,
            "generate_series('2025-03-03Z'::timestamptz, '2025-03-04Z', '1 h')",
            f"ARRAY(SELECT id FROM public.machine WHERE factory = {factory})",
            f"array_fill(1, ARRAY[(SELECT count(*)::integer FROM public.machine WHERE factory = {factory})])",
            str(factory),
        )
    await owner.execute("ANALYZE")
    plan = await researcher.fetch(
        "EXPLAIN SELECT sum(producing_us) FROM machine_hour WHERE factory_id = 'F1' AND machine_id = 'M1'"
    )
    text = "\n".join(row[0] for row in plan)
    assert re.search(r"Index (Only )?Scan (using machine_hour_pack_pkey|on machine_hour_pack_pkey)", text), text
    assert "Seq Scan on machine_hour" not in text, text
