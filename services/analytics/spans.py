"""Which hours to account again, from dirty marks: pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from services.analytics.accounts import Spans
from services.core.times import HOUR_US, ceil_to, floor_to


@dataclass(frozen=True, slots=True)
class Mark:
    """Instants [from, to], both ends included, around which a machine's rows or registration changed."""

    machine: int
    from_us: int
    to_us: int


def hours_to_account(
    marks: Iterable[Mark], longest_ttl_us: Mapping[int, int], sealed_before_us: int, until_us: int
) -> Spans:
    """Every hour that the marks can reach: up to the longest TTL after each, within [sealed_before, until).

    Spans of a machine that lie within its longest TTL of each other become one, so that the rows read for them, which
    reach back by that TTL, are never read twice.
    """
    by_machine: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for mark in marks:
        reach = longest_ttl_us.get(mark.machine, 0)
        start = max(floor_to(mark.from_us, HOUR_US), ceil_to(sealed_before_us, HOUR_US))
        end = min(ceil_to(mark.to_us + reach + 1, HOUR_US), ceil_to(until_us, HOUR_US))
        if start < end:
            by_machine[mark.machine].append((start, end))
    spans: list[tuple[int, int, int]] = []
    for machine in sorted(by_machine):
        gap = longest_ttl_us.get(machine, 0)
        current: list[tuple[int, int]] = []
        for start, end in sorted(by_machine[machine]):
            if current and start <= current[-1][1] + gap:
                current[-1] = (current[-1][0], max(current[-1][1], end))
            else:
                current.append((start, end))
        spans += [(machine, start, end) for start, end in current]
    columns = np.array(spans, np.int64).reshape(-1, 3).T
    return Spans(columns[0], columns[1], columns[2])
