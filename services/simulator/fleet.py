"""The simulated fleet: its enterprises, factories and machines, and their characters.

Pure: a seed gives one fleet, and its first factories are the same however many follow. Regions, sectors, levels and
the like are dealt out evenly by the factory's number (multiples of irrational numbers, modulo 1), so that a small fleet
has the country's proportions, too.
"""

import datetime as dt
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from random import Random
from typing import TypeVar

from schemas.plausibility_rules import RuleId
from services.simulator.country import (
    IN_ZONE_SHARE,
    MACHINES,
    NAMES,
    NOT_SMART_SHARE,
    REGIONS,
    SECTORS,
    SIZES,
    SMART_LEVELS,
    SPONSORED_SHARE,
    SPONSORS,
    UNKNOWN_SIZE_SHARE,
    ZONES,
    Sector,
    established_at,
)

T = TypeVar("T")


class ShiftPattern(Enum):
    """When a factory works, in Seoul's time: weekdays (Monday is 0), and working hours with breaks between them."""

    DAY = ((0, 1, 2, 3, 4), ((8, 12), (13, 17)))
    TWO_SHIFTS = ((0, 1, 2, 3, 4, 5), ((6, 10), (10.5, 14), (14, 18), (18.5, 22)))
    ROUND_THE_CLOCK = ((0, 1, 2, 3, 4, 5, 6), ((0, 24),))

    def __init__(self, weekdays: tuple[int, ...], hours: tuple[tuple[float, float], ...]) -> None:
        self.weekdays = weekdays
        self.hours = hours

    @property
    def bounds(self) -> tuple[float, float]:
        """The hours at which the working day begins and ends."""
        return self.hours[0][0], self.hours[-1][1]


class Automation(Enum):
    """How automated a machine is; the value is what the registry calls it."""

    MANUAL = "manual"
    SEMI_AUTOMATIC = "semi_automatic"
    AUTOMATIC = "automatic"
    ROBOT = "robot"


class Connection(Enum):
    """What a factory sends."""

    STATES = "states and counts"
    COUNTS = "counts, by the hour"
    NOTHING = "nothing"


class Uploads(Enum):
    """How often a factory's gateway uploads what it has gathered: the value is in hours, 0 is at once."""

    AT_ONCE = 0
    TWICE_A_SHIFT = 4
    DAILY = 24
    EVERY_OTHER_DAY = 48


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine's character: durations in seconds, rates per piece; no ideal cycle is registered where it is None."""

    machine_id: str
    name: str
    kind: str
    automation: Automation
    cycle_s: float
    ideal_cycle_s: float | None
    between_stops_s: float
    between_faults_s: float
    repair_s: float
    scrap_rate: float
    rework_rate: float


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A company that owns factories; ``employees`` is None if it never reported them."""

    enterprise_id: str
    name: str
    employees: int | None


@dataclass(frozen=True, slots=True)
class Factory:
    """One factory, the enterprise that owns it, and its machines."""

    factory_id: str
    enterprise: Enterprise
    name: str
    region: str
    sector: str
    zone: str | None
    sponsor: str | None
    level: str
    established_on: dt.date | None
    shifts: ShiftPattern
    connection: Connection
    uploads: Uploads
    machines: tuple[Machine, ...]
    ghost: RuleId | None = None
    """The plausibility rule that what it sends breaks; None: it is honest."""


SAME_OWNER_SHARE = 0.1
"""Share of the factories that belong to the same enterprise as the factory before."""

CONNECTIONS = {
    "none": {Connection.STATES: 5, Connection.COUNTS: 15, Connection.NOTHING: 80},
    "basic": {Connection.STATES: 17, Connection.COUNTS: 80, Connection.NOTHING: 3},
    "intermediate_1": {Connection.STATES: 96, Connection.COUNTS: 2, Connection.NOTHING: 2},
    "intermediate_2": {Connection.STATES: 98, Connection.NOTHING: 2},
    "advanced": {Connection.STATES: 100},
}
"""Shares by level. A smart factory that sends nothing is a ghost: built and registered, never seen working."""

UPLOADS = {Uploads.AT_ONCE: 93, Uploads.TWICE_A_SHIFT: 3, Uploads.DAILY: 2, Uploads.EVERY_OTHER_DAY: 2}

SHIFTS = {
    "1-9": {ShiftPattern.DAY: 90, ShiftPattern.TWO_SHIFTS: 10},
    "10-49": {ShiftPattern.DAY: 65, ShiftPattern.TWO_SHIFTS: 28, ShiftPattern.ROUND_THE_CLOCK: 7},
    "50-299": {ShiftPattern.DAY: 35, ShiftPattern.TWO_SHIFTS: 40, ShiftPattern.ROUND_THE_CLOCK: 25},
    "300+": {ShiftPattern.DAY: 15, ShiftPattern.TWO_SHIFTS: 35, ShiftPattern.ROUND_THE_CLOCK: 50},
}

AUTOMATION = {
    "none": {Automation.MANUAL: 60, Automation.SEMI_AUTOMATIC: 30, Automation.AUTOMATIC: 10},
    "basic": {Automation.MANUAL: 35, Automation.SEMI_AUTOMATIC: 37, Automation.AUTOMATIC: 26, Automation.ROBOT: 2},
    "intermediate_1": {
        Automation.MANUAL: 20,
        Automation.SEMI_AUTOMATIC: 30,
        Automation.AUTOMATIC: 42,
        Automation.ROBOT: 8,
    },
    "intermediate_2": {
        Automation.MANUAL: 8,
        Automation.SEMI_AUTOMATIC: 22,
        Automation.AUTOMATIC: 52,
        Automation.ROBOT: 18,
    },
    "advanced": {Automation.SEMI_AUTOMATIC: 10, Automation.AUTOMATIC: 55, Automation.ROBOT: 35},
}

IDEAL_CYCLE_SHARE = {Connection.STATES: 0.85, Connection.COUNTS: 0.5, Connection.NOTHING: 0.3}
"""Share of the machines whose ideal cycle is registered, by what their factory sends."""

DEALT = ("region", "zone", "sector", "smart", "level", "established", "size", "connection", "uploads", "sponsor")
"""What is dealt out by number, each with an irrational number of its own: the square root of a prime."""
IRRATIONALS = dict(zip(DEALT, map(math.sqrt, (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)), strict=True))


def stream(*name: object) -> Random:
    """Return a random number generator that depends on ``name`` alone: on no other draws, nor on Python's hashing."""
    return Random(":".join(map(str, name)))


@lru_cache(maxsize=256)
def offset(seed: int, what: str) -> float:
    """Return where a seed begins to deal, in [0, 1)."""
    return stream(seed, "deal", what).random()


def deal(seed: int, what: str, number: int) -> float:
    """Return a number in [0, 1) that is evenly spread over any run of factories, however short."""
    return (offset(seed, what) + number * IRRATIONALS[what]) % 1.0


def pick(shares: Mapping[T, float], position: float) -> T:
    """Return the key found at a position in [0, 1) if the shares are laid end to end."""
    left = position * sum(shares.values())
    for key, share in shares.items():
        left -= share
        if left < 0:
            return key
    return next(reversed(list(shares)))


FEWEST_EMPLOYEES = {"300+": 300, "50-299": 50, "10-49": 10, "1-9": 1}
"""The registry's sizes, largest first, each with its fewest employees."""


def size_of(employees: int | None) -> str | None:
    """Return the registry's size for a number of employees; None if the number is unknown."""
    if employees is None:
        return None
    return next((size for size, fewest in FEWEST_EMPLOYEES.items() if employees >= fewest), None)


def make_fleet(seed: int, factories: int, machines: int | None = None) -> tuple[Factory, ...]:
    """Make ``factories`` factories with ``machines`` machines each (None: as many as suits their size)."""
    return tuple(make_factory(seed, number, machines) for number in range(1, factories + 1))


def make_enterprise(seed: int, number: int) -> Enterprise:
    """Make the owner of the factory of that number: an enterprise of its own, or that of the factory before."""
    while number > 1 and stream(seed, "owner", number).random() < SAME_OWNER_SHARE:
        number -= 1
    rng = stream(seed, "enterprise", number)
    low, high = pick(SIZES, deal(seed, "size", number))
    employees = round(math.exp(rng.uniform(math.log(low), math.log(high))))
    trade = sector_of(seed, number)[1].trade
    known = rng.random() >= UNKNOWN_SIZE_SHARE
    return Enterprise(f"E{number:04d}", f"{rng.choice(NAMES)} {trade}", employees if known else None)


def sector_of(seed: int, number: int) -> tuple[str, Sector]:
    code = pick({code: sector.share for code, sector in SECTORS.items()}, deal(seed, "sector", number))
    return code, SECTORS[code]


def make_factory(seed: int, number: int, machines: int | None = None) -> Factory:
    """Make the factory of that number. The first works and sends around the clock, so there is always data."""
    factory_id = f"F{number:06d}"
    rng = stream(seed, factory_id)
    enterprise = make_enterprise(seed, number)
    size = size_of(enterprise.employees) or "10-49"
    region = pick(REGIONS, deal(seed, "region", number))
    sector, trade = sector_of(seed, number)
    is_smart = deal(seed, "smart", number) >= NOT_SMART_SHARE
    level = pick(SMART_LEVELS, deal(seed, "level", number)) if is_smart else "none"
    connection = pick(CONNECTIONS[level], deal(seed, "connection", number))
    shifts = pick(SHIFTS[size], rng.random())
    if number == 1:
        connection, shifts = Connection.STATES, ShiftPattern.ROUND_THE_CLOCK
    count = rng.randint(*MACHINES[size]) if machines is None else machines
    return Factory(
        factory_id=factory_id,
        enterprise=enterprise,
        name=f"{enterprise.name} {number}",
        region=region,
        sector=sector,
        zone=zone_in(region, deal(seed, "zone", number)),
        sponsor=sponsor_at(deal(seed, "sponsor", number)) if is_smart else None,
        level=level,
        established_on=established_at(deal(seed, "established", number)) if is_smart else None,
        shifts=shifts,
        connection=connection,
        uploads=Uploads.AT_ONCE if number == 1 else pick(UPLOADS, deal(seed, "uploads", number)),
        machines=tuple(make_machine(seed, factory_id, n, trade, level, connection) for n in range(1, count + 1)),
    )


def zone_in(region: str, position: float) -> str | None:
    """Return the region's zone, or None for those of its factories that are not in it."""
    if position >= IN_ZONE_SHARE:
        return None
    return next((zone.zone_id for zone in ZONES if zone.region == region), None)


def sponsor_at(position: float) -> str | None:
    """Return a sponsor, or None for most."""
    return pick(SPONSORS, position / SPONSORED_SHARE).sponsor_id if position < SPONSORED_SHARE else None


def make_machine(
    seed: int, factory_id: str, number: int, sector: Sector, level: str, connection: Connection
) -> Machine:
    """Make a factory's machine of that number."""
    machine_id = f"M{number:02d}"
    rng = stream(seed, factory_id, machine_id)
    kind = rng.choice(sector.kinds)
    cycle_s = float(rng.randint(*sector.cycle_s))
    return Machine(
        machine_id=machine_id,
        name=f"{kind.replace('_', ' ').capitalize()} {number}",
        kind=kind,
        automation=pick(AUTOMATION[level], rng.random()),
        cycle_s=cycle_s,
        ideal_cycle_s=cycle_s if rng.random() < IDEAL_CYCLE_SHARE[connection] else None,
        between_stops_s=rng.uniform(3600, 10_800),
        between_faults_s=rng.uniform(6, 40) * 3600,
        repair_s=rng.uniform(600, 3600),
        scrap_rate=rng.uniform(0.002, 0.04),
        rework_rate=rng.uniform(0.0, 0.01),
    )


def signing_seed(seed: int, factory_id: str) -> bytes:
    """Return the 32-byte seed of a factory's Ed25519 key. It is not secret: whoever knows ``seed`` can compute it."""
    return hashlib.sha256(f"jejo simulator:{seed}:{factory_id}".encode()).digest()
