"""KPI questions: which part of the country, grouped by what, over which buckets. Pure."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.wire.limits import FACTORY_ID_PATTERN, LOCAL_ID_PATTERN
from services.api.kpis.windows import Bucket, Interval, floor
from services.api.registry.things import SECTOR_PATTERN, Level, Region, Size
from services.core.times import seoul_day

FACTORY_SCOPE = re.compile(f"factory:({FACTORY_ID_PATTERN})")
MACHINE_SCOPE = re.compile(f"machine:({FACTORY_ID_PATTERN})/({LOCAL_ID_PATTERN})")


class GroupBy(StrEnum):
    """What each item is about."""

    REGION = "region"
    SECTOR = "sector"
    ZONE = "zone"
    SPONSOR = "sponsor"
    LEVEL = "level"
    SIZE = "size"
    FACTORY = "factory"
    MACHINE = "machine"


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that matches any of the words."""
    return re.compile("|".join(map(re.escape, words)))


COHORTS = {
    GroupBy.REGION: any_of(Region),
    GroupBy.SECTOR: re.compile(SECTOR_PATTERN),
    GroupBy.ZONE: re.compile(LOCAL_ID_PATTERN),
    GroupBy.SPONSOR: re.compile(LOCAL_ID_PATTERN),
    GroupBy.LEVEL: any_of(Level),
    GroupBy.SIZE: any_of(Size),
}
"""What factories are grouped by, and the values that each can have."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The intersection of all scopes of a request; of none, the nation.

    Attributes:
        cohorts: conditions on the cohort that a machine belonged to at the instant counted.
        is_empty: two cohorts, factories or machines exclude each other.
    """

    label: str
    factory_id: str | None = None
    machine_id: str | None = None
    cohorts: tuple[tuple[GroupBy, str], ...] = ()
    is_empty: bool = False

    @property
    def region(self) -> str | None:
        """The region that the request limits itself to, if any."""
        return dict(self.cohorts).get(GroupBy.REGION)


def parse_scopes(texts: Sequence[str]) -> Scope:
    """Return the intersection of scopes; of none, the nation.

    Raises:
        ValueError: if one of them is not a scope.
    """
    factories: set[str] = set()
    machines: set[tuple[str, str]] = set()
    cohorts: set[tuple[GroupBy, str]] = set()
    for text in texts:
        kind, _, value = text.partition(":")
        if match := MACHINE_SCOPE.fullmatch(text):
            machines.add((match[1], match[2]))
            factories.add(match[1])
        elif match := FACTORY_SCOPE.fullmatch(text):
            factories.add(match[1])
        elif kind in COHORTS and COHORTS[GroupBy(kind)].fullmatch(value):
            cohorts.add((GroupBy(kind), value))
        elif text != "nation":
            raise ValueError(
                f"{text!r} is not a scope; write nation, region:KR-48, sector:C25, zone:ID, sponsor:ID, level:basic, "
                "size:10-49, factory:ID or machine:FACTORY/ID"
            )
    several = len(factories) > 1 or len(machines) > 1 or len({kind for kind, _ in cohorts}) < len(cohorts)
    return Scope(
        "&".join(dict.fromkeys(texts)) or "nation",
        min(factories, default=None),
        min(machines)[1] if machines else None,
        tuple(sorted(cohorts)),
        several,
    )


@dataclass(frozen=True, slots=True)
class Question:
    """A KPI question about accounted time.

    Attributes:
        buckets: in order; they begin before ``until_us`` and end at it at the latest.
        until_us: up to this instant everything is accounted.
        only: the labels to answer about, where a page of factories or machines has been chosen.
        by_number: factories and machines are labelled by their numbers, which the server groups by more quickly.
    """

    scope: Scope
    group_by: GroupBy | None
    interval: Interval
    buckets: Sequence[Bucket]
    until_us: int
    only: Sequence[str] | None = None
    by_number: bool = False

    @property
    def by_machine(self) -> bool:
        """Whether only the machines' own accounts can answer it."""
        return self.scope.machine_id is not None or self.group_by is GroupBy.MACHINE

    @property
    def by_factory(self) -> bool:
        """Whether the factories' accounts are needed."""
        return self.scope.factory_id is not None or self.group_by is GroupBy.FACTORY

    @property
    def in_whole_days(self) -> bool:
        """Whether the accounts of Seoul days can answer it; today's is complete up to ``until_us``."""
        start, end = self.buckets[0].from_us, self.buckets[-1].to_us
        ends_well = end == self.until_us or floor(end, Interval.DAY) == end
        return self.interval is not Interval.HOUR and floor(start, Interval.DAY) == start and ends_well

    @property
    def first_day(self) -> dt.date:
        """The first Seoul day that the buckets touch."""
        return seoul_day(self.buckets[0].from_us)

    @property
    def last_day(self) -> dt.date:
        """The last Seoul day that the buckets touch."""
        return seoul_day(self.buckets[-1].to_us - 1)
