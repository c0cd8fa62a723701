"""A naive model of ``GET /v1/kpis``, without spans, cohorts, marks or stored sums.

Of every machine and every half hour it asks what the registry says and which row speaks for it, and adds up. Everything
happens on half hours, in a window of two months.
"""

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.kpi_definitions import read_definitions
from services.api.kpis.items import make_item
from services.api.kpis.models import KpiItem
from services.api.kpis.sums import Sums
from services.api.kpis.tables import SERVED
from services.api.kpis.windows import Interval, buckets
from services.core.times import FIRST_INSTANT_US, MINUTE_US, seoul_day, seoul_midnight_us

DEFINITIONS = read_definitions()
FIRST_DAY = dt.date(2017, 2, 1)
HALF_US = 30 * MINUTE_US
A_DAY = 48
HALVES = A_DAY * 59
STATES = ("unknown", "producing", "setup", "delayed", "faulted", "idle", "planned_stop", "off_shift")
UNKNOWN, FAULTED = 0, 4
PLANNED_BUSY = ("producing", "setup", "delayed", "faulted", "idle")
MODES = (None, "automatic", "semi_automatic", "manual")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
A_DAYS_MINUTES = 1440
COHORTS = ("region", "sector", "zone", "sponsor", "level", "size")

Json = dict[str, Any]


def at_half(n: int) -> int:
    """Return the instant at which half hour ``n`` of the window begins."""
    return seoul_midnight_us(FIRST_DAY) + n * HALF_US


def half_at(us: int) -> int:
    return (us - at_half(0)) // HALF_US


def day_of(n: int) -> dt.date:
    return seoul_day(at_half(n))


@dataclass(frozen=True, slots=True)
class Asked:
    """A question; ``first`` and ``end`` are half hours."""

    scope: dict[str, str]
    group_by: str | None
    interval: Interval
    first: int
    end: int

    @property
    def label(self) -> str:
        return "&".join(f"{kind}:{value}" for kind, value in self.scope.items()) or "nation"


@dataclass
class Registry:
    """The bodies put to each path, by the instant from which they apply; putting the current body changes nothing."""

    registered: dict[str, dict[int, Json]] = field(default_factory=lambda: defaultdict(dict))
    holidays: set[dt.date] = field(default_factory=set)

    def put(self, path: str, body: Json, from_us: int | None) -> None:
        versions = self.registered[path]
        start = max(versions, default=FIRST_INSTANT_US) if from_us is None else from_us
        if self.at(path, start) != body:
            versions[start] = body

    def at(self, path: str, us: int) -> Json | None:
        begun = [start for start in self.registered[path] if start <= us]
        return self.registered[path][max(begun)] if begun else None

    def machine(self, factory: str, machine: str, n: int) -> Json | None:
        """Return a machine's registration if it is in use."""
        own = self.at(f"/v1/factories/{factory}/machines/{machine}", at_half(n))
        if own and own["in_use_from"] <= str(day_of(n)) < (own["in_use_to"] or "9999"):
            return own
        return None

    def is_scheduled(self, factory: str, n: int) -> bool:
        """Return whether a half hour is within the factory's shifts, or no calendar is in force."""
        path = f"/v1/factories/{factory}/calendar"
        own = self.at(path, at_half(n))
        if own is None or own["weekly"] is None:
            return True
        day, minute = day_of(n), (n % A_DAY) * 30
        return any(
            start <= minute + days * A_DAYS_MINUTES < end
            for days in (0, 1)
            for start, end in self.shifts(path, day - dt.timedelta(days=days))
        )

    def shifts(self, path: str, day: dt.date) -> list[tuple[int, int]]:
        """Return the shifts that begin on a day, in minutes since its midnight."""
        own = self.at(path, seoul_midnight_us(day))
        if own is None or own["weekly"] is None:
            return []
        exceptions = [one["shifts"] for one in own["exceptions"] if one["date"] == str(day)]
        if exceptions:
            return [minutes(shift) for shift in exceptions[0]]
        if own["holidays"] and day in self.holidays:
            return []
        return [minutes(shift) for shift in own["weekly"] if WEEKDAYS[day.weekday()] in shift["days"]]

    def groups(self, factory: str, machine: str, n: int) -> dict[str, str | None]:
        """Return the groups to which a machine belongs."""
        own = self.at(f"/v1/factories/{factory}", at_half(n)) or {"enterprise_id": None}
        owner = self.at(f"/v1/enterprises/{own['enterprise_id']}", at_half(n)) or {"employees": None}
        size = (None, "1-9", "10-49", "50-299", "300+")[bisect_right((1, 10, 50, 300), owner["employees"] or 0)]
        return {kind: own.get(kind) for kind in COHORTS} | {
            "size": size,
            "factory": factory,
            "machine": f"{factory}/{machine}",
        }

    def smart_enterprises(self, groups: dict[str, str], us: int) -> int:
        """Return how many enterprises have a smart factory with these groups just before an instant."""
        paths = [path for path in self.registered if path.count("/") == 3 and path.startswith("/v1/factories/")]
        own = [body for path in paths if (body := self.at(path, us - 1)) and body["level"] != "none"]
        return len({body["enterprise_id"] for body in own if all(body[kind] == groups[kind] for kind in groups)})


def minutes(shift: Json) -> tuple[int, int]:
    """Return the minutes at which a shift begins and ends; an end that is not later is on the day after."""
    start, end = (int(shift[name][:2]) * 60 + int(shift[name][3:]) for name in ("from", "to"))
    return start, end if end > start else end + A_DAYS_MINUTES


@dataclass(slots=True)
class Half:
    """Half an hour of a machine in use: its registration, whether it is scheduled, and what it adds to sums."""

    registered: Json
    is_scheduled: bool
    groups: dict[str, str | None]
    figures: dict[str, int]

    def is_in(self, scope: dict[str, str]) -> bool:
        return all(self.groups[kind] == value for kind, value in scope.items())


@dataclass
class Machine:
    """A machine's rows by half hour, and its half hours in use."""

    factory_id: str
    machine_id: str
    states: dict[int, tuple[int, int]] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    halves: dict[int, Half] = field(default_factory=dict)

    def account(self, registry: Registry, until: int) -> None:
        """Recompute its half hours from the rows before ``until``."""
        self.halves = {}
        for n in range(HALVES):
            registered = registry.machine(self.factory_id, self.machine_id, n)
            if registered is not None:
                is_scheduled = registry.is_scheduled(self.factory_id, n)
                groups = registry.groups(self.factory_id, self.machine_id, n)
                self.halves[n] = Half(registered, is_scheduled, groups, {})
        for n, half in self.halves.items():
            if n < until:
                half.figures = {
                    **self.time(n, half),
                    **self.pieces(n, half.registered),
                    "failures": self.fails(n),
                }

    def last_row(self, n: int) -> int | None:
        return max((row for row in self.states if row <= n), default=None)

    def time(self, n: int, half: Half) -> dict[str, int]:
        """Return the half hour in each figure toward which it counts, if a row still holds then."""
        row, registered = self.last_row(n), half.registered
        if row is None or (n - row) * HALF_US >= registered["state_ttl_s"] * 10**6 or self.states[row][0] == UNKNOWN:
            return {}
        state, mode = STATES[self.states[row][0]], MODES[self.states[row][1]]
        if state == "idle" and not half.is_scheduled:
            state = "off_shift"
        names = [f"{state}_us", "evidence_us"]
        if half.is_scheduled:
            names.append("scheduled_evidence_us")
        if state == "producing" and mode:
            names.append(f"producing_{mode}_us")
        if state in PLANNED_BUSY:
            names.append("counted_busy_us")
        if registered["ideal_cycle_s"]:
            names += [f"counted_cycle_{state}_us"] if state in ("producing", "setup") else []
            names += ["counted_cycle_busy_us"] if state in PLANNED_BUSY else []
        return dict.fromkeys(names, HALF_US)

    def pieces(self, n: int, registered: Json) -> dict[str, int]:
        """Return the figures of a count row, which has the number of good pieces; one is scrap, and two are rework."""
        if n not in self.counts:
            return {}
        good, cycle_us = self.counts[n], (registered["ideal_cycle_s"] or 0) * 10**6
        ideal = {"counted_ideal_pq_us": (good + 3) * cycle_us, "counted_ideal_good_us": good * cycle_us}
        return {"good": good, "scrap": 1, "rework": 2, "counted_pieces": good + 3, **ideal}

    def fails(self, n: int) -> int:
        """Return 1 if a failure begins: a faulted row after a known state that is not faulted."""
        before, row = self.halves.get(n - 1), self.last_row(n - 1)
        if self.states.get(n, (UNKNOWN,))[0] != FAULTED or before is None or row is None:
            return 0
        still_holds = (n - row) * HALF_US <= before.registered["state_ttl_s"] * 10**6
        return int(still_holds and self.states[row][0] not in (UNKNOWN, FAULTED))

    def add_to(self, sums: dict[str, int], scope: dict[str, str], start: int, stop: int) -> None:
        """Add the machine's part of a scope's sums within [start, stop)."""
        days: dict[dt.date, list[int]] = defaultdict(list)
        for n in self.halves:
            days[day_of(n)].append(n)
        counts = {day for day, own in days.items() if any("scrap" in self.halves[n].figures for n in own)}
        heard = {day for day, own in days.items() if any("evidence_us" in self.halves[n].figures for n in own)}
        window = range(start, stop)
        for n in window:
            if n in self.halves and self.halves[n].is_in(scope):
                sums["in_use_us"] += HALF_US
                sums["scheduled_us"] += HALF_US * self.halves[n].is_scheduled
                for name, amount in self.halves[n].figures.items():
                    if not name.startswith("counted_") or day_of(n) in counts & heard:
                        sums[name] += amount
        for day in {day_of(n) for n in window} & days.keys():
            if self.halves[days[day][-1]].is_in(scope):
                sums["machine_days"] += 1
                sums["count_days"] += day in counts
                sums["counted_days"] += day in counts & heard
        if stop - 1 in window and stop - 1 in self.halves and self.halves[stop - 1].is_in(scope):
            own = [self.halves[n].figures for n in window if n in self.halves]
            sums["stock_machines"] += 1
            sums["stock_automated"] += self.halves[stop - 1].registered["automation"] in ("automatic", "robot")
            sums["stock_connected"] += any("evidence_us" in figures or "scrap" in figures for figures in own)


def expected_items(registry: Registry, machines: list[Machine], asked: Asked, until: int) -> Iterator[KpiItem]:
    """Yield the expected items of an answer, by label and time. No population is reported."""
    found = []
    for bucket in buckets(at_half(asked.first), at_half(asked.end), asked.interval):
        start, stop = half_at(bucket.from_us), min(half_at(bucket.to_us), until)
        members: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for machine in machines:
            for n in range(start, stop):
                half = machine.halves.get(n)
                if half is None or not half.is_in(asked.scope):
                    continue
                value = asked.group_by and half.groups[asked.group_by]
                if asked.group_by is None or value is not None:
                    label = f"{asked.group_by}:{value}" if value else asked.label
                    members[label].add((machine.factory_id, machine.machine_id))
        for label, own in members.items():
            inside = asked.scope | ({asked.group_by: label.partition(":")[2]} if asked.group_by else {})
            sums = Sums(dict.fromkeys(SERVED, 0), len({factory for factory, _ in own}), len(own))
            for machine in machines:
                machine.add_to(sums.figures, inside, start, stop)
            if inside.keys() <= {"region", "sector"}:
                sums.figures["stock_offered"] = 1
                sums.figures["stock_smart_enterprises"] = registry.smart_enterprises(inside, at_half(stop))
            found.append((label, bucket.from_us, bucket, sums))
    for label, _, bucket, sums in sorted(found, key=lambda one: one[:2]):
        yield make_item(label, bucket, sums, at_half(until), DEFINITIONS, list(DEFINITIONS.by_id()))
