"""What verify reads, from one consistent snapshot of the database: registry, facts, and the figures stored for them."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import asyncpg

from services.analytics.verification.reference import FIGURES, Cohort, CountRow, MachineVersion, Place, StateRow
from services.analytics.verification.registered import Span
from services.core.database import Connection
from services.core.times import DAY_US, seoul_day

FACTORIES = "SELECT id, factory_id FROM factory ORDER BY factory_id"

STATE_ROWS = """
SELECT at, state, mode FROM state_event
WHERE machine = $1 AND at >= $2 AND at < $3 AND NOT retracted ORDER BY at
"""

COUNT_ROWS = """
SELECT at, good, scrap, rework,
       (NOT EXISTS (SELECT FROM ingest_record r WHERE r.id = record_id AND NOT r.signed))::integer AS signed
FROM count_event
WHERE machine = $1 AND at >= $2 AND at < $3 AND NOT retracted
"""

OF_COHORT = "ARRAY[c.region, c.sector, c.zone, c.sponsor, c.level, c.size] AS cohort_key"
STORED_HOURS = f"""
SELECT t.*, {OF_COHORT} FROM machine_hour t LEFT JOIN cohort c ON c.id = t.cohort
WHERE t.machine = $1 AND t.hour >= $2 AND t.hour < $3
"""
STORED_DAYS = (
    "SELECT day, has_counts, counted, connected FROM machine_day WHERE machine = $1 AND day >= $2 AND day < $3"
)
STORED_FACTORY_HOURS = f"""
SELECT t.*, {OF_COHORT} FROM factory_hour t LEFT JOIN cohort c ON c.id = t.cohort
WHERE t.factory = $1 AND t.hour >= $2 AND t.hour < $3
"""
STORED_FACTORY_DAYS = f"""
SELECT t.*, {OF_COHORT} FROM factory_day t LEFT JOIN cohort c ON c.id = t.cohort
WHERE t.factory = $1 AND t.day >= $2 AND t.day < $3
"""

# A mark reaches its span and the longest TTL there can be after it.
STATUS = """
SELECT (SELECT accounted_until FROM analytics_state) AS accounted_until,
       (SELECT max(sealed_before) FROM fact_horizon
        WHERE table_name IN ('state_event', 'count_event')) AS sealed_before,
       (SELECT count(*) FROM dirty_mark d JOIN machine m ON m.id = d.machine, analytics_state s
        WHERE m.factory = $1 AND d.shard = m.shard AND d.from_at < LEAST(s.accounted_until, $3::timestamptz)
          AND d.to_at >= $2::timestamptz - interval '1 day') AS marks
"""

KEYS = ("factory", "hour", "day", "cohort", "cohort_key")
DAY_FIGURES = ("has_counts", "counted", "connected")

ACCOUNTING_BEGAN = "SELECT EXISTS (SELECT FROM analytics_state)"

FACTS_DROPPED = "SELECT max(sealed_before) > '1999-12-31 15:00Z' FROM fact_horizon"

STRAY = """
SELECT 'machine_hour of machine ' || h.machine, count(*) FROM machine_hour h
WHERE h.hour >= $1 AND h.hour < $2 AND NOT EXISTS (SELECT FROM machine m WHERE m.id = h.machine) GROUP BY h.machine
UNION ALL
SELECT 'machine_day of machine ' || d.machine, count(*) FROM machine_day d
WHERE d.day >= $3 AND d.day < $4 AND NOT EXISTS (SELECT FROM machine m WHERE m.id = d.machine) GROUP BY d.machine
UNION ALL
SELECT 'factory_hour of factory ' || h.factory, count(*) FROM factory_hour h
WHERE h.hour >= $1 AND h.hour < $2 AND NOT EXISTS (SELECT FROM factory f WHERE f.id = h.factory) GROUP BY h.factory
UNION ALL
SELECT 'factory_day of factory ' || d.factory, count(*) FROM factory_day d
WHERE d.day >= $3 AND d.day < $4 AND NOT EXISTS (SELECT FROM factory f WHERE f.id = d.factory) GROUP BY d.factory
ORDER BY 1
"""

LEDGER = """
SELECT r.id, r.rows_stored, COALESCE(f.stored, 0) AS stored, r.rows_clashed, COALESCE(f.clashed, 0) AS clashed
FROM ingest_record r
FULL JOIN (
    SELECT record_id, count(*) FILTER (WHERE NOT clash) AS stored, count(*) FILTER (WHERE clash) AS clashed
    FROM (
        SELECT record_id, false AS clash FROM state_event
        UNION ALL SELECT record_id, false FROM count_event
        UNION ALL SELECT record_id, false FROM reading
        UNION ALL SELECT record_id, clash FROM fact_revision
    ) AS version GROUP BY record_id
) AS f ON f.record_id = r.id
WHERE (r.rows_stored, r.rows_clashed) IS DISTINCT FROM (COALESCE(f.stored, 0)::integer, COALESCE(f.clashed, 0)::integer)
ORDER BY r.id
"""

Figures = dict[str, int | Decimal]
DayPlace = tuple[dt.date, Cohort]


@dataclass(frozen=True, slots=True)
class Window:
    """Whole days of Seoul: [from, to) in microseconds."""

    from_us: int
    to_us: int

    @property
    def days(self) -> tuple[dt.date, dt.date]:
        return seoul_day(self.from_us), seoul_day(self.to_us)

    def parts(self, days: int) -> Iterator["Window"]:
        """The window in pieces of so many days."""
        for start in range(self.from_us, self.to_us, days * DAY_US):
            yield Window(start, min(start + days * DAY_US, self.to_us))


@dataclass(frozen=True, slots=True)
class Status:
    """How far accounts go, where facts were dropped, and how many marks reach the window."""

    accounted_until_us: int
    sealed_before_us: int
    marks: int


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """A machine as registry and facts tell, and what is stored of it: figures by hour and by day."""

    machine_id: str
    versions: list[MachineVersion]
    states: list[StateRow]
    counts: list[CountRow]
    stored_spans: list[Span]
    stored_hours: dict[Place, Figures]
    stored_days: dict[dt.date, Figures]


@dataclass(frozen=True, slots=True)
class StoredSums:
    """What is stored of a factory, by hour or day and cohort."""

    hours: dict[Place, Figures]
    days: dict[DayPlace, Figures]


async def read_status(connection: Connection, factory: int, window: Window) -> Status:
    row = await connection.fetchrow(STATUS, factory, window.from_us, window.to_us)
    assert row is not None
    return Status(*row.values())


async def read_machine(
    connection: Connection,
    number: int,
    machine_id: str,
    versions: list[MachineVersion],
    spans: list[Span],
    window: Window,
) -> MachineFacts:
    """A machine's rows, reaching back by its longest TTL, and its stored figures. ``spans`` are those stored."""
    reach = max((version.state_ttl_us for version in versions), default=0)
    states = await connection.fetch(STATE_ROWS, number, window.from_us - reach, window.to_us)
    counts = await connection.fetch(COUNT_ROWS, number, window.from_us, window.to_us)
    hours = await connection.fetch(STORED_HOURS, number, window.from_us, window.to_us)
    days = await connection.fetch(STORED_DAYS, number, *window.days)
    return MachineFacts(
        machine_id,
        versions,
        [tuple(row.values()) for row in states],
        [tuple(row.values()) for row in counts],
        spans,
        {(row["hour"], tuple(row["cohort_key"])): {name: exact(row[name]) for name in FIGURES} for row in hours},
        {row["day"]: {name: int(row[name]) for name in DAY_FIGURES} for row in days},
    )


async def read_sums(connection: Connection, factory: int, window: Window) -> StoredSums:
    """What is stored of a factory's hours and days."""
    hours = await connection.fetch(STORED_FACTORY_HOURS, factory, window.from_us, window.to_us)
    days = await connection.fetch(STORED_FACTORY_DAYS, factory, *window.days)
    return StoredSums(
        {(row["hour"], tuple(row["cohort_key"])): figures_of(row) for row in hours},
        {(row["day"], tuple(row["cohort_key"])): figures_of(row) for row in days},
    )


def figures_of(row: asyncpg.Record) -> Figures:
    return {name: exact(value) for name, value in row.items() if name not in KEYS}


def exact(value: int | Decimal) -> int | Decimal:
    """A figure as an integer, unless somebody has made it something else."""
    if isinstance(value, int) or not value.is_finite() or value % 1:
        return value
    return int(value)
