"""The programme's targets, and the count of the registry that measures each.

Source of targets and baselines: the plan of December 2018.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from schemas.figure_definitions import Wording

PLAN_BEGINS = dt.date(2018, 12, 31)
PLAN_ENDS = dt.date(2022, 12, 31)


class RegistryCount(StrEnum):
    """What is counted on a day, from the registry alone; ``queries`` has the rules."""

    INSTALLED = "installed"
    ZONES = "zones"
    REGIONS = "regions"
    SPONSORS = "sponsors"
    SPONSORED_FACTORIES = "sponsored_factories"
    SPONSORED_FIRMS = "sponsored_firms"


@dataclass(frozen=True, slots=True)
class Counted:
    """A count as it is shown. ``baseline`` is the plan's figure for the day it began from, if it has one."""

    id: str
    title: Wording
    definition: Wording
    unit: str
    count: RegistryCount
    baseline: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """A target: None where the plan names no number, or no day. ``also`` are counts shown with it."""

    counted: Counted
    target: int | None
    target_on: dt.date | None
    also: tuple[Counted, ...] = ()


PRESENT = Wording(
    "registered, established by then or without a day of establishment, and not closed",
    "등록되어 있고, 그날까지 설립되었거나 설립일이 없으며, 폐쇄되지 않은 공장",
)

TARGETS = (
    Target(
        Counted(
            "smart_factories_built",
            Wording("Smart factories built", "스마트공장 구축"),
            Wording(
                "Factories at level basic or above, established by then and not closed.",
                "그날까지 설립되고 폐쇄되지 않은 기초 수준 이상의 공장 수.",
            ),
            "factories",
            RegistryCount.INSTALLED,
            7_800,
        ),
        30_000,
        PLAN_ENDS,
    ),
    Target(
        Counted(
            "smart_industrial_zones",
            Wording("Smart industrial zones", "스마트 산업단지"),
            Wording(f"Zones that a factory names ({PRESENT.en}).", f"공장이 속한 산업단지 수 ({PRESENT.ko})."),
            "zones",
            RegistryCount.ZONES,
            None,
        ),
        10,
        PLAN_ENDS,
    ),
    Target(
        Counted(
            "regional_programmes",
            Wording("Regional programmes", "지역 보급사업"),
            Wording(
                "Regions with a smart factory: level basic or above, established by then and not closed.",
                "그날까지 설립되고 폐쇄되지 않은 기초 수준 이상의 공장이 있는 지역 수.",
            ),
            "regions",
            RegistryCount.REGIONS,
            None,
        ),
        17,
        None,
    ),
    Target(
        Counted(
            "conglomerate_support",
            Wording("Conglomerates' support", "대기업 상생 지원"),
            Wording(f"Sponsors that a factory names ({PRESENT.en}).", f"공장을 지원하는 대기업 수 ({PRESENT.ko})."),
            "sponsors",
            RegistryCount.SPONSORS,
            4,
        ),
        None,
        None,
        (
            Counted(
                "sponsored_factories",
                Wording("Factories supported", "지원받는 공장"),
                Wording(
                    f"Factories that name a sponsor ({PRESENT.en}).", f"지원 대기업이 있는 공장 수 ({PRESENT.ko})."
                ),
                "factories",
                RegistryCount.SPONSORED_FACTORIES,
                None,
            ),
            Counted(
                "sponsored_firms",
                Wording("Firms supported", "지원받는 기업"),
                Wording(
                    f"Enterprises with a factory that names a sponsor ({PRESENT.en}).",
                    f"지원 대기업이 있는 공장을 가진 기업 수 ({PRESENT.ko}).",
                ),
                "firms",
                RegistryCount.SPONSORED_FIRMS,
                606,
            ),
        ),
    ),
)
