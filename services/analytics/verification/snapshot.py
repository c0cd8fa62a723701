"""Reads what verify compares, in one consistent snapshot: facts, and the figures that are stored for them."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import asyncpg

from services.analytics.verification import queries
from services.analytics.verification.reference import FIGURES, Cohort, MachineVersion, Place, PlainCount, PlainState
from services.analytics.verification.registered import Span
from services.analytics.verification.shifts import Stretch
from services.core.database import Connection
from services.core.times import DAY_US, seoul_day

KEYS = ("factory", "hour", "day", "cohort", "cohort_key")
DAY_FLAGS = ("has_counts", "counted", "connected", "has_evidence", "is_signed")

Amounts = dict[str, int | Decimal]
"""Figures of one place, by id."""
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
        """Yield the window in parts of that many days."""
        for start in range(self.from_us, self.to_us, days * DAY_US):
            yield Window(start, min(start + days * DAY_US, self.to_us))


@dataclass(frozen=True, slots=True)
class Status:
    """How far accounts go, up to where facts were dropped, and how many marks affect the window."""

    accounted_until_us: int
    sealed_before_us: int
    marks: int


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """A machine's versions and facts, its factory's shifts, and the figures stored for it by hour and by day."""

    machine_id: str
    versions: list[MachineVersion]
    shifts: list[Stretch]
    states: list[PlainState]
    counts: list[PlainCount]
    stored_spans: list[Span]
    stored_hours: dict[Place, Amounts]
    stored_days: dict[DayPlace, Amounts]


@dataclass(frozen=True, slots=True)
class StoredSums:
    """The figures stored for a factory, by hour or day and cohort."""

    hours: dict[Place, Amounts]
    days: dict[DayPlace, Amounts]


async def read_status(connection: Connection, factory: int, window: Window) -> Status:
    """Return whether a factory is at rest in a window."""
    row = await connection.fetchrow(queries.STATUS, factory, window.from_us, window.to_us)
    assert row is not None
    return Status(*row.values())


async def read_machine(
    connection: Connection,
    number: int,
    machine_id: str,
    versions: list[MachineVersion],
    shifts: list[Stretch],
    spans: list[Span],
    window: Window,
) -> MachineFacts:
    """Return a machine's rows, from its longest TTL before the window on, and its stored figures.

    Args:
        spans: those stored for it.
    """
    reach = max((version.state_ttl_us for version in versions), default=0)
    states = await connection.fetch(queries.STATE_ROWS, number, window.from_us - reach, window.to_us)
    counts = await connection.fetch(queries.COUNT_ROWS, number, window.from_us, window.to_us)
    hours = await connection.fetch(queries.STORED_HOURS, number, window.from_us, window.to_us)
    days = await connection.fetch(queries.STORED_DAYS, number, *window.days)
    return MachineFacts(
        machine_id,
        versions,
        shifts,
        [tuple(row.values()) for row in states],
        [tuple(row.values()) for row in counts],
        spans,
        {(row["hour"], tuple(row["cohort_key"])): {name: exact(row[name]) for name in FIGURES} for row in hours},
        {(row["day"], tuple(row["cohort_key"])): {name: int(row[name]) for name in DAY_FLAGS} for row in days},
    )


async def read_sums(connection: Connection, factory: int, window: Window) -> StoredSums:
    """Return the figures stored for a factory's hours and days."""
    hours = await connection.fetch(queries.STORED_FACTORY_HOURS, factory, window.from_us, window.to_us)
    days = await connection.fetch(queries.STORED_FACTORY_DAYS, factory, *window.days)
    return StoredSums(
        {(row["hour"], tuple(row["cohort_key"])): amounts_of(row) for row in hours},
        {(row["day"], tuple(row["cohort_key"])): amounts_of(row) for row in days},
    )


def amounts_of(row: asyncpg.Record) -> Amounts:
    """Return the figures in a row."""
    return {name: exact(value) for name, value in row.items() if name not in KEYS}


def exact(value: int | Decimal) -> int | Decimal:
    """Return a figure as an integer, unless the stored value is not whole."""
    if isinstance(value, int) or not value.is_finite() or value % 1:
        return value
    return int(value)
