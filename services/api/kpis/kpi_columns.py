"""KPI arithmetic on arrays, for bulk answers: what ``compute_kpis`` returns of each item, bit for bit.

Pure. Integers are exact up to the division of each item, as there; see ``services/analytics/kpis.py``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.kpi_definitions import KpiDefinitions
from services.api.kpis.grids import EXACT, Numbers, exact


@dataclass(frozen=True, slots=True)
class KpiColumn:
    """One KPI of many items: two sums in the figures' units, and the value in the definition's.

    Attributes:
        value: NaN where the denominator is 0.
        reason: the index of the definition's reason why there is no value; -1 where there is one.
        flags: the sum of 2**n for each flag n of ``flags_of`` that applies.
    """

    value: NDArray[np.float64]
    numerator: Numbers
    denominator: Numbers
    reason: NDArray[np.int32]
    flags: NDArray[np.int32]

    @property
    def has_value(self) -> NDArray[np.bool_]:
        """Whether each item has a value."""
        return self.reason < 0


def figures_needed(definitions: KpiDefinitions, ids: Sequence[str]) -> frozenset[str]:
    """Return the figures that some KPIs, with their reasons and flags, are computed from."""
    known = definitions.by_id()
    asked = set(ids) | {rule.below for name in ids for rule in known[name].shortfalls}
    found: set[str] = set()
    for definition in (known[name] for name in asked):
        basis = definitions.bases[definition.basis]
        found |= definition.figures | {basis.covered, basis.whole}
        found |= {rule.if_zero for rule in definition.reasons} - {"denominator"}
    return frozenset(found)


def compute_column(definitions: KpiDefinitions, name: str, figures: Mapping[str, Numbers]) -> KpiColumn:
    """Return one KPI of many items."""
    definition = definitions.by_id()[name]
    basis = definitions.bases[definition.basis]
    numerator = product(figures, definition.numerator, definition.numerator_times)
    denominator = product(figures, definition.denominator, definition.denominator_times)
    is_zero = (denominator == 0).astype(bool)
    value = divide(numerator, denominator, definition.unit.scale, definition.denominator_unit.scale)
    reason = np.full(len(value), -1, dtype=np.int32)
    for index, rule in enumerate(definition.reasons):
        applies = is_zero if rule.if_zero == "denominator" else is_zero & (figures[rule.if_zero] == 0).astype(bool)
        reason[applies & (reason < 0)] = index
    covered, whole = figures[basis.covered], figures[basis.whole]
    is_low = (covered < definitions.low_coverage_below * whole).astype(bool)
    raised = [is_low, above(value, definition.range.high)]
    raised += [above(value, rule.above) for rule in definition.flags]
    for shortfall in definition.shortfalls:
        other = compute_column(definitions, shortfall.below, figures).value
        # NaN is neither above nor below anything.
        raised.append(other > value + shortfall.by)
    flags = np.zeros(len(value), dtype=np.int32)
    for index, applies in enumerate(raised):
        flags |= applies.astype(np.int32) << index
    return KpiColumn(value, numerator, denominator, reason, flags)


def above(value: NDArray[np.float64], most: float | None) -> NDArray[np.bool_]:
    """Return which values exceed a bound, if there is one."""
    return np.zeros(len(value), dtype=bool) if most is None else value > most


def product(figures: Mapping[str, Numbers], names: Sequence[str], times: Sequence[str]) -> Numbers:
    """Return a sum of figures, times another sum if one is given."""
    whole = total(figures, names)
    return whole.astype(object) * total(figures, times).astype(object) if times else whole


def total(figures: Mapping[str, Numbers], names: Sequence[str]) -> Numbers:
    """Return a sum of figures."""
    first, *others = (figures[name] for name in names)
    return exact(sum(others, start=first))


def divide(numerator: Numbers, denominator: Numbers, scale: int, denominator_scale: int) -> NDArray[np.float64]:
    """Return the quotients of sums in units of so many of the figures' own; NaN where the denominator is 0."""
    shared = math.gcd(scale, denominator_scale)
    above_line, below_line = denominator_scale // shared, scale // shared
    has_value = (denominator != 0).astype(bool)
    found = np.full(len(numerator), np.nan)
    if is_below(numerator, EXACT // above_line) and is_below(denominator, EXACT // below_line):
        # Both are exact as doubles, so the division is the only rounding.
        np.divide(numerator * above_line, denominator * below_line, out=found, where=has_value)
        return found
    tops, bottoms = numerator[has_value].astype(object), denominator[has_value].astype(object)
    found[has_value] = (tops * above_line) / (bottoms * below_line)
    return found


def is_below(numbers: Numbers, bound: int) -> bool:
    """Whether all are 64-bit integers below a bound."""
    return numbers.dtype != object and (not numbers.size or int(np.abs(numbers).max()) < bound)
