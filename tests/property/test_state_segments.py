"""A machine's segments equal what holds at every single instant, and add up to its accounts."""

from bisect import bisect_right
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.codes import Mode, State
from services.analytics import Segment, StateFact, UseVersion, segments
from services.analytics.accounts import hold
from services.analytics.held_time import open_holds, open_time
from services.analytics.in_force import holds
from services.analytics.state_segments import in_columns

# Small numbers, so that instants fall together often: rows, ends of holds, versions, use, and the window's own bounds.
instants = st.integers(0, 60)
reasons = st.sampled_from([None, None, "tool", "door"])
LONGEST = 100


@st.composite
def row_lists(draw: st.DrawFn) -> list[StateFact]:
    made = st.builds(StateFact, instants, st.sampled_from(State), st.sampled_from(Mode), reasons)
    few = draw(st.lists(made, max_size=12))
    return sorted({row.at_us: row for row in few}.values(), key=lambda row: row.at_us)


@st.composite
def version_lists(draw: st.DrawFn) -> list[UseVersion]:
    cuts = sorted(draw(st.sets(instants, min_size=1, max_size=4)) | {0, LONGEST})
    found = []
    for start, end in pairwise(cuts):
        if draw(st.integers(0, 9)) == 0:
            continue
        always = st.just((0, LONGEST))
        in_use = draw(always | st.tuples(instants, instants))
        found.append(UseVersion(start, end, draw(st.integers(1, 25)), min(in_use), max(in_use)))
    return found


Content = tuple[State, Mode, str | None] | None
windows = st.tuples(instants, instants).map(lambda pair: (min(pair), max(pair)))


outsides = st.lists(instants, max_size=6, unique=True).map(
    lambda edges: list(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


def accounted(rows: list[StateFact], versions: list[UseVersion], outside: list[tuple[int, int]], at: int) -> Content:
    """Return what holds at an instant after the calendar; None if the machine is not in use."""
    found = look(rows, versions, at)
    if found and found[0] in (State.idle, State.unknown) and any(start <= at < end for start, end in outside):
        return State.off_shift, *found[1:]
    return found


def look(rows: list[StateFact], versions: list[UseVersion], at: int) -> Content:
    """Return what holds at an instant; None if the machine is not in use."""
    in_force = [v for v in versions if v.from_us <= at < v.to_us and v.in_use_from_us <= at < v.in_use_to_us]
    if not in_force:
        return None
    begun = [row for row in rows if row.at_us <= at]
    if not begun or begun[-1].state is State.unknown or at - begun[-1].at_us >= in_force[0].ttl_us:
        return State.unknown, Mode.unknown, None
    return begun[-1].state, begun[-1].mode, begun[-1].reason


@given(row_lists(), version_lists(), windows, outsides)
def test_segments_equal_what_holds_at_every_instant(
    rows: list[StateFact], versions: list[UseVersion], window: tuple[int, int], outside: list[tuple[int, int]]
) -> None:
    from_us, to_us = window
    expected: list[Segment] = []
    for at in range(from_us, to_us):
        known = accounted(rows, versions, outside, at)
        if known is None:
            continue
        if expected and expected[-1].to_us == at:
            last = expected[-1]
            if (last.state, last.mode, last.reason) == known:
                expected[-1] = Segment(last.from_us, at + 1, *known)
                continue
        expected.append(Segment(at, at + 1, *known))
    assert segments(rows, versions, from_us, to_us, outside) == expected


@given(row_lists(), version_lists(), windows)
def test_a_window_in_two_parts_gives_the_same_segments(
    rows: list[StateFact], versions: list[UseVersion], window: tuple[int, int]
) -> None:
    """Each part is given only the rows that the API reads for it: the last before the part, and those within."""
    from_us, to_us = window
    middle = (from_us + to_us) // 2
    whole = {at: look(rows, versions, at) for at in range(from_us, to_us)}
    for start, end in ((from_us, middle), (middle, to_us)):
        before = bisect_right(rows, start, key=lambda row: row.at_us) - 1
        read = [row for row in rows[max(before, 0) :] if row.at_us < end]
        found = segments(read, versions, start, end)
        covered = {at: (s.state, s.mode, s.reason) for s in found for at in range(s.from_us, s.to_us)}
        assert covered == {at: whole[at] for at in range(start, end) if whole[at] is not None}


@given(row_lists(), version_lists(), instants)
def test_time_in_each_state_equals_the_accounts(
    rows: list[StateFact], versions: list[UseVersion], until_us: int
) -> None:
    found = segments(rows, versions, 0, until_us)
    states, known = in_columns(rows, versions)
    everything = holds(states, known)
    closed = hold(states, known, everything, until_us)
    still_open = open_holds(states, known, everything, until_us, np.ones(len(everything.row), bool))
    parts = (closed, open_time(still_open, until_us))
    for state in State:
        if state is not State.unknown:
            accounted = sum(int(held.length_us[held.state == state].sum()) for held in parts)
            assert sum(s.to_us - s.from_us for s in found if s.state is state) == accounted
    assert not any(np.any(held.length_us <= 0) for held in parts)
