"""The PyPI package ``oee`` agrees with our arithmetic on what both cover: one machine with one ideal cycle.

It caps performance at 1, and multiplies the three ratios of a mix of cycles; KPIs here do neither.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oee import from_log, oee

from schemas.kpi_definitions import read_definitions
from services.analytics import compute_kpis
from services.api.kpis.tables import SERVED

DEFINITIONS = read_definitions()
SECOND_US = 1_000_000
NAMES = ("availability", "effectiveness", "quality_ratio", "oee")


def ours(run_s: int, planned_s: int, cycle_s: int, good: int, total: int) -> dict[str, float | None]:
    """Return the KPIs of a machine that produces for some of its planned busy time."""
    run_us, planned_us, cycle_us = (seconds * SECOND_US for seconds in (run_s, planned_s, cycle_s))
    figures = dict.fromkeys(SERVED, 0) | {
        "producing_us": run_us,
        "idle_us": planned_us - run_us,
        "evidence_us": planned_us,
        "in_use_us": planned_us,
        "good": good,
        "scrap": total - good,
        "counted_cycle_producing_us": run_us,
        "counted_cycle_busy_us": planned_us,
        "counted_ideal_pq_us": cycle_us * total,
        "counted_ideal_good_us": cycle_us * good,
        **dict.fromkeys(("count_days", "counted_days", "machine_days"), 1),
    }
    return {name: kpi.value for name, kpi in compute_kpis(DEFINITIONS, figures, NAMES).items()}


@given(st.data())
def test_both_give_the_same_of_one_machine_and_cycle(data: st.DataObject) -> None:
    planned_s = data.draw(st.integers(1, 86_400), "planned")
    run_s = data.draw(st.integers(1, planned_s), "run")
    cycle_s = data.draw(st.integers(1, 600), "cycle")
    total = data.draw(st.integers(1, 100_000), "total")
    good = data.draw(st.integers(0, total), "good")
    theirs = oee(planned_s, run_time=run_s, ideal_cycle_time=cycle_s, total_count=total, good_count=good)
    found = ours(run_s, planned_s, cycle_s, good, total)
    assert found["availability"] == pytest.approx(theirs.availability)
    assert found["effectiveness"] == pytest.approx(theirs.performance_raw)
    assert found["quality_ratio"] == pytest.approx(theirs.quality)
    if cycle_s * total <= run_s:
        assert found["oee"] == pytest.approx(theirs.oee)
        assert theirs.performance == pytest.approx(theirs.performance_raw)
    else:
        assert theirs.performance == pytest.approx(1)


def test_the_worked_example() -> None:
    theirs = oee(10_800, run_time=9000, ideal_cycle_time=10, total_count=1000, good_count=800)
    found = ours(9000, 10_800, 10, 800, 1000)
    given_by_both = (theirs.availability, theirs.performance_raw, theirs.quality)
    assert [round(value, 6) for value in given_by_both] == [0.833333, 1.111111, 0.8]
    assert found["oee"] == pytest.approx(theirs.availability * theirs.performance_raw * theirs.quality)
    # More was made than the cycle allows, which it caps.
    assert theirs.oee == pytest.approx(0.666667, abs=1e-6)


def test_of_a_mix_the_package_multiplies_ratios() -> None:
    runs = [
        {"count": 100, "good": 100, "ideal_cycle_time": 10},
        {"count": 100, "good": 0, "ideal_cycle_time": 100},
    ]
    theirs = from_log(11_000, runs=runs)
    assert (theirs.availability, theirs.performance, theirs.quality, theirs.oee) == (1, 1, 0.5, 0.5)
