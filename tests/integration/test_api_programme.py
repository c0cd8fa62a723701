"""``GET /v1/programme``: targets as planned, and what the registry says was reached on each reported day."""

import datetime as dt
import random
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import pytest

from services.api.programme.queries import Standing, read_standings, reported_days
from services.api.programme.targets import RegistryCount
from services.core.times import DAY_US, FIRST_INSTANT_US, LAST_INSTANT_US, SECOND_US, seoul_midnight_us
from tests.api import FACTORY, Api

NOON_US = seoul_midnight_us(dt.date(2023, 3, 1)) + DAY_US // 2
YEAR_ENDS = [f"{year}-12-31" for year in range(2014, 2023)]
LEVELS = ("none", "basic", "intermediate_1", "intermediate_2", "advanced")


Version = tuple[int, int, int, int, str, str | None, str | None, str, dt.date | None, dt.date | None]
"""Factory, from, to, enterprise, region, zone, sponsor, level, established, closed."""

ADD_ENTERPRISES = "INSERT INTO enterprise (enterprise_id) SELECT 'E' || n FROM generate_series(1, $1::integer) AS n"
ADD_FACTORIES = "INSERT INTO factory (factory_id) SELECT 'F' || n FROM generate_series(1, $1::integer) AS n"
ADD_VERSIONS = """
INSERT INTO factory_version (factory, effective_from, effective_to, enterprise, region, zone, sponsor, level,
    established_on, closed_on, name, sector, changed_in)
SELECT *, 'F', 'C29', 1 FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[], $4::integer[], $5::text[],
    $6::text[], $7::text[], $8::text[], $9::date[], $10::date[])
"""


async def add_versions(api: Api, versions: list[Version]) -> None:
    """Add enterprises and factories, numbered from 1, and their versions."""
    await api.query(ADD_ENTERPRISES, max(version[3] for version in versions))
    await api.query(ADD_FACTORIES, max(version[0] for version in versions))
    await api.query(ADD_VERSIONS, *[list(column) for column in zip(*versions, strict=True)])


async def register(api: Api, factory: str, **fields: Any) -> None:
    answer = await api.put(f"/v1/factories/{factory}", {**FACTORY, **fields})
    assert answer.status_code in (HTTPStatus.OK, HTTPStatus.CREATED), answer.text


async def programme(api: Api, now_us: int = NOON_US) -> dict[str, dict[str, Any]]:
    """Return targets and the figures shown with them, by id."""
    api.app.state.clock = lambda: now_us
    answer = await api.get("/v1/programme", "ministry")
    assert answer.status_code == HTTPStatus.OK, answer.text
    targets = answer.json()["targets"]
    return {figure["id"]: figure for target in targets for figure in (target, *target["also"])}


def values(figure: dict[str, Any]) -> list[int]:
    return [point["value"] for point in figure["history"]]


async def test_targets_are_those_of_the_plan(api: Api) -> None:
    found = await programme(api)
    planned = {name: (f["target"], f["target_on"], f["kind"]) for name, f in found.items() if "target" in f}
    assert planned == {
        "smart_factories_built": (30_000, "2022-12-31", "measured"),
        "smart_industrial_zones": (10, "2022-12-31", "measured"),
        "regional_programmes": (17, None, "measured"),
        "conglomerate_support": (None, None, "measured"),
    }
    assert {name: f["baseline"] and f["baseline"]["value"] for name, f in found.items()} == {
        "smart_factories_built": 7_800,
        "smart_industrial_zones": None,
        "regional_programmes": None,
        "conglomerate_support": 4,
        "sponsored_factories": None,
        "sponsored_firms": 606,
    }
    for figure in found.values():
        assert [point["on"] for point in figure["history"]] == [*YEAR_ENDS, "2023-03-01"]
        assert values(figure) == [0] * 10
        assert figure["reached"] == 0
        for words in (figure["title"], figure["definition"]):
            assert words["en"] != words["ko"]
    answer = (await api.get("/v1/programme")).json()
    assert answer["as_of"] == "2023-03-01T03:00:00Z"
    assert [target["id"] for target in answer["targets"]] == list(planned)


async def test_a_smart_factory_counts_from_its_establishment_to_its_closing(api: Api) -> None:
    await api.register()
    await register(api, "F1", level="none", established_on="2015-01-01")
    await register(api, "F2", level="basic", established_on=None)
    await register(api, "F3", level="basic", established_on="2016-12-31", region="KR-11")
    await register(api, "F4", level="advanced", established_on="2017-01-01", closed_on="2019-12-31", region="KR-50")
    await register(api, "F5", level="basic", established_on="2023-03-01", region="KR-49")
    await register(api, "F6", level="basic", established_on="2023-03-02", region="KR-42")
    found = await programme(api)
    assert values(found["smart_factories_built"]) == [0, 0, 1, 2, 2, 1, 1, 1, 1, 2]
    assert values(found["regional_programmes"]) == [0, 0, 1, 2, 2, 1, 1, 1, 1, 2]
    assert found["smart_factories_built"]["reached"] == 2


async def test_the_version_in_force_at_the_end_of_the_day_counts(api: Api) -> None:
    await api.register()
    fields = {"established_on": "2015-06-01"}
    await register(api, "F1", level="none", **fields)
    last_instant, midnight = "2018-12-31T23:59:59.999999+09:00", "2020-01-01T00:00:00+09:00"
    await register(api, "F1", level="basic", effective_from=last_instant, **fields)
    await register(api, "F1", level="none", effective_from=midnight, **fields)
    await register(api, "F1", level="basic", effective_from="2023-03-01T13:00:00+09:00", **fields)
    found = await programme(api)
    assert values(found["smart_factories_built"]) == [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    later = await programme(api, NOON_US + DAY_US // 24)
    assert values(later["smart_factories_built"]) == [0, 0, 0, 0, 1, 1, 0, 0, 0, 1]


async def test_zones_and_sponsors_are_those_named_by_factories(api: Api) -> None:
    def version(
        factory: int, enterprise: int, zone: str | None, sponsor: str, level: str, established: str, closed: str | None
    ) -> Version:
        begins, ends = dt.date.fromisoformat(established), None if closed is None else dt.date.fromisoformat(closed)
        return (factory, FIRST_INSTANT_US, LAST_INSTANT_US, enterprise, "KR-48", zone, sponsor, level, begins, ends)

    await add_versions(
        api,
        [
            version(1, 1, "Z1", "S1", "basic", "2018-05-01", None),
            version(2, 1, "Z1", "S1", "basic", "2019-05-01", None),
            version(3, 1, "Z2", "S2", "basic", "2020-05-01", "2022-05-01"),
            version(4, 2, None, "S1", "none", "2020-05-01", None),
        ],
    )
    found = await programme(api)
    assert values(found["smart_industrial_zones"]) == [0, 0, 0, 0, 1, 1, 2, 2, 1, 1]
    assert values(found["conglomerate_support"]) == [0, 0, 0, 0, 1, 1, 2, 2, 1, 1]
    assert values(found["sponsored_factories"]) == [0, 0, 0, 0, 1, 2, 4, 4, 3, 3]
    assert values(found["sponsored_firms"]) == [0, 0, 0, 0, 1, 1, 2, 2, 2, 2]
    assert values(found["smart_factories_built"]) == [0, 0, 0, 0, 1, 2, 3, 3, 2, 2]


@pytest.mark.parametrize(
    ("today", "last"), [("2023-12-31", ["2022-12-31", "2023-12-31"]), ("2024-01-01", ["2023-12-31", "2024-01-01"])]
)
def test_today_is_reported_once(today: str, last: list[str]) -> None:
    days = reported_days(seoul_midnight_us(dt.date.fromisoformat(today)))
    assert [str(day) for day in days[-2:]] == last
    assert days[0] == dt.date(2014, 12, 31)


async def test_an_answer_is_the_same_within_a_minute(api: Api) -> None:
    await api.register()
    await programme(api)
    key = {"Authorization": f"Bearer {await api.key('ministry')}"}
    tag = (await api.client.get("/v1/programme", headers=key)).headers["etag"]
    for later_us, expected in ((59 * SECOND_US, HTTPStatus.NOT_MODIFIED), (60 * SECOND_US, HTTPStatus.OK)):
        api.app.state.clock = lambda us=NOON_US + later_us: us
        answer = await api.client.get("/v1/programme", headers={**key, "If-None-Match": tag})
        assert answer.status_code == expected


def random_versions(chance: random.Random, factory: int) -> list[Version]:
    """Return some versions of a factory, with gaps, on days that matter and on others."""

    def day() -> dt.date:
        if chance.random() < 0.5:
            return dt.date(chance.randrange(2013, 2024), 12, 31) + dt.timedelta(chance.randrange(-1, 2))
        return dt.date(2013, 1, 1) + dt.timedelta(chance.randrange(4000))

    cuts = sorted({seoul_midnight_us(day()) + chance.randrange(-1, 2) for _ in range(chance.randrange(4))})
    bounds = [FIRST_INSTANT_US, *cuts, LAST_INSTANT_US]
    return [
        (
            factory,
            start,
            end,
            chance.randrange(1, 41),
            f"KR-{chance.randrange(11, 31)}",
            chance.choice([None, None, *(f"Z{n}" for n in range(12))]),
            chance.choice([None, None, None, *(f"S{n}" for n in range(6))]),
            chance.choice(LEVELS),
            chance.choice([None, day()]),
            chance.choice([None, None, day()]),
        )
        for start, end in pairwise(bounds)
        if chance.random() < 0.8
    ]


def count_plainly(versions: list[Version], day: dt.date, at_us: int) -> Standing:
    """Count the figures of a day, one factory after another."""
    zones, regions, sponsors, firms = set(), set(), set(), set()
    installed = sponsored = 0
    for _, start, end, enterprise, region, zone, sponsor, level, established, closed in versions:
        if not start <= at_us < end or (established and established > day) or (closed and closed <= day):
            continue
        zones |= {zone} - {None}
        if level != "none" and established:
            installed += 1
            regions.add(region)
        if sponsor is not None:
            sponsored += 1
            sponsors.add(sponsor)
            firms.add(enterprise)
    return Standing(
        day,
        {
            RegistryCount.INSTALLED: installed,
            RegistryCount.ZONES: len(zones),
            RegistryCount.REGIONS: len(regions),
            RegistryCount.SPONSORS: len(sponsors),
            RegistryCount.SPONSORED_FACTORIES: sponsored,
            RegistryCount.SPONSORED_FIRMS: len(firms),
        },
    )


async def test_the_query_counts_as_a_loop_does(api: Api) -> None:
    chance = random.Random(11)
    versions = [version for factory in range(1, 301) for version in random_versions(chance, factory)]
    await add_versions(api, versions)
    await api.query(
        "INSERT INTO factory_version SELECT factory, effective_from, effective_to, name, enterprise, region, sector,"
        " 'retired', 'retired', 'basic', '2014-01-01', NULL, 2, now(), now() FROM factory_version"
    )
    days = reported_days(NOON_US)
    async with api.app.state.databases.read.connect() as connection:
        found = await read_standings(connection, days, NOON_US)
    ends = [min(seoul_midnight_us(day) + DAY_US - 1, NOON_US) for day in days]
    assert found == [count_plainly(versions, day, end) for day, end in zip(days, ends, strict=True)]
    assert all(found[-1].counts.values())
