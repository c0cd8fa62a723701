"""Cuts long computations into turns, between which the process answers others."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

LONGEST_S = 0.005


class Schedule:
    """When the next turn may begin. All computations of the process share it, so that they do not add up."""

    def __init__(self) -> None:
        self._free_at = 0.0

    def reserve(self, now: float) -> float:
        """Return the beginning of the next free turn, which is then taken. As much time lies between two turns."""
        begins = max(now + LONGEST_S, self._free_at)
        self._free_at = begins + 2 * LONGEST_S
        return begins


SCHEDULE = Schedule()


class Turn:
    """The time for which a computation has kept everybody else waiting."""

    __slots__ = ("_began",)

    def __init__(self) -> None:
        self._began = time.perf_counter()

    async def end_if_long(self) -> None:
        """Let others go on, if this turn has lasted for 5 ms. Call it after each small piece of work.

        What takes less than a turn goes on in between. A request that asks the database a few times thus waits for one
        turn each time, however many computations are under way.
        """
        now = time.perf_counter()
        if now - self._began >= LONGEST_S:
            await asyncio.sleep(SCHEDULE.reserve(now) - now)
            self._began = time.perf_counter()


async def in_turns(make: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """Return what a function makes of each item, however many there are."""
    turn, made = Turn(), []
    for item in items:
        made.append(make(item))
        await turn.end_if_long()
    return made
