"""The plausibility rules that look at one machine's days, or at one factory's days of receipt. Pure, in columns.

Each function says which rows its rule is about. Tables are sorted by machine (or factory) and day. The rules that
compare machines, ``replayed_day`` and ``identical_series``, are joins of fingerprints, which the database does.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.plausibility_rules import RULES, RuleId
from services.analytics.flags.traits import NO_HOUR, Traits
from services.analytics.in_force import Ints
from services.core.times import DAY_US, SECOND_US

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def threshold(rule: RuleId, name: str) -> float:
    """Return a threshold of a rule."""
    return RULES[rule].thresholds[name]


@dataclass(frozen=True, slots=True)
class ReceiptDays:
    """What a factory's records of a Seoul day of receipt say of its clock, sorted by factory and day.

    Attributes:
        records: those received less than a day after their newest row.
        delay_us: the median of receipt less sent; ``offset_us``: of sent less the newest row's instant.
    """

    factory: Ints
    day: Ints
    records: Ints
    delay_us: Ints
    offset_us: Ints


def never_varies(traits: Traits) -> Bools:
    """Return the days of weeks in which a machine always produces, or all its counts are alike."""
    # Rows of no pieces are a rest, however regular.
    alike = (traits.count_rows >= threshold(RuleId.never_varies, "least_count_rows")) & (traits.even_pieces > 0)
    return in_producing_weeks(traits) | in_even_runs(traits, alike, int(threshold(RuleId.never_varies, "days_running")))


def in_producing_weeks(traits: Traits) -> Bools:
    """Return the days in any seven days running, all with data, that are covered and spent producing as a whole."""
    running = int(threshold(RuleId.never_varies, "days_running"))
    found = np.zeros(len(traits.day), bool)
    if len(traits.day) < running:
        return found

    def summed(values: Ints) -> Ints:
        total = np.concatenate([[0], np.cumsum(values)])
        sums: Ints = total[running:] - total[:-running]
        return sums

    last = running - 1
    whole = (traits.machine[last:] == traits.machine[: len(traits.machine) - last]) & (
        traits.day[last:] - traits.day[: len(traits.day) - last] == last
    )
    scheduled, evidence = summed(traits.scheduled_us), summed(traits.evidence_us)
    least_coverage = threshold(RuleId.never_varies, "least_coverage")
    covered = (scheduled > 0) & (summed(traits.scheduled_evidence_us) >= least_coverage * scheduled)
    producing = (evidence > 0) & (
        summed(traits.producing_us) >= threshold(RuleId.never_varies, "least_producing") * evidence
    )
    for start in np.flatnonzero(whole & covered & producing).tolist():
        found[start : start + running] = True
    return found


def in_even_runs(traits: Traits, chosen: Bools, running: int) -> Bools:
    """Return the chosen days in runs without a gap of at least so many days, with counts of one size and distance."""
    steps = traits.day - np.arange(len(traits.day))
    keys = np.stack([traits.machine, steps, traits.even_pieces, traits.even_us])
    starts = np.ones(len(traits.day), bool)
    starts[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0) | ~chosen[:-1]
    return in_long_groups(np.cumsum(starts), np.zeros(len(starts), np.int64), chosen, running)


def in_long_groups(first: Ints, second: Ints, chosen: Bools, least: int) -> Bools:
    """Return the chosen rows in stretches of at least ``least`` chosen rows with equal keys."""
    starts = np.ones(len(first), bool)
    starts[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1]) | (chosen[1:] != chosen[:-1])
    group = np.cumsum(starts) - 1
    sizes = np.bincount(group, minlength=1)
    return chosen & (sizes[group] >= least) if len(first) else chosen


def coverage_of(traits: Traits) -> Floats:
    """Return evidence in scheduled time over scheduled time, 0 where there is none."""
    return traits.scheduled_evidence_us / np.maximum(traits.scheduled_us, 1)


def producing_share_of(traits: Traits) -> Floats:
    """Return producing time over evidence, 0 where there is none."""
    return traits.producing_us / np.maximum(traits.evidence_us, 1)


def pieces_without_production(traits: Traits) -> Bools:
    """Return the days whose pieces were all made while nothing was produced, if there are several within a while."""
    rule = RuleId.pieces_without_production
    least, within = int(threshold(rule, "least_days")), int(threshold(rule, "within_days"))
    barren = np.flatnonzero(traits.barren == 1)
    machine, day = traits.machine[barren], traits.day[barren]
    found = np.zeros(len(traits.day), bool)
    # The row that makes a window full: least - 1 rows on, of the same machine, and not too late.
    for start in range(len(barren) - least + 1):
        end = start + least - 1
        if machine[start] == machine[end] and day[end] - day[start] < within:
            found[barren[start : end + 1]] = True
    return found


def beyond_capacity(traits: Traits) -> Bools:
    """Return the days with more pieces than the ideal cycle, or the capacity, allows in so many times 24 hours."""
    return times_allowed(traits) > threshold(RuleId.beyond_capacity, "most_times_allowed")


def times_allowed(traits: Traits) -> Floats:
    """Return the day's pieces over what is allowed in 24 hours; the greater of the two where both are registered."""
    by_cycle = traits.ideal_us / DAY_US
    by_capacity = np.where(traits.capacity > 0, traits.pieces / np.maximum(traits.capacity, 1), 0.0)
    return np.maximum(by_cycle, by_capacity)


@dataclass(frozen=True, slots=True)
class BulkMonths:
    """Months of machines, by the rows of ``Traits`` that they consist of: how late, and in how many hours.

    Attributes:
        hours: the distinct hours of receipt of late rows; incomplete where there are more than are allowed.
    """

    flagged: Bools
    rows: Ints
    late_rows: Ints
    hours: list[list[int]]


def sent_in_bulk(traits: Traits, month: Ints) -> BulkMonths:
    """Judge each machine's month; ``traits`` has no day before the factory's first receipt.

    Args:
        month: the number of each row's month.

    Returns:
        An element for each run of rows of one machine and month, in order.
    """
    starts = month_starts(traits, month)
    if len(starts) == 0:
        return BulkMonths(np.zeros(0, bool), starts, starts, [])
    rows, late = np.add.reduceat(traits.rows, starts), np.add.reduceat(traits.late_rows, starts)
    columns = np.stack([traits.hour_1, traits.hour_2, traits.hour_3, traits.hour_4], axis=1)
    ends = [*starts[1:].tolist(), len(traits.day)]
    hours = [
        sorted(set(columns[start:end].ravel().tolist()) - {NO_HOUR})
        for start, end in zip(starts.tolist(), ends, strict=True)
    ]
    rule = RuleId.sent_in_bulk
    few = np.array([len(own) for own in hours]) <= threshold(rule, "most_receipt_hours")
    return BulkMonths(few & (rows > 0) & (late >= threshold(rule, "least_late_share") * rows), rows, late, hours)


def month_starts(traits: Traits, month: Ints) -> Ints:
    """Return where each run of rows of one machine and month begins."""
    starts = np.ones(len(traits.day), bool)
    starts[1:] = (traits.machine[1:] != traits.machine[:-1]) | (month[1:] != month[:-1])
    return np.flatnonzero(starts)


def clock_off(days: ReceiptDays) -> Bools:
    """Return the days of receipt on which the clocks differ by too much.

    A gateway that uploads once a day sends rows that are hours old: old rows count only among several records.
    """
    rule = RuleId.clock_off
    most, least = threshold(rule, "most_s") * SECOND_US, threshold(rule, "least_s") * SECOND_US
    delayed = (days.delay_us > most) | (days.delay_us < least)
    old = (days.offset_us > most) & (days.records >= threshold(rule, "least_records"))
    return (days.records > 0) & (delayed | old | (days.offset_us < least))
