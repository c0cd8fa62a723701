"""The rows of a simulated factory in a stretch of time. Pure: cut anywhere, the pieces give the rows of the whole."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from functools import lru_cache

from schemas.wire.codes import State
from services.core.times import SECOND_US, ceil_to, seoul_day
from services.gateway.fleet import Factory, Machine, ShiftPattern
from services.gateway.rows import CountRow, ReadingRow, Row, StateRow
from services.gateway.workday import Segment, plan_day

REASSERT_US = 60 * SECOND_US
DAYS_REMEMBERED = 10_000

LOAD_PCT = {State.producing: (45.0, 40.0), State.setup: (5.0, 10.0), State.delayed: (1.0, 3.0)}
POWER_KW = {State.producing: (6.0, 5.0), State.setup: (2.0, 1.0), State.delayed: (1.5, 0.5)}
RESTING = (0.3, 0.4)


def factory_rows(seed: int, factory: Factory, from_us: int, to_us: int, readings_us: int) -> list[Row]:
    """Every row of ``factory`` with ``from_us`` <= at < ``to_us``, by time and machine.

    A state is asserted where it begins and every minute after; each metric is read every ``readings_us`` (0: never).
    """
    rows: list[Row] = []
    for machine in factory.machines:
        noise_key = f"{seed}:{factory.factory_id}:{machine.machine_id}"
        for segment in segments(seed, factory, machine, from_us, to_us):
            since_us, until_us = max(segment.start_us, from_us), min(segment.end_us, to_us)
            rows += state_rows(machine.machine_id, segment, since_us, until_us)
            rows += count_rows(machine, segment, since_us, until_us, noise_key)
            if readings_us and segment.state is not State.off_shift:
                rows += reading_rows(machine.machine_id, segment, since_us, until_us, readings_us, noise_key)
    rows.sort(key=lambda row: (row.at_us, row.machine_id))
    return rows


def segments(seed: int, factory: Factory, machine: Machine, from_us: int, to_us: int) -> Iterator[Segment]:
    """The segments that overlap [from_us, to_us)."""
    day, last = seoul_day(from_us), seoul_day(to_us - 1)
    while day <= last:
        for segment in remembered_day(seed, factory.factory_id, machine, factory.shifts, day):
            if segment.start_us < to_us and segment.end_us > from_us:
                yield segment
        day += dt.timedelta(days=1)


@lru_cache(maxsize=DAYS_REMEMBERED)
def remembered_day(
    seed: int, factory_id: str, machine: Machine, shifts: ShiftPattern, day: dt.date
) -> tuple[Segment, ...]:
    """``plan_day``, kept because a live fleet asks for the same day every second."""
    return plan_day(seed, factory_id, machine, shifts, day)


def state_rows(machine_id: str, segment: Segment, since_us: int, until_us: int) -> Iterator[Row]:
    """The segment's start, and every whole minute after it."""
    if segment.start_us == since_us:
        yield StateRow(machine_id, segment.start_us, segment.state, segment.mode, segment.reason)
    for at_us in range(ceil_to(max(since_us, segment.start_us + 1), REASSERT_US), until_us, REASSERT_US):
        yield StateRow(machine_id, at_us, segment.state, segment.mode, segment.reason)


def count_rows(machine: Machine, segment: Segment, since_us: int, until_us: int, noise_key: str) -> Iterator[Row]:
    """One row for each piece done: good, or now and then scrap or rework."""
    if segment.state is not State.producing:
        return
    cycle_us = segment.cycle_us
    first = max(ceil_to(since_us - segment.start_us, cycle_us), cycle_us)
    for at_us in range(segment.start_us + first, until_us, cycle_us):
        luck = noise(f"{noise_key}:piece", at_us)
        scrap = luck < machine.scrap_rate
        rework = not scrap and luck < machine.scrap_rate + machine.rework_rate
        yield CountRow(
            machine.machine_id, at_us, int(not scrap and not rework), int(scrap), int(rework), segment.product
        )


def reading_rows(
    machine_id: str, segment: Segment, since_us: int, until_us: int, every_us: int, noise_key: str
) -> Iterator[Row]:
    """Spindle load, power and temperature on every multiple of ``every_us``."""
    load, load_spread = LOAD_PCT.get(segment.state, RESTING)
    power, power_spread = POWER_KW.get(segment.state, RESTING)
    for at_us in range(ceil_to(since_us, every_us), until_us, every_us):
        chance = noise(f"{noise_key}:reading", at_us)
        yield ReadingRow(machine_id, at_us, "spindle_load_pct", round(load + load_spread * chance, 1))
        yield ReadingRow(machine_id, at_us, "power_kw", round(power + power_spread * chance, 2))
        yield ReadingRow(machine_id, at_us, "spindle_temperature_c", round(24 + 0.3 * load + chance, 1))


def noise(key: str, at_us: int) -> float:
    """A number in [0, 1) that depends on its arguments alone."""
    digest = hashlib.blake2b(f"{key}:{at_us}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
