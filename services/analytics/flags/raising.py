"""Makes flags of what the plausibility rules find: one for each rule, machine and month, with its evidence. Pure."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from schemas.plausibility_rules import PLAUSIBILITY, RULES, RuleId
from services.analytics.flags import rules
from services.analytics.flags.rules import ReceiptDays
from services.analytics.flags.traits import UNEVEN, Traits
from services.analytics.in_force import Ints
from services.core.times import EPOCH_DATE, HOUR_US, SECOND_US, rfc3339

Json = dict[str, object]
MACHINES_NAMED = 10
"""The most other machines that a flag about equal machines names."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A flag as its evidence stands: the rule's subject, the days, and what they are to be seen beside.

    Attributes:
        machine: None: all of the factory.
        month: None: the days of several months belong together.
    """

    rule: RuleId
    factory: int
    machine: int | None
    month: dt.date | None
    days: tuple[dt.date, ...]
    evidence: Json
    usual: Json

    @property
    def version(self) -> int:
        """The version of the rules."""
        return PLAUSIBILITY.version


@dataclass(frozen=True, slots=True)
class Replayed:
    """A day that equals an earlier one; ``other`` is that one's machine, as ``FACTORY/ID``."""

    factory: int
    machine: int
    day: dt.date
    changes: int
    other: str
    other_day: dt.date


@dataclass(frozen=True, slots=True)
class Identical:
    """A machine whose days equal another's, with the number of changes of each day."""

    factory: int
    machine: int
    other: str
    days: Sequence[dt.date]
    changes: Sequence[int]


def month_of(day: Ints) -> Ints:
    """Return the number of each day's month."""
    found: Ints = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return found


def first_of_month(number: int) -> dt.date:
    """Return the first day of a month, by its number since January 1970."""
    return dt.date(1970 + number // 12, 1 + number % 12, 1)


def date_of(day: int) -> dt.date:
    """Return a day, by its number since the Unix epoch."""
    return EPOCH_DATE + dt.timedelta(days=day)


def machine_flags(traits: Traits, factory_of: Mapping[int, int], first_receipt: Mapping[int, int]) -> Iterator[Raised]:
    """Yield the flags of the rules that look at one machine's days.

    Args:
        first_receipt: the day on which each factory's first record was received.
    """
    never, barren = rules.never_varies(traits), rules.pieces_without_production(traits)
    beyond = rules.beyond_capacity(traits)
    coverage, producing, times = (
        rules.coverage_of(traits),
        rules.producing_share_of(traits),
        rules.times_allowed(traits),
    )

    def varying(row: int) -> Json:
        pieces, distance_us = int(traits.even_pieces[row]), int(traits.even_us[row])
        return {
            "coverage": rounded(coverage[row]),
            "producing_share": rounded(producing[row]),
            "count_rows": int(traits.count_rows[row]),
            "pieces_each": None if pieces == UNEVEN else pieces,
            "distance_s": None if distance_us == UNEVEN else distance_us / SECOND_US,
        }

    def made(row: int) -> Json:
        return {"pieces": int(traits.pieces[row])}

    def above(row: int) -> Json:
        return {"pieces": int(traits.pieces[row]), "times_allowed": rounded(times[row])}

    with_evidence, with_pieces = traits.evidence_us > 0, traits.pieces > 0
    usual_varying = usual_by_factory(traits, factory_of, producing, with_evidence & ~never)
    usual_times = usual_by_factory(traits, factory_of, times, (times > 0) & ~beyond)
    usual_barren = usual_by_factory(traits, factory_of, traits.barren.astype(float), with_pieces & ~barren, np.mean)
    yield from by_month(RuleId.never_varies, traits, never, factory_of, varying, "producing_share", usual_varying)
    yield from by_month(
        RuleId.pieces_without_production, traits, barren, factory_of, made, "share_of_days", usual_barren
    )
    yield from by_month(RuleId.beyond_capacity, traits, beyond, factory_of, above, "times_allowed", usual_times)
    yield from bulk_flags(traits, factory_of, first_receipt)


def rounded(value: float) -> float:
    """Return a share as evidence shows it."""
    return round(float(value), 6)


def usual_by_factory(
    traits: Traits,
    factory_of: Mapping[int, int],
    values: npt.NDArray[np.float64],
    chosen: npt.NDArray[np.bool_],
    middle: Callable[[npt.NDArray[np.float64]], np.float64] = np.median,
) -> dict[int, float]:
    """Return the median (or another ``middle``) of the chosen values of each factory that has any."""
    factory = np.array([factory_of[machine] for machine in traits.machine.tolist()], np.int64)
    return {
        own: rounded(float(middle(values[chosen & (factory == own)]))) for own in np.unique(factory[chosen]).tolist()
    }


def by_month(
    rule: RuleId,
    traits: Traits,
    found: npt.NDArray[np.bool_],
    factory_of: Mapping[int, int],
    values: Callable[[int], Json],
    measure: str,
    usual: Mapping[int, float],
) -> Iterator[Raised]:
    """Yield a flag for each machine and month with days that were found; ``values`` gives the evidence of a row."""
    place = np.flatnonzero(found)
    months = month_of(traits.day[place])
    keys = list(zip(traits.machine[place].tolist(), months.tolist(), place.tolist(), strict=True))
    for (machine, month), rows in groupby(keys, key=lambda key: key[:2]):
        own = [row for _, _, row in rows]
        days = tuple(date_of(int(traits.day[row])) for row in own)
        evidence: Json = {"days": [{"day": day.isoformat(), **values(row)} for day, row in zip(days, own, strict=True)]}
        factory = factory_of[machine]
        beside: Json = {measure: usual.get(factory), "thresholds": RULES[rule].thresholds}
        yield Raised(rule, factory, machine, first_of_month(month), days, evidence, beside)


def bulk_flags(traits: Traits, factory_of: Mapping[int, int], first_receipt: Mapping[int, int]) -> Iterator[Raised]:
    """Yield the flags of machines' months that were sent in bulk."""
    begun = np.array([first_receipt.get(factory_of[own], 2**31) for own in traits.machine.tolist()], np.int64)
    judged = traits.chosen((traits.day >= begun) & (traits.rows > 0))
    month = month_of(judged.day)
    starts = rules.month_starts(judged, month)
    bulk = rules.sent_in_bulk(judged, month)
    ends = [*starts[1:].tolist(), len(judged.day)]
    rest: dict[int, list[int]] = {}
    for number, start in enumerate(starts.tolist()):
        if not bulk.flagged[number]:
            sums = rest.setdefault(factory_of[int(judged.machine[start])], [0, 0])
            sums[0] += int(bulk.late_rows[number])
            sums[1] += int(bulk.rows[number])
    for number in np.flatnonzero(bulk.flagged).tolist():
        start, end = int(starts[number]), ends[number]
        machine = int(judged.machine[start])
        factory = factory_of[machine]
        late, rows = rest.get(factory, (0, 0))
        evidence: Json = {
            "rows": int(bulk.rows[number]),
            "late_rows": int(bulk.late_rows[number]),
            "hours_of_receipt": [rfc3339(hour * HOUR_US) for hour in bulk.hours[number]],
        }
        usual: Json = {
            "late_share": rounded(late / rows) if rows else None,
            "thresholds": RULES[RuleId.sent_in_bulk].thresholds,
        }
        days = tuple(map(date_of, judged.day[start:end].tolist()))
        yield Raised(RuleId.sent_in_bulk, factory, machine, first_of_month(int(month[start])), days, evidence, usual)


def clock_flags(receipts: ReceiptDays) -> Iterator[Raised]:
    """Yield the flags of factories' months with days of receipt on which the clocks differ."""
    off = rules.clock_off(receipts)
    place = np.flatnonzero(off)
    months = month_of(receipts.day[place])
    keys = list(zip(receipts.factory[place].tolist(), months.tolist(), place.tolist(), strict=True))
    for (factory, month), rows in groupby(keys, key=lambda key: key[:2]):
        own = [row for _, _, row in rows]
        others = (receipts.factory == factory) & ~off
        days = tuple(date_of(int(receipts.day[row])) for row in own)
        evidence: Json = {
            "days": [
                {
                    "day": day.isoformat(),
                    "records": int(receipts.records[row]),
                    "receipt_delay_s": int(receipts.delay_us[row]) / SECOND_US,
                    "clock_offset_s": int(receipts.offset_us[row]) / SECOND_US,
                }
                for day, row in zip(days, own, strict=True)
            ]
        }
        usual: Json = {
            "receipt_delay_s": float(np.median(receipts.delay_us[others])) / SECOND_US if others.any() else None,
            "clock_offset_s": float(np.median(receipts.offset_us[others])) / SECOND_US if others.any() else None,
            "thresholds": RULES[RuleId.clock_off].thresholds,
        }
        yield Raised(RuleId.clock_off, factory, None, first_of_month(month), days, evidence, usual)


def replay_flags(days: Iterable[Replayed]) -> Iterator[Raised]:
    """Yield the flags of machines' months with days that equal earlier ones; ``days`` by machine and day."""
    for (machine, month), rows in groupby(days, key=lambda found: (found.machine, found.day.replace(day=1))):
        own = list(rows)
        evidence: Json = {
            "days": [
                {
                    "day": found.day.isoformat(),
                    "changes": found.changes,
                    "same_as": {"machine": found.other, "day": found.other_day.isoformat()},
                }
                for found in own
            ]
        }
        usual: Json = {"equal_days": 0, "thresholds": RULES[RuleId.replayed_day].thresholds}
        days_of = tuple(found.day for found in own)
        yield Raised(RuleId.replayed_day, own[0].factory, machine, month, days_of, evidence, usual)


def identity_flags(pairs: Iterable[Identical]) -> Iterator[Raised]:
    """Yield the flags of machines whose days equal those of others; ``pairs`` by machine."""
    for machine, rows in groupby(pairs, key=lambda pair: pair.machine):
        own = list(rows)
        changes = {day: number for pair in own for day, number in zip(pair.days, pair.changes, strict=True)}
        evidence: Json = {
            "machines": [{"machine": pair.other, "days": [day.isoformat() for day in pair.days]} for pair in own],
            "days": [{"day": day.isoformat(), "changes": number} for day, number in sorted(changes.items())],
        }
        usual: Json = {"equal_days": 0, "thresholds": RULES[RuleId.identical_series].thresholds}
        yield Raised(RuleId.identical_series, own[0].factory, machine, None, tuple(sorted(changes)), evidence, usual)
