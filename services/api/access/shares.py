"""Limits how many requests of one reader use the database at once, so that nobody holds up the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from services.api.problems import Problem

PATIENCE_S = 5.0
WAITING_FOR_EACH = 16
"""How many requests may wait for each that may be under way."""


@dataclass(slots=True)
class Held:
    """What one reader has: requests under way (places taken), and all that are under way or wait."""

    places: asyncio.Semaphore
    requests: int = 0


class Shares:
    """Places for the requests of each reader. A reader is whoever sends the same key or session.

    Args:
        most: a reader's requests at once; further ones wait, for a short time.
        patience_s: how long they wait.
    """

    def __init__(self, most: int, patience_s: float = PATIENCE_S) -> None:
        self._most = most
        self._patience_s = patience_s
        self._held: dict[bytes, Held] = {}

    @asynccontextmanager
    async def place(self, reader: bytes) -> AsyncIterator[None]:
        """Hold one of a reader's places.

        Raises:
            Problem: 429 if none became free in time, or too many requests wait already.
        """
        held = self._held.setdefault(reader, Held(asyncio.Semaphore(self._most)))
        if held.requests >= self._most * (1 + WAITING_FOR_EACH):
            raise self._refusal()
        held.requests += 1
        try:
            try:
                async with asyncio.timeout(self._patience_s):
                    await held.places.acquire()
            except TimeoutError:
                raise self._refusal() from None
            try:
                yield
            finally:
                held.places.release()
        finally:
            held.requests -= 1
            if not held.requests:
                del self._held[reader]

    def __len__(self) -> int:
        """Return how many readers have requests that are under way or wait."""
        return len(self._held)

    def _refusal(self) -> Problem:
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"{self._most} requests with this key or session are under way, as many as may be at once; wait until one "
            "of them is answered, and try again.",
            {"Retry-After": "1"},
        )
