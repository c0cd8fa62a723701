"""Makes the item that the API answers with from the sums of one bucket. Pure; numbers stay exact until written."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from msgspec.structs import astuple
from numpy.typing import NDArray

from schemas.kpi_definitions import KpiDefinitions, Unit
from services.analytics import Kpi, formulas_of
from services.api.kpis.models import KpiItem, KpiValue, PieceCounts, ProducingByMode, TimeAccount
from services.api.kpis.sums import Sums
from services.api.kpis.tables import DAY_COUNTS
from services.api.kpis.windows import Bucket
from services.core.times import rfc3339

T = TypeVar("T", int, NDArray[Any])

UNKNOWN = "unknown"
OFF_SHIFT = "off_shift_us"
STATES = tuple(name for name in TimeAccount.__struct_fields__ if name != UNKNOWN)
MODES = tuple(name for name in ProducingByMode.__struct_fields__ if name != UNKNOWN)
COUNTS = PieceCounts.__struct_fields__
STATE_FIGURES = itemgetter(*(f"{state}_us" for state in STATES))
MODE_FIGURES = itemgetter(*(f"producing_{mode}_us" for mode in MODES))
COUNT_FIGURES = itemgetter(*COUNTS)
"""The figures of parts of an item, in the order of its fields."""
COVERAGE = "coverage"
EVIDENCE = ("evidence_us", "scheduled_evidence_us")

EVERY_ITEM = frozenset(
    (*(f"{state}_us" for state in STATES), *(f"producing_{mode}_us" for mode in MODES), *COUNTS, *DAY_COUNTS, *EVIDENCE)
)
"""The figures of any item: those that it shows, and those that tell whether a KPI's basis is covered."""

PLAIN_COLUMNS = ("scope", "from", "to", "partial", "factories", "machines")


instant_text = lru_cache(maxsize=4096)(rfc3339)
"""A bucket ends where the next begins, and many scopes have the same buckets."""


def figures_needed(definitions: KpiDefinitions, ids: Iterable[str]) -> frozenset[str]:
    """Return the figures that items with these KPIs are made of."""
    known, needed, waiting = definitions.by_id(), set(EVERY_ITEM), {*ids, COVERAGE}
    seen: set[str] = set()
    while waiting:
        kpi = known[waiting.pop()]
        seen.add(kpi.id)
        needed |= kpi.figures | {rule.if_zero for rule in kpi.reasons}
        waiting |= {rule.below for rule in kpi.shortfalls} - seen
    return frozenset(needed)


class ItemMaker:
    """Makes items with the same KPIs: what they have in common is prepared once.

    Args:
        until_us: up to this instant everything is accounted.
        ids: the KPIs asked for.
    """

    def __init__(self, until_us: int, definitions: KpiDefinitions, ids: Sequence[str]) -> None:
        self._until_us = until_us
        self._formulas = formulas_of(definitions, ids)
        self._coverage = formulas_of(definitions, [COVERAGE])[COVERAGE]

    def make(self, label: str, bucket: Bucket, sums: Sums) -> KpiItem:
        """Return the item of one scope and bucket."""
        figures = sums.figures
        modes = MODE_FIGURES(figures)
        unknown, off_shift = unknown_and_off_shift(figures)
        states = STATE_FIGURES({**figures, OFF_SHIFT: off_shift})
        unknown_mode = figures["producing_us"] - sum(modes)
        return KpiItem(
            scope=label,
            from_=instant_text(bucket.from_us),
            to=instant_text(bucket.to_us),
            partial=bucket.to_us > self._until_us,
            factories=sums.factories,
            machines=sums.machines,
            time_s=TimeAccount(*[seconds(us) for us in (*states, unknown)]),
            producing_by_mode_s=ProducingByMode(*[seconds(us) for us in (*modes, unknown_mode)]),
            counts=PieceCounts(*COUNT_FIGURES(figures)),
            kpis={name: make_value(formula.compute(figures)) for name, formula in self._formulas.items()},
            coverage=self._coverage.compute(figures).value,
            suppressed=False,
        )


def unknown_and_off_shift(figures: Mapping[str, T]) -> tuple[T, T]:
    """Return the time that nothing holds within shifts, and all that is off shift, held or not.

    Args:
        figures: numbers, or arrays of numbers.
    """
    unknown = figures["scheduled_us"] - figures["scheduled_evidence_us"]
    unheld = figures["in_use_us"] - figures["evidence_us"]
    return unknown, figures[OFF_SHIFT] + unheld - unknown


def make_item(
    label: str, bucket: Bucket, sums: Sums, until_us: int, definitions: KpiDefinitions, ids: Sequence[str]
) -> KpiItem:
    """Return the item of one scope and bucket, alone."""
    return ItemMaker(until_us, definitions, ids).make(label, bucket, sums)


def make_value(kpi: Kpi) -> KpiValue:
    """Return a KPI in the units that its definition serves it in."""
    return KpiValue(
        value=kpi.value,
        numerator=in_unit(kpi.numerator, kpi.unit),
        denominator=in_unit(kpi.denominator, kpi.denominator_unit),
        reason=kpi.reason,
        flags=kpi.flags,
    )


def seconds(us: int) -> int | Decimal:
    """Return microseconds as exact seconds."""
    whole, rest = divmod(us, 1_000_000)
    return whole if rest == 0 else (Decimal(us) / 1_000_000).normalize()


def in_unit(amount: int, unit: Unit) -> int | Decimal:
    """Return a sum in a unit: exact, except hours, few of which are finite decimals; these have 28 digits."""
    if unit is Unit.seconds:
        return seconds(amount)
    if unit is Unit.seconds_squared:
        whole, rest = divmod(amount, unit.scale)
        return whole if rest == 0 else Decimal(f"{whole}.{rest:012d}".rstrip("0"))
    return Decimal(amount) / unit.scale if unit is Unit.hours else amount


def csv_columns(ids: Sequence[str]) -> list[str]:
    """Return the header of items as CSV. A KPI's value is in the column of the KPI's own id."""
    kpis = [name if part == "value" else f"{name}_{part}" for name in ids for part in KpiValue.__struct_fields__]
    states = [f"{state}_s" for state in TimeAccount.__struct_fields__]
    modes = [f"producing_{mode}_s" for mode in ProducingByMode.__struct_fields__]
    return [*PLAIN_COLUMNS, *states, *modes, *COUNTS, *kpis, COVERAGE, "suppressed"]


def csv_row(item: KpiItem, ids: Sequence[str]) -> list[object]:
    """Return an item's cells under that header; flags are separated by spaces."""
    row: list[object] = [item.scope, item.from_, item.to, item.partial, item.factories, item.machines]
    row += (*astuple(item.time_s), *astuple(item.producing_by_mode_s), *astuple(item.counts))
    for name in ids:
        *parts, flags = astuple(item.kpis[name])
        row += (*parts, " ".join(flags))
    return [*row, item.coverage, item.suppressed]
