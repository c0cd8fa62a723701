"""Which sequence numbers of a boot were never received, and on which day that shows. Pure.

A gateway numbers the records of a boot upwards by one. A number is missing if it lies between two numbers received of
the boot and no record ever received has it. A gap is a run of missing numbers that follow one another. It belongs to
the day on which the number after it was first received. So neither the order of receipt within a day nor doubled
records change anything, and a number that arrives later, on whatever day, closes its gap or splits it.
"""

import datetime as dt
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple


class Run(NamedTuple):
    """Consecutive numbers of a boot, ``first`` to ``last`` inclusive, all of them received on a day."""

    day: dt.date
    first: int
    last: int


class Gaps(NamedTuple):
    """Gaps of a boot that belong to a day, and how many numbers are missing in them."""

    gaps: int = 0
    lost: int = 0


def gaps_by_day(runs: Iterable[Run]) -> dict[dt.date, Gaps]:
    """Return the gaps of one boot by the day that they belong to; days without any are absent.

    Args:
        runs: all that was ever received of the boot, in any order; runs may overlap.
    """
    found: dict[dt.date, Gaps] = {}
    reached: int | None = None
    for first, beginning in groupby(sorted(runs, key=attrgetter("first")), key=attrgetter("first")):
        own = list(beginning)
        if reached is not None and first > reached + 1:
            day = min(run.day for run in own)
            known = found.get(day, Gaps())
            found[day] = Gaps(known.gaps + 1, known.lost + first - reached - 1)
        last = max(run.last for run in own)
        reached = last if reached is None else max(reached, last)
    return found
