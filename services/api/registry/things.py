"""The kinds of registered things, and the content of a version of each kind. Pure.

Days are Seoul's. A field that ends in ``_us`` is in microseconds: since the Unix epoch for an instant, else a duration.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from services.api.registry.calendars import Plan
from services.core.times import DAY_US

SECTOR_PATTERN = "[A-U][0-9]{2}"
"""KSIC section and division."""
DIVISIONS = {
    "A": (1, 3),
    "B": (5, 8),
    "C": (10, 34),
    "D": (35, 35),
    "E": (36, 39),
    "F": (41, 42),
    "G": (45, 47),
    "H": (49, 52),
    "I": (55, 56),
    "J": (58, 63),
    "K": (64, 66),
    "L": (68, 68),
    "M": (70, 73),
    "N": (74, 76),
    "O": (84, 84),
    "P": (85, 85),
    "Q": (86, 87),
    "R": (90, 91),
    "S": (94, 96),
    "T": (97, 98),
    "U": (99, 99),
}
"""The first and last division of each section of KSIC, revisions 10 and 11."""
SECTORS = frozenset(
    f"{section}{division:02}" for section, (first, last) in DIVISIONS.items() for division in range(first, last + 1)
)
"""Every sector that there is."""


class Region(StrEnum):
    """ISO 3166-2:KR."""

    SEOUL = "KR-11"
    BUSAN = "KR-26"
    DAEGU = "KR-27"
    INCHEON = "KR-28"
    GWANGJU = "KR-29"
    DAEJEON = "KR-30"
    ULSAN = "KR-31"
    GYEONGGI = "KR-41"
    GANGWON = "KR-42"
    NORTH_CHUNGCHEONG = "KR-43"
    SOUTH_CHUNGCHEONG = "KR-44"
    NORTH_JEOLLA = "KR-45"
    SOUTH_JEOLLA = "KR-46"
    NORTH_GYEONGSANG = "KR-47"
    SOUTH_GYEONGSANG = "KR-48"
    JEJU = "KR-49"
    SEJONG = "KR-50"


class Level(StrEnum):
    """Smart-factory level."""

    NONE = "none"
    BASIC = "basic"
    INTERMEDIATE_1 = "intermediate_1"
    INTERMEDIATE_2 = "intermediate_2"
    ADVANCED = "advanced"


class Size(StrEnum):
    """Size of a factory, by its enterprise's employees."""

    UNDER_10 = "1-9"
    UNDER_50 = "10-49"
    UNDER_300 = "50-299"
    FROM_300 = "300+"

    @classmethod
    def of(cls, employees: int | None) -> "Size | None":
        """Returns the size for a number of employees, as ``size_of`` in the database; None for none or unknown."""
        position = 0 if employees is None else bisect_right((1, 10, 50, 300), employees)
        return list(cls)[position - 1] if position else None


class Automation(StrEnum):
    """What a machine is registered as."""

    MANUAL = "manual"
    SEMI_AUTOMATIC = "semi_automatic"
    AUTOMATIC = "automatic"
    ROBOT = "robot"


class Reference(NamedTuple):
    """A thing that another thing names, and the field that names it."""

    field: str
    kind: "Kind[Content]"
    identifier: str


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a version. Its fields are the columns of the versions' table."""

    def references(self) -> Sequence[Reference]:
        """Returns the things that it names, which must be registered."""
        return ()

    def accounting_key(self) -> tuple[object, ...]:
        """Returns what machines' spans and accounts depend on; empty if on nothing of this kind."""
        return ()


@dataclass(frozen=True, slots=True)
class Enterprise(Content):
    """The company behind factories."""

    name: str
    employees: int | None

    def accounting_key(self) -> tuple[object, ...]:
        return (Size.of(self.employees),)


@dataclass(frozen=True, slots=True)
class Zone(Content):
    """A smart industrial zone."""

    name: str
    region: Region
    designated_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Sponsor(Content):
    """A conglomerate that supports factories."""

    name: str
    enterprise_id: str | None

    def references(self) -> Sequence[Reference]:
        return named(("enterprise_id", ENTERPRISE, self.enterprise_id))


@dataclass(frozen=True, slots=True)
class Factory(Content):
    """One site of an enterprise."""

    name: str
    enterprise_id: str
    region: Region
    sector: str
    zone: str | None
    sponsor: str | None
    level: Level
    established_on: dt.date | None
    closed_on: dt.date | None

    def references(self) -> Sequence[Reference]:
        return named(
            ("enterprise_id", ENTERPRISE, self.enterprise_id),
            ("zone", ZONE, self.zone),
            ("sponsor", SPONSOR, self.sponsor),
        )

    def accounting_key(self) -> tuple[object, ...]:
        return (self.enterprise_id, self.region, self.sector, self.zone, self.sponsor, self.level)


@dataclass(frozen=True, slots=True)
class Machine(Content):
    """One machine of a factory, in use from midnight of ``in_use_from`` to midnight of ``in_use_to``."""

    name: str
    kind: str
    automation: Automation
    state_ttl_us: int
    ideal_cycle_us: int | None
    capacity_per_h: float | None
    in_use_from: dt.date
    in_use_to: dt.date | None

    def accounting_key(self) -> tuple[object, ...]:
        return (self.automation, self.state_ttl_us, self.ideal_cycle_us, *self.days_in_use())

    def days_in_use(self) -> tuple[dt.date, dt.date | None]:
        """Returns the days that bound its time in use."""
        return (self.in_use_from, self.in_use_to)


@dataclass(frozen=True, slots=True)
class GatewayKey(Content):
    """A public key that signs a factory's records."""

    public_key: bytes
    valid_from_us: int
    valid_to_us: int | None
    revoked_at_us: int | None
    compromised_since_us: int | None


@dataclass(frozen=True, slots=True)
class Calendar(Content):
    """When a factory works; None: no calendar."""

    calendar: Plan | None

    def accounting_key(self) -> tuple[object, ...]:
        return (self.calendar,)


C = TypeVar("C", bound=Content)
C_co = TypeVar("C_co", bound=Content, covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class Kind(Generic[C_co]):
    """One kind of thing.

    Attributes:
        name: what messages call it.
        identifier: the field that holds the id of a thing of this kind.
        content: the type of its versions' content.
        belongs_to_factory: ids are unique within a factory only.
        one_of_factory: a factory has at most one, whose id is the factory's.
        unregistered: the content that holds where none was ever registered, if accounts depend on it.
        reach_us: for how long a version has effects after its end.
    """

    name: str
    identifier: str
    content: type[C_co]
    belongs_to_factory: bool = False
    one_of_factory: bool = False
    unregistered: C_co | None = None
    reach_us: int = 0

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the content's fields, in order."""
        return tuple(field.name for field in fields(self.content))


ENTERPRISE = Kind("enterprise", "enterprise_id", Enterprise)
ZONE = Kind("zone", "zone_id", Zone)
SPONSOR = Kind("sponsor", "sponsor_id", Sponsor)
FACTORY = Kind("factory", "factory_id", Factory)
CALENDAR = Kind(
    "calendar",
    "factory_id",
    Calendar,
    one_of_factory=True,
    unregistered=Calendar(None),
    # A night shift runs into the day after.
    reach_us=DAY_US,
)
MACHINE = Kind("machine", "machine_id", Machine, belongs_to_factory=True)
GATEWAY_KEY = Kind("gateway key", "key_id", GatewayKey, belongs_to_factory=True)

KINDS: tuple[Kind[Content], ...] = (ENTERPRISE, ZONE, SPONSOR, FACTORY, CALENDAR, MACHINE, GATEWAY_KEY)
"""Every kind, each after the kinds that it names."""


def named(*fields: tuple[str, Kind[Content], str | None]) -> tuple[Reference, ...]:
    """Returns the references of those fields that have a value."""
    return tuple(Reference(field, kind, identifier) for field, kind, identifier in fields if identifier is not None)


@dataclass(frozen=True, slots=True)
class FactorySummary:
    """What lists show of a factory in addition to its version; ``machines`` is the number in use."""

    enterprise_name: str
    size: Size | None
    machines: int
