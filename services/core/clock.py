"""The one place that reads the wall clock, so that everything else can be given another."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the present instant in microseconds since the Unix epoch."""


def system_clock() -> int:
    """The machine's wall clock, in microseconds since the Unix epoch."""
    return time.time_ns() // 1000
