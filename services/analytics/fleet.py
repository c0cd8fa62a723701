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

NO_VERSION = -1


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every machine, sorted by its number, as of one version of the registry.

    Attributes:
        versions: how many versions it has in use; the columns after it are one's of them, NO_VERSION if it has none.
    """

    registry_version: int
    machine: Ints
    factory: Ints
    shard: Ints
    versions: Ints
    from_us: Ints
    to_us: Ints
    ttl_us: Ints
    cycle_us: Ints
    cohort: Ints

    @property
    def factories(self) -> Factories:
        """The factory of each machine."""
        return Factories(self.machine, self.factory)

    def are_plain(self, hour_us: int) -> npt.NDArray[np.bool_]:
        """Return which machines are plain in an hour."""
        are_plain: npt.NDArray[np.bool_] = (self.versions == 1) & (self.ttl_us <= LONGEST_TTL_US)
        are_plain &= self.from_us <= hour_us - LONGEST_TTL_US
        are_plain &= self.to_us >= hour_us + HOUR_US + LONGEST_TTL_US
        return are_plain

    def plain(self, chosen: npt.NDArray[np.intp], hour_us: int) -> PlainMachines:
        """Return chosen machines, which are plain in the hour."""
        return PlainMachines(
            hour_us, self.machine[chosen], self.ttl_us[chosen], self.cycle_us[chosen], self.cohort[chosen]
        )

    def owners(self, chosen: npt.NDArray[np.intp], hour_us: int) -> Owners:
        """Return the cohorts of chosen machines that do not change within the hour's day; sorted by machine."""
        own = np.sort(chosen)
        morning_us = int(morning_of(np.array(day_at(hour_us))))
        all_day = (self.versions == 1) & (self.from_us <= morning_us) & (self.to_us >= morning_us + DAY_US)
        own = own[all_day[own]]
        return Owners(self.machine[own], self.cohort[own])


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
    kinds = (Kind.INTEGER, Kind.INSTANT, Kind.INSTANT, Kind.BIGINT, Kind.BIGINT, Kind.INTEGER)
    own, *columns = (numbers(kind, column) for kind, column in zip(kinds, spans, strict=True))
    place = np.searchsorted(machine, own)
    found = [np.full(len(machine), NO_VERSION) for _ in columns]
    for target, column in zip(found, columns, strict=True):
        target[place] = column
    versions = np.bincount(place, minlength=len(machine))
    return Fleet(version, machine, factory, shard, versions, *found)
