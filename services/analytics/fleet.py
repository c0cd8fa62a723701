"""All machines with what is registered of them, in columns; read again only when the registry has changed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.analytics import fleet_queries as queries
from services.analytics.in_force import Ints
from services.analytics.packing import Kind, numbers
from services.analytics.plain_hours import LONGEST_TTL_US, PlainMachines
from services.analytics.replacement import Factories, Owners
from services.analytics.sums import day_at, morning_of
from services.core.database import Connection
from services.core.times import DAY_US, HOUR_US


@dataclass(frozen=True, slots=True)
class FleetAtHour:
    """Every machine, sorted by its number, with the version that is in force before an hour begins.

    A machine of which none is in force then has zeros: a version of no time.
    """

    hour_us: int
    machine: Ints
    factory: Ints
    shard: Ints
    from_us: Ints
    to_us: Ints
    ttl_us: Ints
    cycle_us: Ints
    cohort: Ints
    pattern: Ints

    @property
    def factories(self) -> Factories:
        """The factory of each machine."""
        return Factories(self.machine, self.factory)

    @property
    def are_plain(self) -> npt.NDArray[np.bool_]:
        """Which machines are plain in the hour."""
        are_plain: npt.NDArray[np.bool_] = self.ttl_us <= LONGEST_TTL_US
        are_plain &= self.from_us <= self.hour_us - LONGEST_TTL_US
        are_plain &= self.to_us >= self.hour_us + HOUR_US + LONGEST_TTL_US
        return are_plain

    def plain(self, chosen: npt.NDArray[np.intp]) -> PlainMachines:
        """Return chosen machines, which are plain in the hour."""
        columns = (self.machine, self.ttl_us, self.cycle_us, self.cohort, self.pattern)
        return PlainMachines(self.hour_us, *[column[chosen] for column in columns])

    def owners(self, chosen: npt.NDArray[np.intp]) -> Owners:
        """Return the cohorts of chosen machines that do not change within the hour's day; sorted by machine."""
        own = np.sort(chosen)
        morning_us = int(morning_of(np.array(day_at(self.hour_us))))
        all_day = (self.from_us <= morning_us) & (self.to_us >= morning_us + DAY_US)
        own = own[all_day[own]]
        return Owners(self.machine[own], self.cohort[own])


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every machine, sorted by its number, as of one version of the registry.

    Attributes:
        place: of the versions in use, which machine's each is; they are sorted by machine and time.
        columns: of these, ``from_us``, ``to_us``, ``ttl_us``, ``cycle_us``, ``cohort`` and ``pattern``.
    """

    registry_version: int
    machine: Ints
    factory: Ints
    shard: Ints
    place: Ints
    columns: tuple[Ints, ...]

    def at(self, hour_us: int) -> FleetAtHour:
        """Return the machines with what is registered of them before an hour."""
        begun = np.flatnonzero(self.columns[0] <= hour_us - LONGEST_TTL_US)
        last = np.full(len(self.machine), -1)
        last[self.place[begun]] = begun
        known = last >= 0
        found = [np.zeros(len(self.machine), np.int64) for _ in self.columns]
        for target, column in zip(found, self.columns, strict=True):
            target[known] = column[last[known]]
        return FleetAtHour(hour_us, self.machine, self.factory, self.shard, *found)


async def read_fleet(connection: Connection, known: Fleet | None) -> Fleet:
    """Return all machines, as of now. A change that is committed later marks the machines that it concerns."""
    version = await connection.fetchval(queries.REGISTRY_VERSION)
    if known is not None and known.registry_version == version:
        return known
    machines = await connection.fetchrow(queries.MACHINES)
    spans = await connection.fetchrow(queries.VERSIONS)
    assert machines is not None
    assert spans is not None
    machine, factory, shard = (
        numbers(kind, column)
        for kind, column in zip((Kind.INTEGER, Kind.INTEGER, Kind.SMALLINT), machines, strict=True)
    )
    kinds = (Kind.INTEGER, Kind.INSTANT, Kind.INSTANT, Kind.BIGINT, Kind.BIGINT, Kind.INTEGER, Kind.INTEGER)
    own, *columns = (numbers(kind, column) for kind, column in zip(kinds, spans, strict=True))
    order = np.lexsort((columns[0], own))
    place = np.searchsorted(machine, own[order])
    return Fleet(version, machine, factory, shard, place, tuple(column[order] for column in columns))
