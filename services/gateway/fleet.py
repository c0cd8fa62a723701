"""A made-up fleet: which factories and machines there are and what they are like. Pure: a seed gives one fleet."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import Enum
from random import Random


class ShiftPattern(Enum):
    """When a factory works, on Seoul's clock: weekdays (Monday 0), then working hours; breaks are between them."""

    DAY = ((0, 1, 2, 3, 4), ((8, 12), (13, 17)))
    TWO_SHIFTS = ((0, 1, 2, 3, 4, 5), ((6, 10), (10.5, 14), (14, 18), (18.5, 22)))
    ROUND_THE_CLOCK = ((0, 1, 2, 3, 4, 5, 6), ((0, 24),))

    def __init__(self, weekdays: tuple[int, ...], hours: tuple[tuple[float, float], ...]) -> None:
        self.weekdays = weekdays
        self.hours = hours


class Automation(Enum):
    """How a machine is registered; the value is the registry's word."""

    MANUAL = "manual"
    SEMI_AUTOMATIC = "semi_automatic"
    AUTOMATIC = "automatic"
    ROBOT = "robot"


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine's character: durations in seconds, rates per piece made."""

    machine_id: str
    name: str
    kind: str
    automation: Automation
    ideal_cycle_s: float
    between_stops_s: float
    between_faults_s: float
    repair_s: float
    scrap_rate: float
    rework_rate: float


@dataclass(frozen=True, slots=True)
class Factory:
    """One factory, the enterprise that owns it, and its machines."""

    factory_id: str
    enterprise_id: str
    enterprise_name: str
    employees: int
    name: str
    region: str
    sector: str
    level: str
    established_on: dt.date | None
    shifts: ShiftPattern
    machines: tuple[Machine, ...]


# Weights are guesses at where Korea's industry is, not statistics.
REGIONS = {
    "KR-41": 30, "KR-48": 14, "KR-47": 9, "KR-44": 8, "KR-28": 8, "KR-26": 6, "KR-27": 5, "KR-43": 5, "KR-11": 4,
    "KR-31": 3, "KR-45": 2, "KR-46": 2, "KR-29": 2, "KR-42": 1, "KR-30": 1, "KR-50": 1, "KR-49": 1,
}  # fmt: skip

SECTORS = {
    "C10": ("Foods", ("filling_line", "packing_machine", "oven")),
    "C20": ("Chemicals", ("reactor", "mixer", "filling_line")),
    "C22": ("Plastics", ("injection_moulder", "extruder", "blow_moulder")),
    "C24": ("Metals", ("casting_machine", "furnace", "rolling_mill")),
    "C25": ("Precision", ("machining_centre", "lathe", "press")),
    "C26": ("Electronics", ("chip_mounter", "reflow_oven", "tester")),
    "C28": ("Electric", ("winding_machine", "press", "tester")),
    "C29": ("Machinery", ("machining_centre", "lathe", "grinder")),
    "C30": ("Motors", ("welding_cell", "press", "machining_centre")),
}

NAMES = ("Hanbit", "Daesung", "Samjin", "Seoyeon", "Dongwoo", "Mirae", "Kumsung", "Shinhwa", "Taeyang", "Woori")

LEVELS = ("none", "basic", "intermediate_1", "intermediate_2", "advanced")
LEVEL_WEIGHTS = (15, 45, 22, 14, 4)

AUTOMATION_WEIGHTS = {
    "none": (6, 3, 1, 0),
    "basic": (3, 4, 3, 0),
    "intermediate_1": (2, 3, 4, 1),
    "intermediate_2": (1, 2, 5, 2),
    "advanced": (0, 1, 5, 4),
}


def stream(*name: object) -> Random:
    """Random numbers that depend on ``name`` alone, not on what else was drawn or on Python's hashing."""
    return Random(":".join(map(str, name)))


def make_fleet(seed: int, factories: int, machines: int) -> tuple[Factory, ...]:
    """``factories`` factories with ``machines`` machines each; the first are the same however many follow."""
    return tuple(make_factory(seed, number, machines) for number in range(1, factories + 1))


def make_factory(seed: int, number: int, machines: int) -> Factory:
    """The factory of that number. Every third works round the clock, so that there is always something to see."""
    factory_id = f"F{number:06d}"
    rng = stream(seed, factory_id)
    sector = rng.choice(tuple(SECTORS))
    trade, kinds = SECTORS[sector]
    enterprise = f"{rng.choice(NAMES)} {trade}"
    level = rng.choices(LEVELS, LEVEL_WEIGHTS)[0]
    employees = round(rng.lognormvariate(3.5, 0.9)) + machines
    region = rng.choices(tuple(REGIONS), tuple(REGIONS.values()))[0]
    established_on = (
        None if level == "none" else dt.date(rng.randint(2015, 2022), rng.randint(1, 12), rng.randint(1, 28))
    )
    shifts = (ShiftPattern.ROUND_THE_CLOCK, ShiftPattern.DAY, ShiftPattern.TWO_SHIFTS)[(number - 1) % 3]
    return Factory(
        factory_id=factory_id,
        enterprise_id=f"E{number:04d}",
        enterprise_name=enterprise,
        employees=employees,
        name=f"{enterprise} {number}",
        region=region,
        sector=sector,
        level=level,
        established_on=established_on,
        shifts=shifts,
        machines=tuple(make_machine(seed, factory_id, n, kinds, level) for n in range(1, machines + 1)),
    )


def make_machine(seed: int, factory_id: str, number: int, kinds: tuple[str, ...], level: str) -> Machine:
    """The machine of that number in a factory."""
    machine_id = f"M{number:02d}"
    rng = stream(seed, factory_id, machine_id)
    kind = rng.choice(kinds)
    return Machine(
        machine_id=machine_id,
        name=f"{kind.replace('_', ' ').capitalize()} {number}",
        kind=kind,
        automation=rng.choices(tuple(Automation), AUTOMATION_WEIGHTS[level])[0],
        ideal_cycle_s=float(rng.randint(15, 120)),
        between_stops_s=rng.uniform(600, 2400),
        between_faults_s=rng.uniform(4, 20) * 3600,
        repair_s=rng.uniform(600, 3000),
        scrap_rate=rng.uniform(0.002, 0.04),
        rework_rate=rng.uniform(0.0, 0.01),
    )


def signing_seed(seed: int, factory_id: str) -> bytes:
    """The 32 bytes that a simulated factory's Ed25519 key is made of. No secret: whoever knows ``seed`` has them."""
    return hashlib.sha256(f"jejo simulator:{seed}:{factory_id}".encode()).digest()
