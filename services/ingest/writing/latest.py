"""The latest known instant of each series of a table: hints for which rows are new, never needed for correctness."""

import threading

import numpy as np

from services.ingest.model import Ints

NEVER = int(np.iinfo(np.int64).min)
PAGE_BITS = 9
PAGE = 1 << PAGE_BITS
"""Machines of a page. Those of a factory have neighbouring ids, so they mostly share one."""
MOST_PAGES = 20_000
"""80 MB of instants; the country with five metrics a machine needs 6,000 pages."""
MOST_CODES = 1 << 22


class LatestInstants:
    """The latest known instants in microseconds, by machine and key. Forgets everything beyond MOST_PAGES pages.

    Pages of instants are found by (machine's page, key). Several threads may use it.
    """

    def __init__(self) -> None:
        self._slots: dict[tuple[int, int], int] = {}
        self._instants = np.empty(0, np.int64)
        self._lock = threading.Lock()

    def of(self, machine: Ints, key: Ints) -> Ints:
        """Return the latest instant of each series; NEVER for an unknown one."""
        with self._lock:
            places = self._places(machine, key)
            return self._instants[places]

    def learn(self, machine: Ints, key: Ints, at_us: Ints) -> None:
        """Add instants; those earlier than the latest known change nothing."""
        with self._lock:
            places = self._places(machine, key)
            np.maximum.at(self._instants, places, at_us)

    def _clear(self) -> None:
        self._slots.clear()
        self._instants.fill(NEVER)

    def _places(self, machine: Ints, key: Ints) -> Ints:
        """Return each series' place among the instants, with new pages where there are none yet."""
        if len(machine) == 0:
            return np.empty(0, np.int64)
        page = machine >> PAGE_BITS
        first_page, first_key = int(page.min()), int(key.min())
        keys = int(key.max()) - first_key + 1
        code = (page - first_page) * keys + (key - first_key)
        distinct, inverse = distinct_codes(code, (int(page.max()) - first_page + 1) * keys)
        pages = [(first_page + one // keys, first_key + one % keys) for one in distinct.tolist()]
        if len(self._slots) + sum(page not in self._slots for page in pages) > MOST_PAGES:
            self._clear()
        slot = [self._slots.setdefault(page, len(self._slots)) for page in pages]
        self._grow()
        return np.array(slot, np.int64)[inverse] * PAGE + (machine & (PAGE - 1))

    def _grow(self) -> None:
        """Make room for all pages, empty where they are new."""
        if not self._slots or len(self._instants) >= len(self._slots) * PAGE:
            return
        grown = np.full(max(len(self._slots) * PAGE, 2 * len(self._instants)), NEVER, np.int64)
        grown[: len(self._instants)] = self._instants
        self._instants = grown


def distinct_codes(code: Ints, codes: int) -> tuple[Ints, Ints]:
    """Return the distinct codes, ascending, and each code's position among them. Without sorting if there are few."""
    if codes > MOST_CODES:
        distinct, inverse = np.unique(code, return_inverse=True)
        return distinct, inverse
    seen = np.zeros(codes, bool)
    seen[code] = True
    distinct = np.flatnonzero(seen)
    position = np.zeros(codes, np.int64)
    position[distinct] = np.arange(len(distinct))
    return distinct, position[code]
