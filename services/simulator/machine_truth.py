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

from schemas.wire.codes import Mode, State
from services.core.times import DAY_US, seoul_day, seoul_midnight_us
from services.gateway import CountRow, StateRow
from services.simulator.mishaps import Delivery

PLANNED_BUSY = (State.producing, State.setup, State.delayed, State.faulted, State.idle)


@dataclass(frozen=True, slots=True)
class RegisteredMachine:
    """What the registry says of one machine.

    Attributes:
        ttl_us: how long a state holds at most.
        cycle_us: the ideal cycle; None: none is registered.
        cohort_from_us: when each of its cohorts begins, in order; the first at or before ``in_use_from_us``.
    """

    ttl_us: int
    cycle_us: int | None
    in_use_from_us: int
    cohort_from_us: Sequence[int]

    def cohort_at(self, us: int) -> int:
        """Return the index of the cohort that it is in at an instant."""
        return bisect_right(self.cohort_from_us, us) - 1


@dataclass(slots=True)
class Account:
    """What a machine did on one day while in one cohort: microseconds, pieces, failures."""

    state_us: Counter[State] = field(default_factory=Counter)
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
        for cohort, day, length_us in split_by_cohort_and_day(registered, max(start_us, from_us), min(end_us, to_us)):
            account = truth.accounts.setdefault((cohort, day), Account())
            account.state_us[row.state] += length_us
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


def split_by_cohort_and_day(
    registered: RegisteredMachine, start_us: int, end_us: int
) -> Iterator[tuple[int, dt.date, int]]:
    """Split [start_us, end_us) at midnights and changes of cohort; yield each part's cohort index, day and length."""
    while start_us < end_us:
        cohort = registered.cohort_at(start_us)
        day = seoul_day(start_us)
        until_us = min(end_us, seoul_midnight_us(day) + DAY_US)
        if cohort + 1 < len(registered.cohort_from_us):
            until_us = min(until_us, registered.cohort_from_us[cohort + 1])
        yield cohort, day, until_us - start_us
        start_us = until_us


def days_touched(start_us: int, end_us: int) -> set[dt.date]:
    """Return the days that [start_us, end_us) touches; it must be shorter than two days."""
    return {seoul_day(start_us), seoul_day((start_us + end_us - 1) // 2), seoul_day(end_us - 1)}
