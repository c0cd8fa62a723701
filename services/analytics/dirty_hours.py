"""Finds the hours that dirty marks affect. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from services.analytics.accounts import HourRanges
from services.core.times import DAY_US, HOUR_US, ceil_to, floor_to

LEAST_PIECE_US = 2 * DAY_US
"""Longer than the longest possible TTL, so that a range accounted in parts comes to an end."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Instants [from, to], both ends included, at which a machine's rows or its registration changed."""

    machine: int
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Work:
    """The hours to account now, and marks for the hours left over."""

    ranges: HourRanges
    left: list[Mark]


def hours_to_account(
    marks: Iterable[Mark], longest_ttl_us: Mapping[int, int], sealed_before_us: int, until_us: int, most_hours: int
) -> Work:
    """Return every hour that the marks can affect: up to the longest TTL after each, within [sealed_before, until).

    Ranges of a machine that are no further apart than its longest TTL are joined, so that no row is read twice: the
    rows read for a range reach back by that TTL.

    Args:
        most_hours: about how many hours to account now, over all machines together.
    """
    ends_by = ceil_to(until_us, HOUR_US)
    by_machine: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for mark in marks:
        start = max(floor_to(mark.from_us, HOUR_US), ceil_to(sealed_before_us, HOUR_US))
        end = ceil_to(mark.to_us + longest_ttl_us.get(mark.machine, 0) + 1, HOUR_US)
        if start < min(end, ends_by):
            by_machine[mark.machine].append((start, end))
    ranges: list[tuple[int, int, int]] = []
    left: list[Mark] = []
    budget_us = most_hours * HOUR_US
    for machine in sorted(by_machine):
        reach = longest_ttl_us.get(machine, 0)
        for start, end in joined(by_machine[machine], reach):
            if budget_us <= 0:
                stop = start
            else:
                stop = min(end, ends_by, start + max(budget_us, LEAST_PIECE_US))
                ranges.append((machine, start, stop))
                budget_us -= stop - start
            if stop < min(end, ends_by):
                left.append(Mark(machine, stop, max(stop, end - reach - 1)))
    columns = np.array(ranges, np.int64).reshape(-1, 3).T
    return Work(HourRanges(columns[0], columns[1], columns[2]), left)


def hours_of_machines(machines: list[int], hour_us: int, until_us: int) -> HourRanges:
    """Return one hour of machines, which are sorted; nothing if it begins at ``until_us`` or later."""
    count = len(machines) if hour_us < until_us else 0
    return HourRanges(np.array(machines[:count], np.int64), np.full(count, hour_us), np.full(count, hour_us + HOUR_US))


def joined(ranges: list[tuple[int, int]], gap_us: int) -> list[tuple[int, int]]:
    """HourRanges in order, those within a gap of each other as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1] + gap_us:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
