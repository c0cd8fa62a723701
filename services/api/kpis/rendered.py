"""Remembers items as they were written, by all that they are made of, so nothing ever has to be forgotten as outdated.

Dashboards ask the same questions again and again, and of a year only the running day has changed. It takes little time
to read the sums, and much to make, divide and write some forty numbers for each bucket.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field

from services.api.kpis.sums import Sums
from services.api.kpis.windows import Bucket

MOST = 10_000
"""Items remembered, of 2 or 3 kB each: two years of the nation by day, or a year of the regions."""

ItemKey = tuple[Hashable, ...]


def item_key(form: Hashable, label: str, bucket: Bucket, sums: Sums, *, partial: bool) -> ItemKey:
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
class RenderedItems:
    """Written items. The oldest make room for new ones."""

    most: int = MOST
    _written: dict[ItemKey, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._written)

    def get(self, key: ItemKey) -> bytes | None:
        """Return an item, if it is remembered."""
        return self._written.get(key)

    def add(self, key: ItemKey, written: bytes) -> None:
        """Remember an item."""
        if len(self._written) >= self.most:
            del self._written[next(iter(self._written))]
        self._written[key] = written
