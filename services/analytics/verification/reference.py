"""Computes time accounts a second time, in plain Python over sorted rows: slow, obvious, and without code of the first.

A machine's time is cut at every instant at which anything can change: a row, the end of a hold, a registry version, the
bounds of the time in use, an hour. Between two cuts everything is constant, so a piece is what its first instant is.
What counts toward a figure is declared in ``figures.json``; how it is worked out is this module's own.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from schemas.figure_definitions import CountedRows, HeldTime, Pieces, Rows, Table, figures_of
from services.analytics.verification.shifts import Pattern, Stretch

UNKNOWN, FAULTED, IDLE, OFF_SHIFT = 0, 4, 5, 7
STATES = ("unknown", "producing", "setup", "delayed", "faulted", "idle", "planned_stop", "off_shift")
MODES = ("unknown", "automatic", "semi_automatic", "manual")
"""By their codes in the database."""
HOUR = 3_600_000_000

PlainState = tuple[int, int, int]
"""Instant, state, mode."""
PlainCount = tuple[int, int, int, int, int]
"""Instant, good, scrap, rework, and 1 if it was signed."""
Cohort = tuple[str | None, ...]
"""Region, sector, zone, sponsor, level, size."""
Place = tuple[int, Cohort]
"""The instant at which an hour begins, and the cohort in which the machine was."""
HourAccount = dict[str, int]
"""The figures of one machine's hour, by id; a figure that is not there is 0."""

FIGURES = tuple(figure.id for figure in figures_of(Table.MACHINE_HOUR))
RULES = {figure.id: figure.rule for figure in figures_of(Table.MACHINE_HOUR)}
ROWS = {
    kind: [name for name, rule in RULES.items() if isinstance(rule, Rows) and rule.of is kind] for kind in CountedRows
}
PIECES = [(name, rule) for name, rule in RULES.items() if isinstance(rule, Pieces)]


@dataclass(frozen=True, slots=True)
class MachineVersion:
    """The registered content of a machine, its factory and its enterprise for [effective_from, effective_to).

    Everything in microseconds. Without a pattern there is no calendar.
    """

    effective_from_us: int
    effective_to_us: int
    state_ttl_us: int
    ideal_cycle_us: int | None
    in_use_from_us: int
    in_use_to_us: int
    automated: bool
    cohort: Cohort
    pattern: Pattern | None = None


def account_machine(
    state_rows: Sequence[PlainState],
    count_rows: Sequence[PlainCount],
    versions: Sequence[MachineVersion],
    accounted_until_us: int,
    sealed_before_us: int,
    from_us: int,
    to_us: int,
    shifts: Sequence[Stretch] = (),
) -> dict[Place, HourAccount]:
    """Return the accounts of one machine's hours in [from, to), from its rows in force.

    The rows must reach back from ``from_us`` by the longest TTL of the versions. Hours that begin before
    ``sealed_before_us`` are left out, and so are instants from ``accounted_until_us`` on.

    Args:
        shifts: those of the machine's factory, in order and apart; they count where a calendar is in force.

    Returns:
        The hours with any row or held time, by the instant at which they begin and the cohort.
    """
    rows = sorted(state_rows)
    start = max(from_us, -(-sealed_before_us // HOUR) * HOUR)
    end = min(to_us, accounted_until_us)
    hours: dict[Place, HourAccount] = defaultdict(lambda: defaultdict(int))
    for piece_start, piece_end in pieces(rows, versions, shifts, start, end):
        version = in_use(versions, piece_start)
        if version is not None:
            hour = hours[piece_start - piece_start % HOUR, version.cohort]
            outside = is_outside(version, shifts, piece_start)
            account_piece(hour, rows, version, piece_start, piece_end - piece_start, outside=outside)
    for position, (at, state, _) in enumerate(rows):
        version = in_use(versions, at)
        if start <= at < end and version is not None:
            hour = hours[at - at % HOUR, version.cohort]
            add_row(hour, CountedRows.STATES)
            if state == FAULTED and position > 0 and holds_known_and_sound(rows[position - 1], versions, at - 1):
                add_row(hour, CountedRows.FAILURES)
    for at, good, scrap, rework, signed in count_rows:
        version = in_use(versions, at)
        if start <= at < end and version is not None:
            hour = hours[at - at % HOUR, version.cohort]
            add_row(hour, CountedRows.COUNTS)
            if signed:
                add_row(hour, CountedRows.SIGNED_COUNTS)
            add_pieces(hour, {"good": good, "scrap": scrap, "rework": rework}, version.ideal_cycle_us or 0)
    return {place: account for place, account in hours.items() if any(account.values())}


def add_row(hour: HourAccount, kind: CountedRows) -> None:
    """Add a row to the figures that count such rows."""
    for figure in ROWS[kind]:
        hour[figure] += 1


def add_pieces(hour: HourAccount, made: dict[str, int], ideal_cycle_us: int) -> None:
    """Add a count row's pieces, or their ideal time, to the figures made of them."""
    for figure, rule in PIECES:
        total = sum(made[kind] for kind in rule.of)
        hour[figure] += ideal_cycle_us * total if rule.times_ideal_cycle else total


def pieces(
    rows: Sequence[PlainState], versions: Sequence[MachineVersion], shifts: Sequence[Stretch], start: int, end: int
) -> Iterator[tuple[int, int]]:
    """Yield [start, end), cut at every instant at which anything can change."""
    if start >= end:
        return
    cuts = {start, end, *range(start - start % HOUR, end, HOUR)}
    for version in versions:
        cuts |= {version.effective_from_us, version.effective_to_us, version.in_use_from_us, version.in_use_to_us}
        # This TTL can end a hold only while the version is in force.
        ttl = version.state_ttl_us
        first = bisect_left(rows, version.effective_from_us - ttl, key=instant_of)
        last = bisect_right(rows, version.effective_to_us - ttl, key=instant_of)
        cuts |= {at + ttl for at, _, _ in rows[first:last]}
    cuts |= {at for at, _, _ in rows}
    cuts |= {edge for shift in shifts for edge in shift}
    inside = sorted(cut for cut in cuts if start <= cut <= end)
    yield from pairwise(inside)


def instant_of(row: PlainState) -> int:
    return row[0]


def is_outside(version: MachineVersion, shifts: Sequence[Stretch], at: int) -> bool:
    """Return whether an instant is outside the shifts of a calendar that is in force."""
    if version.pattern is None:
        return False
    last = bisect_right(shifts, at, key=start_of) - 1
    return last < 0 or shifts[last][1] <= at


def start_of(stretch: Stretch) -> int:
    return stretch[0]


def as_accounted(state: int, *, outside: bool) -> int:
    """Return a state after the calendar: idle time outside shifts is off_shift."""
    return OFF_SHIFT if outside and state == IDLE else state


def account_piece(
    hour: HourAccount, rows: Sequence[PlainState], version: MachineVersion, at: int, length: int, *, outside: bool
) -> None:
    """Add a piece of time in use, given by its first instant and its length, in which nothing changes."""
    last = bisect_right(rows, at, key=instant_of) - 1
    if last < 0:
        return
    since, state, mode = rows[last]
    if state == UNKNOWN or at - since >= version.state_ttl_us:
        return
    accounted, has_cycle = as_accounted(state, outside=outside), version.ideal_cycle_us is not None
    for figure in counted_toward(accounted, mode, has_cycle=has_cycle, outside=outside):
        hour[figure] += length


@cache
def counted_toward(state: int, mode: int, *, has_cycle: bool, outside: bool) -> list[str]:
    """Return the figures toward which time in a state, as accounted, and mode counts."""
    return [
        figure
        for figure, rule in RULES.items()
        if isinstance(rule, HeldTime)
        and STATES[state] in rule.states
        and (rule.modes is None or MODES[mode] in rule.modes)
        and (has_cycle or not rule.with_ideal_cycle)
        and not (outside and rule.within_shifts)
    ]


def in_use(versions: Sequence[MachineVersion], at: int) -> MachineVersion | None:
    """Return the version in force at an instant, if the machine is in use then."""
    for version in versions:
        if version.effective_from_us <= at < version.effective_to_us:
            return version if version.in_use_from_us <= at < version.in_use_to_us else None
    return None


def holds_known_and_sound(row: PlainState, versions: Sequence[MachineVersion], at: int) -> bool:
    """Return whether a row's state holds at an instant, is known, and is not faulted."""
    since, state, _ = row
    version = in_use(versions, at)
    return version is not None and at - since < version.state_ttl_us and state not in (UNKNOWN, FAULTED)
