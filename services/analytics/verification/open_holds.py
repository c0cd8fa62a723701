"""Recomputes what holds each machine of a factory at ``accounted_until``, and compares it with what is stored.

The comparison is made while no mark before that instant waits. Time from the end of the running hour on is left out,
since every hold is found again from its facts there.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.analytics.verification import queries
from services.analytics.verification.compare import Difference, Recomputed, compare_figures, in_order, place_of
from services.analytics.verification.days import day_of, midnight
from services.analytics.verification.reference import (
    HOUR,
    UNKNOWN,
    Cohort,
    MachineVersion,
    PlainState,
    as_accounted,
    in_use,
    instant_of,
    is_outside,
)
from services.analytics.verification.snapshot import Amounts, MachineFacts
from services.core.database import Connection
from services.core.times import rfc3339


@dataclass(frozen=True, slots=True)
class StoredHold:
    """What is stored for one machine: cohort, state, mode, flags, and from when to when it holds."""

    machine: int
    cohort: Cohort
    figures: Amounts


@dataclass(frozen=True, slots=True)
class FactoryHolds:
    """What is stored of a factory's holds, and what is needed to compare it.

    Attributes:
        version_starts_us: where each machine's registered versions begin; a hold is cut there, whatever they say.
        marked_ahead: the first mark of machines that have one in the rest of the running hour. It may change the end of
            their hold, or end it right at ``until_us``.
    """

    until_us: int
    stored: Sequence[StoredHold]
    version_starts_us: Mapping[int, frozenset[int]]
    marked_ahead: Mapping[int, int]


async def read_holds(connection: Connection, factory: int, until_us: int) -> FactoryHolds:
    """Return a factory's stored holds."""
    stored = []
    for row in await connection.fetch(queries.STORED_HOLDS, factory):
        machine, cohort, state, mode, with_cycle, outside, counted, from_us, end_us = row.values()
        figures: Amounts = {
            "state": state,
            "mode": mode,
            "with_cycle": int(with_cycle),
            "outside": int(outside),
            "counted": int(counted),
            "from_us": from_us,
            "until_us": end_us,
        }
        stored.append(StoredHold(machine, tuple(cohort), figures))
    starts: dict[int, set[int]] = {}
    for machine, start_us in await connection.fetch(queries.VERSION_STARTS, factory):
        starts.setdefault(machine, set()).add(start_us)
    marked = await connection.fetch(queries.MARKED_BEFORE, factory, hour_end(until_us))
    return FactoryHolds(
        until_us,
        stored,
        {machine: frozenset(own) for machine, own in starts.items()},
        {row["machine"]: row["first_at"] for row in marked},
    )


def hour_end(until_us: int) -> int:
    """Return the end of the hour in which an instant lies."""
    return until_us - until_us % HOUR + HOUR


def hold_at(
    rows: Sequence[PlainState], facts: MachineFacts, version_starts_us: frozenset[int], until_us: int
) -> tuple[Cohort, Amounts] | None:
    """Return the cohort and the figures of the state that holds at an instant by a row before it; None if none does.

    Args:
        rows: sorted; up to the end of the hour at least.
    """
    versions = facts.versions
    version = in_use(versions, until_us)
    last = bisect_right(rows, until_us - 1, key=instant_of) - 1
    if version is None or last < 0:
        return None
    since, state, mode = rows[last]
    start, end = around(version, versions, version_starts_us)
    outside = is_outside(version, facts.shifts, until_us)
    if version.pattern is not None:
        edges = [edge for shift in facts.shifts for edge in shift]
        start = max([start, *(edge for edge in edges if edge <= until_us)])
        end = min([end, *(edge for edge in edges if edge > until_us)])
    ends = [since + version.state_ttl_us, end, version.in_use_to_us, *(row[0] for row in rows[last + 1 : last + 2])]
    if state == UNKNOWN or min(ends) <= until_us:
        return None
    from_us = max(since, start, version.in_use_from_us, until_us - until_us % HOUR)
    return version.cohort, {
        "state": as_accounted(state, outside=outside),
        "mode": mode,
        "outside": int(outside),
        "with_cycle": int(version.ideal_cycle_us is not None),
        "from_us": from_us,
        "until_us": min(ends),
    }


def around(
    version: MachineVersion, versions: Sequence[MachineVersion], version_starts_us: frozenset[int]
) -> tuple[int, int]:
    """Return the bounds of a version, which its factory's changes do not cut unless the cohort is another one."""
    start, end = version.effective_from_us, version.effective_to_us
    for other in reversed(versions):
        if other.effective_to_us == start and are_alike(other, version) and start not in version_starts_us:
            start = other.effective_from_us
    for other in versions:
        if other.effective_from_us == end and are_alike(other, version) and end not in version_starts_us:
            end = other.effective_to_us
    return start, end


def are_alike(one: MachineVersion, other: MachineVersion) -> bool:
    """Return whether a hold is not cut between two versions because of what the factory is."""
    return one.cohort == other.cohort and one.pattern == other.pattern


def compare_holds(
    names: Mapping[int, str],
    facts: Mapping[int, MachineFacts],
    found: Mapping[int, Recomputed],
    holds: FactoryHolds,
    first_us: int,
) -> Iterator[Difference]:
    """Yield the differences of machines' holds.

    Args:
        names, facts, found: by the machine's number.
        first_us: accounts are recomputed from here on; a day that began earlier may be counted by what came before.
    """
    day = day_of(holds.until_us)
    for machine, times in Counter(hold.machine for hold in holds.stored).items():
        if times > 1 or machine not in names:
            yield Difference(f"hold of machine {names.get(machine, machine)}", "rows", times, int(machine in names))
    for machine, name in names.items():
        if holds.marked_ahead.get(machine) == holds.until_us:
            continue
        own = facts[machine]
        starts = holds.version_starts_us.get(machine, frozenset())
        stored = {hold.cohort: hold.figures for hold in holds.stored if hold.machine == machine}
        # A hold that was left to end by itself stays until its hour is closed: it is compared just before its end.
        ended = [int(figures["until_us"]) for figures in stored.values() if figures["until_us"] <= holds.until_us]
        rows = sorted(own.states)
        held = hold_at(rows, own, starts, holds.until_us)
        if held is None and ended:
            held = hold_at(rows, own, starts, ended[0] - 1)
        expected: dict[Cohort, Amounts] = {}
        if held is not None:
            expected[held[0]] = held[1] | {"counted": found[machine].days.get(day, {}).get("counted", 0)}
        left_out = {"counted"} if midnight(day) < first_us else set()
        left_out |= {"until_us"} if machine in holds.marked_ahead else set()
        for _, cohort in in_order((0, cohort) for cohort in stored.keys() | expected.keys()):
            place = place_of(f"machine {name} hold at {rfc3339(holds.until_us)}", cohort)
            sides = [compared(side.get(cohort), left_out, holds.until_us) for side in (stored, expected)]
            yield from compare_figures(place, *sides)


def compared(figures: Amounts | None, left_out: set[str], until_us: int) -> Amounts | None:
    """Return what is compared of a hold: its end only within the running hour."""
    if figures is None:
        return None
    within = figures | {"until_us": min(figures["until_us"], hour_end(until_us))}
    return {name: amount for name, amount in within.items() if name not in left_out}
