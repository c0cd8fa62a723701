"""KPIs on arrays are the KPIs of each item, bit for bit."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.kpi_definitions import flags_of, read_definitions
from services.analytics import compute_kpis
from services.api.kpis.grids import Numbers, exact
from services.api.kpis.kpi_columns import compute_column, figures_needed
from services.api.kpis.tables import SERVED

DEFINITIONS = read_definitions()
KNOWN = DEFINITIONS.by_id()

AMOUNTS = st.one_of(
    st.just(0),
    st.integers(0, 5),
    st.integers(0, 86_400_000_000),
    st.integers(2**53 - 2, 2**53 + 2),
    st.integers(0, 10**15).map(lambda n: 2**53 * n),
    st.integers(0, 10**22),
)
ITEMS = st.lists(st.fixed_dictionaries(dict.fromkeys(SERVED, AMOUNTS)), min_size=1, max_size=6)


def column(numbers: list[int]) -> Numbers:
    """Return figures as an array, as they come from the database."""
    if max(numbers) < 2**63:
        return exact(np.array(numbers, dtype=np.int64))
    return np.array(numbers, dtype=object)


@given(ITEMS)
def test_a_column_has_the_kpi_of_each_item(items: list[dict[str, int]]) -> None:
    arrays = {name: column([item[name] for item in items]) for name in SERVED}
    expected = [compute_kpis(DEFINITIONS, item, KNOWN) for item in items]
    for name, definition in KNOWN.items():
        found = compute_column(DEFINITIONS, name, arrays)
        flags = flags_of(definition)
        for at, kpis in enumerate(expected):
            kpi: Any = kpis[name]
            assert found.has_value[at] == (kpi.value is not None)
            assert kpi.value is None or found.value[at] == kpi.value
            assert (int(found.numerator[at]), int(found.denominator[at])) == (kpi.numerator, kpi.denominator)
            assert kpi.reason == (None if kpi.value is not None else definition.reasons[found.reason[at]].reason)
            assert kpi.flags == tuple(flag for n, flag in enumerate(flags) if found.flags[at] >> n & 1)


@given(ITEMS)
def test_a_column_needs_no_other_figures(items: list[dict[str, int]]) -> None:
    for name in KNOWN:
        needed = figures_needed(DEFINITIONS, [name])
        arrays = {figure: column([item[figure] for item in items]) for figure in needed}
        assert len(compute_column(DEFINITIONS, name, arrays).value) == len(items)
