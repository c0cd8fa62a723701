"""Cuts long computations into turns, between which the process answers others."""

import asyncio
import time

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
