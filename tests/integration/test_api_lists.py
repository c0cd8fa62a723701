"""Lists compared with reading each thing: search, filters, order, pages, instants, CSV, readers."""

import csv
import io
import random
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
import pytest_asyncio

from services.api.cursors import make_cursor
from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US
from tests.api import FACTORY, MACHINE, Api

LEVELS = ["none", "basic", "intermediate_1", "intermediate_2", "advanced"]
REGIONS = ["KR-48", "KR-11", "KR-41"]
NAMES = ["창원 공장", "안산 1", "Changwon", "changwon 2", "100%", "a_b", "Ädel"]
Entry = dict[str, Any]


async def put_all(api: Api, puts: dict[str, Any]) -> None:
    for path, body in puts.items():
        answer = await api.put(path, body)
        assert answer.status_code in (HTTPStatus.OK, HTTPStatus.CREATED), answer.text


@pytest_asyncio.fixture
async def country(api: Api) -> Api:
    """Three enterprises, two zones, a sponsor, 23 factories, some with machines in use, not yet, and no longer."""
    draw = random.Random(7)
    await put_all(
        api,
        {
            "/v1/enterprises/E1": {"name": "한빛정밀", "employees": 42},
            "/v1/enterprises/E2": {"name": "Hanbit Heavy", "employees": 300},
            "/v1/enterprises/E3": {"name": "Solo"},
            "/v1/zones/Z1": {"name": "반월시화", "region": "KR-41", "designated_on": "2019-02-20"},
            "/v1/zones/z-2": {"name": "Changwon", "region": "KR-48"},
            "/v1/sponsors/S1": {"name": "Big One", "enterprise_id": "E2"},
        },
    )
    for n in range(23):
        body = {
            "name": f"{draw.choice(NAMES)}",
            "enterprise_id": draw.choice(["E1", "E2", "E3"]),
            "region": draw.choice(REGIONS),
            "sector": draw.choice(["C25", "C29"]),
            "zone": draw.choice([None, "Z1", "z-2"]),
            "sponsor": draw.choice([None, "S1"]),
            "level": draw.choice(LEVELS),
        }
        machines = {
            f"/v1/factories/F{n}/machines/M{m}": {**MACHINE, "in_use_to": draw.choice([None, None, "2020-01-01"])}
            for m in range(draw.randrange(4))
        }
        await put_all(api, {f"/v1/factories/F{n}": body, **machines})
    return api


async def walk(api: Api, path: str, role: str = "admin", **parameters: Any) -> list[Entry]:
    """Returns every item, read page by page."""
    items: list[Entry] = []
    while True:
        answer = await api.get(path, role, **parameters)
        assert answer.status_code == HTTPStatus.OK, answer.text
        page = answer.json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        assert len(page["items"]) == parameters.get("limit", 100)
        parameters["cursor"] = page["next_cursor"]


def size_of(employees: int | None) -> str | None:
    sizes = {10: "1-9", 50: "10-49", 300: "50-299"}
    return None if employees is None else next((name for end, name in sizes.items() if employees < end), "300+")


async def read_factories(api: Api) -> list[Entry]:
    """Returns the entries that the list should have, from single reads."""
    found = []
    for (factory_id,) in await api.query("SELECT factory_id FROM factory"):
        entry = (await api.get(f"/v1/factories/{factory_id}")).json()
        owner = (await api.get(f"/v1/enterprises/{entry['enterprise_id']}")).json()
        used = [m for m in await walk(api, f"/v1/factories/{factory_id}/machines") if m["in_use_to"] is None]
        found.append(
            {**entry, "enterprise_name": owner["name"], "size": size_of(owner["employees"]), "machines": len(used)}
        )
    return found


ORDERS: dict[str, Callable[[Entry], Any]] = {
    "id": lambda one: one["factory_id"],
    "name": lambda one: one["name"],
    "region": lambda one: one["region"],
    "sector": lambda one: one["sector"],
    "level": lambda one: LEVELS.index(one["level"]),
    "machines": lambda one: one["machines"],
}


async def test_every_sort_in_pages_of_every_size(country: Api) -> None:
    expected = await read_factories(country)
    assert len(expected) == 23
    for sort, key in ORDERS.items():
        for order in ("asc", "desc"):
            by = sorted(expected, key=lambda one: (key(one), one["factory_id"]), reverse=order == "desc")
            for limit in (1, 4, 23, 100):
                found = await walk(country, "/v1/factories", sort=sort, order=order, limit=limit)
                assert found == by, (sort, order, limit)


SEARCHED = ("factory_id", "name", "enterprise_name")
FILTERS: list[tuple[dict[str, str], Callable[[Entry], bool]]] = [
    ({"region": "KR-48"}, lambda one: one["region"] == "KR-48"),
    ({"sector": "C25", "level": "basic"}, lambda one: one["sector"] == "C25" and one["level"] == "basic"),
    ({"zone": "Z1"}, lambda one: one["zone"] == "Z1"),
    ({"sponsor": "S1", "enterprise_id": "E1"}, lambda one: one["sponsor"] == "S1" and one["enterprise_id"] == "E1"),
    ({"size": "300+"}, lambda one: one["enterprise_id"] == "E2"),
    ({"size": "1-9"}, lambda one: False),
    ({"q": "CHANG"}, lambda one: "chang" in one["name"].lower()),
    ({"q": "한빛"}, lambda one: one["enterprise_id"] == "E1"),
    ({"q": "f1"}, lambda one: one["factory_id"].startswith("F1")),
    ({"q": "%"}, lambda one: "%" in one["name"]),
    ({"q": "_"}, lambda one: "_" in one["name"]),
    ({"q": "äDEL"}, lambda one: one["name"] == "Ädel"),
    (
        {"q": "1", "region": "KR-11"},
        lambda one: any("1" in one[name] for name in SEARCHED) and one["region"] == "KR-11",
    ),
    ({"q": "no such"}, lambda one: False),
]
FITS_NOTHING = ({"size": "1-9"}, {"q": "no such"})


async def test_search_and_filters_combine(country: Api) -> None:
    everything = await read_factories(country)
    for parameters, fits in FILTERS:
        expected = sorted((one for one in everything if fits(one)), key=lambda one: one["factory_id"])
        assert bool(expected) is (parameters not in FITS_NOTHING), parameters
        assert await walk(country, "/v1/factories", limit=3, **parameters) == expected, parameters
        assert await walk(country, "/v1/factories", sort="machines", **parameters) == sorted(
            expected, key=lambda one: (one["machines"], one["factory_id"])
        ), parameters


async def test_other_collections(country: Api) -> None:
    assert [e["enterprise_id"] for e in await walk(country, "/v1/enterprises", q="HANBIT")] == ["E2"]
    assert [e["enterprise_id"] for e in await walk(country, "/v1/enterprises", size="10-49")] == ["E1"]
    assert [e["name"] for e in await walk(country, "/v1/enterprises", sort="name", order="desc", limit=1)] == [
        "한빛정밀",
        "Solo",
        "Hanbit Heavy",
    ]
    zones = await walk(country, "/v1/zones", sort="name", limit=1)
    assert zones == [(await country.get(f"/v1/zones/{zone}")).json() for zone in ("z-2", "Z1")]
    assert [zone["zone_id"] for zone in await walk(country, "/v1/zones", region="KR-41")] == ["Z1"]
    assert [s["sponsor_id"] for s in await walk(country, "/v1/sponsors", enterprise_id="E2", q="big")] == ["S1"]
    assert await walk(country, "/v1/sponsors", enterprise_id="E1") == []
    robot = {**MACHINE, "name": "Robot", "kind": "robot_arm", "automation": "robot", "state_ttl_s": 1.5}
    await put_all(country, {"/v1/factories/F0/machines/R1": robot, "/v1/factories/F1/machines/R1": robot})
    (found,) = await walk(country, "/v1/factories/F0/machines", q="ROBOT", automation="robot", kind="robot_arm")
    assert found == (await country.get("/v1/factories/F0/machines/R1")).json()


async def test_pages_neither_repeat_nor_omit_things_when_others_are_registered(country: Api) -> None:
    before = [one["factory_id"] for one in await walk(country, "/v1/factories", sort="name")]
    first = (await country.get("/v1/factories", sort="name", limit=11)).json()
    for n, name in enumerate(["", "~", "창원", "changwon"]):
        await put_all(country, {f"/v1/factories/NEW{n}": {**FACTORY, "name": f"{name}!"}})
    rest = await walk(country, "/v1/factories", sort="name", cursor=first["next_cursor"])
    seen = [one["factory_id"] for one in [*first["items"], *rest]]
    assert [one for one in seen if not one.startswith("NEW")] == before
    assert len(seen) == len(set(seen))


async def test_a_list_as_of_an_instant(api: Api) -> None:
    await api.register()
    moved = {**FACTORY, "region": "KR-11", "name": "Moved", "effective_from": "2020-01-01"}
    later = {"name": "Later", "enterprise_id": "E1", "region": "KR-11", "sector": "C25", "level": "none"}
    await put_all(
        api,
        {
            "/v1/factories/F1": moved,
            "/v1/factories/F2": {**later, "effective_from": "2040-01-01"},
            "/v1/enterprises/E1": {"name": "Renamed", "employees": 9, "effective_from": "2018-01-01"},
            "/v1/factories/F1/machines/M2": {**MACHINE, "in_use_from": "2019-01-01", "in_use_to": "2021-01-01"},
        },
    )

    async def listed(**parameters: Any) -> list[tuple[Any, ...]]:
        found = await walk(api, "/v1/factories", **parameters)
        for one in found:
            single = await api.get(f"/v1/factories/{one['factory_id']}", at=parameters["at"])
            assert single.json().items() <= one.items()
        return [(f["factory_id"], f["region"], f["enterprise_name"], f["size"], f["machines"]) for f in found]

    f2 = ("F2", "KR-11", "Renamed", "1-9", 0)
    assert await listed(at="2015-12-31") == [
        ("F1", "KR-48", "Hanbit Precision", "10-49", 0),
        ("F2", "KR-11", "Hanbit Precision", "10-49", 0),
    ]
    assert await listed(at="2016-01-01", region="KR-48") == [("F1", "KR-48", "Hanbit Precision", "10-49", 1)]
    assert await listed(at="2019-06-01") == [("F1", "KR-48", "Renamed", "1-9", 2), f2]
    assert await listed(at="2020-12-31", sort="machines") == [f2, ("F1", "KR-11", "Renamed", "1-9", 2)]
    assert await listed(at="2021-01-01", q="moved") == [("F1", "KR-11", "Renamed", "1-9", 1)]


async def test_csv_has_the_same_entries_as_json(country: Api) -> None:
    expected = await walk(country, "/v1/factories", sort="level", region="KR-48")
    rows: list[dict[str, str]] = []
    url: str | None = "/v1/factories?sort=level&region=KR-48&limit=3"
    headers = {"Authorization": f"Bearer {await country.key('admin')}", "Accept": "text/csv"}
    pages = 0
    while url is not None:
        answer = await country.client.get(url, headers=headers)
        assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
        assert "Accept" in answer.headers["vary"].split(", ")
        rows += csv.DictReader(io.StringIO(answer.text, newline=""))
        url = answer.links.get("next", {}).get("url")
        pages += 1
    assert pages == -(-len(expected) // 3)
    assert rows == [{name: "" if value is None else str(value) for name, value in one.items()} for one in expected]


WRONG: list[dict[str, Any]] = [
    {"sort": "colour"},
    {"order": "up"},
    {"limit": 0},
    {"limit": 10_001},
    {"colour": "red"},
    {"region": "KR-99"},
    {"sector": "machines"},
    {"q": "a\x00"},
    {"at": "yesterday"},
    {"cursor": "x"},
]


async def test_invalid_parameters_are_refused_with_a_sentence(country: Api) -> None:
    by_name = (await country.get("/v1/factories", sort="name", limit=1)).json()["next_cursor"]
    by_count = (await country.get("/v1/factories", sort="machines", limit=1)).json()["next_cursor"]
    borrowed: list[dict[str, Any]] = [
        {"cursor": by_name},
        {"cursor": by_name, "sort": "name", "order": "desc"},
        {"cursor": by_count, "sort": "level"},
    ]
    python_numbers: list[dict[str, Any]] = [{"limit": text} for text in ("1_0", " 10", "+10", "１０", "true")]
    for parameters in [*WRONG, *borrowed, *python_numbers]:
        answer = await country.get("/v1/factories", **parameters)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, parameters
        assert answer.json()["detail"]


@pytest.mark.parametrize(
    "key", [["name", "asc", "a\x00", "F1"], ["name", "asc", 1, "F1"], ["name", "asc", None, "F1"], ["name", "asc"]]
)
async def test_a_forged_cursor_is_refused(api: Api, key: list[object]) -> None:
    answer = await api.get("/v1/factories", sort="name", cursor=make_cursor(key))
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_each_reader_sees_only_its_own_factories(country: Api) -> None:
    everything = await walk(country, "/v1/factories")
    assert await walk(country, "/v1/factories", "ministry") == everything
    for region in REGIONS:
        own = [one for one in everything if one["region"] == region]
        assert own
        assert await walk(country, "/v1/factories", f"region:{region}", limit=2) == own
        other = next(name for name in REGIONS if name != region)
        assert await walk(country, "/v1/factories", f"region:{region}", region=other) == []
    assert await walk(country, "/v1/factories", "factory:F3") == [o for o in everything if o["factory_id"] == "F3"]
    assert await walk(country, "/v1/factories", "factory:F99") == []


async def test_a_regional_officer_sees_the_factories_there_now_at_any_instant(api: Api) -> None:
    await api.register()
    await put_all(api, {"/v1/factories/F1": {**FACTORY, "region": "KR-11", "effective_from": "2020-01-01"}})
    (seen,) = await walk(api, "/v1/factories", "region:KR-11", at="2019-01-01")
    assert seen["region"] == "KR-48"
    assert await walk(api, "/v1/factories", "region:KR-48", at="2019-01-01") == []


async def test_a_region_is_not_a_factory(api: Api) -> None:
    """A region's code is also a factory id that may be registered; its officer is not that factory."""
    await api.register()
    await put_all(api, {"/v1/factories/KR-48": {**FACTORY, "region": "KR-11"}})
    for path in ("/v1/factories/KR-48/gateway-keys", "/v1/factories/KR-48/machines"):
        assert (await api.get(path, "region:KR-48")).status_code == HTTPStatus.FORBIDDEN


NAIVE_COUNT = """
SELECT factory.id, count(*) FROM factory JOIN machine ON machine.factory = factory.id
JOIN machine_in_use ON machine_in_use.machine = machine.id
WHERE from_at <= $1 AND $1 < to_at GROUP BY factory.id ORDER BY factory.id
"""
KEPT_COUNT = "SELECT factory, machines FROM factory_in_use WHERE from_at <= $1 AND $1 < to_at ORDER BY factory"


async def test_machines_in_use_are_counted_at_every_instant(api: Api) -> None:
    """After any PUTs, the stored counts equal those computed from the registry, at every step and beside it."""
    draw = random.Random(3)
    await api.register()
    await put_all(api, {"/v1/factories/F2": FACTORY})
    years = [2001, 2004, 2008, 2016, 2030]
    for _ in range(60):
        first, last = draw.choice(years), draw.choice([None, *years])
        body = {
            **MACHINE,
            "state_ttl_s": draw.choice([60, 600]),
            "in_use_from": f"{first}-01-01",
            "in_use_to": None if last is None or last <= first else f"{last}-01-01",
        }
        if draw.random() < 0.6:
            body["effective_from"] = f"{draw.choice(years)}-01-01"
        await put_all(api, {f"/v1/factories/{draw.choice(['F1', 'F2'])}/machines/M{draw.randrange(4)}": body})
    kept = await api.query("SELECT * FROM factory_in_use ORDER BY factory, from_at")
    assert kept == await api.query("SELECT * FROM factory_in_use_steps ORDER BY factory, from_at")
    edges = {us for row in kept for us in row[1:3]} | {FIRST_INSTANT_US, LAST_INSTANT_US - 1}
    assert len(edges) > 5
    for us in {near for edge in edges for near in (edge - 1, edge, edge + 1) if near < LAST_INSTANT_US}:
        assert await api.query(KEPT_COUNT, us) == await api.query(NAIVE_COUNT, us), us
