"""Holds the stored figures of one factory against the recomputed ones, and names every difference."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from services.analytics.verification.reference import FIGURES, HourAccount, account_machine
from services.analytics.verification.snapshot import Figures, MachineFacts, StoredSums, Window
from services.core.times import rfc3339

SUMMED = tuple(name for name in FIGURES if name not in ("state_rows", "count_rows"))
PER_COUNTED_DAY = ("cycle_producing_us", "cycle_busy_us", "ideal_pq_us", "ideal_good_us")
DAY = 86_400_000_000
SEOUL = 32_400_000_000
"""Nine hours. Calendar arithmetic is the second implementation's own, too."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a stored figure is not the recomputed one."""

    place: str
    figure: str
    stored: int | Decimal
    recomputed: int | Decimal

    def __str__(self) -> str:
        return f"{self.place} {self.figure}: stored {self.stored}, recomputed {self.recomputed}"


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One machine recomputed: its hours, and of its days with counts whether each is counted."""

    hours: dict[int, HourAccount]
    days: dict[dt.date, bool]


def recompute(machine: MachineFacts, window: Window, until_us: int, sealed_before_us: int) -> Recomputed:
    """One machine's hours and days, from its rows."""
    hours = account_machine(
        machine.states, machine.counts, machine.versions, until_us, sealed_before_us, window.from_us, window.to_us
    )
    by_day: dict[dt.date, list[HourAccount]] = defaultdict(list)
    for hour, account in hours.items():
        by_day[day_of(hour)].append(account)
    days = {
        day: any(account.evidence_us for account in accounts)
        for day, accounts in by_day.items()
        if any(account.count_rows for account in accounts)
    }
    return Recomputed(hours, days)


def compare_machine(name: str, machine: MachineFacts, found: Recomputed, first_us: int) -> Iterator[Difference]:
    """Differences of a machine's hours and days from ``first_us`` on, before which facts are no longer kept."""
    stored = {hour: figures for hour, figures in machine.stored_hours.items() if hour >= first_us}
    recomputed: dict[int, Figures] = {
        hour: {figure: getattr(account, figure) for figure in FIGURES} for hour, account in found.hours.items()
    }
    for hour in sorted(stored.keys() | recomputed.keys()):
        place = f"machine {name} hour {rfc3339(hour)}"
        yield from compare_figures(place, stored.get(hour), recomputed.get(hour))
    for day in sorted(machine.stored_days.keys() | found.days.keys()):
        if midnight(day) >= first_us:
            place = f"machine {name} day {day}"
            yield from compare_figures(place, machine.stored_days.get(day), day_figures(found, day))


def day_figures(found: Recomputed, day: dt.date) -> Figures | None:
    return {"has_counts": 1, "counted": int(found.days[day])} if day in found.days else None


def compare_factory(name: str, stored: StoredSums, machines: list[Recomputed], first_us: int) -> Iterator[Difference]:
    """Differences of a factory's hours and days, which are sums over its machines.

    Of the day in which ``first_us`` lies nobody can tell any more whether it is counted, so it is left out.
    """
    hours: dict[int, Figures] = defaultdict(lambda: defaultdict(int))
    days: dict[dt.date, Figures] = defaultdict(lambda: defaultdict(int))
    for machine in machines:
        for hour, account in machine.hours.items():
            for sums in (hours[hour], days[day_of(hour)]):
                add_hour(sums, account, is_counted=machine.days.get(day_of(hour), False))
        for day, is_counted in machine.days.items():
            days[day]["count_days"] += 1
            days[day]["counted_days"] += is_counted
    for hour in sorted(stored.hours.keys() | hours.keys()):
        if midnight(day_of(hour)) >= first_us:
            yield from compare_figures(f"factory {name} hour {rfc3339(hour)}", stored.hours.get(hour), hours.get(hour))
    for day in sorted(stored.days.keys() | days.keys()):
        if midnight(day) >= first_us:
            yield from compare_figures(f"factory {name} day {day}", stored.days.get(day), days.get(day))


def add_hour(sums: Figures, account: HourAccount, *, is_counted: bool) -> None:
    for figure in SUMMED:
        if figure in PER_COUNTED_DAY:
            sums[f"counted_{figure}"] += getattr(account, figure) if is_counted else 0
        else:
            sums[figure] += getattr(account, figure)


def compare_figures(place: str, stored: Figures | None, recomputed: Figures | None) -> Iterator[Difference]:
    """Differences of one row; a row that is missing has no figures."""
    left, right = stored or {}, recomputed or {}
    differing = [name for name in sorted(left.keys() | right.keys()) if left.get(name, 0) != right.get(name, 0)]
    for name in differing:
        yield Difference(place, name, left.get(name, 0), right.get(name, 0))
    if not differing and (stored is None) != (recomputed is None):
        yield Difference(place, "rows", int(stored is not None), int(recomputed is not None))


def day_of(instant_us: int) -> dt.date:
    """The day in Seoul."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=(instant_us + SEOUL) // DAY)


def midnight(day: dt.date) -> int:
    """The instant at which a day begins in Seoul."""
    return (day - dt.date(1970, 1, 1)).days * DAY - SEOUL
