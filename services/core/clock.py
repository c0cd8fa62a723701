"""The only module that reads the wall clock, so that everything else can be given a clock."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the current time in microseconds since the Unix epoch."""


def system_clock() -> int:
    """Return the machine's wall-clock time in microseconds since the Unix epoch."""
    return time.time_ns() // 1000
