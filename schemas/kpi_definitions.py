"""The KPI definitions of ``kpis.json``, as typed values. Each divides a sum of figures by another such sum.

Older versions of the definitions are in ``kpis.v1.json`` and so on. A version changes formulas, never the figures that
these are computed from.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from schemas.figure_definitions import FIGURES, AddsUp, FigureUnit, Wording

FILE = Path(__file__).parent / "kpis.json"
FORMER = re.compile(r"kpis\.v([1-9][0-9]*)\.json")
"""What files of older versions are called."""


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
    enterprises = "enterprises"

    @property
    def scale(self) -> int:
        """The number of the figure's own units in one of these."""
        return {Unit.seconds: 10**6, Unit.hours: 3600 * 10**6, Unit.seconds_squared: 10**12}.get(self, 1)


class ValueUnit(StrEnum):
    """The unit of a KPI's value."""

    RATIO = "1"
    HOURS = "h"
    PER_HOUR = "1/h"


COMMON_FLAGS = ("low_coverage", "above_range")
"""The flags that values of any KPI may carry."""


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


class BasisFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The figures whose ratio is how much of a basis is known."""

    covered: str
    whole: str


class KpiDefinitions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All KPIs of one version, and the coverage of its basis below which a KPI is flagged ``low_coverage``."""

    definition_version: int
    low_coverage_below: float
    bases: dict[Basis, BasisFigures]
    kpis: tuple[KpiDefinition, ...]

    def by_id(self) -> dict[str, KpiDefinition]:
        return {kpi.id: kpi for kpi in self.kpis}


class Meaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a flag or a reason means: a title of a few words, and a sentence."""

    title: Wording
    meaning: Wording


class Meanings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What flags of KPIs, and reasons why a KPI has no value, mean in English and Korean, by their codes."""

    flags: dict[str, Meaning]
    reasons: dict[str, Meaning]


class CurrentDefinitions(KpiDefinitions, frozen=True, forbid_unknown_fields=True):
    """The version in force. Its meanings are those of every flag and reason of any version."""

    meanings: Meanings


class PublishedFigure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure, as readers of KPIs need to know it."""

    id: str
    title: Wording
    meaning: Wording
    unit: FigureUnit
    adds_up: AddsUp


class PublishedDefinitions(KpiDefinitions, frozen=True, forbid_unknown_fields=True):
    """One version of the definitions, the meanings of flags and reasons, and the figures that KPIs are made of."""

    meanings: Meanings
    versions: tuple[int, ...]
    """Every version that can be asked for; the last is in force."""
    figures: tuple[PublishedFigure, ...]


def publish(definitions: KpiDefinitions, meanings: Meanings, versions: Iterable[int]) -> PublishedDefinitions:
    """Return a version of the definitions with the figures that its KPIs may name.

    Args:
        meanings: those of the flags and reasons of every version.
        versions: every version that there is.
    """
    figures = tuple(PublishedFigure(f.id, f.title, f.meaning, f.unit, f.adds_up) for f in FIGURES)
    return PublishedDefinitions(
        definitions.definition_version,
        definitions.low_coverage_below,
        definitions.bases,
        definitions.kpis,
        meanings,
        tuple(versions),
        figures,
    )


def flags_of(definition: KpiDefinition) -> list[str]:
    """Return the flags that a KPI's values may carry, in the order in which they do."""
    own = [rule.flag for rule in definition.flags] + [rule.flag for rule in definition.shortfalls]
    return [*COMMON_FLAGS, *own]


def meanings_of(meanings: Meanings, kpis: Iterable[KpiDefinition]) -> Meanings:
    """Return the meanings of the flags and reasons that some KPIs may have."""
    flags = {flag for kpi in kpis for flag in flags_of(kpi)}
    reasons = {rule.reason for kpi in kpis for rule in kpi.reasons}
    return Meanings(
        {name: meaning for name, meaning in meanings.flags.items() if name in flags},
        {name: meaning for name, meaning in meanings.reasons.items() if name in reasons},
    )


def read_definitions() -> CurrentDefinitions:
    """Return the committed definitions that are in force.

    Raises:
        msgspec.ValidationError: the file does not have this form.
    """
    return msgspec.json.decode(FILE.read_bytes(), type=CurrentDefinitions)


def read_versions() -> Mapping[int, KpiDefinitions]:
    """Return every committed version of the definitions by its number, in order; the last is in force.

    Raises:
        msgspec.ValidationError: a file does not have this form.
    """
    files = [path for path in FILE.parent.iterdir() if FORMER.fullmatch(path.name)]
    former = [msgspec.json.decode(path.read_bytes(), type=KpiDefinitions) for path in files]
    known = {version.definition_version: version for version in (*former, read_definitions())}
    return dict(sorted(known.items()))
