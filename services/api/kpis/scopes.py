"""Scopes of a KPI query: what of the country is summed up. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.wire.limits import FACTORY_ID_PATTERN, LOCAL_ID_PATTERN
from services.api.registry.bodies import SECTOR_PATTERN, Level, Region, Size

FACTORY = re.compile(f"factory:({FACTORY_ID_PATTERN})")
MACHINE = re.compile(f"machine:({FACTORY_ID_PATTERN})/({LOCAL_ID_PATTERN})")


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
    return re.compile("|".join(map(re.escape, words)))


COHORTS = {
    GroupBy.REGION: any_of(Region),
    GroupBy.SECTOR: re.compile(SECTOR_PATTERN),
    GroupBy.ZONE: re.compile(LOCAL_ID_PATTERN),
    GroupBy.SPONSOR: re.compile(LOCAL_ID_PATTERN),
    GroupBy.LEVEL: any_of(Level),
    GroupBy.SIZE: any_of(Size),
}
"""What factories are grouped by, and which values there can be."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The intersection of everything asked for; nothing at all: the nation.

    ``cohorts`` are conditions on what a machine belonged to at the instant counted. ``is_empty``: two of them, or two
    factories or machines, have nothing in common.
    """

    label: str
    factory_id: str | None = None
    machine_id: str | None = None
    cohorts: tuple[tuple[GroupBy, str], ...] = ()
    is_empty: bool = False

    @property
    def region(self) -> str | None:
        """The one region that it lies in by its own words."""
        return dict(self.cohorts).get(GroupBy.REGION)


def parse_scopes(texts: Sequence[str]) -> Scope:
    """The intersection of scopes; none: the nation.

    Raises:
        ValueError: one of them is no scope.
    """
    factories: set[str] = set()
    machines: set[tuple[str, str]] = set()
    cohorts: set[tuple[GroupBy, str]] = set()
    for text in texts:
        kind, _, value = text.partition(":")
        if match := MACHINE.fullmatch(text):
            machines.add((match[1], match[2]))
            factories.add(match[1])
        elif match := FACTORY.fullmatch(text):
            factories.add(match[1])
        elif kind in COHORTS and COHORTS[GroupBy(kind)].fullmatch(value):
            cohorts.add((GroupBy(kind), value))
        elif text != "nation":
            raise ValueError(
                f"{text!r} is no scope; write nation, region:KR-48, sector:C25, zone:ID, sponsor:ID, level:basic, "
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
