"""Turns a machine's part counters into counts of good and bad pieces. Pure.

Counters that never count are common, so only those count that do. A component's counters count for all components in
it, and inner counters of the same pieces are not used; otherwise the pieces of several components add up. A counter of
good pieces gives the good ones and that of bad pieces the scrap. Without a counter of good pieces, good are those of
the counter of all pieces less the bad ones; a bad piece is usually counted after the total that contains it, so it is
taken off the next ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.gateway.mtconnect.counter import CYCLE_MARGIN, Count, Implausible, PartCounter, Skipped, parse_value
from services.gateway.mtconnect.model import DataItem, PartKind
from services.gateway.mtconnect.observations import Value
from services.gateway.mtconnect.problems import Place, ProblemKind, Problems
from services.gateway.mtconnect.vocabulary import is_unavailable

KINDS = {
    Implausible.SPIKE: ProblemKind.SPIKE,
    Implausible.DIP: ProblemKind.DIP,
    Implausible.BEYOND_CYCLE: ProblemKind.BEYOND_CYCLE,
}


@dataclass(frozen=True, slots=True)
class Source:
    """What made a counter's value known: its place in the log, and the program that ran."""

    place: Place
    program: str


@dataclass(slots=True)
class Pieces:
    """The pieces made by one program, completed at one instant."""

    place: Place
    good: int = 0
    bad: int = 0


Instant = tuple[int, str]
"""Microseconds since the epoch, and the program: together with the machine they identify a count."""


class PartCounts:
    """Collects the pieces that one machine's counters count; what is implausible is reported and not counted."""

    def __init__(self, items: Sequence[DataItem], ideal_cycle_us: int | None, problems: Problems) -> None:
        self._problems = problems
        self._ideal_cycle_us = ideal_cycle_us
        self._items = items
        self._counters: dict[str, PartCounter[Source]] = {
            item.id: PartCounter(ideal_cycle_us) for item in items if not item.counts_each
        }
        self._counts: dict[str, list[Count[Source]]] = {item.id: [] for item in items}
        # When and what each discrete counter reported last.
        self._last_report: dict[str, tuple[int, str]] = {}

    def observe(self, at_us: int, value: Value, place: Place, program: str) -> None:
        """Take a counter's value, of which ``fields`` has checked that it is one. Instants never decrease."""
        item, source = value.item, Source(place, program)
        if not item.counts_each:
            self._collect(item, self._counters[item.id].observe(at_us, value.text, source))
        elif not is_unavailable(value.text):
            self._collect(item, self._report(item, at_us, value.text, source))

    def finish(self) -> Iterator[tuple[Instant, Pieces]]:
        """Yield all pieces by instant and program, in the order of time. What waits to be judged stands."""
        for item in self._items:
            if item.id in self._counters:
                self._collect(item, self._counters[item.id].finish())
        total: dict[Instant, Pieces] = {}
        for group in grouped(self._used()):
            pieces, owed = self._pieces(group)
            if owed:
                self._problems.add(ProblemKind.BAD_PARTS, next(iter(pieces.values())).place, str(owed))
            for instant, made in pieces.items():
                sum_ = total.setdefault(instant, Pieces(made.place))
                sum_.good += made.good
                sum_.bad += made.bad
        yield from sorted(total.items(), key=lambda entry: entry[0])

    def _report(self, item: DataItem, at_us: int, text: str, source: Source) -> list[Count[Source] | Skipped[Source]]:
        """Return what a discrete counter's report counts."""
        before, pieces = self._last_report.get(item.id), parse_value(text)[0]
        if before == (at_us, text):
            # The same report again, from a log that is given twice, is not another piece.
            return []
        self._last_report[item.id] = (at_us, text)
        if before and self._ideal_cycle_us and pieces * self._ideal_cycle_us > CYCLE_MARGIN * (at_us - before[0]):
            return [Skipped(at_us, pieces, Implausible.BEYOND_CYCLE, source)]
        return [Count(at_us, pieces, source)]

    def _used(self) -> list[DataItem]:
        """Return the counters that have counted, without those whose pieces an outer one counts, too."""
        counting = [item for item in self._items if self._counts[item.id]]
        used = []
        for item in counting:
            if any(is_within(item, other) and is_bad(item) == is_bad(other) for other in counting):
                self._problems.add(ProblemKind.INNER_COUNT, self._counts[item.id][0].source.place, item.label)
            else:
                used.append(item)
        return used

    def _pieces(self, group: Sequence[DataItem]) -> tuple[dict[Instant, Pieces], int]:
        """Return the pieces of counters that belong together, and how many bad ones were in no total."""
        has_good = {item.scope for item in group if item.parts is PartKind.GOOD}
        pieces: dict[Instant, Pieces] = {}
        for item in group:
            if item.parts is PartKind.ALL and item.scope in has_good:
                continue
            for count in self._counts[item.id]:
                made = pieces.setdefault((count.at_us, count.source.program), Pieces(count.source.place))
                made.bad += count.pieces if is_bad(item) else 0
                made.good += 0 if is_bad(item) else count.pieces
        if has_good or all(is_bad(item) for item in group):
            return pieces, 0
        owed = 0
        for instant in sorted(pieces):
            made = pieces[instant]
            owed += made.bad
            deducted = min(owed, made.good)
            made.good -= deducted
            owed -= deducted
        return pieces, owed

    def _collect(self, item: DataItem, outcomes: Sequence[Count[Source] | Skipped[Source]]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Skipped):
                detail = f"{item.label}={outcome.total}"
                self._problems.add(KINDS[outcome.why], outcome.source.place, detail)
            else:
                self._counts[item.id].append(outcome)


def grouped(items: Sequence[DataItem]) -> list[list[DataItem]]:
    """Return the counters that count the same pieces together: those of a component and of the components in it."""
    groups: dict[tuple[str, ...], list[DataItem]] = {}
    for item in sorted(items, key=lambda item: len(item.scope)):
        outer = next((scope for scope in groups if item.scope[: len(scope)] == scope), item.scope)
        groups.setdefault(outer, []).append(item)
    return list(groups.values())


def is_within(item: DataItem, other: DataItem) -> bool:
    """Return whether a data item's component is within another's."""
    return len(other.scope) < len(item.scope) and item.scope[: len(other.scope)] == other.scope


def is_bad(item: DataItem) -> bool:
    """Return whether a counter counts bad pieces only."""
    return item.parts is PartKind.BAD
