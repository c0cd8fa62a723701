"""Shifts in columns: cuts registry versions where shifts begin and end, and says what of an hour they cover. Pure.

A calendar moves ``idle`` and ``unknown`` outside its shifts to ``off_shift``. Once versions are cut at shifts, each of
them lies within shifts or outside as a whole, and every other rule of the accounts applies to it as it is.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from services.analytics.in_force import NO_PATTERN, Ints, Versions

WINDOW_BITS = 52
"""Microseconds of a window of a century fit into this many bits; the bits above hold the pattern."""


@dataclass(frozen=True, slots=True)
class Shifts:
    """Instants in [from, to) at which the patterns' shifts begin and end, by turns.

    Attributes:
        edges: sorted numbers, each a pattern and an instant. Of a pattern, a beginning comes first: shifts that touch
            each other are one, and one that runs in over ``from_us`` begins there.
    """

    from_us: int
    to_us: int
    edges: Ints

    def keys(self, pattern: Ints, at_us: Ints) -> Ints:
        """Return patterns and instants as numbers that can be compared with the edges."""
        keys: Ints = (pattern << WINDOW_BITS) + np.clip(at_us, self.from_us, self.to_us) - self.from_us
        return keys

    def instants(self, places: Ints) -> Ints:
        """Return the instants of some edges."""
        found: Ints = (self.edges[places] & ((1 << WINDOW_BITS) - 1)) + self.from_us
        return found

    def places(self, pattern: Ints, at_us: Ints) -> tuple[Ints, Ints]:
        """Return the place of the first edge after each instant, and how many of its pattern come before that."""
        after = np.searchsorted(self.edges, self.keys(pattern, at_us), "right")
        first = np.searchsorted(self.edges, pattern << WINDOW_BITS, "left")
        return after, after - first

    def outside(self, pattern: Ints, at_us: Ints) -> npt.NDArray[np.bool_]:
        """Return whether each instant is outside the shifts of its pattern."""
        outside: npt.NDArray[np.bool_] = (self.places(pattern, at_us)[1] % 2 == 0) & (pattern != NO_PATTERN)
        return outside

    def next_edges(self, pattern: Ints, at_us: Ints, otherwise_us: int) -> Ints:
        """Return when a shift of each pattern begins or ends next, after an instant; else ``otherwise_us``."""
        after, _ = self.places(pattern, at_us)
        there = np.minimum(after, max(len(self.edges) - 1, 0))
        if len(self.edges) == 0:
            return np.full(len(pattern), otherwise_us)
        is_own = (after < len(self.edges)) & (self.edges[there] >> WINDOW_BITS == pattern)
        found: Ints = np.where(is_own, self.instants(there), otherwise_us)
        return found

    def last_edges(self, pattern: Ints, at_us: Ints, otherwise_us: int) -> Ints:
        """Return when a shift of each pattern began or ended last, by an instant; else ``otherwise_us``."""
        if len(self.edges) == 0:
            return np.full(len(pattern), otherwise_us)
        after, passed = self.places(pattern, at_us)
        found: Ints = np.where(passed > 0, self.instants(np.maximum(after - 1, 0)), otherwise_us)
        return found

    def covered(self, pattern: Ints, from_us: Ints, to_us: Ints) -> Ints:
        """Return how much of each stretch of time lies in shifts of its pattern."""
        gaps = np.diff(self.edges, append=self.edges[-1:])
        gaps[1::2] = 0
        before = np.append(0, np.cumsum(gaps))

        def reached(at_us: Ints) -> Ints:
            after, passed = self.places(pattern, at_us)
            since = np.where(passed % 2 == 1, at_us - self.instants(np.maximum(after - 1, 0)), 0)
            found: Ints = before[np.maximum(after - passed % 2, 0)] + since
            return found

        return reached(to_us) - reached(from_us)


def shifts_of(pattern: Ints, from_us: Ints, to_us: Ints, window: tuple[int, int]) -> Shifts:
    """Return the shifts of patterns in a window.

    Args:
        pattern, from_us, to_us: shifts that do not overlap, in any order.
    """
    order = np.lexsort((from_us, pattern))
    own, start, end = pattern[order], from_us[order], to_us[order]
    touches = np.zeros(len(own), bool)
    touches[1:] = (own[1:] == own[:-1]) & (start[1:] == end[:-1])
    begins, ends = ~touches, np.append(~touches[1:], True)[: len(own)]
    shifts = Shifts(*window, np.empty(0, np.int64))
    edges = np.concatenate([shifts.keys(own[begins], start[begins]), shifts.keys(own[ends], end[ends])])
    return replace(shifts, edges=np.sort(edges))


def cut_at_shifts(versions: Versions, shifts: Shifts) -> Versions:
    """Return versions cut where a shift of their pattern begins or ends; those without a pattern stay as they are.

    Only what lies in the shifts' window is right: before and after it, a version is as at its first and last instant.
    """
    first, passed = shifts.places(versions.pattern, versions.from_us)
    last = np.searchsorted(shifts.edges, shifts.keys(versions.pattern, versions.to_us), "left")
    edges = np.where(versions.pattern == NO_PATTERN, 0, np.maximum(last - first, 0))
    pieces = edges + 1
    cut = versions.repeated(pieces)
    nth = np.arange(len(cut.machine)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    place = np.repeat(first, pieces) + nth
    from_us, to_us = cut.from_us.copy(), cut.to_us.copy()
    begins, ends = nth > 0, nth < np.repeat(edges, pieces)
    from_us[begins] = shifts.instants(place[begins] - 1)
    to_us[ends] = shifts.instants(place[ends])
    outside = ((np.repeat(passed, pieces) + nth) % 2 == 0) & (cut.pattern != NO_PATTERN)
    return replace(cut, from_us=from_us, to_us=to_us, outside=outside.astype(np.int64))
