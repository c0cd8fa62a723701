"""Holds the stored figures of one factory against the recomputed ones, and names every difference."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from services.analytics.verification.reference import FIGURES, Cohort, HourAccount, Place, account_machine
from services.analytics.verification.registered import Span, day_of, day_owner, expected_spans, midnight
from services.analytics.verification.snapshot import DayPlace, Figures, MachineFacts, StoredSums, Window
from services.core.times import rfc3339

PER_COUNTED_DAY = ("cycle_producing_us", "cycle_setup_us", "cycle_busy_us", "ideal_pq_us", "ideal_good_us")
OF_MACHINES_ONLY = ("state_rows", "count_rows", "signed_count_rows")
SUMMED = tuple(name for name in FIGURES if name not in (*PER_COUNTED_DAY, *OF_MACHINES_ONLY))
FACTORY_FIGURES = (*SUMMED, "counted_busy_us", "counted_pieces", *(f"counted_{name}" for name in PER_COUNTED_DAY))
PLANNED_BUSY = ("producing_us", "setup_us", "delayed_us", "faulted_us", "idle_us")

At = TypeVar("At", int, dt.date)


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
    """One machine recomputed: its spans in use, its hours by cohort, and what its days with any account are."""

    spans: list[Span]
    hours: dict[Place, HourAccount]
    days: dict[dt.date, Figures]


def recompute(machine: MachineFacts, window: Window, until_us: int, sealed_before_us: int) -> Recomputed:
    """One machine's hours and days, from its rows."""
    hours = account_machine(
        machine.states, machine.counts, machine.versions, until_us, sealed_before_us, window.from_us, window.to_us
    )
    by_day: dict[dt.date, list[HourAccount]] = defaultdict(list)
    for (hour, _), account in hours.items():
        by_day[day_of(hour)].append(account)
    return Recomputed(
        expected_spans(machine.versions, sealed_before_us),
        hours,
        {day: day_figures(accounts) for day, accounts in by_day.items()},
    )


def day_figures(accounts: list[HourAccount]) -> Figures:
    """What a machine's day is, from its hours."""
    has_counts = any(account.count_rows for account in accounts)
    has_evidence = any(account.evidence_us for account in accounts)
    is_signed = any(account.signed_count_rows for account in accounts)
    return {
        "has_counts": int(has_counts),
        "counted": int(has_counts and has_evidence),
        "connected": int(has_evidence or is_signed),
    }


def place_of(start: str, cohort: Cohort) -> str:
    return f"{start} of {'/'.join(part or '-' for part in cohort)}"


def compare_machine(name: str, machine: MachineFacts, found: Recomputed, first_us: int) -> Iterator[Difference]:
    """Differences of a machine's hours and days from ``first_us`` on, before which facts are no longer kept."""
    if machine.stored_spans != found.spans:
        differing = len(set(machine.stored_spans) ^ set(found.spans))
        yield Difference(f"machine {name}", "spans in use", differing, 0)
    stored = {place: figures for place, figures in machine.stored_hours.items() if place[0] >= first_us}
    recomputed: dict[Place, Figures] = {
        place: {figure: getattr(account, figure) for figure in FIGURES} for place, account in found.hours.items()
    }
    for hour, cohort in in_order(stored.keys() | recomputed.keys()):
        place = place_of(f"machine {name} hour {rfc3339(hour)}", cohort)
        yield from compare_figures(place, stored.get((hour, cohort)), recomputed.get((hour, cohort)))
    for day in sorted(machine.stored_days.keys() | found.days.keys()):
        if midnight(day) >= first_us:
            place = f"machine {name} day {day}"
            yield from compare_figures(place, machine.stored_days.get(day), found.days.get(day))


def in_order(places: Iterable[tuple[At, Cohort]]) -> list[tuple[At, Cohort]]:
    """Places by time and cohort; what a cohort lacks sorts first."""
    return sorted(places, key=lambda place: (place[0], [part or "" for part in place[1]]))


def compare_factory(name: str, stored: StoredSums, machines: list[Recomputed], first_us: int) -> Iterator[Difference]:
    """Differences of a factory's hours and days, which are sums over its machines.

    Of the day in which ``first_us`` lies nobody can tell any more whether it is counted, so it is left out.
    """
    hours: dict[Place, Figures] = defaultdict(lambda: defaultdict(int))
    days: dict[DayPlace, Figures] = defaultdict(lambda: defaultdict(int))
    for machine in machines:
        for (hour, cohort), account in machine.hours.items():
            for sums in (hours[hour, cohort], days[day_of(hour), cohort]):
                add_hour(sums, account, is_counted=bool(machine.days[day_of(hour)]["counted"]))
        for day, is_it in machine.days.items():
            owner = day_owner(machine.spans, day)
            if is_it["has_counts"] and owner is not None:
                days[day, owner]["count_days"] += 1
                days[day, owner]["counted_days"] += is_it["counted"]
    for hour, cohort in in_order(stored.hours.keys() | hours.keys()):
        if midnight(day_of(hour)) >= first_us:
            place = place_of(f"factory {name} hour {rfc3339(hour)}", cohort)
            yield from compare_figures(place, stored.hours.get((hour, cohort)), hours.get((hour, cohort)))
    for day, cohort in in_order(stored.days.keys() | days.keys()):
        if midnight(day) >= first_us:
            place = place_of(f"factory {name} day {day}", cohort)
            yield from compare_figures(place, stored.days.get((day, cohort)), days.get((day, cohort)))


def add_hour(sums: Figures, account: HourAccount, *, is_counted: bool) -> None:
    for figure in SUMMED:
        sums[figure] += getattr(account, figure)
    if is_counted:
        for figure in PER_COUNTED_DAY:
            sums[f"counted_{figure}"] += getattr(account, figure)
        sums["counted_busy_us"] += sum(getattr(account, figure) for figure in PLANNED_BUSY)
        sums["counted_pieces"] += account.good + account.scrap + account.rework


def compare_figures(place: str, stored: Figures | None, recomputed: Figures | None) -> Iterator[Difference]:
    """Differences of one row; a row that is missing has no figures."""
    left, right = stored or {}, recomputed or {}
    differing = [name for name in sorted(left.keys() | right.keys()) if left.get(name, 0) != right.get(name, 0)]
    for name in differing:
        yield Difference(place, name, left.get(name, 0), right.get(name, 0))
    if not differing and (stored is None) != (recomputed is None):
        yield Difference(place, "rows", int(stored is not None), int(recomputed is not None))
