"""Judges a simulated fleet by the plausibility rules in memory, each row received when it is sent.

``python -m tests.plausible --factories 200 --months 3`` prints how many honest factory-months each rule flags.
"""

import argparse
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from schemas.plausibility_rules import RULES, RuleId
from services.analytics.flags.raising import (
    Identical,
    Raised,
    Replayed,
    clock_flags,
    date_of,
    identity_flags,
    machine_flags,
    replay_flags,
)
from services.analytics.flags.rules import ReceiptDays
from services.analytics.flags.traits import (
    CountFacts,
    DayFacts,
    HourFacts,
    Prints,
    Receipts,
    changes_of,
    joined_traits,
    prints_of,
    traits_of,
)
from services.analytics.in_force import StateRows
from services.analytics.sums import day_at, day_code
from services.core.times import DAY_US, HOUR_US, SECOND_US, seoul_midnight_us
from services.gateway import CountRow, StateRow
from services.simulator.fleet import Factory, make_fleet
from services.simulator.ghosts import make_ghosts
from services.simulator.machine_truth import RegisteredMachine, holds, rows_in_force
from services.simulator.mishaps import Delivery
from services.simulator.registration import STATE_TTL_S
from services.simulator.source import Source, World

FIRST_DAY = dt.date(2026, 3, 1)
SEED = 1


@dataclass
class Judged:
    """The flags of a fleet, by factory."""

    fleet: Sequence[Factory]
    flags: list[Raised]
    end: dt.date

    def of_rule(self, rule: RuleId) -> list[Raised]:
        return [flag for flag in self.flags if flag.rule is rule]

    def flagged_months(self, rule: RuleId) -> set[tuple[str, dt.date]]:
        """The honest factories' months with a day that the rule flags."""
        return {
            (self.fleet[flag.factory].factory_id, day.replace(day=1))
            for flag in self.of_rule(rule)
            for day in flag.days
            if day < self.end and self.fleet[flag.factory].ghost is None
        }


def judge_fleet(fleet: Sequence[Factory], first: dt.date, end: dt.date, trouble: float = 1.0) -> Judged:
    """Judge what a fleet sends of the days from ``first`` to before ``end``, as it stands when all has arrived."""
    world = World(SEED, seoul_midnight_us(first), trouble)
    until_us = seoul_midnight_us(end)
    factory_of: dict[int, int] = {}
    names: dict[int, str] = {}
    traits, prints, receipts, first_receipt = [], [], [], {}
    for number, factory in enumerate(fleet):
        sent = [
            delivery
            for delivery in Source(world, factory).deliveries(world.begin_us, until_us + 40 * DAY_US)
            if delivery.row.at_us < until_us
        ]
        if not sent:
            continue
        first_receipt[number] = int(day_at(min(delivery.due_us for delivery in sent)))
        receipts += list(receipt_days(number, sent))
        received = last_received(sent)
        for machine_id, rows in sorted(rows_in_force(sent).items()):
            machine = len(factory_of) + 1
            factory_of[machine], names[machine] = number, f"{factory.factory_id}/{machine_id}"
            cycle_s = next(own.ideal_cycle_s for own in factory.machines if own.machine_id == machine_id)
            facts = facts_of(machine, rows, received, cycle_s, (world.begin_us, until_us))
            changes = changes_of(facts.states, facts.counts)
            traits.append(traits_of(facts, changes))
            prints.append(prints_of(changes))
    columns = np.array(receipts, np.int64).reshape(-1, 5).T
    replayed, identical = compare(prints, factory_of, names)
    return Judged(
        fleet,
        [
            *machine_flags(joined_traits(traits), factory_of, first_receipt),
            *clock_flags(ReceiptDays(*columns)),
            *replay_flags(replayed),
            *identity_flags(identical),
        ],
        end,
    )


def last_received(sent: Iterable[Delivery]) -> dict[tuple[str, int, bool], int]:
    """When the row in force of each identity was sent, by machine, instant and whether it is a count."""
    best: dict[tuple[str, int, bool], tuple[int, int]] = {}
    for delivery in sent:
        key = (delivery.row.machine_id, delivery.row.at_us, isinstance(delivery.row, CountRow))
        if key not in best or delivery.revision > best[key][0]:
            best[key] = (delivery.revision, delivery.due_us)
    return {key: due_us for key, (_, due_us) in best.items()}


def receipt_days(factory: int, sent: Iterable[Delivery]) -> Iterator[tuple[int, int, int, int, int]]:
    """Each day of receipt's records and medians: what is due at once and has one revision is one record."""
    by_day: dict[int, list[int]] = defaultdict(list)
    ordered = sorted(sent, key=lambda delivery: (delivery.due_us // (10 * SECOND_US), delivery.revision))
    for _, rows in groupby(ordered, key=lambda delivery: (delivery.due_us // (10 * SECOND_US), delivery.revision)):
        record = list(rows)
        sent_us = max(delivery.due_us for delivery in record)
        offset_us = sent_us - max(delivery.row.at_us for delivery in record)
        if offset_us < DAY_US:
            by_day[int(day_at(sent_us))].append(offset_us)
    for day, offsets in sorted(by_day.items()):
        yield factory, day, len(offsets), 0, sorted(offsets)[(len(offsets) - 1) // 2]


def facts_of(
    machine: int,
    rows: Sequence[StateRow | CountRow],
    received: dict[tuple[str, int, bool], int],
    cycle_s: float | None,
    window: tuple[int, int],
) -> DayFacts:
    """The facts of a machine, and its accounts by hour, worked out row by row."""
    from_us, to_us = window
    states = [row for row in rows if isinstance(row, StateRow)]
    counts = [row for row in rows if isinstance(row, CountRow)]
    hours: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    registered = RegisteredMachine(STATE_TTL_S * SECOND_US, None, from_us, [from_us])
    for row, start_us, end_us in holds(registered, states):
        at_us, end = start_us, min(end_us, to_us)
        while at_us < end:
            hour_us = at_us // HOUR_US * HOUR_US
            length_us = min(end, hour_us + HOUR_US) - at_us
            hours[hour_us][0] += length_us
            hours[hour_us][1] += length_us if row.state.name == "producing" else 0
            at_us += length_us
    for count in counts:
        hours[count.at_us // HOUR_US * HOUR_US][2] += count.good + count.scrap + count.rework
    times = np.array([[hour, *sums] for hour, sums in sorted(hours.items())], np.int64).reshape(-1, 4).T
    cycle_us = 0 if cycle_s is None else round(cycle_s * SECOND_US)
    first, last = int(day_at(from_us)), int(day_at(to_us))
    codes = day_code(np.full(last - first, machine), np.arange(first, last)).tolist()
    same = np.full(len(times[0]), machine)
    ordered = sorted(rows, key=lambda row: row.at_us)
    return DayFacts(
        StateRows(*columns(machine, [(row.at_us, row.state.value, row.mode.value) for row in states], 3)),
        CountFacts(*columns(machine, [(row.at_us, row.good, row.scrap, row.rework) for row in counts], 4)),
        HourFacts(same, times[0], times[1], times[1], times[2], times[3], times[3] * cycle_us),
        Receipts(
            *columns(
                machine,
                [(row.at_us, received[row.machine_id, row.at_us, isinstance(row, CountRow)]) for row in ordered],
                2,
            )
        ),
        dict.fromkeys(codes, DAY_US),
        {},
    )


def columns(
    machine: int, rows: Sequence[tuple[int, ...]], width: int
) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The machine and the rows' values as columns."""
    values = np.array(rows, np.int64).reshape(-1, width).T
    return [np.full(len(rows), machine), *values]


def compare(
    prints: Iterable[Prints], factory_of: dict[int, int], names: dict[int, str]
) -> tuple[list[Replayed], list[Identical]]:
    """Compare all days with all, as the database's joins do."""
    alike: dict[bytes, list[tuple[int, int, int]]] = defaultdict(list)
    for own in prints:
        for machine, day, number, digest in zip(
            own.machine.tolist(), own.day.tolist(), own.changes.tolist(), own.digest, strict=True
        ):
            alike[digest].append((machine, day, number))
    replayed: list[Replayed] = []
    pairs: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for group in alike.values():
        for machine, day, number in group:
            before = [
                (d, -m) for m, d, _ in group if 0 < day - d <= RULES[RuleId.replayed_day].thresholds["days_before"]
            ]
            if before:
                other_day, other = max(before)
                replayed.append(
                    Replayed(factory_of[machine], machine, date_of(day), number, names[-other], date_of(other_day))
                )
            for m, d, _ in group:
                if d == day and m != machine:
                    pairs[machine, m].append((day, number))
    identical = [
        Identical(factory_of[m], m, names[o], [date_of(d) for d, _ in days], [n for _, n in days])
        for (m, o), days in sorted(pairs.items())
        if len(days) >= RULES[RuleId.identical_series].thresholds["least_days"]
    ]
    return sorted(replayed, key=lambda found: (found.machine, found.day)), identical


def main() -> None:
    """Print the share of honest factory-months that each rule flags, and whether each ghost is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factories", type=int, default=100)
    parser.add_argument("--months", type=int, default=2)
    parser.add_argument("--trouble", type=float, default=1.0)
    options = parser.parse_args()
    end = dt.date(FIRST_DAY.year, FIRST_DAY.month + options.months, 1)
    fleet = (*make_fleet(SEED, options.factories), *make_ghosts(SEED, options.factories))
    judged = judge_fleet(fleet, FIRST_DAY, end, options.trouble)
    months = options.factories * options.months
    for rule in RuleId:
        flagged = judged.flagged_months(rule)
        found = {fleet[flag.factory].ghost for flag in judged.of_rule(rule)}
        share = 100 * len(flagged) / months
        print(f"{rule}: {len(flagged)} of {months} honest factory-months ({share:.2f} %), ghost found: {rule in found}")
        print("   ", sorted({name for name, _ in flagged})[:10])


if __name__ == "__main__":
    main()
