"""New names of metrics and new days of facts: who may introduce how many, and what each record introduced.

A name costs an id for ever, and a day a chunk, so a factory may introduce only so many per partition and hour of
receipt. They are stored with the record that introduced them, in a transaction of their own before the batch's, so that
they never hold up another worker for long. A record that is read again after a failure finds its own there, and they
count for it again: it is refused nothing that it was granted before.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from schemas.wire.codes import Reason
from schemas.wire.refusal import Refusal
from services.core.database import Connection
from services.core.times import DAY_US, HOUR_US, floor_to, rfc3339
from services.ingest.judging import queries
from services.ingest.judging.quotas import FactoryLimits
from services.ingest.model import FactTable

MOST_METRICS = 1_000_000
"""Most names of metrics held in memory; beyond that all are dropped and looked up again."""

MOST_PRELOADED = 100_000

T = TypeVar("T")


class FactDay(NamedTuple):
    """A day of a table of facts, in UTC, as days since the epoch: ``at_us // DAY_US``."""

    table: FactTable
    day: int


class Place(NamedTuple):
    """Where a record is: the topic's id in ``ingest_topic``, partition and offset."""

    topic: int
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Request:
    """What a record would introduce, each once: names and days of its rows that are valid otherwise."""

    partition: int
    offset: int
    received_us: int
    factory: int
    metrics: tuple[str, ...] = ()
    days: tuple[FactDay, ...] = ()

    @property
    def quota(self) -> tuple[int, int, int]:
        """Return partition, start of the hour of receipt, and factory, which share a quota."""
        return self.partition, floor_to(self.received_us, HOUR_US), self.factory


@dataclass(frozen=True, slots=True)
class Unknown:
    """Names and days for which requests are needed."""

    metrics: set[str]
    days: set[FactDay]


@dataclass(frozen=True, slots=True)
class Introduced:
    """The answer to requests, by their positions: how many each introduced, and what was refused to which."""

    metrics_added: list[int]
    days_added: list[int]
    refused_metrics: set[tuple[int, str]]
    refused_days: set[tuple[int, FactDay]]


@dataclass(slots=True)
class Decision(Generic[T]):
    """Names (or days) to store, with the position of their request; how many each request introduced; refusals."""

    added: list[int]
    new: dict[T, int] = field(default_factory=dict)
    refused: set[tuple[int, T]] = field(default_factory=set)


def decide(
    topic: int,
    requests: list[Request],
    wanted: list[tuple[T, ...]],
    known: Mapping[T, Place | None],
    spent: Mapping[tuple[int, int, int], int],
    most: int | None,
) -> Decision[T]:
    """Grant names (or days) in the requests' order until each quota is spent. Pure.

    Args:
        wanted: what each request asks for.
        known: what exists, with its introducer where one is recorded.
        spent: what is stored as introduced, by ``Request.quota``.
        most: the limit; None for no limit.
    """
    decision = Decision[T]([0] * len(requests))
    introducers = dict(known)
    total = dict(spent)
    for position, request in enumerate(requests):
        place = Place(topic, request.partition, request.offset)
        for one in wanted[position]:
            introducer = introducers.get(one)
            exists = one in introducers and not is_later(introducer, place)
            if not exists and most is not None and total.get(request.quota, 0) >= most:
                decision.refused.add((position, one))
                continue
            if one not in introducers:
                total[request.quota] = total.get(request.quota, 0) + 1
                introducer = introducers[one] = place
                decision.new[one] = position
            decision.added[position] += introducer == place
    return decision


def is_later(introducer: Place | None, place: Place) -> bool:
    """Return whether the introducer follows in the same partition: a batch that was lost had both."""
    return introducer is not None and introducer[:2] == place[:2] and introducer.offset > place.offset


@dataclass(slots=True)
class Introductions:
    """Names and days known to exist, for one worker and topic.

    Call ``look_up`` for a batch, then ``introduce`` if anything is unknown. After any failure begin with a new one.
    """

    topic: int
    metrics: dict[str, int] = field(default_factory=dict)
    days: set[FactDay] = field(default_factory=set)
    _introducers: dict[str | FactDay, Place] = field(default_factory=dict)

    async def load(self, connection: Connection, positions: Mapping[int, int]) -> None:
        """Load what exists, so that not even the first batch has to ask for each name and day.

        Args:
            positions: each partition's next offset. What a record after it introduced is not settled: see ``settled``.
        """
        for row in await connection.fetch(queries.ALL_METRICS, MOST_PRELOADED):
            self.metrics[row["name"]] = row["id"]
            self._is_settled(row["name"], place_of(row["topic"], row["partition"], row["record_offset"]), positions)
        for row in await connection.fetch(queries.ALL_DAYS):
            day = FactDay(FactTable(row["table_name"]), row["day"])
            self.days.add(day)
            self._is_settled(day, place_of(row["topic"], row["partition"], row["record_offset"]), positions)
        self._introducers = {one: place for one, place in self._introducers.items() if place.partition in positions}
        self._drop_settled(positions)

    def settled(self, firsts: Mapping[int, int]) -> tuple[Mapping[str, int], Set[FactDay]]:
        """Return the names, with their ids, and the days that exist for each record of the batch without a request.

        Args:
            firsts: the batch's partitions, with the offset of their first record in it.
        """
        self._drop_settled(firsts)
        ahead = {one for one in self._introducers if self._is_ahead(one, firsts)}
        if not ahead:
            return self.metrics, self.days
        return {name: number for name, number in self.metrics.items() if name not in ahead}, self.days - ahead

    def _drop_settled(self, positions: Mapping[int, int]) -> None:
        """Forget the introducers that are before these offsets: no record before them will be judged any more."""
        self._introducers = {
            one: place
            for one, place in self._introducers.items()
            if place.offset >= positions.get(place.partition, place.offset)
        }

    async def look_up(
        self, connection: Connection, firsts: Mapping[int, int], metrics: Iterable[str], days: Iterable[FactDay]
    ) -> Unknown:
        """Return which of these do not exist, or were introduced by a record of the batch or after it, in a batch lost.

        Args:
            firsts: the batch's partitions, with the offset of their first record in it.
        """
        names = set(metrics)
        if len(self.metrics) + len(names) > MOST_METRICS:
            self.metrics.clear()
        unknown = Unknown(
            {one for one in names if one not in self.metrics or self._is_ahead(one, firsts)},
            {one for one in days if one not in self.days or self._is_ahead(one, firsts)},
        )
        for name, (number, place) in (await find_metrics(connection, unknown.metrics)).items():
            self.metrics[name] = number
            if self._is_settled(name, place, firsts):
                unknown.metrics.remove(name)
        for day, place in (await find_days(connection, unknown.days)).items():
            self.days.add(day)
            if self._is_settled(day, place, firsts):
                unknown.days.remove(day)
        return unknown

    def _is_settled(self, one: str | FactDay, place: Place | None, firsts: Mapping[int, int]) -> bool:
        """Return whether the introducer of a name or day was judged before the batch; if not, remember it."""
        if place is None or place.topic != self.topic:
            self._introducers.pop(one, None)
        else:
            self._introducers[one] = place
        return not self._is_ahead(one, firsts)

    def _is_ahead(self, one: str | FactDay, firsts: Mapping[int, int]) -> bool:
        place = self._introducers.get(one)
        return place is not None and place.offset >= firsts.get(place.partition, place.offset + 1)

    async def introduce(
        self, connection: Connection, requests: list[Request], limits: FactoryLimits | None
    ) -> Introduced:
        """Store what the quotas allow; afterwards ``metrics`` and ``days`` have all that exists of it.

        Must not run within the batch's transaction. Where two workers introduce the same at the same time, the first
        wins, and the other decides again.

        Args:
            requests: in the partitions' order; only ``look_up``'s unknowns need be in them.
            limits: the quotas; None for a replay, which an operator answers for.
        """
        while True:
            async with connection.transaction():
                metrics = await self._decide_metrics(connection, requests, limits)
                days = await self._decide_days(connection, requests, limits)
                # Sorted, metrics first: all workers take their locks in one order.
                lost = await self._add_metrics(connection, requests, metrics.new)
                lost += await self._add_days(connection, requests, days.new)
            if not lost:
                return Introduced(metrics.added, days.added, metrics.refused, days.refused)

    async def _decide_metrics(
        self, connection: Connection, requests: list[Request], limits: FactoryLimits | None
    ) -> Decision[str]:
        wanted = [tuple(sorted(request.metrics)) for request in requests]
        found = await find_metrics(connection, {name for names in wanted for name in names})
        self.metrics.update((name, number) for name, (number, _) in found.items())
        known = {name: place for name, (_, place) in found.items()}
        spent = await introduced(connection, queries.METRICS_INTRODUCED, self.topic, requests)
        return decide(self.topic, requests, wanted, known, spent, None if limits is None else limits.metrics)

    async def _decide_days(
        self, connection: Connection, requests: list[Request], limits: FactoryLimits | None
    ) -> Decision[FactDay]:
        wanted = [tuple(sorted(request.days)) for request in requests]
        known = await find_days(connection, {day for days in wanted for day in days})
        self.days.update(known)
        spent = await introduced(connection, queries.DAYS_INTRODUCED, self.topic, requests)
        return decide(self.topic, requests, wanted, known, spent, None if limits is None else limits.days)

    async def _add_metrics(self, connection: Connection, requests: list[Request], new: dict[str, int]) -> int:
        """Insert names; returns how many another worker was faster with."""
        if not new:
            return 0
        names = sorted(new)
        stored = await connection.fetch(
            queries.ADD_METRICS, self.topic, names, *introducers(requests, [new[name] for name in names])
        )
        self.metrics.update((row["name"], row["id"]) for row in stored)
        return len(names) - len(stored)

    async def _add_days(self, connection: Connection, requests: list[Request], new: dict[FactDay, int]) -> int:
        """Insert days; returns how many another worker was faster with."""
        if not new:
            return 0
        days = sorted(new)
        stored = await connection.fetch(
            queries.ADD_DAYS,
            self.topic,
            [day.table.value for day in days],
            [day.day for day in days],
            *introducers(requests, [new[day] for day in days]),
        )
        self.days.update(FactDay(FactTable(row["table_name"]), row["day"]) for row in stored)
        return len(days) - len(stored)


def introducers(requests: list[Request], positions: list[int]) -> list[list[int]]:
    """Return factory, receipt, partition and offset of the requests at these positions, as columns."""
    chosen = [requests[position] for position in positions]
    rows = [(one.factory, one.received_us, one.partition, one.offset) for one in chosen]
    return [list(column) for column in zip(*rows, strict=True)]


async def find_metrics(connection: Connection, names: set[str]) -> dict[str, tuple[int, Place | None]]:
    """Return id and introducer of the names that exist."""
    if not names:
        return {}
    found = await connection.fetch(queries.METRICS, list(names))
    return {row["name"]: (row["id"], place_of(row["topic"], row["partition"], row["record_offset"])) for row in found}


async def find_days(connection: Connection, days: set[FactDay]) -> dict[FactDay, Place | None]:
    """Return the introducer of the days that exist."""
    if not days:
        return {}
    ordered = list(days)
    found = await connection.fetch(queries.DAYS, [one.table.value for one in ordered], [one.day for one in ordered])
    return {
        ordered[row["position"] - 1]: place_of(row["topic"], row["partition"], row["record_offset"]) for row in found
    }


def place_of(topic: int | None, partition: int | None, offset: int | None) -> Place | None:
    """Return an introducer's place; None for what was introduced before that was recorded."""
    return None if topic is None or partition is None or offset is None else Place(topic, partition, offset)


async def introduced(
    connection: Connection, query: str, topic: int, requests: list[Request]
) -> dict[tuple[int, int, int], int]:
    """Return how many are stored as introduced, by the quotas of these requests."""
    quotas = list(dict.fromkeys(request.quota for request in requests))
    partitions, hours, factories = (list(column) for column in zip(*quotas, strict=True))
    ends = [hour + HOUR_US for hour in hours]
    found = await connection.fetch(query, topic, partitions, hours, ends, factories)
    return {quotas[row["position"] - 1]: row["number"] for row in found}


def refuse_metric(name: str, limits: FactoryLimits) -> Refusal:
    """Return why a reading is refused whose metric would be one too many."""
    return Refusal(
        Reason.over_quota,
        f"Metric {name} is new, and the factory has introduced {limits.metrics} within this hour: name metrics after "
        "what they measure, not after parts or orders, then send this row again.",
    )


def refuse_day(day: FactDay, limits: FactoryLimits) -> Refusal:
    """Return why a row is refused whose day would be one too many."""
    return Refusal(
        Reason.over_quota,
        f"No fact is of {rfc3339(day.day * DAY_US)[:10]} yet, and the factory has begun {limits.days} such days within "
        "this hour: set the gateway's clock, or send history in later hours, or have this row replayed.",
    )
