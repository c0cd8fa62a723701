"""What the platform must make of the rows that one simulated machine sent: plain arithmetic, row by row. Pure.

Shares no code with analytics, which it is there to check. Of the rows of one identity, the first of the highest
revision is in force; if that one is retracted, none is. A state holds until the machine's next one, at most for its
hold time. Instants are microseconds since the epoch, windows are half-open.
"""

import datetime as dt
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from schemas.wire.codes import Mode, State
from services.core.times import DAY_US, seoul_day, seoul_midnight_us
from services.gateway import CountRow, StateRow
from services.simulator.mishaps import Delivery

PLANNED_BUSY = (State.producing, State.setup, State.delayed, State.faulted, State.idle)


@dataclass(frozen=True, slots=True)
class DailyShift:
    """The shift of a factory's calendar: weekdays (Monday is 0), and when it begins and ends after midnight."""

    weekdays: Sequence[int]
    start_us: int
    end_us: int

    def on(self, day: dt.date) -> tuple[int, int]:
        """Return the beginning and end of the shift on a day; both are midnight on a day without one."""
        midnight_us = seoul_midnight_us(day)
        if day.weekday() not in self.weekdays:
            return midnight_us, midnight_us
        return midnight_us + self.start_us, midnight_us + self.end_us


@dataclass(frozen=True, slots=True)
class RegisteredMachine:
    """What the registry says of one machine.

    Attributes:
        ttl_us: how long a state holds at most.
        cycle_us: the ideal cycle; None: none is registered.
        cohort_from_us: when each of its cohorts begins, in order; the first at or before ``in_use_from_us``.
        shift: of its factory's calendar; None: no calendar is registered.
    """

    ttl_us: int
    cycle_us: int | None
    in_use_from_us: int
    cohort_from_us: Sequence[int]
    shift: DailyShift | None = None

    def cohort_at(self, us: int) -> int:
        """Return the index of the cohort that it is in at an instant."""
        return bisect_right(self.cohort_from_us, us) - 1


@dataclass(slots=True)
class Account:
    """What a machine did on one day while in one cohort: microseconds, pieces, failures.

    Idle time outside the shift is off shift.
    """

    state_us: Counter[State] = field(default_factory=Counter)
    scheduled_evidence_us: int = 0
    mode_us: Counter[Mode] = field(default_factory=Counter)
    good: int = 0
    scrap: int = 0
    rework: int = 0
    count_rows: int = 0
    failures: int = 0

    @property
    def is_connected(self) -> bool:
        """Whether it has evidence or a count."""
        return bool(self.state_us) or self.count_rows > 0

    @property
    def pieces(self) -> int:
        return self.good + self.scrap + self.rework


@dataclass(slots=True)
class MachineTruth:
    """One machine's accounts within a window, by index of its cohort and by day, and its counted days.

    A day is counted by all of its rows, also by those outside the window.
    """

    accounts: dict[tuple[int, dt.date], Account]
    counted_days: set[dt.date]


def rows_in_force(sent: Iterable[Delivery]) -> dict[str, list[StateRow | CountRow]]:
    """Return each machine's rows in force, by instant.

    Args:
        sent: everything sent, in the order of arrival.
    """
    best: dict[tuple[type, str, int, str], Delivery] = {}
    for delivery in sent:
        row = delivery.row
        product = row.product if isinstance(row, CountRow) else ""
        known = best.get(identity := (type(row), row.machine_id, row.at_us, product))
        if known is None or delivery.revision > known.revision:
            best[identity] = delivery
    by_machine: dict[str, list[StateRow | CountRow]] = {}
    for delivery in sorted(best.values(), key=lambda delivery: delivery.row.at_us):
        if not delivery.row.retracted:
            by_machine.setdefault(delivery.row.machine_id, []).append(delivery.row)
    return by_machine


def machine_truth(
    registered: RegisteredMachine, rows: Sequence[StateRow | CountRow], from_us: int, to_us: int
) -> MachineTruth:
    """Return the accounts over [from_us, to_us) of a machine's rows in force, which are ordered by instant."""
    states = [row for row in rows if isinstance(row, StateRow)]
    counts = [row for row in rows if isinstance(row, CountRow)]
    truth = MachineTruth({}, set())
    days_with_evidence: set[dt.date] = set()
    for row, start_us, end_us in holds(registered, states):
        days_with_evidence.update(days_touched(start_us, end_us))
        for part in parts_of(registered, max(start_us, from_us), min(end_us, to_us)):
            account = truth.accounts.setdefault((part.cohort, part.day), Account())
            is_off_shift = row.state is State.idle and not part.is_scheduled
            length_us = part.length_us
            account.state_us[State.off_shift if is_off_shift else row.state] += length_us
            if part.is_scheduled:
                account.scheduled_evidence_us += length_us
            if row.state is State.producing:
                account.mode_us[row.mode] += length_us
    for at_us in failures(registered, states):
        if from_us <= at_us < to_us:
            account_at(truth, registered, at_us).failures += 1
    for count in counts:
        if from_us <= count.at_us < to_us:
            account = account_at(truth, registered, count.at_us)
            account.good += count.good
            account.scrap += count.scrap
            account.rework += count.rework
            account.count_rows += 1
    truth.counted_days = days_with_evidence & {seoul_day(count.at_us) for count in counts}
    return truth


def account_at(truth: MachineTruth, registered: RegisteredMachine, us: int) -> Account:
    """Return the account to which an instant belongs."""
    return truth.accounts.setdefault((registered.cohort_at(us), seoul_day(us)), Account())


def holds(registered: RegisteredMachine, states: Sequence[StateRow]) -> Iterator[tuple[StateRow, int, int]]:
    """Yield each state other than ``unknown`` with the start and end of its hold within the time in use."""
    for index, row in enumerate(states):
        end_us = row.at_us + registered.ttl_us
        if index + 1 < len(states):
            end_us = min(end_us, states[index + 1].at_us)
        start_us = max(row.at_us, registered.in_use_from_us)
        if start_us < end_us and row.state is not State.unknown:
            yield row, start_us, end_us


def failures(registered: RegisteredMachine, states: Sequence[StateRow]) -> Iterator[int]:
    """Yield the instants at which the machine became faulted while a known state other than faulted held."""
    for before, row in pairwise(states):
        still_held = row.at_us - before.at_us <= registered.ttl_us
        if row.state is State.faulted and still_held and before.state not in (State.faulted, State.unknown):
            yield row.at_us


class Part(NamedTuple):
    """A part of a stretch of time: the index of the cohort, the day, the length, and whether it is in a shift."""

    cohort: int
    day: dt.date
    length_us: int
    is_scheduled: bool


def parts_of(registered: RegisteredMachine, start_us: int, end_us: int) -> Iterator[Part]:
    """Split [start_us, end_us) at midnights, at changes of cohort and where shifts begin and end."""
    while start_us < end_us:
        cohort = registered.cohort_at(start_us)
        day = seoul_day(start_us)
        until_us = min(end_us, seoul_midnight_us(day) + DAY_US)
        if cohort + 1 < len(registered.cohort_from_us):
            until_us = min(until_us, registered.cohort_from_us[cohort + 1])
        is_scheduled = True
        if registered.shift is not None:
            shift = registered.shift.on(day)
            until_us = min([until_us, *(edge for edge in shift if edge > start_us)])
            is_scheduled = shift[0] <= start_us < shift[1]
        yield Part(cohort, day, until_us - start_us, is_scheduled)
        start_us = until_us


def days_touched(start_us: int, end_us: int) -> set[dt.date]:
    """Return the days that [start_us, end_us) touches; it must be shorter than two days."""
    return {seoul_day(start_us), seoul_day((start_us + end_us - 1) // 2), seoul_day(end_us - 1)}
