"""Adds up what machines did in hours: to days' flags, factories' hours and factories' days. Pure, exact, in columns.

Of figures, ``narrow`` has those whose sums 64 bits hold, ``wide`` the others. Days are numbered from the Unix epoch,
in Seoul.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from services.analytics.accounts import Accounted, Accounts, Objects
from services.analytics.figures import FACTORY_NARROW, FACTORY_WIDE, ON_COUNTED_DAYS, SUMS, WIDE
from services.analytics.held_time import OPEN_HOLD_COLUMNS, InstantsAhead, OpenHolds
from services.analytics.in_force import Ints
from services.core.times import DAY_US, SEOUL_OFFSET_US

Bools = npt.NDArray[np.bool_]

LARGEST = 2**63 - 1
DAY_BITS = 24
NO_COHORT = 0
HOURS, COUNT_DAYS, COUNTED_DAYS = -3, -2, -1
"""The last columns of ``narrow`` in sums by day."""


@dataclass(frozen=True, slots=True)
class MachineHours:
    """Closed accounts of machines, with the factory of each. ``accounts`` has the same hours in its rows."""

    factory: Ints
    hour_us: Ints
    accounts: Accounts

    def chosen(self, rows: Bools) -> "MachineHours":
        """Return some of the rows."""
        a = self.accounts
        return MachineHours(
            self.factory[rows],
            self.hour_us[rows],
            Accounts(a.machine[rows], a.hour_us[rows], a.cohort[rows], a.sums[rows], a.wide[rows]),
        )


@dataclass(frozen=True, slots=True)
class Holds:
    """Open holds with the factory of each machine, and 1 where the machine's day is counted, else 0."""

    factory: Ints
    open: OpenHolds
    counted: Ints

    def chosen(self, rows: Bools) -> "Holds":
        """Return some of the rows."""
        return Holds(self.factory[rows], self.open.chosen(rows), self.counted[rows])


@dataclass(frozen=True, slots=True)
class MachineDays:
    """Flags of machines' days; ``cohort`` is whose the day is, or NO_COHORT if nobody's or no counts were made."""

    factory: Ints
    day: Ints
    machine: Ints
    cohort: Ints
    has_counts: Bools
    has_evidence: Bools
    is_signed: Bools

    @property
    def counted(self) -> Bools:
        """Whether throughput and effectiveness count the day."""
        return self.has_counts & self.has_evidence

    def chosen(self, rows: Bools) -> "MachineDays":
        """Return some of the rows."""
        return MachineDays(*[getattr(self, name)[rows] for name in MACHINE_DAY_COLUMNS])


MACHINE_DAY_COLUMNS = ("factory", "day", "machine", "cohort", "has_counts", "has_evidence", "is_signed")


@dataclass(frozen=True, slots=True)
class FactorySums:
    """Sums by factory, time (an hour in microseconds, or a day's number) and cohort."""

    factory: Ints
    at: Ints
    cohort: Ints
    narrow: Ints
    wide: Ints | Objects

    def chosen(self, rows: Bools) -> "FactorySums":
        """Return some of the rows."""
        return FactorySums(self.factory[rows], self.at[rows], self.cohort[rows], self.narrow[rows], self.wide[rows])


Instant = TypeVar("Instant", int, Ints)


def day_at(instant_us: Instant) -> Instant:
    """Return the number of an instant's day."""
    return (instant_us + SEOUL_OFFSET_US) // DAY_US


def morning_of(day: Ints) -> Ints:
    """Return the instants at which days begin."""
    return day * DAY_US - SEOUL_OFFSET_US


def day_code(thing: Ints, day: Ints) -> Ints:
    """Return a machine or factory and a day as one number."""
    return (thing << DAY_BITS) | day


def day_parts(code: Ints) -> tuple[Ints, Ints]:
    """Return the machines or factories and the days that ``day_code`` made numbers of."""
    return code >> DAY_BITS, code & ((1 << DAY_BITS) - 1)


def is_among(codes: Ints, others: Ints) -> Bools:
    """Return whether each number is one of some others."""
    if len(others) == 0:
        return np.zeros(len(codes), bool)
    ordered = np.sort(others)
    place = np.minimum(np.searchsorted(ordered, codes), len(ordered) - 1)
    found: Bools = ordered[place] == codes
    return found


def distinct(first: Ints, second: Ints, code: Ints) -> tuple[Ints, Ints]:
    """Return the distinct pairs of two columns, of which ``code`` makes one number each."""
    _, where = np.unique(code, return_index=True)
    return first[where], second[where]


def joined_hours(parts: Sequence[MachineHours]) -> MachineHours:
    """Return several tables' rows as one table."""
    parts = [part for part in parts if len(part.factory)] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    accounts = [part.accounts for part in parts]
    hour_us = np.concatenate([part.hour_us for part in parts])
    return MachineHours(
        np.concatenate([part.factory for part in parts]),
        hour_us,
        Accounts(
            np.concatenate([own.machine for own in accounts]),
            hour_us,
            np.concatenate([own.cohort for own in accounts]),
            np.concatenate([own.sums for own in accounts]),
            joined_wide([own.wide for own in accounts]),
        ),
    )


def joined_days(parts: Sequence[MachineDays]) -> MachineDays:
    """Return several tables' rows as one table."""
    return MachineDays(*[np.concatenate([getattr(part, name) for part in parts]) for name in MACHINE_DAY_COLUMNS])


def joined_holds(parts: Sequence[Holds]) -> Holds:
    """Return several tables' rows as one table."""
    return Holds(
        np.concatenate([part.factory for part in parts]),
        OpenHolds(*[np.concatenate([getattr(part.open, name) for part in parts]) for name in OPEN_HOLD_COLUMNS]),
        np.concatenate([part.counted for part in parts]),
    )


def joined_results(parts: Sequence[Accounted]) -> Accounted:
    """Return several results as one."""
    closed = joined_hours([MachineHours(part.closed.machine, part.closed.hour_us, part.closed) for part in parts])
    holds = {name: np.concatenate([getattr(part.open, name) for part in parts]) for name in OPEN_HOLD_COLUMNS}
    ahead = InstantsAhead(
        np.concatenate([part.ahead.machine for part in parts]), np.concatenate([part.ahead.at_us for part in parts])
    )
    return Accounted(closed.accounts, OpenHolds(**holds), ahead)


def joined_wide(parts: Sequence[Ints | Objects]) -> Ints | Objects:
    """Return wide numbers as one array, of 64 bits if all parts are."""
    if any(part.dtype == object for part in parts):
        return np.concatenate([part.astype(object) for part in parts])
    return np.concatenate([part.astype(np.int64) for part in parts])


def groups(keys: Sequence[Ints]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return an order in which equal keys are together, the first key first, and where in it each group begins."""
    order = np.lexsort(tuple(reversed(keys)))
    return order, beginnings(order, keys)


def beginnings(order: npt.NDArray[np.intp], keys: Sequence[Ints]) -> npt.NDArray[np.intp]:
    """Return where in an order the rows of each group of equal keys begin."""
    changed = np.zeros(len(order), bool)
    changed[:1] = True
    for key in keys:
        ordered = key[order]
        changed[1:] |= ordered[1:] != ordered[:-1]
    return np.flatnonzero(changed)


def in_order(values: Any, order: npt.NDArray[np.intp]) -> Any:
    """Return values in an order; themselves if that is the order in which they are."""
    if len(order) and order[0] == 0 and (order[1:] == order[:-1] + 1).all():
        return values
    return values[order]


def added_up(sums: FactorySums) -> FactorySums:
    """Return one row for each key, with the sums of its rows."""
    order, starts = groups((sums.factory, sums.at, sums.cohort))
    if len(order) == 0:
        return sums
    first = order[starts]
    wide = sums.wide
    if wide.dtype != object and wide.size and int(np.abs(wide).max()) > LARGEST // len(wide):
        wide = wide.astype(object)
    return FactorySums(
        sums.factory[first],
        sums.at[first],
        sums.cohort[first],
        np.add.reduceat(in_order(sums.narrow, order), starts),
        np.add.reduceat(in_order(wide, order), starts),
    )


def factory_hours(hours: MachineHours, counted: Bools) -> FactorySums:
    """Return the sums of factories' hours.

    Args:
        counted: whether the day of each row's machine is counted.
    """
    accounts = hours.accounts
    narrow = np.empty((len(hours.factory), len(FACTORY_NARROW)), np.int64, order="F")
    for place, name in enumerate(FACTORY_NARROW):
        if name in ON_COUNTED_DAYS:
            narrow[:, place] = np.sum([accounts.sums[:, SUMS.index(own)] for own in ON_COUNTED_DAYS[name]], axis=0)
            narrow[~counted, place] = 0
        else:
            narrow[:, place] = accounts.sums[:, SUMS.index(name)]
    wide: Ints | Objects = np.zeros((len(hours.factory), len(FACTORY_WIDE)), accounts.wide.dtype, order="F")  # type: ignore[assignment]
    for place, name in enumerate(FACTORY_WIDE):
        wide[:, place] = sum(accounts.wide[:, WIDE.index(own)] for own in ON_COUNTED_DAYS[name])
        wide[~counted, place] = 0
    return added_up(FactorySums(hours.factory, hours.hour_us, accounts.cohort, narrow, wide))


def days_of_hours(hours: FactorySums, sign: int) -> FactorySums:
    """Return what hours add to their days (``sign`` 1), or take from them (-1)."""
    rest = np.zeros((len(hours.factory), 3), np.int64)
    rest[:, HOURS] = 1
    narrow = sign * np.concatenate([hours.narrow, rest], axis=1)
    return FactorySums(hours.factory, day_at(hours.at), hours.cohort, narrow, sign * hours.wide)


def days_of_machines(days: MachineDays, sign: int) -> FactorySums:
    """Return what machine-days with counts add to the days of their factories (``sign`` 1), or take from them (-1)."""
    own = days.chosen(days.has_counts & (days.cohort != NO_COHORT))
    narrow = np.zeros((len(own.factory), len(FACTORY_NARROW) + 3), np.int64)
    narrow[:, COUNT_DAYS] = sign
    narrow[:, COUNTED_DAYS] = sign * own.counted.astype(np.int64)
    return FactorySums(
        own.factory, own.day, own.cohort, narrow, np.zeros((len(own.factory), len(FACTORY_WIDE)), np.int64)
    )


def joined_sums(parts: Sequence[FactorySums]) -> FactorySums:
    """Return several tables' rows as one table."""
    return FactorySums(
        np.concatenate([part.factory for part in parts]),
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.cohort for part in parts]),
        np.concatenate([part.narrow for part in parts]),
        joined_wide([part.wide for part in parts]),
    )


def changed_rows(before: FactorySums, after: FactorySums) -> tuple[Bools, Bools]:
    """Return which rows went, and which came; one with other figures did both. A key is at most once in each."""
    keys = [np.concatenate([getattr(before, name), getattr(after, name)]) for name in ("factory", "at", "cohort")]
    order, starts = groups(keys)
    paired = np.zeros(len(order), bool)
    twice = starts[np.diff(np.append(starts, len(order))) == 2]
    old, new = order[twice], order[twice + 1]
    same = (before.narrow[old] == after.narrow[new - len(before.factory)]).all(axis=1)
    same &= (before.wide[old] == after.wide[new - len(before.factory)]).all(axis=1)
    paired[old[same]] = paired[new[same]] = True
    return ~paired[: len(before.factory)], ~paired[len(before.factory) :]


def flags_of(hours: MachineHours, holds: Holds, until_us: int) -> MachineDays:
    """Return the flags that hours, and open holds before ``until_us``, give their machines' days; without cohorts."""
    sums, held = hours.accounts.sums, holds.chosen(holds.open.from_us < until_us)
    count = len(held.factory)
    factory = np.concatenate([hours.factory, held.factory])
    day = day_at(np.concatenate([hours.hour_us, held.open.from_us]))
    machine = np.concatenate([hours.accounts.machine, held.open.machine])
    flags = [
        np.concatenate([sums[:, SUMS.index(name)] > 0, np.full(count, of_hold)])
        for name, of_hold in (("count_rows", False), ("evidence_us", True), ("signed_count_rows", False))
    ]
    return united(MachineDays(factory, day, machine, np.full(len(factory), NO_COHORT), *flags))


def united(days: MachineDays) -> MachineDays:
    """Return one row for each machine and day, with every flag that one of its rows has."""
    order, starts = groups((day_code(days.machine, days.day),))
    if len(order) == 0:
        return days
    first = order[starts]
    flags = [
        np.logical_or.reduceat(flag[order], starts) for flag in (days.has_counts, days.has_evidence, days.is_signed)
    ]
    cohort = np.maximum.reduceat(days.cohort[order], starts)
    return MachineDays(days.factory[first], days.day[first], days.machine[first], cohort, *flags)


NOTHING = np.empty(0, np.int64)
NO_HOURS = MachineHours(
    NOTHING,
    NOTHING,
    Accounts(NOTHING, NOTHING, NOTHING, np.empty((0, len(SUMS)), np.int64), np.empty((0, len(WIDE)), np.int64)),
)
