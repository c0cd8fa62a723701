"""What an authentic factory may send per partition and hour of receipt: the sums that one worker holds in memory.

A record is admitted while what its factory's records before it brought is below the limits, so one that starts below is
taken whole. Only records that get a row in ``ingest_record`` spend anything. The sums of an hour are loaded from those
rows when the hour is first met, up to the first offset that is not judged yet, and from then on the worker adds to them
itself. So a record's fate depends on the records before it in its partition, and on nothing else: not on batches,
crashes, or how often the log is read.

Call ``load`` with a batch's hours, then ``admit`` and ``spend`` for each record in its partition's order, then
``close_batch``. After any failure begin with new sums, as those in memory count batches that were dropped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.core.database import Connection
from services.core.times import HOUR_US, rfc3339
from services.ingest.judging import queries

MOST_SUMS = 150_000
"""Most sums held before hours are dropped: five hours of the nation, some 30 MB."""
KEPT_BATCHES = 8
"""An hour met in as many of the last batches stays, since some of them may not be committed yet."""


@dataclass(frozen=True, slots=True)
class FactoryLimits:
    """The most that a factory may send to a partition within an hour of receipt; ``size`` in bytes of values."""

    rows: int
    size: int
    metrics: int
    days: int


class PartitionHour(NamedTuple):
    """A partition, and the start of an hour of receipt."""

    partition: int
    hour_us: int


class FactorySum(NamedTuple):
    """What stored records of one factory, partition and hour brought."""

    place: PartitionHour
    factory: int
    rows: int
    size: int


@dataclass(slots=True)
class Quotas:
    """What is spent, by hour and factory, as (rows, bytes)."""

    limits: FactoryLimits
    _spent: dict[PartitionHour, dict[int, tuple[int, int]]] = field(default_factory=dict)
    _met: dict[PartitionHour, int] = field(default_factory=dict)
    _positions: dict[int, int] = field(default_factory=dict)
    _batch: int = 0

    def admit(self, partition: int, hour_us: int, factory: int) -> str | None:
        """Return None if the factory's next record is taken, else the sentence of an ``over_quota`` letter.

        Raises:
            KeyError: the sums of this hour have not been loaded.
        """
        rows, size = self._spent[PartitionHour(partition, hour_us)].get(factory, NOTHING)
        if rows >= self.limits.rows:
            return over_quota_message(hour_us, f"{self.limits.rows} rows", "ROWS")
        if size >= self.limits.size:
            return over_quota_message(hour_us, f"{self.limits.size} bytes", "BYTES")
        return None

    def spend(self, partition: int, hour_us: int, factory: int, rows: int, size: int) -> None:
        """Count a record that gets a row in ``ingest_record``: all its rows, and its value's bytes."""
        sums = self._spent[PartitionHour(partition, hour_us)]
        known_rows, known_size = sums.get(factory, NOTHING)
        sums[factory] = (known_rows + rows, known_size + size)

    def missing(self, firsts: Mapping[PartitionHour, int]) -> dict[PartitionHour, int]:
        """Return which sums to load for the next batch: those of stored records below these offsets.

        Where an hour is missing, it is also loaded for the partitions read before, since they are about to reach it.

        Args:
            firsts: the hours of the batch, each with the offset of its first record there.
        """
        self._met.update(dict.fromkeys(firsts, self._batch))
        found = {place: offset for place, offset in firsts.items() if place not in self._spent}
        for hour_us in {place.hour_us for place in found}:
            for partition, position in self._positions.items():
                place = PartitionHour(partition, hour_us)
                if place not in self._spent:
                    found.setdefault(place, position)
        return found

    def learn(self, places: Iterable[PartitionHour], sums: Iterable[FactorySum]) -> None:
        """Take over the sums loaded for these hours."""
        for place in places:
            self._spent[place] = {}
            self._met.setdefault(place, self._batch)
        for own in sums:
            self._spent[own.place][own.factory] = (own.rows, own.size)

    def close_batch(self, positions: Mapping[int, int]) -> None:
        """End a batch, with each partition's offset after it; drops hours if there are too many sums."""
        self._positions.update(positions)
        self._batch += 1
        total = sum(map(len, self._spent.values()))
        if total <= MOST_SUMS:
            return
        for place in sorted(self._spent, key=self._met.__getitem__):
            if total <= MOST_SUMS or self._met[place] >= self._batch - KEPT_BATCHES:
                break
            total -= len(self._spent.pop(place))
            del self._met[place]


NOTHING = (0, 0)


def over_quota_message(hour_us: int, most: str, setting: str) -> str:
    """Return the sentence of a record that is refused whole."""
    return (
        f"The factory has sent {most} between {rfc3339(hour_us)} and {rfc3339(hour_us + HOUR_US)}: send this again "
        f"later and more slowly, or have JEJO_QUOTA_{setting}_PER_HOUR raised and this record replayed."
    )


async def load(connection: Connection, topic: int, quotas: Quotas, firsts: Mapping[PartitionHour, int]) -> None:
    """Load what a batch needs and ``quotas`` lacks; usually nothing. One query per hour that is missing.

    Args:
        topic: the topic's id in ``ingest_topic``.
        firsts: see ``Quotas.missing``.
    """
    missing = quotas.missing(firsts)
    if not missing:
        return
    sums: list[FactorySum] = []
    async with connection.transaction():
        await connection.execute(queries.SUM_IN_MEMORY)
        for hour_us in sorted({place.hour_us for place in missing}):
            sums += await hour_spent(connection, topic, hour_us, missing)
    quotas.learn(missing, sums)


async def hour_spent(
    connection: Connection, topic: int, hour_us: int, missing: Mapping[PartitionHour, int]
) -> list[FactorySum]:
    """Return one hour's sums over stored records below the offsets of its partitions."""
    own = [(place.partition, offset) for place, offset in missing.items() if place.hour_us == hour_us]
    partitions, offsets = (list(column) for column in zip(*own, strict=True))
    found = await connection.fetch(queries.FACTORIES_SPENT, topic, partitions, offsets, hour_us, hour_us + HOUR_US)
    return [
        FactorySum(PartitionHour(row["partition"], hour_us), row["factory"], row["rows"], row["bytes"]) for row in found
    ]
