"""Replaces accounts of machines' hours, and with them everything that is derived from them.

Days' flags, open holds, factories' hours and days follow in the same transaction, from the figures in hand: what is
stored is read once, deleted, and written again. Sums by cohort, and the judging of days that are over, are queued. The
transaction holds the locks of the shards concerned.
"""

from dataclasses import dataclass, replace

import numpy as np

from services.analytics import account_tables as tables
from services.analytics.accounts import Accounted, HourRanges, hour_code, in_ranges
from services.analytics.in_force import Ints
from services.analytics.sums import (
    COUNT_DAYS,
    HOURS,
    MACHINE_DAY_COLUMNS,
    NO_COHORT,
    NO_HOURS,
    Bools,
    FactorySums,
    Holds,
    MachineDays,
    MachineHours,
    added_up,
    changed_rows,
    day_at,
    day_code,
    days_of_hours,
    days_of_machines,
    distinct,
    factory_hours,
    flags_of,
    is_among,
    joined_days,
    joined_holds,
    joined_hours,
    joined_sums,
    morning_of,
    united,
)
from services.core.database import Connection
from services.core.times import DAY_US, HOUR_US, floor_to


@dataclass(frozen=True, slots=True)
class Factories:
    """The factory of each machine; ``machine`` is sorted and has every machine that is asked for."""

    machine: Ints
    factory: Ints

    def of(self, machine: Ints) -> Ints:
        """Return the factory of each machine."""
        found: Ints = self.factory[np.searchsorted(self.machine, machine)]
        return found


@dataclass(frozen=True, slots=True)
class Owners:
    """The cohort of each machine on all days about the hours; ``machine`` is sorted."""

    machine: Ints
    cohort: Ints

    def of(self, machine: Ints) -> Ints:
        """Return the cohort of each machine, NO_COHORT where it is not known."""
        place = np.minimum(np.searchsorted(self.machine, machine), len(self.machine) - 1)
        found: Ints = np.where(self.machine[place] == machine, self.cohort[place], NO_COHORT)
        return found


@dataclass(frozen=True, slots=True)
class Replacement:
    """Hours accounted again: their ranges, what was found there before ``until_us``, and the factory of each machine.

    Attributes:
        whole_factories: every machine of every factory is accounted in the same hour, so nothing else is in their
        packs.
        owners: the cohorts to which days of machines belong, where that is known already; NO_COHORT where it is not.
    """

    ranges: HourRanges
    accounted: Accounted
    until_us: int
    factories: Factories
    whole_factories: bool = False
    owners: Owners | None = None


async def replace_hours(connection: Connection, work: Replacement) -> None:
    """Replace the hours in the ranges, and everything derived from them."""
    closed, still_open = work.accounted.closed, work.accounted.open
    new = MachineHours(work.factories.of(closed.machine), closed.hour_us, closed)
    places, old, touched = await replace_packs(connection, work, new)
    reached = np.unique(work.ranges.machine[work.ranges.to_us >= work.until_us])
    taken = await tables.take_holds(connection, np.unique(work.factories.of(reached)))
    own = is_among(taken.open.machine, reached)
    before, kept = taken.chosen(own), taken.chosen(~own)
    after = Holds(work.factories.of(still_open.machine), still_open, np.zeros(len(still_open.machine), np.int64))
    lost, found = flags_of(old, before, work.until_us), flags_of(new, after, work.until_us)
    days = await replace_days(connection, lost, found, flags_of(NO_HOURS, kept, work.until_us), work.owners)
    further = await tables.take_holds(connection, factories_with_other_flips(days, reached, kept, work.until_us))
    holds = joined_holds((kept, further, after))
    here = np.full(len(holds.factory), day_at(work.until_us))
    counted = is_among(day_code(holds.open.machine, here), days.counted_codes())
    known = is_among(day_code(holds.open.machine, here), days.known_codes())
    counted_now = np.where(known, counted, holds.counted == 1).astype(np.int64)
    changed = holds.chosen((counted_now != holds.counted) | is_among(holds.open.machine, reached))
    await tables.add_holds(connection, replace(holds, counted=counted_now))
    hours, factory_days = await replace_sums(connection, places, touched, days)
    holding = np.concatenate([before.open.cohort, changed.open.cohort])
    await tables.queue_cohorts(connection, hours, factory_days, holding, floor_to(work.until_us - 1, HOUR_US))
    await mark_days_to_judge(connection, places, work.until_us)


async def mark_days_to_judge(connection: Connection, places: tuple[Ints, Ints], until_us: int) -> None:
    """Have the days of factories' hours judged again by the plausibility rules; the running one is when it is over."""
    factory, day = places[0], day_at(places[1])
    over = day < day_at(until_us)
    if over.any():
        await tables.queue_flags(connection, *distinct(factory[over], day[over], day_code(factory[over], day[over])))


async def replace_packs(
    connection: Connection, work: Replacement, new: MachineHours
) -> tuple[tuple[Ints, Ints], MachineHours, MachineHours]:
    """Replace the closed accounts in the ranges.

    Returns:
        The factories' hours in which there was an account or is one now; the accounts that were there; and all
        accounts that these hours have now.
    """
    read = tables.read_evidence if work.whole_factories else tables.read_hours
    stored = await read(connection, *factory_ranges(work))
    inside = in_ranges(hour_code(stored.accounts.machine, stored.hour_us), work.ranges)
    old, others = stored.chosen(inside), stored.chosen(~inside)
    factory, hour_us = np.concatenate([old.factory, new.factory]), np.concatenate([old.hour_us, new.hour_us])
    places = distinct(factory, hour_us, hour_code(factory, hour_us))
    others = others.chosen(is_among(hour_code(others.factory, others.hour_us), hour_code(*places)))
    touched = joined_hours((others, new))
    if len(old.factory) or len(others.factory):
        await tables.drop_hours(connection, *places)
    await tables.add_hours(connection, touched)
    return places, old, touched


def factory_ranges(work: Replacement) -> tuple[Ints, Ints, Ints]:
    """Return the ranges by factory, those that overlap or touch as one."""
    factory = work.factories.of(work.ranges.machine)
    if work.whole_factories:
        whole = np.unique(factory)
        from_us, to_us = int(work.ranges.from_us[0]), int(work.ranges.to_us[0])
        return whole, np.full(len(whole), from_us), np.full(len(whole), to_us)
    order = np.lexsort((work.ranges.from_us, factory))
    factory, start, end = factory[order], work.ranges.from_us[order], work.ranges.to_us[order]
    found: list[tuple[int, int, int]] = []
    for own, from_us, to_us in zip(factory.tolist(), start.tolist(), end.tolist(), strict=True):
        if found and found[-1][0] == own and from_us <= found[-1][2]:
            found[-1] = (own, found[-1][1], max(found[-1][2], to_us))
        else:
            found.append((own, from_us, to_us))
    columns = np.array(found, np.int64).reshape(-1, 3).T
    return columns[0], columns[1], columns[2]


@dataclass(frozen=True, slots=True)
class Days:
    """Machine-days: some of those of factories were ``before`` and are ``after``; ``stored`` are all of them now."""

    before: MachineDays
    after: MachineDays
    stored: MachineDays

    def counted_codes(self) -> Ints:
        """Return the codes of all machine-days that are counted now."""
        counting = self.stored.chosen(self.stored.counted)
        return day_code(counting.machine, counting.day)

    def known_codes(self) -> Ints:
        """Return the codes of all machine-days that were replaced."""
        return day_code(self.after.machine, self.after.day)

    def are_unchanged(self) -> bool:
        """Return whether every row is as it was."""
        if len(self.before.machine) != len(self.after.machine):
            return False
        orders = [np.argsort(day_code(days.machine, days.day)) for days in (self.before, self.after)]
        return all(
            np.array_equal(getattr(self.before, name)[orders[0]], getattr(self.after, name)[orders[1]])
            for name in MACHINE_DAY_COLUMNS
        )

    def flipped(self) -> MachineDays:
        """Return the days that are counted now and were not, or the other way round."""
        was, now = self.before.chosen(self.before.counted), self.after.chosen(self.after.counted)
        was_code, now_code = day_code(was.machine, was.day), day_code(now.machine, now.day)
        return joined_days((was.chosen(~is_among(was_code, now_code)), now.chosen(~is_among(now_code, was_code))))


async def replace_days(
    connection: Connection, lost: MachineDays, found: MachineDays, held: MachineDays, owners: Owners | None
) -> Days:
    """Replace the flags of machines' days in which hours were accounted again.

    A flag that the hours gave before and do not give now may come from other hours of the day, which are then read.

    Args:
        lost: what the hours gave before.
        found: what they give now.
        held: what open holds of other machines of these factories give, which are not in their table at the moment.
    """
    affected = united(joined_days((lost, found)))
    places = distinct(affected.factory, affected.day, day_code(affected.factory, affected.day))
    stored = await tables.read_days(connection, *places)
    concerned = is_among(day_code(stored.machine, stored.day), day_code(affected.machine, affected.day))
    before, kept = stored.chosen(concerned), stored.chosen(~concerned)
    falls = may_fall(lost, found)
    still = before.chosen(~is_among(day_code(before.machine, before.day), day_code(falls.machine, falls.day)))
    read = await tables.read_flags(connection, falls)
    held = held.chosen(is_among(day_code(held.machine, held.day), day_code(falls.machine, falls.day)))
    nobodys = replace(still, cohort=np.full(len(still.cohort), NO_COHORT))
    after = united(joined_days((nobodys, found, read, held)))
    known = owners.of(after.machine) if owners is not None and len(owners.machine) else None
    after = replace(after, cohort=await tables.day_owners(connection, after, known))
    days = Days(before, after, joined_days((kept, after)))
    if not days.are_unchanged():
        await tables.drop_days(connection, *places)
        await tables.add_days(connection, days.stored)
    return days


def may_fall(lost: MachineDays, found: MachineDays) -> MachineDays:
    """Return the days of which a flag, or the row itself, may not be true any more."""
    lost_code, found_code = day_code(lost.machine, lost.day), day_code(found.machine, found.day)
    gone = ~is_among(lost_code, found_code)
    for name in ("has_counts", "has_evidence", "is_signed"):
        had, has = getattr(lost, name), getattr(found, name)
        gone |= had & ~is_among(lost_code, found_code[has])
    return lost.chosen(gone)


def factories_with_other_flips(days: Days, reached: Ints, kept: Holds, until_us: int) -> Ints:
    """Return the factories, beside those of ``kept``, of other machines whose running day flipped."""
    flipped = days.flipped()
    here = (flipped.day == day_at(until_us)) & ~is_among(flipped.machine, reached)
    return np.setdiff1d(flipped.factory[here], kept.factory)


async def replace_sums(
    connection: Connection, places: tuple[Ints, Ints], touched: MachineHours, days: Days
) -> tuple[FactorySums, FactorySums]:
    """Replace the hours and days of factories.

    A day that has become counted, or is not any more, changes all hours of its factory.

    Args:
        places: the factories' hours in which an account may have changed; ``touched`` are all accounts there.

    Returns:
        The hours and days that went, came or changed.
    """
    flipped = days.flipped()
    factory, day = distinct(flipped.factory, flipped.day, day_code(flipped.factory, flipped.day))
    rest = await tables.read_hours(connection, *hours_beside(factory, morning_of(day), places))
    rest = rest.chosen(~is_among(hour_code(rest.factory, rest.hour_us), hour_code(*places)))
    now = joined_hours((touched, rest))
    after = factory_hours(now, is_among(day_code(now.accounts.machine, day_at(now.hour_us)), days.counted_codes()))
    factory, hour_us = np.concatenate([places[0], rest.factory]), np.concatenate([places[1], rest.hour_us])
    before = await tables.take_factory_hours(connection, *distinct(factory, hour_us, hour_code(factory, hour_us)))
    await tables.add_factory_hours(connection, after)
    went, came = changed_rows(before, after)
    if not (went.any() or came.any() or not days.are_unchanged()):
        return before.chosen(went), before.chosen(went)
    changes = (
        days_of_hours(before.chosen(went), -1),
        days_of_hours(after.chosen(came), 1),
        days_of_machines(days.before, -1),
        days_of_machines(days.after, 1),
    )
    change = added_up(joined_sums(changes))
    change = change.chosen((change.narrow != 0).any(axis=1) | (change.wide != 0).any(axis=1))
    stored = await tables.take_factory_days(
        connection, *distinct(change.factory, change.at, day_code(change.factory, change.at))
    )
    sums = added_up(joined_sums((stored, change)))
    await tables.add_factory_days(connection, sums.chosen(has_rows(sums)))
    return joined_sums((before.chosen(went), after.chosen(came))), change


def hours_beside(factory: Ints, morning_us: Ints, places: tuple[Ints, Ints]) -> tuple[Ints, Ints, Ints]:
    """Return the ranges of factories' days without ``places``, of which a factory may have some left in between.

    Returns:
        Factory, beginning and end of each range.
    """
    code = day_code(places[0], day_at(places[1]))
    order = np.lexsort((places[1], code))
    ordered, hours = code[order], places[1][order]
    wanted = day_code(factory, day_at(morning_us))
    first = np.searchsorted(ordered, wanted, "left")
    last = np.searchsorted(ordered, wanted, "right") - 1
    start = end = morning_us
    if len(hours):
        known = last >= first
        start = np.where(known, hours[np.minimum(first, len(hours) - 1)], morning_us)
        end = np.where(known, hours[np.maximum(last, 0)] + HOUR_US, morning_us)
    # Only beside hours in one piece are there two ranges; else the day is read as a whole.
    in_one_piece = end - start == (last - first + 1) * HOUR_US
    start, end = np.where(in_one_piece, start, morning_us), np.where(in_one_piece, end, morning_us)
    beginnings, ends = np.concatenate([morning_us, end]), np.concatenate([start, morning_us + DAY_US])
    there = beginnings < ends
    return np.concatenate([factory, factory])[there], beginnings[there], ends[there]


def has_rows(days: FactorySums) -> Bools:
    """Return whether anything is left of each factory's day: an hour, or a machine-day with counts."""
    return (days.narrow[:, HOURS] > 0) | (days.narrow[:, COUNT_DAYS] > 0)
