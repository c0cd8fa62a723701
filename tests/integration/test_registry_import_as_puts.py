"""An import leaves the same registry as single PUTs of the same things."""

import asyncio
import base64
import csv
import random
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from services.api.registry.importing import COLUMNS
from services.cli import main
from tests.api import Api

PUBLIC = base64.b64encode(bytes(SigningKey(bytes(32)).verify_key)).decode()
PATHS = {
    "enterprise": "/v1/enterprises/{enterprise_id}",
    "zone": "/v1/zones/{zone_id}",
    "sponsor": "/v1/sponsors/{sponsor_id}",
    "factory": "/v1/factories/{factory_id}",
    "calendar": "/v1/factories/{factory_id}/calendar",
    "machine": "/v1/factories/{factory_id}/machines/{machine_id}",
    "gateway_key": "/v1/factories/{factory_id}/gateway-keys/{key_id}",
}
CONTENT = {
    "enterprise": """SELECT enterprise_id, name, employees, {}
        FROM enterprise JOIN enterprise_version ON enterprise = id""",
    "zone": "SELECT zone_id, name, region, designated_on, {} FROM zone t JOIN zone_version v ON zone = id",
    "sponsor": """SELECT sponsor_id, name, enterprise_id, {} FROM sponsor t JOIN sponsor_version v ON v.sponsor = t.id
        LEFT JOIN enterprise e ON e.id = v.enterprise""",
    "factory": """SELECT factory_id, name, enterprise_id, region, sector, zone, sponsor, level, established_on,
        closed_on, {}
        FROM factory t JOIN factory_version v ON v.factory = t.id JOIN enterprise e ON e.id = v.enterprise""",
    "calendar": """SELECT factory_id, content, {} FROM calendar_version v JOIN factory f ON f.id = v.factory
        LEFT JOIN calendar c ON c.id = v.calendar""",
    "machine": """SELECT factory_id, machine_id, name, kind, automation, state_ttl_us, ideal_cycle_us, capacity_per_h,
        in_use_from, in_use_to, {} FROM machine t JOIN machine_version v ON v.machine = t.id
        JOIN factory f ON f.id = t.factory""",
    "gateway_key": """SELECT factory_id, key_id, public_key, valid_from, valid_to, revoked_at, compromised_since, {}
        FROM gateway_key t JOIN gateway_key_version v ON v.gateway_key = t.id JOIN factory f ON f.id = t.factory""",
    "spans": "SELECT f.factory_id, m.machine_id, s.from_at, s.to_at, s.automated, s.first_day, s.end_day, c.region, "
    "c.sector, c.zone, c.sponsor, c.level, c.size FROM machine_span s JOIN machine m ON m.id = s.machine "
    "JOIN factory f ON f.id = s.factory JOIN cohort c ON c.id = s.cohort",
    "counts": "SELECT factory_id, from_at, to_at, machines FROM factory_in_use JOIN factory ON id = factory",
}

WEEKLY: dict[str, Any] = {
    "none": None,
    "closed": [],
    "mon-fri 08:00-20:00; sat 08:00-12:00": [
        {"days": ["sat"], "from": "08:00", "to": "12:00"},
        {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "20:00"},
    ],
    "sun-mon,wed 06:00-14:00 22:00-06:00": [
        {"days": ["mon", "wed", "sun"], "from": "22:00", "to": "06:00"},
        {"days": ["mon", "wed", "sun"], "from": "06:00", "to": "14:00"},
    ],
}
"""Cells and what they are in a PUT."""
EXCEPTIONS: dict[str, Any] = {
    "2026-12-26": [{"date": "2026-12-26", "shifts": []}],
    "2026-12-27 08:00-12:00 12:00-24:00; 2026-12-26;": [
        {"date": "2026-12-26", "shifts": []},
        {"date": "2026-12-27", "shifts": [{"from": "08:00", "to": "12:00"}, {"from": "12:00", "to": "24:00"}]},
    ],
}


async def content(api: Api) -> dict[str, list[tuple[Any, ...]]]:
    """Returns everything in the registry, by ids."""
    when = "effective_from, effective_to"
    return {
        name: sorted(await api.query(sql.format(when) + (" WHERE retired_at IS NULL" if "{}" in sql else "")), key=repr)
        for name, sql in CONTENT.items()
    }


def random_lines(draw: random.Random, count: int) -> list[dict[str, str]]:
    """Returns random lines of every kind, with versions, each naming only what an earlier one registers."""
    instants = ["", "", "2012-05-01", "2018-01-01T00:00:00Z", "2031-01-01"]
    named: dict[str, list[str]] = {"enterprise": ["E0"], "zone": ["Z0"], "sponsor": ["S0"], "factory": ["F0"]}
    lines = [
        {"thing": "enterprise", "enterprise_id": "E0", "name": "First", "employees": "7"},
        {"thing": "zone", "zone_id": "Z0", "name": "반월시화", "region": "KR-41"},
        {"thing": "sponsor", "sponsor_id": "S0", "name": "S", "enterprise_id": "E0"},
        {
            "thing": "factory",
            "factory_id": "F0",
            "name": "F",
            "enterprise_id": "E0",
            "region": "KR-11",
            "sector": "C10",
            "level": "none",
        },
    ]

    def draw_id(thing: str, prefix: str) -> str:
        named[thing].append(f"{prefix}{draw.randrange(12)}")
        return named[thing][-1]

    while len(lines) < count:
        line = {"name": draw.choice(["A", "나", "C, d", '"q"']), "effective_from": draw.choice(instants)}
        match draw.choice([*PATHS, "machine", "machine"]):
            case "enterprise":
                line |= {"enterprise_id": draw_id("enterprise", "E"), "employees": draw.choice(["", "0", "300"])}
                line["thing"] = "enterprise"
            case "zone":
                line |= {"thing": "zone", "zone_id": draw_id("zone", "Z"), "region": draw.choice(["KR-41", "KR-48"])}
                line["designated_on"] = draw.choice(["", "2019-02-20"])
            case "sponsor":
                line |= {"thing": "sponsor", "sponsor_id": draw_id("sponsor", "S")}
                line["enterprise_id"] = draw.choice(["", *named["enterprise"]])
            case "factory":
                line |= {"thing": "factory", "enterprise_id": draw.choice(named["enterprise"]), "sector": "C29"}
                line |= {"region": draw.choice(["KR-48", "KR-11"]), "level": draw.choice(["basic", "advanced"])}
                line |= {"zone": draw.choice(["", *named["zone"]]), "sponsor": draw.choice(["", *named["sponsor"]])}
                line |= {"factory_id": draw_id("factory", "F"), "established_on": draw.choice(["", "2017-05-01"])}
            case "machine":
                line |= {
                    "thing": "machine",
                    "factory_id": draw.choice(named["factory"]),
                    "machine_id": f"m{draw.randrange(4)}",
                }
                line |= {"kind": "mill", "automation": draw.choice(["robot", "manual"]), "in_use_from": "2016-01-01"}
                line |= {"in_use_to": draw.choice(["", "2020-01-01"]), "state_ttl_s": draw.choice(["", "30", "0.5e2"])}
                line |= {"ideal_cycle_s": draw.choice(["", "12.5"]), "capacity_per_h": draw.choice(["", "9", "8.25"])}
            case "calendar":
                line = {"thing": "calendar", "factory_id": draw.choice(named["factory"])}
                line |= {"effective_from": draw.choice(["", "2012-05-01", "2018-01-01T00:00:00+09:00"])}
                line |= {"weekly": draw.choice(list(WEEKLY)), "holidays": draw.choice(["", "true", "false"])}
                if WEEKLY[line["weekly"]] is not None:
                    line["exceptions"] = draw.choice(["", *EXCEPTIONS])
            case "gateway_key":
                del line["name"]
                line |= {
                    "thing": "gateway_key",
                    "factory_id": draw.choice(named["factory"]),
                    "key_id": f"k{draw.randrange(3)}",
                }
                line |= {
                    "public_key": PUBLIC,
                    "valid_from": "2016-01-01T00:00:00+09:00",
                    "valid_to": draw.choice(["", "2030-01-01"]),
                }
        lines.append(line)
    first: dict[tuple[str, str], dict[str, str]] = {}
    for line in lines:
        first.setdefault((PATHS[line["thing"]].format(**line), line.get("effective_from", "")), line)
    return list(first.values())


NUMBERS = ("employees", "capacity_per_h", "state_ttl_s", "ideal_cycle_s")


def body_of(line: dict[str, str]) -> dict[str, Any]:
    """Returns a line as the body of a PUT."""
    own = {"zone": "zone_id", "sponsor": "sponsor_id", "factory": "factory_id", "enterprise": "enterprise_id"}
    ids = {"thing", "machine_id", "key_id", own.get(line["thing"], "factory_id")}
    fields = {name: cell for name, cell in line.items() if cell and name not in ids}
    if line["thing"] == "calendar":
        meanings: dict[str, dict[str, Any]] = {
            "weekly": WEEKLY,
            "exceptions": EXCEPTIONS,
            "holidays": {"true": True, "false": False},
        }
        return {name: meanings[name][cell] if name in meanings else cell for name, cell in fields.items()}
    return {
        name: float(cell) if name in NUMBERS[1:] else int(cell) if name in NUMBERS else cell
        for name, cell in fields.items()
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_file_leaves_the_same_registry_as_single_puts(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The same things, put one by one and imported from a file, each into an empty registry."""
    draw = random.Random(seed)
    lines = random_lines(draw, 260)
    for line in lines:
        answer = await api.put(PATHS[line["thing"]].format(**line), body_of(line))
        assert answer.status_code in (200, 201), answer.text
    expected = await content(api)
    assert all(expected.values())
    tables = ", ".join(
        (
            *(table for table in PATHS if table != "calendar"),
            *(f"{table}_version" for table in PATHS),
            *("factory_in_use", "machine_span", "dirty_mark"),
        )
    )
    await api.query(f"TRUNCATE {tables}")
    monkeypatch.setenv("JEJO_DATABASE_URL", api.database_url)
    monkeypatch.setattr("services.api.registry.writes.THINGS_AT_A_TIME", 5)
    # Lines of different things may come in any order, so each kind's lines are moved as a block.
    half = len(lines) // 2
    for number, part in enumerate((lines[:half], lines[half:])):
        kinds = draw.sample(list(PATHS), len(PATHS))
        path = tmp_path / f"{number}.csv"
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(sorted(part, key=lambda line: kinds.index(line["thing"])))
        assert await asyncio.to_thread(main, ["registry", "import", str(path)]) == 0
    assert await content(api) == expected
