"""KPI arithmetic on figures alone: the worked examples, null with a reason, flags, and the definitions as data."""

import re
from pathlib import Path

import pytest

from schemas.kpi_definitions import Better, Group, read_definitions
from services.analytics import compute_kpis
from services.api.kpis.tables import SERVED

SECOND = 1_000_000
DEFINITIONS = read_definitions()
IDS = [kpi.id for kpi in DEFINITIONS.kpis]
NOTHING = dict.fromkeys(SERVED, 0)


def figures(**seconds_or_pieces: int) -> dict[str, int]:
    """Figures of one day of one machine in use, with counts and evidence: names ending in _us are given in seconds.

    Without a calendar, all time in use is scheduled, and so is all evidence.
    """
    given = {name: amount * SECOND if name.endswith("_us") else amount for name, amount in seconds_or_pieces.items()}
    day = {"in_use_us": 86_400 * SECOND, "machine_days": 1, "count_days": 1, "counted_days": 1}
    found = {**NOTHING, **day, **given}
    return {"scheduled_us": found["in_use_us"], "scheduled_evidence_us": found["evidence_us"]} | {
        name: amount for name, amount in found.items() if name in given or not name.startswith("scheduled_")
    }


def values(**seconds_or_pieces: int) -> dict[str, float | None]:
    found = compute_kpis(DEFINITIONS, figures(**seconds_or_pieces), IDS)
    return {name: None if kpi.value is None else round(kpi.value, 6) for name, kpi in found.items()}


def test_the_worked_example_of_one_machine() -> None:
    found = values(
        producing_us=9000,
        delayed_us=1800,
        evidence_us=10_800,
        good=800,
        scrap=200,
        counted_cycle_producing_us=9000,
        counted_cycle_busy_us=10_800,
        counted_ideal_pq_us=10_000,
        counted_ideal_good_us=8000,
    )
    assert found["availability"] == 0.833333
    assert found["utilisation_efficiency"] == 0.833333
    assert found["effectiveness"] == 1.111111
    assert found["quality_ratio"] == 0.8
    assert found["oee"] == 0.740741
    assert found["technical_efficiency"] == 0.833333
    assert found["allocation_efficiency"] == 1
    assert found["setup_ratio"] == 0
    assert found["coverage"] == 0.125


def test_coverage_is_of_scheduled_time() -> None:
    night = values(evidence_us=7200, scheduled_evidence_us=3600, scheduled_us=14_400, off_shift_us=3600)
    assert night["coverage"] == 0.25


def test_every_element_of_time_is_where_the_standard_has_it() -> None:
    found = values(
        producing_us=100,
        setup_us=20,
        delayed_us=30,
        faulted_us=40,
        idle_us=50,
        planned_stop_us=1000,
        off_shift_us=1000,
        evidence_us=2240,
        producing_automatic_us=30,
        producing_semi_automatic_us=20,
        producing_manual_us=10,
    )
    assert found["availability"] == round(100 / 240, 6)
    assert found["utilisation_efficiency"] == round(100 / 190, 6)
    assert found["allocation_efficiency"] == round(190 / 240, 6)
    assert found["technical_efficiency"] == round(100 / 170, 6)
    assert found["setup_ratio"] == round(20 / 120, 6)
    assert found["automatic_production_share"] == 0.5


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("availability", {}, "no_evidence"),
        ("availability", {"evidence_us": 5, "off_shift_us": 5}, "no_planned_busy_time"),
        ("technical_efficiency", {"evidence_us": 5, "idle_us": 5}, "no_production"),
        ("quality_ratio", {}, "no_counts"),
        ("oee", {"count_days": 0, "counted_days": 0}, "no_counts"),
        ("oee", {"counted_days": 0}, "no_evidence"),
        ("oee", {}, "no_ideal_cycle"),
        ("effectiveness", {"counted_cycle_busy_us": 5}, "no_production"),
        ("automatic_production_share", {"evidence_us": 5, "producing_us": 5}, "no_known_mode"),
        ("automatic_production_share", {"evidence_us": 5, "idle_us": 5}, "no_production"),
        ("coverage", {"in_use_us": 0}, "not_in_use"),
        ("coverage", {"scheduled_us": 0}, "not_scheduled"),
    ],
)
def test_null_has_a_reason(name: str, given: dict[str, int], reason: str) -> None:
    kpi = compute_kpis(DEFINITIONS, figures(**given), [name])[name]
    assert (kpi.value, kpi.reason) == (None, reason)


def test_without_any_figure_every_kpi_is_null_with_a_reason() -> None:
    for kpi in compute_kpis(DEFINITIONS, NOTHING, IDS).values():
        assert kpi.value is None
        assert kpi.reason


def test_flags() -> None:
    half = {"producing_us": 100, "evidence_us": 43_200}
    assert compute_kpis(DEFINITIONS, figures(**half), ["availability"])["availability"].flags == ()
    less = {"producing_us": 100, "evidence_us": 43_199}
    assert compute_kpis(DEFINITIONS, figures(**less), ["availability"])["availability"].flags == ("low_coverage",)
    fast = {"counted_cycle_producing_us": 100, "counted_cycle_busy_us": 100, "counted_ideal_pq_us": 121}
    assert compute_kpis(DEFINITIONS, figures(**fast), ["effectiveness"])["effectiveness"].flags == (
        "suspect_ideal_cycle",
    )
    days = {"good": 1, "machine_days": 3, "count_days": 1}
    assert compute_kpis(DEFINITIONS, figures(**days), ["quality_ratio"])["quality_ratio"].flags == ("low_coverage",)


@pytest.mark.parametrize(
    ("automatic_s", "automated", "flags"), [(70, 10, ()), (69, 10, ("declared_far_above",)), (69, 9, ())]
)
def test_a_flag_where_more_is_declared_automatic_than_produced(
    automatic_s: int, automated: int, flags: tuple[str, ...]
) -> None:
    modes = {"producing_automatic_us": automatic_s, "producing_manual_us": 100 - automatic_s, "producing_us": 100}
    stock = {"stock_machines": 10, "stock_automated": automated}
    found = compute_kpis(DEFINITIONS, figures(**modes, **stock, evidence_us=86_400), ["automatic_production_share"])
    assert found["automatic_production_share"].flags == flags


def test_sums_beyond_the_precision_of_doubles_are_divided_exactly() -> None:
    year_of_the_country = 600_000 * 365 * 86_400
    found = compute_kpis(DEFINITIONS, figures(producing_us=year_of_the_country, evidence_us=1), ["availability"])[
        "availability"
    ]
    assert found.numerator == year_of_the_country * SECOND
    assert found.value == 1.0


def test_every_figure_that_a_definition_names_exists() -> None:
    known = {*NOTHING, "denominator"}
    for kpi in DEFINITIONS.kpis:
        assert {*kpi.numerator, *kpi.denominator, *(rule.if_zero for rule in kpi.reasons)} <= known
        assert {rule.below for rule in kpi.shortfalls} <= set(IDS)
        assert kpi.title.ko
        assert kpi.title.en
        # Words are translated into Korean; symbols alone are the same.
        assert re.search("[가-힣]", kpi.definition_ko) or kpi.definition_ko == kpi.definition
        assert (kpi.note is None) == (kpi.note_ko is None)


def test_the_glossary_leads_to_the_definitions_and_repeats_none() -> None:
    glossary = (Path(__file__).parents[2] / "docs/glossary.md").read_text()
    section = glossary.partition("\n## KPIs\n")[2].partition("\n## ")[0]
    assert "`schemas/kpis.json`" in section
    assert "`schemas/figures.json`" in section
    above = {flag.flag for kpi in DEFINITIONS.kpis for flag in kpi.flags}
    below = {flag.flag for kpi in DEFINITIONS.kpis for flag in kpi.shortfalls}
    assert {*above, *below, "low_coverage", "above_range"} <= set(re.findall(r"`([a-z_]+)`", section))
    assert not re.search(r"^\| `", section, re.MULTILINE)


def test_less_is_better_where_time_or_repair_is_lost() -> None:
    better = {kpi.id: kpi.better for kpi in DEFINITIONS.kpis}
    assert {better[name] for name in ("setup_ratio", "mttr_h")} == {Better.LOWER}
    assert {better[name] for name in ("availability", "oee", "quality_ratio", "mtbf_h", "coverage")} == {Better.HIGHER}


def test_every_group_has_its_kpis() -> None:
    groups: dict[Group, set[str]] = {group: set() for group in Group}
    for kpi in DEFINITIONS.kpis:
        groups[kpi.group].add(kpi.id)
    assert groups[Group.TRUST] == {"coverage"}
    assert groups[Group.AUTOMATION] == {
        "automated_equipment_share",
        "smart_factory_share",
        "auto_collected_share",
        "automatic_production_share",
    }
    assert {"availability", "oee", "mttr_h"} <= groups[Group.UTILISATION]
