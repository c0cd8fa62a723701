"""The figures that the simulated fleet is modelled on: Korea's manufacturing by region, sector, size and level.

Shares are percentages, rounded to what a fleet of a few hundred factories can show. Regions and sectors follow
Statistics Korea's Mining and Manufacturing Survey (establishments with ten or more employees, about 2019); levels,
sizes and the history follow the Ministry of SMEs and Startups' announcements of 2018 to 2022. Nothing here is an
official figure.
"""

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise

REGIONS = {
    "KR-41": 35, "KR-48": 10, "KR-47": 8, "KR-28": 7, "KR-26": 6, "KR-44": 6, "KR-11": 5, "KR-27": 5, "KR-43": 5,
    "KR-45": 3, "KR-46": 3, "KR-29": 2, "KR-31": 2, "KR-30": 1, "KR-42": 1, "KR-49": 0.5, "KR-50": 0.5,
}  # fmt: skip
"""Share of each region, by ISO 3166-2:KR code; the largest (Gyeonggi) first."""


@dataclass(frozen=True, slots=True)
class Sector:
    """A KSIC division: its share, the last word of its companies' names, kinds of machines, and seconds per piece."""

    share: float
    trade: str
    kinds: tuple[str, ...]
    cycle_s: tuple[int, int]


SECTORS = {
    "C10": Sector(8, "Foods", ("filling_line", "packing_machine", "oven"), (6, 30)),
    "C11": Sector(0.5, "Beverages", ("filling_line", "labeller", "packing_machine"), (5, 15)),
    "C12": Sector(0.1, "Tobacco", ("cutter", "packing_machine"), (5, 15)),
    "C13": Sector(5, "Textiles", ("loom", "spinning_frame", "dyeing_machine"), (40, 180)),
    "C14": Sector(3, "Apparel", ("cutter", "sewing_cell", "press"), (30, 120)),
    "C15": Sector(1, "Leather", ("cutter", "sewing_cell"), (30, 120)),
    "C16": Sector(1, "Timber", ("saw", "planer", "press"), (20, 90)),
    "C17": Sector(2.5, "Paper", ("corrugator", "die_cutter", "packing_machine"), (6, 30)),
    "C18": Sector(2, "Printing", ("printing_press", "die_cutter", "binder"), (6, 30)),
    "C19": Sector(0.3, "Energy", ("reactor", "filling_line"), (60, 300)),
    "C20": Sector(4.5, "Chemicals", ("reactor", "mixer", "filling_line"), (30, 240)),
    "C21": Sector(1.1, "Pharma", ("tablet_press", "filling_line", "packing_machine"), (5, 20)),
    "C22": Sector(10, "Plastics", ("injection_moulder", "extruder", "blow_moulder"), (15, 60)),
    "C23": Sector(4.5, "Ceramics", ("kiln", "mixer", "press"), (30, 120)),
    "C24": Sector(4.5, "Metals", ("casting_machine", "furnace", "rolling_mill"), (40, 240)),
    "C25": Sector(15, "Precision", ("machining_centre", "lathe", "press"), (20, 180)),
    "C26": Sector(6, "Electronics", ("chip_mounter", "reflow_oven", "tester"), (10, 45)),
    "C27": Sector(4.5, "Instruments", ("lathe", "assembly_cell", "tester"), (60, 240)),
    "C28": Sector(6.5, "Electric", ("winding_machine", "press", "tester"), (20, 90)),
    "C29": Sector(14, "Machinery", ("machining_centre", "lathe", "grinder"), (60, 300)),
    "C30": Sector(6.5, "Motors", ("welding_cell", "press", "machining_centre"), (20, 90)),
    "C31": Sector(2.5, "Marine", ("welding_cell", "plasma_cutter", "bending_machine"), (120, 400)),
    "C32": Sector(2, "Furniture", ("saw", "edge_bander", "press"), (30, 120)),
    "C33": Sector(2, "Works", ("press", "assembly_cell", "packing_machine"), (20, 90)),
}

NAMES = (
    *("Hanbit", "Daesung", "Samjin", "Seoyeon", "Dongwoo", "Mirae", "Kumsung", "Shinhwa", "Taeyang", "Woori"),
    *("Hanil", "Sejin", "Daehan", "Namsung", "Donga", "Yujin", "Kyungshin", "Sungwoo", "Hwashin", "Ilshin"),
)


@dataclass(frozen=True, slots=True)
class Zone:
    """A smart industrial zone, and the region that it is in."""

    zone_id: str
    name: str
    region: str
    designated_on: dt.date


ZONES = (
    Zone("changwon", "Changwon National Industrial Complex", "KR-48", dt.date(2019, 2, 20)),
    Zone("banwol-sihwa", "Banwol-Sihwa National Industrial Complex", "KR-41", dt.date(2019, 2, 20)),
    Zone("gumi", "Gumi National Industrial Complex", "KR-47", dt.date(2019, 9, 10)),
    Zone("namdong", "Namdong National Industrial Complex", "KR-28", dt.date(2019, 9, 10)),
    Zone("gwangju-cheomdan", "Gwangju Cheomdan Industrial Complex", "KR-29", dt.date(2020, 5, 7)),
    Zone("yeosu", "Yeosu National Industrial Complex", "KR-46", dt.date(2020, 5, 7)),
    Zone("daegu-seongseo", "Daegu Seongseo Industrial Complex", "KR-27", dt.date(2020, 5, 7)),
    Zone("myeongji-noksan", "Myeongji-Noksan National Industrial Complex", "KR-26", dt.date(2022, 4, 1)),
    Zone("ulsan-mipo", "Ulsan-Mipo National Industrial Complex", "KR-31", dt.date(2022, 4, 1)),
    Zone("gunsan", "Gunsan National Industrial Complex", "KR-45", dt.date(2022, 4, 1)),
)
"""The programme's ten zones; the month of designation is right, the day is not."""

IN_ZONE_SHARE = 0.3
"""Share of a region's factories that are in its zone."""


@dataclass(frozen=True, slots=True)
class Sponsor:
    """A conglomerate that supports factories."""

    sponsor_id: str
    name: str


SPONSORS = {
    Sponsor("samsung-electronics", "Samsung Electronics"): 50,
    Sponsor("hyundai-motor", "Hyundai Motor"): 20,
    Sponsor("posco", "POSCO"): 20,
    Sponsor("samsung-display", "Samsung Display"): 10,
}

SPONSORED_SHARE = 0.12
"""Share of the smart factories that have a sponsor."""

SIZES = {(1, 9): 12, (10, 49): 62, (50, 299): 23, (300, 900): 3}
"""Share of the programme's enterprises, by the fewest and the most employees of the size."""

UNKNOWN_SIZE_SHARE = 0.02
"""Share of the enterprises that never reported how many employees they have."""

MACHINES = {"1-9": (1, 3), "10-49": (2, 5), "50-299": (5, 9), "300+": (8, 14)}
"""Fewest and most machines that a factory registers, by its enterprise's size; few of those that it really has."""

LEVELS = ("none", "basic", "intermediate_1", "intermediate_2", "advanced")
NOT_SMART_SHARE = 0.15
"""Share of the registered factories whose level is none."""
SMART_LEVELS = {"basic": 76, "intermediate_1": 16, "intermediate_2": 6, "advanced": 2}

HISTORY = (
    (dt.date(2014, 7, 1), 0),
    (dt.date(2018, 12, 31), 7_800),
    (dt.date(2019, 12, 31), 12_660),
    (dt.date(2021, 12, 31), 25_000),
    (dt.date(2022, 12, 31), 30_144),
)
"""How many smart factories had been built by the end of a day."""


def established_at(share: float) -> dt.date:
    """Return the day by which a share (0 to 1) of all smart factories had been built, interpolated from ``HISTORY``."""
    built = share * HISTORY[-1][1]
    for (begin, before), (end, after) in pairwise(HISTORY):
        if built < after:
            return begin + (end - begin) * ((built - before) / (after - before))
    return HISTORY[-1][0]
