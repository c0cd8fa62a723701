"""Remembers what was written, by all that it was made of, so nothing ever has to be forgotten as outdated.

Dashboards ask the same questions again and again, and of a year only the running day has changed. It takes little time
to read the sums, and much to make, divide and write some forty numbers for each bucket.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.api.kpis.sums import Sums
from services.api.kpis.windows import Bucket

T = TypeVar("T")


def item_key(form: Hashable, label: str, bucket: Bucket, sums: Sums, *, partial: bool) -> Hashable:
    """Return all that decides how an item is written.

    Args:
        form: which KPIs it has and how it is written.
    """
    return (
        form,
        label,
        bucket.from_us,
        bucket.to_us,
        partial,
        sums.factories,
        sums.machines,
        *sums.figures.values(),
    )


@dataclass(slots=True)
class Remembered(Generic[T]):
    """Written answers or parts of them. The oldest make room for new ones.

    Args:
        most_bytes: how much of what was written is remembered; the keys take one to three times as much.
    """

    most_bytes: int
    _written: dict[Hashable, tuple[T, int]] = field(default_factory=dict)
    _bytes: int = 0

    def __len__(self) -> int:
        return len(self._written)

    def get(self, key: Hashable) -> T | None:
        """Return what was written of something, if it is remembered."""
        found = self._written.get(key)
        return None if found is None else found[0]

    def add(self, key: Hashable, written: T, size: int) -> None:
        """Remember what was written, and how many bytes that is."""
        if key in self._written or size > self.most_bytes:
            return
        self._written[key] = written, size
        self._bytes += size
        while self._bytes > self.most_bytes:
            _, freed = self._written.pop(next(iter(self._written)))
            self._bytes -= freed
