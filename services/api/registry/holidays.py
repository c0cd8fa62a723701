"""Korea's public holidays, and how a list of them changes. Pure."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Holiday:
    """A public holiday."""

    day: dt.date
    name_ko: str
    name_en: str

    def __str__(self) -> str:
        return f"{self.day} {self.name_ko} ({self.name_en})"


@dataclass(frozen=True, slots=True)
class HolidayChanges:
    """How a list of holidays changes, each part in order of time.

    Attributes:
        renamed: what there was, and what takes its place.
    """

    added: tuple[Holiday, ...]
    renamed: tuple[tuple[Holiday, Holiday], ...]
    removed: tuple[Holiday, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.added or self.renamed or self.removed)

    def retired(self) -> list[dt.date]:
        """Returns the days whose rows are no longer current."""
        return [*(before.day for before, _ in self.renamed), *(one.day for one in self.removed)]

    def current(self) -> list[Holiday]:
        """Returns the holidays that get a row."""
        return [*self.added, *(after for _, after in self.renamed)]

    def changed_days(self) -> list[dt.date]:
        """Returns the days that become a holiday, or no longer are one."""
        return sorted(one.day for one in (*self.added, *self.removed))


def compare(before: Iterable[Holiday], after: Iterable[Holiday]) -> HolidayChanges:
    """Returns how one list becomes the other; a day is in each at most once."""
    old, new = {one.day: one for one in before}, {one.day: one for one in after}
    return HolidayChanges(
        tuple(new[day] for day in sorted(new.keys() - old.keys())),
        tuple((old[day], new[day]) for day in sorted(old.keys() & new.keys()) if old[day] != new[day]),
        tuple(old[day] for day in sorted(old.keys() - new.keys())),
    )
