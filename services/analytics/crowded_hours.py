"""Finds hours in which most machines of some shards are marked: they are accounted as a whole."""

from dataclasses import dataclass
from itertools import groupby

import asyncpg
import numpy as np

from services.analytics import fleet_queries, queries
from services.analytics.fleet import Fleet, read_fleet
from services.core.database import Connection

LEAST_MACHINES = 5000
"""Fewer are accounted shard by shard, from an index."""
PLAIN_SHARE = 0.75
"""Of a shard's machines so many must be plain: the others are marked again, which must not be most of them."""
ALL_MARKED = 2**40
"""Stands for the marks of a shard that is marked as a whole."""


@dataclass(slots=True)
class Country:
    """Connections of one worker: one for its transactions, two that read, and the registry as it was last read."""

    writer: Connection
    readers: tuple[Connection, Connection]
    fleet: Fleet | None = None


@dataclass(frozen=True, slots=True)
class CrowdedHour:
    """An hour, and the shards of which most machines are marked in it."""

    hour_us: int
    shards: list[int]


async def crowded_hour(country: Country) -> CrowdedHour | None:
    """Return the earliest hour in which most machines of some shards are marked, if there are enough of them."""
    until_us = await country.writer.fetchval(queries.ACCOUNTED_UNTIL)
    if until_us is None:
        return None
    first_us = await country.writer.fetchval(fleet_queries.FIRST_MARKED_HOUR, until_us, queries.SHARDS)
    if first_us is None:
        return None
    # Mostly it is the first hour that has marks; to count those of all hours takes seconds when a day of them waits.
    rows = await country.writer.fetch(fleet_queries.MARKS_OF_HOUR, first_us, until_us, ALL_MARKED, queries.SHARDS)
    crowded = await most_marked(country, rows)
    if crowded is None:
        rows = await country.writer.fetch(fleet_queries.MARKS_BY_HOUR, until_us, ALL_MARKED)
        crowded = await most_marked(country, rows)
    return crowded


async def most_marked(country: Country, rows: list[asyncpg.Record]) -> CrowdedHour | None:
    """Return the earliest hour in which most machines of some shards are marked.

    Args:
        rows: numbers of marks by shard and hour, in the order of hours.
    """
    if sum(row["marks"] for row in rows) < LEAST_MACHINES:
        return None
    country.fleet = await read_fleet(country.writer, country.fleet)
    fleet = country.fleet
    machines = np.bincount(fleet.shard, minlength=queries.SHARDS)
    by_hour: dict[int, list[int]] = {}
    for hour_us, own in groupby(rows, key=lambda row: int(row["hour"])):
        plain = np.bincount(fleet.shard[fleet.at(hour_us).are_plain], minlength=queries.SHARDS)
        full = [row["shard"] for row in own if 2 * row["marks"] >= machines[row["shard"]]]
        by_hour[hour_us] = [shard for shard in full if plain[shard] >= PLAIN_SHARE * machines[shard]]
    enough = [hour for hour, shards in by_hour.items() if shards and machines[shards].sum() >= LEAST_MACHINES]
    return CrowdedHour(min(enough), by_hour[min(enough)]) if enough else None
