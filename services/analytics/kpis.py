"""KPI arithmetic: two sums of figures and one division. Pure.

Figures are exact integers; ``schemas/figures.json`` says what each is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.kpi_definitions import KpiDefinition, KpiDefinitions, Unit

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


@dataclass(frozen=True, slots=True)
class Formula:
    """A definition, with what it refers to at hand: many buckets are computed by one.

    Attributes:
        scales: what numerator and denominator are multiplied by to have a value in units.
        covered, whole: the figures whose ratio is what is known of the basis.
        below: KPIs that the value is flagged for falling short of, by how much, and the flag.
    """

    definition: KpiDefinition
    scales: tuple[int, int]
    covered: str
    whole: str
    low_coverage_below: float
    below: tuple[tuple["Formula", float, str], ...]

    def compute(self, figures: FigureSums) -> Kpi:
        """Return the KPI of one bucket: its two sums, divided once.

        Raises:
            KeyError: a figure is missing.
        """
        definition = self.definition
        numerator = product(figures, definition.numerator, definition.numerator_times)
        denominator = product(figures, definition.denominator, definition.denominator_times)
        units = definition.unit, definition.denominator_unit
        flags: tuple[str, ...] = ()
        if figures[self.covered] < self.low_coverage_below * figures[self.whole]:
            flags = ("low_coverage",)
        if denominator == 0:
            zero = {**figures, "denominator": 0}
            reason = next(rule.reason for rule in definition.reasons if zero[rule.if_zero] == 0)
            return Kpi(None, numerator, denominator, *units, reason, flags)
        # Integers up to here, so that the only rounding is the division's.
        value = (numerator * self.scales[0]) / (denominator * self.scales[1])
        if definition.range.high is not None and value > definition.range.high:
            flags = (*flags, "above_range")
        if definition.flags:
            flags = (*flags, *(rule.flag for rule in definition.flags if value > rule.above))
        for formula, by, flag in self.below:
            other = formula.compute(figures).value
            if other is not None and other > value + by:
                flags = (*flags, flag)
        return Kpi(value, numerator, denominator, *units, None, flags)


def formulas_of(definitions: KpiDefinitions, ids: Iterable[str]) -> dict[str, Formula]:
    """Return the formulas of KPIs by id.

    Raises:
        KeyError: an id is not defined.
    """
    known = definitions.by_id()
    return {name: formula_of(definitions, known, name) for name in ids}


def formula_of(definitions: KpiDefinitions, known: Mapping[str, KpiDefinition], name: str) -> Formula:
    """Return the formula of one KPI.

    Args:
        known: the definitions' KPIs by id.
    """
    definition = known[name]
    basis = definitions.bases[definition.basis]
    return Formula(
        definition,
        (definition.denominator_unit.scale, definition.unit.scale),
        basis.covered,
        basis.whole,
        definitions.low_coverage_below,
        tuple(
            (formula_of(definitions, known, shortfall.below), shortfall.by, shortfall.flag)
            for shortfall in definition.shortfalls
        ),
    )


def compute_kpis(definitions: KpiDefinitions, figures: FigureSums, ids: Iterable[str]) -> dict[str, Kpi]:
    """Return the KPIs of one bucket by id.

    Raises:
        KeyError: an id is not defined, or a figure is missing.
    """
    return {name: formula.compute(figures) for name, formula in formulas_of(definitions, ids).items()}


def product(figures: FigureSums, names: Sequence[str], times: Sequence[str]) -> int:
    """Return a sum of figures, times another sum if one is given."""
    whole = figures[names[0]] if len(names) == 1 else sum([figures[name] for name in names])
    return whole * sum(figures[name] for name in times) if times else whole
