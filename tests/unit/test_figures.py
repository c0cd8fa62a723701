"""The list of figures is consistent in itself and with the KPIs that add them up."""

import re

import pytest

from schemas.figure_definitions import (
    FIGURES,
    AddsUp,
    ColumnType,
    Figure,
    FigureUnit,
    FromProgramme,
    FromRegistry,
    HeldTime,
    MachineDays,
    OnCountedDays,
    Pieces,
    Table,
    figures_of,
)
from schemas.kpi_definitions import Unit, publish, read_definitions

BY_ID = {figure.id: figure for figure in FIGURES}
SUMS = {Table.FACTORY_HOUR, Table.FACTORY_DAY, Table.COHORT_HOUR, Table.COHORT_DAY, Table.GROUP_DAY}
DAY_SUMS = {Table.FACTORY_DAY, Table.COHORT_DAY, Table.GROUP_DAY}
UNITS = {
    Unit.seconds: FigureUnit.MICROSECONDS,
    Unit.hours: FigureUnit.MICROSECONDS,
    Unit.seconds_squared: FigureUnit.MICROSECONDS,
    Unit.pieces: FigureUnit.PIECES,
    Unit.failures: FigureUnit.FAILURES,
    Unit.machines: FigureUnit.MACHINES,
    Unit.enterprises: FigureUnit.ENTERPRISES,
}
each_figure = pytest.mark.parametrize("figure", FIGURES, ids=list(BY_ID))


def test_names_are_unique() -> None:
    assert len(BY_ID) == len(FIGURES)


@each_figure
def test_a_name_ends_in_its_unit_where_it_is_time(figure: Figure) -> None:
    assert re.fullmatch("[a-z][a-z_]*", figure.id)
    assert (figure.unit is FigureUnit.MICROSECONDS) == figure.id.endswith("_us")


@each_figure
def test_it_is_named_and_explained_in_both_languages(figure: Figure) -> None:
    for wording in (figure.title, figure.meaning):
        assert re.search("[a-z]", wording.en)
        assert re.search("[가-힣]", wording.ko)
    assert figure.meaning.en.endswith(".")
    assert figure.meaning.ko.endswith(".")


@each_figure
def test_only_what_adds_up_is_in_tables_of_sums(figure: Figure) -> None:
    tables = set(figure.tables)
    if isinstance(figure.rule, FromRegistry | FromProgramme):
        assert not tables
    elif isinstance(figure.rule, OnCountedDays):
        assert tables == SUMS | {Table.RESEARCH_FACTORY_DAY}
    elif isinstance(figure.rule, MachineDays):
        assert tables == DAY_SUMS | {Table.RESEARCH_FACTORY_DAY}
    else:
        assert Table.MACHINE_HOUR in tables
        assert tables & SUMS in (SUMS, set())
    if figure.adds_up is not AddsUp.ALWAYS:
        assert not tables & SUMS
    stocks = (AddsUp.OVER_MACHINES_ONLY, AddsUp.NEVER)
    assert (figure.adds_up in stocks) == figure.id.startswith("stock_")
    assert (figure.adds_up is AddsUp.NEVER) == isinstance(figure.rule, FromProgramme)


@each_figure
def test_views_show_what_their_tables_keep(figure: Figure) -> None:
    for view, table in (
        (Table.RESEARCH_MACHINE_HOUR, Table.MACHINE_HOUR),
        (Table.RESEARCH_FACTORY_DAY, Table.FACTORY_DAY),
    ):
        if view in figure.tables:
            assert figure.tables[view] == figure.tables[table]


def test_what_counted_days_add_up_is_kept_by_machine_and_hour() -> None:
    kept = {figure.id for figure in figures_of(Table.MACHINE_HOUR)}
    added = {name for figure in FIGURES if isinstance(figure.rule, OnCountedDays) for name in figure.rule.of}
    assert added <= kept
    assert {figure.id for figure in FIGURES if figure.adds_up is AddsUp.ON_COUNTED_DAYS} <= added


def test_products_alone_can_be_wider_than_64_bits() -> None:
    for figure in FIGURES:
        is_product = isinstance(figure.rule, Pieces) and figure.rule.times_ideal_cycle
        adds_products = isinstance(figure.rule, OnCountedDays) and any(
            ColumnType.NUMERIC in BY_ID[name].tables.values() for name in figure.rule.of
        )
        is_wide = {type_ is ColumnType.NUMERIC for type_ in figure.tables.values()}
        assert is_wide <= {is_product or adds_products}, figure.id


def test_evidence_is_every_state_that_has_a_figure_of_its_own() -> None:
    rules = {figure.id: figure.rule for figure in FIGURES if isinstance(figure.rule, HeldTime)}
    own = [rule.states for name, rule in rules.items() if name == f"{rule.states[0]}_us"]
    assert own
    assert rules["evidence_us"].states == tuple(state for (state,) in own)


def test_kpis_add_up_figures_of_their_own_unit() -> None:
    for kpi in read_definitions().kpis:
        for unit, names in ((kpi.unit, kpi.numerator), (kpi.denominator_unit, kpi.denominator)):
            assert {BY_ID[name].unit for name in names} == {UNITS[unit]}, kpi.id
        assert bool(kpi.numerator_times) == (kpi.unit is Unit.seconds_squared)
        assert {BY_ID[name].unit for name in kpi.numerator_times + kpi.denominator_times} <= {FigureUnit.MICROSECONDS}


def test_readers_get_all_figures_with_the_definitions() -> None:
    definitions = read_definitions()
    published = publish(definitions, definitions.meanings, [1, 2, 3])
    assert [figure.id for figure in published.figures] == list(BY_ID)
    assert published.kpis == definitions.kpis
