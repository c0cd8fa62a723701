"""What the platform must make of the rows that a simulated factory sent: plain arithmetic, row by row. Pure.

Shares no code with analytics, which it is there to check. Which row counts: of an identity, the first of its highest
revision; one withdrawn counts as absent. A state holds until the machine's next one, or for its hold time. Times are
microseconds, half-open.
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

BUSY = (State.producing, State.setup, State.delayed, State.faulted, State.idle)


@dataclass(frozen=True, slots=True)
class Registered:
    """One machine as registered: no ideal cycle is None; ``cohort_from_us`` are the instants at which it changes
    cohort, the first at or before ``in_use_from_us``.
    """

    ttl_us: int
    cycle_us: int | None
    in_use_from_us: int
    cohort_from_us: Sequence[int]

    def cohort_at(self, us: int) -> int:
        """Which of its cohorts it is in, by place."""
        return bisect_right(self.cohort_from_us, us) - 1


@dataclass(slots=True)
class Account:
    """What a machine did while in one cohort, on one day: microseconds, pieces, failures."""

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
    """A machine within a window: accounts by cohort (its place) and day; and its days with counts and evidence, on the
    whole of them, not only what of them is in the window.
    """

    accounts: dict[tuple[int, dt.date], Account]
    counted_days: set[dt.date]


def rows_that_count(sent: Iterable[Delivery]) -> dict[str, list[StateRow | CountRow]]:
    """By machine, the rows in force of all that were sent, in the order in which they arrived; by instant."""
    best: dict[tuple[type, str, int, str], Delivery] = {}
    for delivery in sent:
        row = delivery.row
        product = row.product if isinstance(row, CountRow) else ""
        known = best.get(identity := (type(row), row.machine_id, row.at_us, product))
        if known is None or delivery.revision > known.revision:
            best[identity] = delivery
    found: dict[str, list[StateRow | CountRow]] = {}
    for delivery in sorted(best.values(), key=lambda delivery: delivery.row.at_us):
        if not delivery.row.retracted:
            found.setdefault(delivery.row.machine_id, []).append(delivery.row)
    return found


def machine_truth(
    registered: Registered, rows: Sequence[StateRow | CountRow], from_us: int, to_us: int
) -> MachineTruth:
    """What a machine's rows in force, by instant, come to in [from_us, to_us)."""
    states = [row for row in rows if isinstance(row, StateRow)]
    counts = [row for row in rows if isinstance(row, CountRow)]
    truth = MachineTruth({}, set())
    evident: set[dt.date] = set()
    for row, start_us, end_us in holds(registered, states):
        evident.update(days_of(start_us, end_us))
        for cohort, day, length_us in cut(registered, max(start_us, from_us), min(end_us, to_us)):
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
    truth.counted_days = evident & {seoul_day(count.at_us) for count in counts}
    return truth


def account_at(truth: MachineTruth, registered: Registered, us: int) -> Account:
    return truth.accounts.setdefault((registered.cohort_at(us), seoul_day(us)), Account())


def holds(registered: Registered, states: Sequence[StateRow]) -> Iterator[tuple[StateRow, int, int]]:
    """How long each state that says something holds, within the time in use."""
    for place, row in enumerate(states):
        end_us = row.at_us + registered.ttl_us
        if place + 1 < len(states):
            end_us = min(end_us, states[place + 1].at_us)
        start_us = max(row.at_us, registered.in_use_from_us)
        if start_us < end_us and row.state is not State.unknown:
            yield row, start_us, end_us


def failures(registered: Registered, states: Sequence[StateRow]) -> Iterator[int]:
    """The instants at which a machine of which something else was known just before became faulted."""
    for before, row in pairwise(states):
        still_held = row.at_us - before.at_us <= registered.ttl_us
        if row.state is State.faulted and still_held and before.state not in (State.faulted, State.unknown):
            yield row.at_us


def cut(registered: Registered, start_us: int, end_us: int) -> Iterator[tuple[int, dt.date, int]]:
    """[start_us, end_us) cut at midnights and changes of cohort: cohort, day and length of each piece."""
    while start_us < end_us:
        cohort = registered.cohort_at(start_us)
        day = seoul_day(start_us)
        until_us = min(end_us, seoul_midnight_us(day) + DAY_US)
        if cohort + 1 < len(registered.cohort_from_us):
            until_us = min(until_us, registered.cohort_from_us[cohort + 1])
        yield cohort, day, until_us - start_us
        start_us = until_us


def days_of(start_us: int, end_us: int) -> set[dt.date]:
    """The days that [start_us, end_us), shorter than two days, touches."""
    return {seoul_day(start_us), seoul_day((start_us + end_us - 1) // 2), seoul_day(end_us - 1)}
