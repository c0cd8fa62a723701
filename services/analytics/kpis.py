"""KPI arithmetic: two sums of figures and one division. Pure.

Figures are exact integers; ``schemas/figures.json`` says what each is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.kpi_definitions import Basis, KpiDefinition, KpiDefinitions, Unit

BASES = {
    Basis.states: ("evidence_us", "in_use_us"),
    Basis.counts: ("count_days", "machine_days"),
    Basis.counted: ("counted_days", "machine_days"),
    Basis.registry: ("stock_machines", "stock_machines"),
}

FigureSums = Mapping[str, int]
"""Amounts of figures over one bucket and scope, by id."""


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI: its two sums in the figures' units, and its value in the definition's; None without a denominator."""

    value: float | None
    numerator: int
    denominator: int
    unit: Unit
    denominator_unit: Unit
    reason: str | None
    flags: tuple[str, ...]


def compute_kpis(definitions: KpiDefinitions, figures: FigureSums, ids: Iterable[str]) -> dict[str, Kpi]:
    """Return the KPIs of one bucket by id.

    Raises:
        KeyError: an id is not defined, or a figure is missing.
    """
    known = definitions.by_id()
    return {name: compute_kpi(known, name, figures, definitions.low_coverage_below) for name in ids}


def compute_kpi(known: Mapping[str, KpiDefinition], name: str, figures: FigureSums, low_coverage_below: float) -> Kpi:
    """Return one KPI: its two sums, divided once."""
    definition = known[name]
    numerator = product(figures, definition.numerator, definition.numerator_times)
    denominator = product(figures, definition.denominator, definition.denominator_times)
    units = definition.unit, definition.denominator_unit
    covered, whole = (figures[name] for name in BASES[definition.basis])
    flags = ["low_coverage"] if covered < low_coverage_below * whole else []
    if denominator == 0:
        zero = {**figures, "denominator": 0}
        reason = next(rule.reason for rule in definition.reasons if zero[rule.if_zero] == 0)
        return Kpi(None, numerator, denominator, *units, reason, tuple(flags))
    # Integers up to here, so that the only rounding is the division's.
    value = (numerator * definition.denominator_unit.scale) / (denominator * definition.unit.scale)
    if definition.range.high is not None and value > definition.range.high:
        flags.append("above_range")
    flags += [rule.flag for rule in definition.flags if value > rule.above]
    for shortfall in definition.shortfalls:
        other = compute_kpi(known, shortfall.below, figures, low_coverage_below).value
        if other is not None and other > value + shortfall.by:
            flags.append(shortfall.flag)
    return Kpi(value, numerator, denominator, *units, None, tuple(flags))


def product(figures: FigureSums, names: Iterable[str], times: Sequence[str]) -> int:
    """Return a sum of figures, times another sum if one is given."""
    whole = sum(figures[name] for name in names)
    return whole * sum(figures[name] for name in times) if times else whole
