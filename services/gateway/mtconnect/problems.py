"""What of a log could not be used: each kind of problem with its number, its first places and what to do. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

PLACES_KEPT = 5


class ProblemKind(Enum):
    """A kind of problem: what it is called, and what to do about it."""

    COMPRESSION = (
        "damaged compressed file",
        "The file is read up to the damage. Get it again if you can.",
    )
    TIMESTAMP = (
        "invalid timestamp",
        "The line is not read. A line begins with an instant such as 2024-03-04T08:00:00Z, never with a relative time.",
    )
    CUT_OFF = (
        "key without a value",
        "The line was cut off there; what stands before is used.",
    )
    EMPTY_KEY = (
        "value without a key",
        "It is skipped. Bars within a text must be escaped, and the text quoted.",
    )
    QUOTE = (
        "quote without an end",
        "The quotation mark is taken as part of the text, which ends at the next bar.",
    )
    UNKNOWN_KEY = (
        "unknown key",
        "It is skipped. If it matters, add it to the device model given with --devices.",
    )
    LEFTOVER = (
        "field that belongs to no key",
        "It is skipped. A text contains a bar that is not escaped, or the device model does not fit the log.",
    )
    OTHER_DEVICE = (
        "key of another device",
        "It is skipped. If it is this machine's, correct the prefix, or name the device with --device MACHINE=NAME.",
    )
    VALUE = (
        "invalid value",
        "It is skipped; an invalid word makes Execution or ControllerMode unknown. Correct the adapter.",
    )
    LEVEL = (
        "invalid level of a condition",
        "The condition stays as it was. A level is NORMAL, WARNING, FAULT or UNAVAILABLE.",
    )
    TIME_SERIES = (
        "time series",
        "It is left out: a reading is one number at one instant.",
    )
    DATA_SET = (
        "data set, table or position in space",
        "It is left out: a reading is one number.",
    )
    ASSET_END = (
        "block of lines without an end",
        "It is taken to end before the next line that begins with an instant.",
    )
    TEXT = (
        "text in an unknown encoding",
        "Its characters are replaced. Logs are read as UTF-8 or, failing that, as CP949 (which includes EUC-KR).",
    )
    SPIKE = (
        "part count that rises and falls back",
        "It is not counted. Check the counter; pieces that were really made must be sent as a correction.",
    )
    DIP = (
        "part count that falls and rises back",
        "It is not counted as a reset. Check the counter.",
    )
    BEYOND_CYCLE = (
        "more parts than the ideal cycle allows",
        "They are not counted until enough time has passed for all of them. Check the counter, and --ideal-cycle-s.",
    )
    INNER_COUNT = (
        "part counter within a component that counts, too",
        "It is not counted, since its parts are in the other's total.",
    )
    BAD_PARTS = (
        "more bad parts than parts",
        "The bad parts are counted as scrap; the total that contains them has not caught up. Check both counters.",
    )
    MODEL = (
        "device model",
        "What it says there is not used. Correct the model if it matters.",
    )

    def __init__(self, title: str, advice: str) -> None:
        self.title = title
        self.advice = advice


class Place(NamedTuple):
    """Where in a log: file, line and column, both from 1; 0 means the file, or the line, as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([self.file, *numbers])


@dataclass(slots=True)
class Problem:
    """One kind of problem in one machine's logs: how often it occurred, and where first, with what was there."""

    kind: ProblemKind
    count: int = 0
    first: list[tuple[Place, str]] = field(default_factory=list)


class Problems:
    """Collects the problems of one machine's logs; iterating yields one ``Problem`` for each kind that occurred."""

    def __init__(self) -> None:
        self._by_kind: dict[ProblemKind, Problem] = {}

    def add(self, kind: ProblemKind, place: Place, detail: str) -> None:
        """Count a problem, and keep its place and ``detail`` if it is among the first of its kind."""
        problem = self._by_kind.setdefault(kind, Problem(kind))
        problem.count += 1
        if len(problem.first) < PLACES_KEPT and all(detail != known for _, known in problem.first):
            problem.first.append((place, detail))

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._by_kind[kind] for kind in ProblemKind if kind in self._by_kind)

    def count(self, kind: ProblemKind) -> int:
        """Return how often a kind of problem occurred."""
        problem = self._by_kind.get(kind)
        return problem.count if problem else 0
