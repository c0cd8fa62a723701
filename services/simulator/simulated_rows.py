"""The rows that a simulated machine's day gives: what its gateway would send, were nothing ever to go wrong. Pure.

Each row comes with the instant at which the gateway knows it: a state's own, and of a count the end of the stretch
that it counts, since its own is the last piece's.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random

from schemas.wire.codes import State
from services.core.times import HOUR_US, MINUTE_US, ceil_to
from services.gateway import CountRow, ReadingRow, StateRow
from services.simulator.fleet import Machine
from services.simulator.workday import Segment

REASSERT_US = 45 * MINUTE_US
"""Three quarters of the hold time that simulated machines are registered with."""
COUNT_EVERY_US = 20 * MINUTE_US
COUNT_ONLY_EVERY_US = HOUR_US

LOAD_PCT = {State.producing: (45.0, 40.0), State.setup: (5.0, 10.0), State.delayed: (1.0, 3.0)}
POWER_KW = {State.producing: (6.0, 5.0), State.setup: (2.0, 1.0), State.delayed: (1.5, 0.5)}
RESTING = (0.3, 0.4)

Known = tuple[int, StateRow | CountRow]
"""When the gateway knows a row, and the row."""


class Quality:
    """How many of the pieces made one after another are scrap, or to be reworked."""

    def __init__(self, machine: Machine, rng: Random) -> None:
        self._rng = rng
        self._bad_rate = machine.scrap_rate + machine.rework_rate
        self._scrap_share = machine.scrap_rate / self._bad_rate
        self._good_left = self._draw()

    def _draw(self) -> int:
        """Good pieces until the next bad one."""
        return int(math.log(1.0 - self._rng.random()) / math.log(1.0 - self._bad_rate))

    def take(self, pieces: int) -> tuple[int, int]:
        """Scrap and rework among the next pieces."""
        scrap = rework = 0
        left = pieces
        while self._good_left < left:
            left -= self._good_left + 1
            self._good_left = self._draw()
            if self._rng.random() < self._scrap_share:
                scrap += 1
            else:
                rework += 1
        self._good_left -= left
        return scrap, rework


def state_rows(machine_id: str, segments: Sequence[Segment]) -> Iterator[Known]:
    """A state where it begins, and again every so often."""
    for start_us, end_us, state, mode, reason, _, _ in segments:
        for at_us in range(start_us, end_us, REASSERT_US):
            yield at_us, StateRow(machine_id, at_us, state, mode, reason)


def count_rows(machine: Machine, segments: Sequence[Segment], rng: Random) -> Iterator[Known]:
    """What was made in every twenty minutes of production, where something was."""
    quality = Quality(machine, rng)
    for segment in segments:
        if segment.state is not State.producing:
            continue
        start_us, end_us, cycle_us = segment.start_us, segment.end_us, segment.cycle_us
        before = 0
        for until_us in (*range(ceil_to(start_us + 1, COUNT_EVERY_US), end_us, COUNT_EVERY_US), end_us):
            # A piece is done every cycle after the start; one done exactly at the end is the next stretch's.
            made = (until_us - 1 - start_us) // cycle_us
            if made > before:
                scrap, rework = quality.take(made - before)
                good = made - before - scrap - rework
                yield (
                    until_us,
                    CountRow(machine.machine_id, start_us + made * cycle_us, good, scrap, rework, segment.product),
                )
                before = made


def hourly_count_rows(machine: Machine, segments: Sequence[Segment], rng: Random) -> Iterator[Known]:
    """What was made in every hour that is not wholly off shift, nought included; no product is named."""
    quality = Quality(machine, rng)
    start_us, end_us = segments[0].start_us, segments[-1].end_us
    for from_us, to_us in pairwise(range(start_us, end_us + 1, COUNT_ONLY_EVERY_US)):
        made, last_us, at_work = 0, to_us - 1000, False
        for segment in segments:
            if segment.end_us <= from_us or segment.start_us >= to_us or segment.state is State.off_shift:
                continue
            at_work = True
            if segment.state is State.producing:
                base_us, cycle_us = segment.start_us, segment.cycle_us
                before = max(0, (from_us - 1 - base_us) // cycle_us)
                after = (min(to_us, segment.end_us) - 1 - base_us) // cycle_us
                if after > before:
                    made, last_us = made + after - before, base_us + after * cycle_us
        if at_work:
            scrap, rework = quality.take(made)
            yield to_us, CountRow(machine.machine_id, last_us, made - scrap - rework, scrap, rework)


def reading_rows(
    machine_id: str, segment: Segment, since_us: int, until_us: int, every_us: int, noise_key: str
) -> Iterator[ReadingRow]:
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
