"""Which rows are surely worth looking up before they are copied in: a hint for speed, never needed for correctness.

Telemetry mostly moves forward in time, so a row later than everything stored for its series is new. Rows that are not
are looked up; when the hint was wrong the table's unique key says so, and the batch is examined row by row.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

MOST_SERIES = 2_000_000
NEVER = np.iinfo(np.int64).min


class LatestInstants:
    """The latest instant known of each series of one table, in microseconds; forgets all when it holds too many."""

    def __init__(self) -> None:
        self._latest: dict[int, int] = {}

    def of(self, series: Ints) -> Ints:
        """The latest instant of each series; of an unknown one, the beginning of time."""
        get = self._latest.get
        return np.fromiter((get(s, NEVER) for s in series.tolist()), np.int64, len(series))

    def learn(self, series: Ints, at_us: Ints) -> None:
        """Take in instants that are stored; earlier ones than known change nothing."""
        latest = self._latest
        if len(latest) + len(series) > MOST_SERIES:
            latest.clear()
        for s, at in zip(series.tolist(), at_us.tolist(), strict=True):
            if at > latest.get(s, NEVER):
                latest[s] = at
