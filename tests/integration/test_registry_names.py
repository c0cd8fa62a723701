"""Names are stored in one form, whichever way they came, and found however they were composed."""

import unicodedata
from http import HTTPStatus
from typing import Any

import pytest

from services.core.database import connect
from services.core.migrations import migrate, read_migrations
from tests.api import ENTERPRISE, FACTORY, MACHINE, Api
from tests.databases import database_url, execute

NAME = "한빛 정밀"
DECOMPOSED = unicodedata.normalize("NFD", NAME)
PATHS: dict[str, dict[str, Any]] = {
    "/v1/enterprises/E1": {**ENTERPRISE},
    "/v1/zones/Z1": {"region": "KR-48"},
    "/v1/sponsors/S1": {},
    "/v1/factories/F1": FACTORY,
    "/v1/factories/F1/machines/M1": MACHINE,
}
KINDS = ("enterprise", "zone", "sponsor", "factory", "machine")
WHITE_SPACE = "".join(chr(code) for code in range(0x110000) if chr(code).isspace())
NAMES = {
    DECOMPOSED: NAME,
    f"\u3000{DECOMPOSED} ": NAME,
    f"{WHITE_SPACE}Mazak  1{WHITE_SPACE}": "Mazak  1",
    "A\u030angstro\u0308m": "Ångström",
    NAME: NAME,
    "Mazak": "Mazak",
    " ": " ",
}
"""Names as they were stored before, and as the migration leaves them."""


async def test_names_are_put_in_one_form(api: Api) -> None:
    for path, body in PATHS.items():
        answer = await api.put(path, {**body, "name": f" {DECOMPOSED}\u3000"})
        assert (answer.status_code, answer.json()["name"]) == (HTTPStatus.CREATED, NAME)
        again = await api.put(path, {**body, "name": NAME})
        assert again.json() == (await api.get(path)).json()
    for kind in KINDS:
        assert await api.query(f"SELECT name FROM {kind}_version") == [(NAME,)]


@pytest.mark.parametrize("q", [NAME, DECOMPOSED, "정밀", unicodedata.normalize("NFD", "정밀")])
async def test_a_name_is_found_however_it_is_composed(api: Api, q: str) -> None:
    for path, body in PATHS.items():
        assert (await api.put(path, {**body, "name": DECOMPOSED})).status_code == HTTPStatus.CREATED
    for path in PATHS:
        collection, _, identifier = path.rpartition("/")
        (found,) = (await api.get(collection, q=q)).json()["items"]
        assert identifier in found.values()


async def test_a_factory_is_found_by_its_enterprise_however_that_is_composed(api: Api) -> None:
    await api.put("/v1/enterprises/E1", {"name": DECOMPOSED})
    await api.put("/v1/factories/F1", FACTORY)
    for q in (NAME, DECOMPOSED):
        assert [one["factory_id"] for one in (await api.get("/v1/factories", q=q)).json()["items"]] == ["F1"]


async def test_stored_names_are_normalised_and_nothing_else_changes(database_template: str) -> None:
    """Every version, retired ones too, keeps what it says and when; only the form of its name changes."""
    name = "jejo_names"
    url = database_url(database_template, name)
    await execute(database_template, f"CREATE DATABASE {name}")
    migrations = read_migrations()
    split = next(index for index, migration in enumerate(migrations) if migration.name == "names")
    connection = await connect(url)
    try:
        await migrate(connection, migrations[:split])
        await connection.execute(REGISTER)
        for kind in KINDS:
            for number, stored in enumerate(NAMES):
                await connection.execute(VERSION[kind], stored, 2000 + number)
        before = {kind: await connection.fetch(ROWS.format(kind)) for kind in KINDS}
        registry_version = await connection.fetchval("SELECT version FROM registry_version")
        await migrate(connection, migrations[: split + 1])
        for kind in KINDS:
            rows = await connection.fetch(ROWS.format(kind))
            expected = [{**row, "name": NAMES[row["name"]]} for row in before[kind]]
            assert [dict(row) for row in rows] == expected
            assert len(rows) == len(NAMES)
        assert await connection.fetchval("SELECT version FROM registry_version") == registry_version
    finally:
        await connection.close()
        await execute(database_template, f"DROP DATABASE {name} WITH (FORCE)")


ROWS = "SELECT * FROM {}_version ORDER BY effective_from, retired_at"
REGISTER = """
INSERT INTO enterprise (enterprise_id) VALUES ('E1');
INSERT INTO zone (zone_id) VALUES ('Z1');
INSERT INTO sponsor (sponsor_id) VALUES ('S1');
INSERT INTO factory (factory_id) VALUES ('F1');
INSERT INTO machine (factory, machine_id) VALUES (1, 'M1');
"""
VALUES = """VALUES ($1, make_timestamptz($2, 1, 1, 0, 0, 0, 'UTC'), make_timestamptz($2 + 1, 1, 1, 0, 0, 0, 'UTC'), 1,
    CASE WHEN $2 % 2 = 0 THEN timestamptz '2020-01-01Z' END, 1"""
COLUMNS = "name, effective_from, effective_to, changed_in, retired_at"
VERSION = {
    "enterprise": f"INSERT INTO enterprise_version ({COLUMNS}, enterprise) {VALUES})",
    "zone": f"INSERT INTO zone_version ({COLUMNS}, zone, region) {VALUES}, 'KR-48')",
    "sponsor": f"INSERT INTO sponsor_version ({COLUMNS}, sponsor) {VALUES})",
    "factory": f"INSERT INTO factory_version ({COLUMNS}, factory, enterprise, region, sector, level) "
    f"{VALUES}, 1, 'KR-48', 'C29', 'basic')",
    "machine": f"INSERT INTO machine_version ({COLUMNS}, machine, kind, automation, state_ttl_us, in_use_from) "
    f"{VALUES}, 'mill', 'manual', 600000000, '2016-01-01')",
}
