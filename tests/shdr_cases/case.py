"""One case: a log, and what a reader must make of it. Times are of 4 March 2024, UTC, unless they have a date."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.core.times import SECOND_US, from_us, to_us
from tests.shdr_cases.devices import FULL

DAY = "2024-03-04"
IDLE_THEN_PRODUCING = "08:00:00 idle, 08:00:10 producing, 08:10:10 unknown"
TIME_OF_DAY = re.compile(r"^(\d\d:\d\d:\d\d(?:\.\d+)?)\|")


@dataclass(frozen=True, slots=True)
class Case:
    """A log and what is right. What is None is not compared.

    Attributes:
        log: the file's bytes, or its lines, in which ``08:00:00|`` stands for ``2024-03-04T08:00:00Z|``.
        states: every change of state or mode as ``TIME STATE [MODE]``, separated by commas, as a platform with a hold
            time of 600 s has them. The log's end is a change to unknown, 600 s after the last line heard.
        devices: the device model; None: the ready-made model is chosen by the log.
        reasons: by time, the reason of the state that holds then.
        good: the good pieces of each count, in order.
        scrap: the bad pieces of each count; None: no count has any, if ``good`` is given.
        readings: the values of all readings, by time and, at one time, in the order of the log.
        problems: everything that is reported, as ``LINE:COLUMN TITLE: DETAIL``, by kind.
        refused: what the command's message says, if it must refuse.
        why: what the names do not show.
        ideal_cycle_s: the shortest time that a piece takes, in seconds.
    """

    name: str
    log: bytes | tuple[str, ...]
    states: str | None = None
    devices: str | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    good: tuple[int, ...] | None = None
    scrap: tuple[int, ...] | None = None
    readings: tuple[float, ...] | None = None
    problems: tuple[str, ...] = ()
    refused: str = ""
    why: str = ""
    ideal_cycle_s: int | None = None

    def content(self) -> bytes:
        """Return the bytes of the log."""
        return self.log if isinstance(self.log, bytes) else lines(*self.log)


def lines(*texts: str, end: str = "\n") -> bytes:
    """Return the bytes of lines; ``08:00:00|`` at the beginning of one becomes ``2024-03-04T08:00:00Z|``."""
    return "".join(TIME_OF_DAY.sub(rf"{DAY}T\1Z|", text) + end for text in texts).encode()


def becomes_active(
    name: str,
    line: str,
    *,
    readings: tuple[float, ...] | None = None,
    problems: tuple[str, ...] = (),
    why: str = "",
) -> Case:
    """Return the case of a line that must make the machine of the full device model ACTIVE at 08:00:10."""
    log = ("08:00:00|execution|READY", line)
    return Case(name, log, IDLE_THEN_PRODUCING, FULL, readings=readings, problems=problems, why=why)


def after_fault(name: str, *after: str, states: str, problems: tuple[str, ...] = (), why: str = "") -> Case:
    """Return a case that begins with a fault of code 100 at 08:00:10; the lines after it begin at 08:00:20."""
    log = ("08:00:00|execution|READY", "08:00:10|system|FAULT|100|HIGH|LOW|HOT", *after)
    return Case(name, log, f"08:00:00 idle, 08:00:10 faulted, {states}", FULL, problems=problems, why=why)


def counts(
    name: str,
    totals: str,
    good: tuple[int, ...],
    *,
    key: str = "PartCountAct",
    every_s: int = 60,
    devices: str | None = None,
    problems: tuple[str, ...] = (),
    why: str = "",
    ideal_cycle_s: int | None = None,
) -> Case:
    """Return the case of a counter that reports totals (with blanks between them) from 08:00:00 on."""
    times = (parse_time("08:00:00") + step * every_s * SECOND_US for step in range(len(totals.split(" "))))
    reports = [f"{write_time(at_us)}|{key}|{total}" for at_us, total in zip(times, totals.split(" "), strict=True)]
    log = (f"{reports[0]}|execution|ACTIVE", *reports[1:])
    return Case(name, log, devices=devices, good=good, problems=problems, why=why, ideal_cycle_s=ideal_cycle_s)


def parse_time(time: str) -> int:
    """Parse a time of the cases to microseconds since the epoch."""
    return to_us(datetime.fromisoformat(time if "T" in time else f"{DAY}T{time}").replace(tzinfo=UTC))


def write_time(at_us: int) -> str:
    """Write microseconds since the epoch as the cases do."""
    text = from_us(at_us).replace(tzinfo=None).isoformat().removeprefix(f"{DAY}T")
    return text.rstrip("0") if "." in text else text
