"""What the gateway makes of a case, in the words of the cases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from schemas.wire.codes import Mode, State
from services.core.times import SECOND_US
from services.gateway.models import ModelSource
from services.gateway.mtconnect.devices import parse_devices
from services.gateway.mtconnect.problems import Problem, Problems
from services.gateway.records import CountRow, ReadingRow, StateRow
from services.gateway.replay import Options, translate_machine
from tests.shdr_cases.case import Case, parse_time, write_time

HOLD_US = 600 * SECOND_US

Status = tuple[State, Mode, str | None]
UNKNOWN: Status = (State.unknown, Mode.unknown, None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a log gave; the fields are those of ``Case``."""

    states: str
    changes: Sequence[tuple[int, Status]]
    good: tuple[int, ...]
    scrap: tuple[int, ...]
    readings: tuple[float, ...]
    problems: tuple[str, ...]

    def reason(self, time: str) -> str | None:
        """Return the reason of the state that holds at a time."""
        held = [status for at_us, status in self.changes if at_us <= parse_time(time)]
        return (held[-1] if held else UNKNOWN)[2]


def translate(case: Case, folder: Path) -> Outcome:
    """Translate a case's log, for which a folder is needed.

    Raises:
        ConfigurationError: the log or the device model is refused.
    """
    path = folder / "log"
    path.write_bytes(case.content())
    models = ModelSource(parse_devices(case.devices.encode()) if case.devices is not None else ())
    cycles = {} if case.ideal_cycle_s is None else {"": case.ideal_cycle_s * SECOND_US}
    sourced, report = translate_machine(
        "M01", [path], models, Options(reassert_us=60 * SECOND_US, ideal_cycle_us=cycles)
    )
    rows = [found.row for found in sourced]
    assert report.rows == len(rows)
    changes = held(row for row in rows if isinstance(row, StateRow))
    counts = [row for row in rows if isinstance(row, CountRow)]
    return Outcome(
        states=written(changes),
        changes=changes,
        good=tuple(count.good for count in counts),
        scrap=tuple(count.scrap for count in counts),
        readings=tuple(row.value for row in rows if isinstance(row, ReadingRow)),
        problems=described(report.problems),
    )


def held(rows: Iterable[StateRow]) -> list[tuple[int, Status]]:
    """Return the changes of status that rows make: each holds until the next row, for the hold time at most."""
    changes: list[tuple[int, Status]] = [(0, UNKNOWN)]
    end_us: int | None = None
    for row in rows:
        if end_us is not None and row.at_us > end_us:
            changes.append((end_us, UNKNOWN))
        changes.append((row.at_us, (row.state, row.mode, row.reason)))
        end_us = row.at_us + HOLD_US
    if end_us is not None:
        changes.append((end_us, UNKNOWN))
    return [change for before, change in pairwise(changes) if change[1] != before[1]]


def written(changes: Sequence[tuple[int, Status]]) -> str:
    """Write changes of state and mode; a mode that is unknown is left out, and so are changes of the reason alone."""
    words: list[tuple[int, str]] = [(0, "unknown")]
    for at_us, (state, mode, _) in changes:
        word = state.name if mode is Mode.unknown else f"{state.name} {mode.name}"
        if word != words[-1][1]:
            words.append((at_us, word))
    return ", ".join(f"{write_time(at_us)} {word}" for at_us, word in words[1:])


def described(problems: Problems) -> tuple[str, ...]:
    """Describe each place that is reported, and how many there are of a kind if not all of them are."""
    return tuple(text for problem in problems for text in described_kind(problem))


def described_kind(problem: Problem) -> Iterable[str]:
    for place, detail in problem.first:
        numbers = ":".join(str(number) for number in (place.line, place.column) if number)
        yield f"{numbers} {problem.kind.title}: {detail}".strip().removesuffix(": ")
    if problem.count > len(problem.first):
        yield f"{problem.kind.title}: {problem.count} in all"
