"""The figures of ``figures.json``, as typed values: the sums that accounts keep, and those computed from the registry.

A figure is an exact integer. KPIs (``kpis.json``) are ratios of sums of figures.
"""

from enum import StrEnum
from pathlib import Path
from typing import Literal

import msgspec

FILE = Path(__file__).parent / "figures.json"

StateName = Literal["producing", "setup", "delayed", "faulted", "idle", "planned_stop", "off_shift"]
ModeName = Literal["automatic", "semi_automatic", "manual"]
PieceName = Literal["good", "scrap", "rework"]


class Table(StrEnum):
    """Where a figure is a column: tables of accounts, the finest first, and views of schema ``research``."""

    MACHINE_HOUR = "machine_hour"
    FACTORY_HOUR = "factory_hour"
    FACTORY_DAY = "factory_day"
    COHORT_HOUR = "cohort_hour"
    COHORT_DAY = "cohort_day"
    GROUP_DAY = "group_day"
    RESEARCH_MACHINE_HOUR = "research.machine_hour"
    RESEARCH_FACTORY_DAY = "research.factory_day"


class ColumnType(StrEnum):
    """A figure's type in the database; ``numeric`` where a product can be wider than 64 bits."""

    INTEGER = "integer"
    BIGINT = "bigint"
    NUMERIC = "numeric"


class FigureUnit(StrEnum):
    """What a figure counts; time is in microseconds."""

    MICROSECONDS = "us"
    PIECES = "pieces"
    FAILURES = "failures"
    ROWS = "rows"
    MACHINE_DAYS = "machine_days"
    MACHINES = "machines"
    ENTERPRISES = "enterprises"
    SCOPES = "scopes"


class AddsUp(StrEnum):
    """Over what a figure may be added up."""

    ALWAYS = "always"
    """Over time, machines, factories and cohorts."""
    ON_COUNTED_DAYS = "on_counted_days"
    """Over the hours of counted machine-days only; a figure with a ``counted_days`` rule is such a sum."""
    OVER_MACHINES_ONLY = "over_machines_only"
    """A stock, taken at an instant: never over time."""
    NEVER = "never"
    """A stock of what may be in several groups: neither over time nor over groups."""


class CountedRows(StrEnum):
    """Which rows a figure counts."""

    STATES = "states"
    FAILURES = "failures"
    COUNTS = "counts"
    SIGNED_COUNTS = "signed_counts"


class HeldTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="held_time"):
    """Time in use that one of the states holds, in one of the modes if any are given.

    Outside a factory's shifts, idle time is off_shift.
    """

    states: tuple[StateName, ...]
    modes: tuple[ModeName, ...] | None = None
    with_ideal_cycle: bool = False
    """Only while an ideal cycle is in force."""
    within_shifts: bool = False
    """Only within the factory's shifts, or where it has no calendar."""


class Pieces(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="pieces"):
    """Pieces counted, each times the ideal cycle in force at its count row (0 if there is none) where so declared."""

    of: tuple[PieceName, ...]
    times_ideal_cycle: bool = False


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rows"):
    """How many rows there are."""

    of: CountedRows


class OnCountedDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="counted_days"):
    """The sum of these figures of machine-hours, over hours of counted machine-days."""

    of: tuple[str, ...]


class MachineDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="machine_days"):
    """How many machine-days have this column of ``machine_day`` set."""

    are: Literal["has_counts", "counted"]


class FromRegistry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="registry"):
    """Computed from the registry's spans in use whenever it is asked for; no table keeps it."""


class FromProgramme(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="programme"):
    """Computed from the enterprises of the registry and the populations of the programme; no table keeps it."""


Rule = HeldTime | Pieces | Rows | OnCountedDays | MachineDays | FromRegistry | FromProgramme


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in English and in Korean."""

    en: str
    ko: str


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure: its name and meaning for people, how it is made and added up, and its columns.

    ``meaning.en`` is the comment of each of its columns.
    """

    id: str
    title: Wording
    meaning: Wording
    unit: FigureUnit
    rule: Rule
    adds_up: AddsUp
    tables: dict[Table, ColumnType]


class FigureList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All figures, in the order of their columns."""

    figures: tuple[Figure, ...]


def read_figures() -> tuple[Figure, ...]:
    """Return the committed figures.

    Raises:
        msgspec.ValidationError: the file does not have this form.
    """
    return msgspec.json.decode(FILE.read_bytes(), type=FigureList).figures


FIGURES = read_figures()


def figures_of(table: Table) -> tuple[Figure, ...]:
    """Return the figures that are columns of a table or view, in the order of the list."""
    return tuple(figure for figure in FIGURES if table in figure.tables)
