"""The declared figures, as the accounting code and its SQL use them."""

from collections.abc import Iterable

from schemas.figure_definitions import (
    FIGURES,
    ColumnType,
    HeldTime,
    MachineDays,
    OnCountedDays,
    Pieces,
    Rows,
    Table,
    figures_of,
)

RULES = {figure.id: figure.rule for figure in figures_of(Table.MACHINE_HOUR)}
TIMES = {name: rule for name, rule in RULES.items() if isinstance(rule, HeldTime)}
ROWS = {name: rule.of for name, rule in RULES.items() if isinstance(rule, Rows)}
PIECES = {name: rule for name, rule in RULES.items() if isinstance(rule, Pieces) and not rule.times_ideal_cycle}
IDEAL_TIMES = {name: rule for name, rule in RULES.items() if isinstance(rule, Pieces) and rule.times_ideal_cycle}

WIDE = tuple(IDEAL_TIMES)
"""Figures of a machine's hour that may not fit in 64 bits."""
SUMS = tuple(name for name in RULES if name not in WIDE)
"""The others."""

OF_FACTORY_HOURS = tuple(figure.id for figure in figures_of(Table.FACTORY_HOUR))
"""What factories and cohorts sum up by hour; by day, too."""
ON_COUNTED_DAYS = {figure.id: figure.rule.of for figure in FIGURES if isinstance(figure.rule, OnCountedDays)}
"""Of these, the figures of a machine that are summed up over counted machine-days; the others have the same names."""
DAY_COUNTS = {figure.id: figure.rule.are for figure in FIGURES if isinstance(figure.rule, MachineDays)}
"""What factories and cohorts have by day only: the columns of ``machine_day`` that are counted."""
OF_FACTORY_DAYS = (*OF_FACTORY_HOURS, *DAY_COUNTS)
"""What factories and cohorts sum up by day."""

FACTORY_WIDE = tuple(
    figure.id for figure in figures_of(Table.FACTORY_HOUR) if figure.tables[Table.FACTORY_HOUR] is ColumnType.NUMERIC
)
"""Of OF_FACTORY_HOURS: those that may not fit in 64 bits."""
FACTORY_NARROW = tuple(name for name in OF_FACTORY_HOURS if name not in FACTORY_WIDE)
"""The others."""


def added(table: str, names: Iterable[str]) -> str:
    """Return sums of a table's columns, under their own names."""
    return ", ".join(f"sum({table}.{name}) AS {name}" for name in names)
