"""The KPI definitions of ``kpis.json``, as typed values. Every KPI is one sum of figures over another."""

from enum import StrEnum
from pathlib import Path

import msgspec

FILE = Path(__file__).parent / "kpis.json"


class Basis(StrEnum):
    """What a KPI rests on, hence which coverage makes it trustworthy."""

    states = "states"
    """Evidence over scheduled time."""
    counts = "counts"
    """Machine-days with counts over machine-days in use."""
    counted = "counted"
    """Machine-days with counts and evidence over machine-days in use."""


class Unit(StrEnum):
    """What numerator and denominator are served in; figures of time are microseconds inside."""

    seconds = "s"
    pieces = "pieces"


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A KPI's name for people, in English and Korean."""

    en: str
    ko: str


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The usual range; a value above it is served and flagged. No ``high``: there is no usual bound."""

    low: float
    high: float | None


class NullReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a KPI has no value, where this figure (or ``denominator``) is zero; the first that applies is given."""

    if_zero: str
    reason: str


class ThresholdFlag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flag that a value above a threshold carries."""

    above: float
    flag: str


class KpiDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One KPI: numerator and denominator are figures to be added up."""

    id: str
    title: Title
    definition: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    unit: Unit
    range: Range
    basis: Basis
    reasons: tuple[NullReason, ...]
    flags: tuple[ThresholdFlag, ...]
    source: str
    note: str | None


class KpiDefinitions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All KPIs, their version, and the coverage of its basis below which a KPI is flagged ``low_coverage``."""

    definition_version: int
    low_coverage_below: float
    kpis: tuple[KpiDefinition, ...]

    def by_id(self) -> dict[str, KpiDefinition]:
        return {kpi.id: kpi for kpi in self.kpis}


def read_definitions() -> KpiDefinitions:
    """The committed definitions.

    Raises:
        msgspec.ValidationError: the file is not of this form.
    """
    return msgspec.json.decode(FILE.read_bytes(), type=KpiDefinitions)
