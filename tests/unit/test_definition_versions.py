"""Older versions of the definitions: they are complete, and every flag and reason of any version has a meaning."""

import re

import pytest

from schemas.kpi_definitions import (
    Basis,
    KpiDefinition,
    KpiDefinitions,
    Meanings,
    flags_of,
    meanings_of,
    read_definitions,
    read_versions,
)
from services.analytics import compute_kpis
from services.api.kpis.definitions import definitions_of, meanings_for
from services.api.kpis.tables import SERVED

CURRENT = read_definitions()
VERSIONS = read_versions()
each_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=lambda version: version.definition_version)
FORMULA = ("numerator", "numerator_times", "denominator", "denominator_times", "unit", "denominator_unit", "basis")
SOME = {
    "producing_us": 70,
    "producing_automatic_us": 10,
    "producing_manual_us": 60,
    "evidence_us": 100,
    "in_use_us": 100,
    "stock_machines": 10,
    "stock_automated": 10,
}


def formula(kpi: KpiDefinition) -> tuple[object, ...]:
    return tuple(getattr(kpi, name) for name in FORMULA)


def test_versions_are_numbered_from_one_and_the_last_is_in_force() -> None:
    assert list(VERSIONS) == list(range(1, len(VERSIONS) + 1))
    assert VERSIONS[len(VERSIONS)] == CURRENT
    assert {name: version.definition_version for name, version in VERSIONS.items()} == {n: n for n in VERSIONS}


@each_version
def test_a_version_names_figures_and_kpis_that_there_are(version: KpiDefinitions) -> None:
    assert set(version.bases) == set(Basis)
    known = {*SERVED, "denominator"}
    for kpi in version.kpis:
        assert kpi.figures | {rule.if_zero for rule in kpi.reasons} <= known
        assert {rule.below for rule in kpi.shortfalls} <= version.by_id().keys()
    assert {name for basis in version.bases.values() for name in (basis.covered, basis.whole)} <= known
    for kpi_value in compute_kpis(version, dict.fromkeys(SERVED, 0), version.by_id()).values():
        assert kpi_value.reason


@each_version
def test_every_flag_and_reason_has_a_meaning_in_both_languages(version: KpiDefinitions) -> None:
    found = meanings_of(CURRENT.meanings, version.kpis)
    assert found.flags.keys() == {flag for kpi in version.kpis for flag in flags_of(kpi)}
    assert found.reasons.keys() == {rule.reason for kpi in version.kpis for rule in kpi.reasons}
    for meaning in (*found.flags.values(), *found.reasons.values()):
        for words in (meaning.title, meaning.meaning):
            assert re.search("[a-z]", words.en)
            assert re.search("[가-힣]", words.ko)
        assert meaning.meaning.en.endswith(".")
        assert meaning.meaning.ko.endswith(".")


def test_what_each_version_changed() -> None:
    first, second, third = (VERSIONS[n].by_id() for n in (1, 2, 3))
    assert len(first) == 10
    assert second.keys() - first.keys() == {
        *("nee", "throughput_per_h", "mtbf_h", "mttr_h", "automated_equipment_share", "auto_collected_share"),
    }
    assert "smart_factory_share" in third.keys() - second.keys()
    assert {name for name in second if formula(second[name]) != formula(third[name])} == {"coverage"}
    assert VERSIONS[2].bases == VERSIONS[1].bases != VERSIONS[3].bases
    assert all(formula(first[name]) == formula(second[name]) for name in first)
    changed = {name for name in first if first[name].shortfalls != second[name].shortfalls}
    assert changed == {"automatic_production_share"}


def test_a_version_applies_its_own_formulas_to_the_same_figures() -> None:
    figures = dict.fromkeys(SERVED, 0) | SOME
    name = "automatic_production_share"
    before, now = (compute_kpis(VERSIONS[n], figures, [name])[name] for n in (1, 2))
    assert (before.value, before.numerator, before.denominator) == (now.value, now.numerator, now.denominator)
    assert (before.flags, now.flags) == ((), ("declared_far_above",))


def test_an_unknown_version_is_refused_by_name() -> None:
    assert definitions_of(None) == CURRENT
    assert definitions_of("1") == VERSIONS[1]
    for unknown in ("0", "99", "one", "01", ""):
        with pytest.raises(ValueError, match=re.escape(f"no version {unknown!r}") + ".*one of 1, 2, 3"):
            definitions_of(unknown)


def test_meanings_are_those_of_the_kpis_asked_for() -> None:
    found = meanings_for(CURRENT, ["mttr_h"])
    assert isinstance(found, Meanings)
    assert found.flags.keys() == {"low_coverage", "above_range"}
    assert found.reasons.keys() == {"no_evidence", "no_failures"}
