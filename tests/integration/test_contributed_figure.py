"""The figure that CONTRIBUTING.md adds as an example needs its entry and its migration, on a database with facts."""

import json
from pathlib import Path
from typing import Any

from schemas.wire.codes import Mode, State
from services.analytics.engine import start_accounting
from services.core.times import HOUR_US, MINUTE_US, from_us
from tests.accounted import State as StateRow
from tests.accounted import registered_fleet
from tests.contributed import copy_to, example

SECTION = "Adding a figure"
FIGURE = json.loads(example(SECTION, "json"))
NAME = FIGURE["id"]
ORIGIN_US = 1_488_326_400_000_000
"""2017-03-01 09:00 in Seoul."""
NATION = "group_day WHERE kind = 'nation'"
TABLES = ("machine_hour", "factory_hour", "factory_day", "cohort_hour", "cohort_day", NATION)

KPI = json.loads(example("Adding a KPI", "json")) | {
    "id": "unattended_wait_share",
    "numerator": [NAME],
    "denominator": ["delayed_us"],
    "unit": "s",
    "denominator_unit": "s",
    "basis": "states",
    "reasons": [{"if_zero": "denominator", "reason": "no_busy_time"}],
}

IN_COPY = f"""
import asyncio, json, sys
from pathlib import Path
import httpx
from schemas import figure_definitions
from services.analytics.verification.run import parse_window, verify
from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.clock import system_clock
from services.core.database import OWNER, connect
from services.core.migrations import migrate, read_migrations
from tests.accounted import Fleet
from tests.api import Api
from tests.figure_columns import differences

async def main(url):
    assert Path(figure_definitions.__file__).is_relative_to(Path.cwd())
    owner, analytics = await connect(url, OWNER), await connect(url, "jejo_analytics")
    found = {{"migrated": [m.name for m in await migrate(owner, read_migrations())]}}
    found["differences"] = await differences(owner)
    await Fleet(url, range(1, 4), owner, analytics).settle_all()
    found["verify"] = await verify(url, parse_window("2017-03-01", "2017-03-02"), None, 0, ledger=False)
    for table in {TABLES}:
        of_all = " WHERE kind = 'nation'" if table == "group_day" else ""
        found[table] = int(await owner.fetchval(f"SELECT sum({NAME}) FROM {{table}}{{of_all}}"))
    app = create_app(ApiSettings(database_url=url), system_clock)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://api") as http:
        api = Api(http, url, app)
        found["definitions"] = (await api.get("/v1/kpi-definitions")).json()
        asked = {{"from": "2017-03-01", "to": "2017-03-02", "kpi": {KPI["id"]!r}}}
        found["nation"] = (await api.get("/v1/kpis", interval="day", **asked)).json()["items"]
        found["machine"] = (await api.get("/v1/kpis", scope="machine:F1/M1", **asked)).json()["items"]
    await owner.execute(f"UPDATE machine_hour_pack SET {NAME}[1] = {NAME}[1] + 1 WHERE {NAME}[1] > 0")
    found["verify_altered"] = await verify(url, parse_window("2017-03-01", "2017-03-02"), None, 0, ledger=False)
    await owner.close()
    await analytics.close()
    print(json.dumps(found))

asyncio.run(main(sys.argv[1]))
"""


async def add_facts(url: str) -> None:
    """Ten minutes of waiting in each mode and ten of production, accounted before the figure is there."""
    async with registered_fleet(url, 1) as fleet:
        await start_accounting(fleet.analytics, ORIGIN_US + 24 * HOUR_US)
        rows = [(State.delayed, mode) for mode in Mode] + [(State.producing, Mode.automatic)]
        await fleet.add(
            [StateRow(1, ORIGIN_US + n * 10 * MINUTE_US, state, mode) for n, (state, mode) in enumerate(rows)]
        )
        await fleet.settle_all()


async def test_columns_accounts_answers_and_names_follow(database: str, tmp_path: Path) -> None:
    await add_facts(database)
    copy = copy_to(tmp_path)
    copy.append("schemas/figures.json", example(SECTION, "json"))
    copy.append("schemas/kpis.json", json.dumps(KPI, ensure_ascii=False))
    copy.add_migration("delayed_automatic", example(SECTION, "sql"))

    *differing, last = copy.run("-c", IN_COPY, database).splitlines()
    found: dict[str, Any] = json.loads(last)

    assert found["migrated"] == ["delayed_automatic"]
    assert found["differences"] == []
    assert found["verify"] == 0
    assert {table: found[table] for table in TABLES} == dict.fromkeys(TABLES, 10 * MINUTE_US)
    assert found["verify_altered"] == 1
    assert [line for line in differing if f" {NAME}: stored 600000001, recomputed 600000000" in line]
    assert found["definitions"]["figures"][-1] == {
        field: FIGURE[field] for field in ("id", "title", "meaning", "unit", "adds_up")
    }
    for items in (found["nation"], found["machine"]):
        (item,) = items
        assert item["from"] == from_us(ORIGIN_US - 9 * HOUR_US).isoformat().replace("+00:00", "Z")
        kpi = item["kpis"][KPI["id"]]
        assert (kpi["numerator"], kpi["denominator"]) == (600, 2400)
    copy.run(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/test_figures.py", "tests/property/test_accounts.py"
    )
