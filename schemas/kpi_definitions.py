"""The KPI definitions of ``kpis.json``, as typed values. Each divides a sum of figures by another such sum."""

from enum import StrEnum
from pathlib import Path

import msgspec

from schemas.figure_definitions import FIGURES, AddsUp, FigureUnit, Wording

FILE = Path(__file__).parent / "kpis.json"


class Basis(StrEnum):
    """The data that a KPI is based on; its coverage decides whether the KPI is flagged."""

    states = "states"
    """Evidence over scheduled time."""
    counts = "counts"
    """Machine-days with counts over machine-days in use."""
    counted = "counted"
    """Machine-days with counts and evidence over machine-days in use."""
    registry = "registry"
    """The registry, which needs no coverage."""


class Unit(StrEnum):
    """The unit in which numerator or denominator is served; figures of time are in microseconds."""

    seconds = "s"
    hours = "h"
    seconds_squared = "s2"
    pieces = "pieces"
    failures = "failures"
    machines = "machines"

    @property
    def scale(self) -> int:
        """The number of the figure's own units in one of these."""
        return {Unit.seconds: 10**6, Unit.hours: 3600 * 10**6, Unit.seconds_squared: 10**12}.get(self, 1)


class ValueUnit(StrEnum):
    """The unit of a KPI's value."""

    RATIO = "1"
    HOURS = "h"
    PER_HOUR = "1/h"


class Group(StrEnum):
    """Which question a KPI answers; a chooser lists KPIs under these headings."""

    UTILISATION = "utilisation"
    AUTOMATION = "automation"
    TRUST = "trust"


class Better(StrEnum):
    """Which of two values is the better one; rankings begin with it."""

    HIGHER = "higher"
    LOWER = "lower"


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The usual range; a value above it is served and flagged. ``high`` is None if there is no usual bound."""

    low: float
    high: float | None


class NullReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a KPI has no value if this figure (or ``denominator``) is zero; the first that applies is served."""

    if_zero: str
    reason: str


class ThresholdFlag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flag that a value above a threshold carries."""

    above: float
    flag: str


class ShortfallFlag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flag that a value carries if it is below another KPI's by more than ``by``."""

    below: str
    by: float
    flag: str


class KpiDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One KPI: numerator and denominator are sums of figures, each times another such sum if one is given.

    ``unit`` is the numerator's. ``group`` and ``better`` say how to present it: under which heading, and whether a
    ranking begins with the highest or the lowest value.
    """

    id: str
    title: Wording
    group: Group
    better: Better
    definition: str
    definition_ko: str
    numerator: tuple[str, ...]
    numerator_times: tuple[str, ...]
    denominator: tuple[str, ...]
    denominator_times: tuple[str, ...]
    unit: Unit
    denominator_unit: Unit
    value_unit: ValueUnit
    range: Range
    basis: Basis
    reasons: tuple[NullReason, ...]
    flags: tuple[ThresholdFlag, ...]
    shortfalls: tuple[ShortfallFlag, ...]
    source: str
    note: str | None
    note_ko: str | None

    @property
    def figures(self) -> frozenset[str]:
        """The figures that the KPI is made of."""
        return frozenset((*self.numerator, *self.numerator_times, *self.denominator, *self.denominator_times))


class KpiDefinitions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All KPIs, their version, and the coverage of its basis below which a KPI is flagged ``low_coverage``."""

    definition_version: int
    low_coverage_below: float
    kpis: tuple[KpiDefinition, ...]

    def by_id(self) -> dict[str, KpiDefinition]:
        return {kpi.id: kpi for kpi in self.kpis}


class PublishedFigure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure, as readers of KPIs need to know it."""

    id: str
    title: Wording
    meaning: Wording
    unit: FigureUnit
    adds_up: AddsUp


class PublishedDefinitions(KpiDefinitions, frozen=True, forbid_unknown_fields=True):
    """The definitions, and the figures that accounts keep, of which KPIs are made."""

    figures: tuple[PublishedFigure, ...]


def publish(definitions: KpiDefinitions) -> PublishedDefinitions:
    """Return the definitions with the figures that they may name."""
    figures = tuple(PublishedFigure(f.id, f.title, f.meaning, f.unit, f.adds_up) for f in FIGURES)
    return PublishedDefinitions(
        definitions.definition_version, definitions.low_coverage_below, definitions.kpis, figures
    )


def read_definitions() -> KpiDefinitions:
    """Return the committed definitions.

    Raises:
        msgspec.ValidationError: the file does not have this form.
    """
    return msgspec.json.decode(FILE.read_bytes(), type=KpiDefinitions)
