"""Cuts long computations into turns, between which the process answers others."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

LONGEST_S = 0.01


class Turn:
    """The time for which a computation has kept everybody else waiting."""

    __slots__ = ("_began",)

    def __init__(self) -> None:
        self._began = time.perf_counter()

    async def end_if_long(self) -> None:
        """Let others go on, if this turn has lasted for 10 ms. Call it after each small piece of work."""
        if time.perf_counter() - self._began >= LONGEST_S:
            await asyncio.sleep(0)
            self._began = time.perf_counter()


async def in_turns(make: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """Return what a function makes of each item, however many there are."""
    turn, made = Turn(), []
    for item in items:
        made.append(make(item))
        await turn.end_if_long()
    return made
