"""Turns the running totals of a part counter into counts of pieces, and skips the implausible ones. Pure.

The first total, and the first after UNAVAILABLE, is a baseline and counts nothing. After that a rise is the count. A
fall is a reset, and the new total is the count, even if it is 0. So is a total that announces its reset, like
``0:DAY``. A repeated total changes nothing.

A total is implausible, and skipped as if it had not been sent, if it is

- a spike: a rise of more than ``SMALL_RISE`` from which the next total returns,
- a dip: a fall from which the next total returns,
- a rise of more than ``CYCLE_MARGIN`` times what the ideal cycle allows since the total before it.

To return is to be 0 to ``SMALL_RISE`` above the total before the spike or dip. So a fall, or a rise of more than
``SMALL_RISE``, waits for the next total, for ``PATIENCE_US`` at most, and then stands. All else is decided at once.

The next total may turn out to be implausible itself, and then the one after it is the next: in 1000, 995, 5000, 1001
both 5000 and 995 are skipped. Only a small fall can be such a case, so several totals rarely wait together. A total
that comes again after a skipped one stands: in 0, 20, 19, 20 only 19 is skipped, whatever follows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from typing import Generic, TypeAlias, TypeVar

from schemas.wire.limits import MAX_INT32
from services.gateway.mtconnect.vocabulary import is_unavailable, normalised

SMALL_RISE = 10
CYCLE_MARGIN = 3
PATIENCE_US = 3_600_000_000
TRIGGER = re.compile(r"[A-Z]\w*")

S = TypeVar("S")
"""Whatever the caller wants to have back with a count, such as a line number."""


class Implausible(Enum):
    """Why a total was skipped."""

    SPIKE = auto()
    DIP = auto()
    BEYOND_CYCLE = auto()


@dataclass(frozen=True, slots=True)
class Count(Generic[S]):
    """Pieces made, at the instant of the total that shows them (microseconds since the epoch)."""

    at_us: int
    pieces: int
    source: S


@dataclass(frozen=True, slots=True)
class Skipped(Generic[S]):
    """An implausible total, at its own instant (microseconds since the epoch)."""

    at_us: int
    total: int
    why: Implausible
    source: S


Outcome: TypeAlias = Count[S] | Skipped[S]


@dataclass(frozen=True, slots=True)
class Total(Generic[S]):
    """A total as it was sent; ``trigger`` is what reset the counter, if the total announces a reset, else empty."""

    at_us: int
    total: int
    trigger: str
    source: S

    def repeats(self, earlier: "Total[S]") -> bool:
        """Return whether this is the earlier total again, without announcing a reset of its own."""
        return self.total == earlier.total and self.trigger in ("", earlier.trigger)

    def is_just_above(self, earlier: "Total[S]") -> bool:
        """Return whether this total is 0 to ``SMALL_RISE`` above an earlier one."""
        return 0 <= self.total - earlier.total <= SMALL_RISE

    def count_since(self, before: "Total[S]") -> Count[S]:
        """Return the pieces made since the total before this one."""
        is_reset = bool(self.trigger) or self.total < before.total
        return Count(self.at_us, self.total if is_reset else self.total - before.total, self.source)


class PartCounter(Generic[S]):
    """Counts the pieces of one part counter by the rules above.

    The instants of the calls never decrease. Counts and skipped totals come as soon as they are decided.
    """

    def __init__(self, ideal_cycle_us: int | None = None) -> None:
        """Count with the shortest time per piece, in microseconds, or without if it is not known."""
        self._ideal_cycle_us = ideal_cycle_us
        # The last total sent, even if it was skipped; None if the next one is a baseline.
        self._last: Total[S] | None = None
        # The last total that stands, then those that wait, each judged by the one before it.
        self._chain: list[Total[S]] = []

    def observe(self, at_us: int, value: str, source: S) -> list[Outcome[S]]:
        """Take the counter's next value, and return what it decides.

        Raises:
            ValueError: the value is neither UNAVAILABLE nor a number of parts; it changes nothing.
        """
        if is_unavailable(value):
            self._last = None
            return self.settle(at_us)
        new = Total(at_us, *parse_value(value), source)
        return self.settle(at_us) + self._take(new)

    def settle(self, at_us: int) -> list[Outcome[S]]:
        """Let the totals stand that have waited for more than an hour, and return their counts."""
        overdue = sum(at_us - waiting.at_us > PATIENCE_US for waiting in self._chain[1:])
        settled, self._chain = self._chain[: overdue + 1], self._chain[overdue:]
        return counts_along(settled)

    def finish(self) -> list[Outcome[S]]:
        """Let the totals stand that still wait, since no more will come, and return their counts."""
        finished, self._chain = self._chain, self._chain[-1:]
        return counts_along(finished)

    def _take(self, new: Total[S]) -> list[Outcome[S]]:
        last = self._last
        if last is not None and new.repeats(last):
            return []
        self._last = new
        chain, skipped = self._without_implausible(new)
        if last is None:
            self._chain = [new]
            return counts_along(chain) + skipped
        before = chain[-1]
        if self._is_beyond_cycle(before, new):
            # As if it had not been sent, it decides nothing about those that wait.
            return [Skipped(new.at_us, new.total, Implausible.BEYOND_CYCLE, new.source)]
        if new.repeats(before):
            if not skipped:
                return []
            self._chain = [before]
            return counts_along(chain) + skipped
        if new.trigger or new.is_just_above(before):
            self._chain = [new]
            return counts_along(chain) + skipped + [new.count_since(before)]
        # The new total may be skipped in turn. Whatever skips it returns to ``before``, and skips those that wait below
        # it only if it returns to each total from which they came, so these lie within a small rise of ``before``.
        first = next(place for place, total in enumerate(chain) if total.is_just_above(before))
        self._chain = [*chain[first:], new]
        return counts_along(chain[: first + 1]) + skipped

    def _without_implausible(self, new: Total[S]) -> tuple[list[Total[S]], list[Outcome[S]]]:
        """Return the chain without the totals that a new one makes implausible, and these as skipped."""
        chain, skipped = list(self._chain), list[Outcome[S]]()
        while len(chain) > 1 and new.is_just_above(chain[-2]):
            waiting = chain.pop()
            why = Implausible.SPIKE if waiting.total > chain[-1].total else Implausible.DIP
            skipped.insert(0, Skipped(waiting.at_us, waiting.total, why, waiting.source))
        return chain, skipped

    def _is_beyond_cycle(self, before: Total[S], new: Total[S]) -> bool:
        if self._ideal_cycle_us is None or new.trigger:
            return False
        rise, elapsed_us = new.total - before.total, new.at_us - before.at_us
        return rise * self._ideal_cycle_us > CYCLE_MARGIN * elapsed_us


def counts_along(totals: Sequence[Total[S]]) -> list[Outcome[S]]:
    """Return the count of each total but the first."""
    return [total.count_since(before) for before, total in pairwise(totals)]


def parse_value(value: str) -> tuple[int, str]:
    """Parse a total, which may announce its reset, such as ``12`` or ``0:DAY``.

    Returns:
        The total; and what triggered the reset, in upper case, or an empty string.

    Raises:
        ValueError: the total is not a number of parts, or a colon has no word after it.
    """
    total, colon, trigger = value.partition(":")
    trigger = normalised(trigger)
    if colon and not TRIGGER.fullmatch(trigger):
        raise ValueError(f"{value[:40]!r} is not a number of parts")
    return parse_total(total), trigger


def parse_total(value: str) -> int:
    """Parse a running total, which adapters also write as ``12.000000``.

    Raises:
        ValueError: it is not a whole number from 0 to 2^31-1.
    """
    whole, _, fraction = value.strip().partition(".")
    if not (whole.isascii() and whole.isdigit()) or fraction.strip("0") or int(whole) > MAX_INT32:
        raise ValueError(f"{value[:40]!r} is not a number of parts")
    return int(whole)
