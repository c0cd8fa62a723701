"""Counts what became of the rows of each record of a batch, for ``ingest_record``. Pure."""

import numpy as np

from services.core.times import DAY_US
from services.ingest.columns import Positions
from services.ingest.model import Ints

LATE_US = DAY_US
"""A row received more than this after its instant is late."""
NO_INSTANT_US = np.iinfo(np.int64).min


class RecordTallies:
    """One entry per record of a batch. A duplicate row counts as a duplicate and in nothing else.

    ``late`` and ``revised`` are parts of ``stored``; ``newest_us`` is the latest instant of rows stored or clashed.
    """

    def __init__(self, received_us: Ints) -> None:
        count = len(received_us)
        self._received_us = received_us
        self.stored = np.zeros(count, np.int64)
        self.duplicate = np.zeros(count, np.int64)
        self.clashed = np.zeros(count, np.int64)
        self.late = np.zeros(count, np.int64)
        self.revised = np.zeros(count, np.int64)
        self.newest_us = np.full(count, NO_INSTANT_US, np.int64)

    def add(
        self,
        record: Ints,
        at_us: Ints,
        *,
        stored: Positions,
        duplicate: Positions,
        clashed: Positions,
        revised: Positions,
    ) -> None:
        """Count one table's rows.

        Args:
            record: the index of each row's record in the batch.
            at_us: each row's instant.
            stored: positions of rows by what became of them; those revised are among those stored.
        """
        late = stored[at_us[stored] < self._received_us[record[stored]] - LATE_US]
        for sums, positions in (
            (self.stored, stored),
            (self.duplicate, duplicate),
            (self.clashed, clashed),
            (self.revised, revised),
            (self.late, late),
        ):
            sums += np.bincount(record[positions], minlength=len(sums))
        new = np.concatenate([stored, clashed])
        np.maximum.at(self.newest_us, record[new], at_us[new])

    def rows(self) -> list[tuple[int, int, int, int, int, int | None]]:
        """Return (stored, duplicate, clashed, late, revised, newest_us or None) of each record."""
        newest = [None if us == NO_INSTANT_US else us for us in self.newest_us.tolist()]
        fates = (self.stored, self.duplicate, self.clashed, self.late, self.revised)
        return list(zip(*(fate.tolist() for fate in fates), newest, strict=True))
