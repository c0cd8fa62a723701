"""What the programme set out to reach, and which figure of the registry says how far it is.

Source of targets and baselines: the plan of December 2018.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

PLAN_BEGINS = dt.date(2018, 12, 31)
PLAN_ENDS = dt.date(2022, 12, 31)


class Figure(StrEnum):
    """What is counted on a day, in the registry alone; ``standings`` has the rules."""

    INSTALLED = "installed"
    ZONES = "zones"
    REGIONS = "regions"
    SPONSORS = "sponsors"
    SPONSORED_FACTORIES = "sponsored_factories"
    SPONSORED_FIRMS = "sponsored_firms"


@dataclass(frozen=True, slots=True)
class BilingualText:
    """A text in English and Korean."""

    en: str
    ko: str


@dataclass(frozen=True, slots=True)
class Counted:
    """One figure as it is shown; ``baseline`` is what the plan said of the day it began from, None where nothing."""

    id: str
    title: BilingualText
    definition: BilingualText
    unit: str
    figure: Figure
    baseline: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """One target: None where the plan names no number, or no day. ``also`` are figures shown with it."""

    counted: Counted
    target: int | None
    target_on: dt.date | None
    also: tuple[Counted, ...] = ()


PRESENT = BilingualText(
    "registered, established by then or without a day of establishment, and not closed",
    "등록되어 있고, 그날까지 설립되었거나 설립일이 없으며, 폐쇄되지 않은 공장",
)

TARGETS = (
    Target(
        Counted(
            "smart_factories_built",
            BilingualText("Smart factories built", "스마트공장 구축"),
            BilingualText(
                "Factories at level basic or above, established by then and not closed.",
                "그날까지 설립되고 폐쇄되지 않은 기초 수준 이상의 공장 수.",
            ),
            "factories",
            Figure.INSTALLED,
            7_800,
        ),
        30_000,
        PLAN_ENDS,
    ),
    Target(
        Counted(
            "smart_industrial_zones",
            BilingualText("Smart industrial zones", "스마트 산업단지"),
            BilingualText(f"Zones that a factory names ({PRESENT.en}).", f"공장이 속한 산업단지 수 ({PRESENT.ko})."),
            "zones",
            Figure.ZONES,
            None,
        ),
        10,
        PLAN_ENDS,
    ),
    Target(
        Counted(
            "regional_programmes",
            BilingualText("Regional programmes", "지역 보급 사업"),
            BilingualText(
                "Regions with a smart factory: level basic or above, established by then and not closed.",
                "그날까지 설립되고 폐쇄되지 않은 기초 수준 이상의 공장이 있는 지역 수.",
            ),
            "regions",
            Figure.REGIONS,
            None,
        ),
        17,
        None,
    ),
    Target(
        Counted(
            "conglomerate_support",
            BilingualText("Conglomerates' support", "대기업 상생 지원"),
            BilingualText(
                f"Sponsors that a factory names ({PRESENT.en}).", f"공장을 지원하는 대기업 수 ({PRESENT.ko})."
            ),
            "sponsors",
            Figure.SPONSORS,
            4,
        ),
        None,
        None,
        (
            Counted(
                "sponsored_factories",
                BilingualText("Factories supported", "지원받는 공장"),
                BilingualText(
                    f"Factories that name a sponsor ({PRESENT.en}).", f"지원 대기업이 있는 공장 수 ({PRESENT.ko})."
                ),
                "factories",
                Figure.SPONSORED_FACTORIES,
                None,
            ),
            Counted(
                "sponsored_firms",
                BilingualText("Firms supported", "지원받는 기업"),
                BilingualText(
                    f"Enterprises with a factory that names a sponsor ({PRESENT.en}).",
                    f"지원 대기업이 있는 공장을 가진 기업 수 ({PRESENT.ko}).",
                ),
                "firms",
                Figure.SPONSORED_FIRMS,
                606,
            ),
        ),
    ),
)
