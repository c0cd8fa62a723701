"""Marks settled in parts of any size affect every hour that they would at once, and settling them ends."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.analytics.dirty_hours import LEAST_PIECE_US, Mark, Work, hours_to_account
from services.core.times import DAY_US, HOUR_US, SECOND_US, ceil_to, floor_to

ORIGIN_US = 1_480_000_000_000_000 // HOUR_US * HOUR_US
UNBOUND = 2**31

instants = st.one_of(
    st.integers(0, 30 * DAY_US).map(lambda us: ORIGIN_US + us),
    st.integers(0, 30 * 24).map(lambda hour: ORIGIN_US + hour * HOUR_US),
)
marks = st.builds(lambda machine, a, b: Mark(machine, min(a, b), max(a, b)), st.integers(1, 3), instants, instants)
ttls = st.fixed_dictionaries({1: st.integers(SECOND_US, DAY_US), 2: st.just(DAY_US)})
"""Machine 3 has no version, hence no TTL."""

Hours = set[tuple[int, int]]


def hours_of(work: Work) -> Hours:
    spans = zip(work.ranges.machine.tolist(), work.ranges.from_us.tolist(), work.ranges.to_us.tolist(), strict=True)
    return {(machine, hour) for machine, start, end in spans for hour in range(start, end, HOUR_US)}


def reached(known: list[Mark], ttl: dict[int, int], sealed_us: int, until_us: int) -> Hours:
    """Return every hour that a mark can change, one by one."""
    return {
        (mark.machine, hour)
        for mark in known
        for hour in range(
            max(floor_to(mark.from_us, HOUR_US), ceil_to(sealed_us, HOUR_US)),
            min(mark.to_us + ttl.get(mark.machine, 0) + 1, until_us),
            HOUR_US,
        )
    }


@given(st.lists(marks, max_size=8), ttls, instants, instants, st.integers(1, 200))
def test_parts_affect_the_same_hours_as_the_whole(
    known: list[Mark], ttl: dict[int, int], sealed_us: int, until_us: int, most_hours: int
) -> None:
    whole = hours_to_account(known, ttl, sealed_us, until_us, UNBOUND)
    assert not whole.left
    assert hours_of(whole) >= reached(known, ttl, sealed_us, until_us)
    assert all(sealed_us <= hour < until_us for _, hour in hours_of(whole))
    done: Hours = set()
    left = known
    for _ in range(4 * 31 * 24):
        work = hours_to_account(left, ttl, sealed_us, until_us, most_hours)
        assert np.all(np.diff(work.ranges.from_us)[np.diff(work.ranges.machine) == 0] > 0)
        assert len(hours_of(work)) <= most_hours + LEAST_PIECE_US // HOUR_US
        assert all(mark.from_us < until_us for mark in work.left)
        done |= hours_of(work)
        left = work.left
        if not left:
            break
    assert not left
    assert done >= reached(known, ttl, sealed_us, until_us)
