"""Compares the stored figures of one factory with recomputed ones, and names every difference."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from schemas.figure_definitions import FIGURES, MachineDays, OnCountedDays, Table, figures_of
from services.analytics.verification.days import day_of, midnight
from services.analytics.verification.reference import Cohort, HourAccount, Place, account_machine
from services.analytics.verification.registered import Span, day_owner, expected_spans
from services.analytics.verification.snapshot import Amounts, DayPlace, MachineFacts, StoredSums, Window
from services.core.times import rfc3339

FACTORY_FIGURES = figures_of(Table.FACTORY_HOUR)
DAY_COUNTS = {figure.id: figure.rule.are for figure in FIGURES if isinstance(figure.rule, MachineDays)}

NOBODYS: Cohort = ()

At = TypeVar("At", int, dt.date)


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored figure that is not the recomputed one."""

    place: str
    figure: str
    stored: int | Decimal
    recomputed: int | Decimal

    def __str__(self) -> str:
        return f"{self.place} {self.figure}: stored {self.stored}, recomputed {self.recomputed}"


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One machine, recomputed: its spans in use, its hours by cohort, and the flags of days with any account."""

    spans: list[Span]
    hours: dict[Place, HourAccount]
    days: dict[dt.date, Amounts]


def recompute(machine: MachineFacts, window: Window, until_us: int, sealed_before_us: int) -> Recomputed:
    """Recompute one machine's hours and days from its rows."""
    hours = account_machine(
        machine.states,
        machine.counts,
        machine.versions,
        until_us,
        sealed_before_us,
        window.from_us,
        window.to_us,
        machine.shifts,
    )
    by_day: dict[dt.date, list[HourAccount]] = defaultdict(list)
    for (hour, _), account in hours.items():
        by_day[day_of(hour)].append(account)
    return Recomputed(
        expected_spans(machine.versions, sealed_before_us),
        hours,
        {day: day_flags(accounts) for day, accounts in by_day.items()},
    )


def day_flags(accounts: list[HourAccount]) -> Amounts:
    """Return whether a machine's day has counts, is counted and is connected, from its hours."""
    has_counts = any(account["count_rows"] for account in accounts)
    has_evidence = any(account["evidence_us"] for account in accounts)
    is_signed = any(account["signed_count_rows"] for account in accounts)
    return {
        "has_counts": int(has_counts),
        "counted": int(has_counts and has_evidence),
        "connected": int(has_evidence or is_signed),
        "has_evidence": int(has_evidence),
        "is_signed": int(is_signed),
    }


def place_of(start: str, cohort: Cohort) -> str:
    """Return the name of a place in a cohort, as differences print it."""
    return f"{start} of {'/'.join(part or '-' for part in cohort)}"


def compare_machine(name: str, machine: MachineFacts, found: Recomputed, first_us: int) -> Iterator[Difference]:
    """Yield the differences of a machine's hours and days from ``first_us`` on; older facts are no longer kept."""
    if machine.stored_spans != found.spans:
        differing = len(set(machine.stored_spans) ^ set(found.spans))
        yield Difference(f"machine {name}", "spans in use", differing, 0)
    stored = {place: figures for place, figures in machine.stored_hours.items() if place[0] >= first_us}
    for hour, cohort in in_order(stored.keys() | found.hours.keys()):
        place = place_of(f"machine {name} hour {rfc3339(hour)}", cohort)
        yield from compare_figures(place, stored.get((hour, cohort)), found.hours.get((hour, cohort)))
    days = {(day, owner_of(found, day)): flags for day, flags in found.days.items()}
    for day, cohort in in_order(machine.stored_days.keys() | days.keys()):
        if midnight(day) >= first_us:
            place = place_of(f"machine {name} day {day}", cohort)
            yield from compare_figures(place, machine.stored_days.get((day, cohort)), days.get((day, cohort)))


def owner_of(found: Recomputed, day: dt.date) -> Cohort:
    """Return the cohort to which a machine's day with counts belongs; nothing if it is nobody's or has none."""
    owner = day_owner(found.spans, day) if found.days[day]["has_counts"] else None
    return NOBODYS if owner is None else owner


def in_order(places: Iterable[tuple[At, Cohort]]) -> list[tuple[At, Cohort]]:
    """Return places by time and cohort; a missing attribute of a cohort sorts first."""
    return sorted(places, key=lambda place: (place[0], [part or "" for part in place[1]]))


def compare_factory(name: str, stored: StoredSums, machines: list[Recomputed], first_us: int) -> Iterator[Difference]:
    """Yield the differences of a factory's hours and days, which are sums over its machines.

    The day in which ``first_us`` lies is left out: without its older facts it is not known whether it is counted.
    """
    hours: dict[Place, Amounts] = defaultdict(lambda: defaultdict(int))
    days: dict[DayPlace, Amounts] = defaultdict(lambda: defaultdict(int))
    for machine in machines:
        for (hour, cohort), account in machine.hours.items():
            for sums in (hours[hour, cohort], days[day_of(hour), cohort]):
                add_hour(sums, account, is_counted=bool(machine.days[day_of(hour)]["counted"]))
        for day, flags in machine.days.items():
            owner = day_owner(machine.spans, day)
            if flags["has_counts"] and owner is not None:
                for figure, column in DAY_COUNTS.items():
                    days[day, owner][figure] += flags[column]
    for hour, cohort in in_order(stored.hours.keys() | hours.keys()):
        if midnight(day_of(hour)) >= first_us:
            place = place_of(f"factory {name} hour {rfc3339(hour)}", cohort)
            yield from compare_figures(place, stored.hours.get((hour, cohort)), hours.get((hour, cohort)))
    for day, cohort in in_order(stored.days.keys() | days.keys()):
        if midnight(day) >= first_us:
            place = place_of(f"factory {name} day {day}", cohort)
            yield from compare_figures(place, stored.days.get((day, cohort)), days.get((day, cohort)))


def add_hour(sums: Amounts, account: HourAccount, *, is_counted: bool) -> None:
    """Add a machine's hour to its factory's sums."""
    for figure in FACTORY_FIGURES:
        if not isinstance(figure.rule, OnCountedDays):
            sums[figure.id] += account[figure.id]
        elif is_counted:
            sums[figure.id] += sum(account[name] for name in figure.rule.of)


def compare_figures(
    place: str, stored: Mapping[str, int | Decimal] | None, recomputed: Mapping[str, int | Decimal] | None
) -> Iterator[Difference]:
    """Yield the differences of one row; the figures of a missing row are 0."""
    left, right = stored or {}, recomputed or {}
    differing = [name for name in sorted(left.keys() | right.keys()) if left.get(name, 0) != right.get(name, 0)]
    for name in differing:
        yield Difference(place, name, left.get(name, 0), right.get(name, 0))
    if not differing and (stored is None) != (recomputed is None):
        yield Difference(place, "rows", int(stored is not None), int(recomputed is not None))
