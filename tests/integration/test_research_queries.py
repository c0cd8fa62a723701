"""Every query of docs/sql.md, as written, as researcher, from psql and from pandas, on facts that ingest wrote.

The example's facts are in EVENTS below, in Seoul's time; the figures in ANSWERS are worked out by hand beside them.
"""

import csv
import datetime as dt
import io
import json
import math
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local.fetch import fetch_timescaledb
from tests.stack import Sender, Stack

DOCUMENT = (Path(__file__).parents[2] / "docs/sql.md").read_text()
HOUR_S = 3600

# Machine F000001/A, ideal cycle 10 s: set-up 30 min, producing 60 + 30 min, faulted 45 min, producing 45 min.
# Machine F000001/B, ideal cycle 20 s: producing 80 min, faulted 20 min, idle 20 min; in April producing 50 min.
# Machine F000002/A, ideal cycle 5 s: set-up 10 min, producing 50 min, faulted 5 min, idle 25; by night producing 30.
# Machine F000002/S sends nothing. The TTL is an hour, so no hold below ends by itself.
STATES = {
    ("F000001", "A"): [
        ("2025-03-03T08:00", "setup", None, None),
        ("2025-03-03T08:30", "producing", "automatic", None),
        ("2025-03-03T09:30", "producing", "automatic", None),
        ("2025-03-03T10:00", "faulted", None, "tool broken"),
        ("2025-03-03T10:20", "faulted", None, "tool broken"),
        ("2025-03-03T10:45", "producing", "automatic", None),
        ("2025-03-03T11:30", "unknown", None, None),
    ],
    ("F000001", "B"): [
        ("2025-03-03T22:00", "producing", "manual", None),
        ("2025-03-03T22:40", "producing", "manual", None),
        ("2025-03-03T23:20", "faulted", None, "no material"),
        ("2025-03-03T23:40", "idle", None, None),
        ("2025-03-04T00:00", "unknown", None, None),
        ("2025-04-02T10:00", "producing", "manual", None),
        ("2025-04-02T10:50", "unknown", None, None),
    ],
    ("F000002", "A"): [
        ("2025-03-03T14:00", "setup", None, None),
        ("2025-03-03T14:10", "producing", "automatic", None),
        ("2025-03-03T15:00", "faulted", None, "tool broken"),
        ("2025-03-03T15:05", "idle", None, None),
        ("2025-03-03T15:30", "unknown", None, None),
        ("2025-03-04T02:00", "producing", "automatic", None),
        ("2025-03-04T02:30", "unknown", None, None),
    ],
}
COUNTS = {
    ("F000001", "A"): [("2025-03-03T09:15", "P-1", 250, 10, 0), ("2025-03-03T11:30", "P-2", 200, 0, 0)],
    ("F000001", "B"): [("2025-03-03T23:10", "P-1", 100, 20, 0), ("2025-04-02T10:50", "P-1", 60, 0, 0)],
    ("F000002", "A"): [("2025-03-03T15:00", "P-9", 400, 0, 5), ("2025-03-04T02:30", "P-9", 300, 0, 0)],
}
READINGS = {
    ("F000001", "A"): [
        ("2025-03-03T09:05", 10.0),
        ("2025-03-03T09:20", 20.0),
        ("2025-03-03T09:40", 30.0),
        ("2025-03-03T10:50", 50.0),
        ("2025-03-03T11:10", 70.0),
    ]
}

ANSWERS: dict[str, list[tuple[object, ...]]] = {
    # C25: 700 good x 5 s over 10 + 50 + 5 + 25 + 30 min. C29 in March: 450 x 10 s + 100 x 20 s over 210 + 120 min.
    # C29 in April: 60 x 20 s over 50 min.
    "OEE by sector and month": [
        ("C25", "2025-03-01", round(3500 / 7200, 4), 1),
        ("C29", "2025-03-01", round(6500 / 19_800, 4), 1),
        ("C29", "2025-04-01", 0.4, 1),
    ],
    # Tool broken: 45 min + 5 min; no material: 20 min.
    "Pareto of fault reasons": [("tool broken", 2, 50.0, round(50 / 70, 4)), ("no material", 1, 20.0, 1.0)],
    # On 4 March only F000002/A works.
    "Machines silent for a day": [
        ("F000001", "A", "machining_centre"),
        ("F000001", "B", "machining_centre"),
        ("F000002", "S", "robot_cell"),
    ],
    # P-1: A's set-up 30 min, its producing 08:30 to 09:30, B's 80 min. P-9: 10 min, 50 + 30 min. P-2: no set-up.
    "Set-up share by product": [
        ("P-1", 30.0, round(30 / (30 + 60 + 80), 4)),
        ("P-9", 10.0, round(10 / 90, 4)),
        ("P-2", None, 0.0),
    ],
    # Of 10, 20, 30 the tenth part of the way is 12, and the ninetieth 28.
    "Distribution of a reading by hour": [
        (9, 3, 12.0, 20.0, 28.0),
        (10, 1, 50.0, 50.0, 50.0),
        (11, 1, 70.0, 70.0, 70.0),
    ],
    # Advanced: 30 of 80 min. Basic: B's 80 min of 135 + 80 min.
    "Night production by level": [
        ("advanced", 1.33, round(30 / 80, 4), 1.0),
        ("basic", 3.58, round(80 / 215, 4), 0.0),
    ],
}


def sections(document: str) -> dict[str, str]:
    """Return the third-level headings, each with the text below it."""
    parts = re.split(r"(?m)^### (.*)$", document)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def fenced(language: str, text: str) -> str:
    """Return the first fenced block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found, language
    return found.group(1)


def shown(section: str) -> list[list[str]]:
    """Return the table below a query: header and rows, as text."""
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [table[0], *table[2:]]


def as_text(value: object) -> str:
    return "" if value is None else str(value)


def psql(environment: dict[str, str], sql: str) -> list[list[str]]:
    """Return header and rows of a query, from psql."""
    program = fetch_timescaledb() / "usr/lib/postgresql/17/bin/psql"
    command = [str(program), "-X", "--csv", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    done = subprocess.run(
        command, input=sql, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return list(csv.reader(io.StringIO(done.stdout)))


def pandas_rows(sql: str) -> list[list[object]]:
    """Return header and rows of a query, by the Python code of the document."""
    names: dict[str, Any] = {"query": sql}
    exec(fenced("python", DOCUMENT), names)
    names["engine"].dispose()
    frame = names["frame"]
    return [list(frame.columns), *([plain(value) for value in row] for row in frame.to_numpy(object).tolist())]


def plain(value: object) -> object:
    """Return a cell of a data frame as text: NaN stands for null, and days are written out."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.isoformat() if isinstance(value, dt.date) else value


def libpq_variables(url: str, user: str) -> dict[str, str]:
    found = re.fullmatch(r"postgresql://[^@]*@([^:]+):(\d+)/(\w+)", url)
    assert found
    return dict(zip(("PGHOST", "PGPORT", "PGDATABASE", "PGUSER"), (*found.groups(), user), strict=True))


def seoul(at: str) -> str:
    return f"{at}:00+09:00"


def send(sender: Sender, revision: int = 0, **rows: object) -> None:
    envelope = {"factory_id": sender.factory_id, "gateway_id": "gw-1", "sent_at": "2025-04-03T00:00:00Z"}
    sender.send(json.dumps({**envelope, "revision": revision, **rows}).encode()).get(timeout=30)


def register(stack: Stack) -> dict[str, Sender]:
    """Register the two factories of the example."""
    senders = {}
    for factory_id, enterprise, employees, sector, level in (
        ("F000001", "E1", 42, "C29", "basic"),
        ("F000002", "E2", 400, "C25", "advanced"),
    ):
        stack.put(f"/v1/enterprises/{enterprise}", {"name": f"Company {enterprise}", "employees": employees})
        factory = {"name": factory_id, "enterprise_id": enterprise, "region": "KR-48", "sector": sector, "level": level}
        stack.put(f"/v1/factories/{factory_id}", factory)
        senders[factory_id] = stack.register_key(factory_id, "k1")
    stack.register_machine("F000001", "A", ideal_cycle_s=10, state_ttl_s=HOUR_S)
    stack.register_machine("F000001", "B", ideal_cycle_s=20, state_ttl_s=HOUR_S)
    stack.register_machine("F000002", "A", ideal_cycle_s=5, state_ttl_s=HOUR_S)
    stack.register_machine("F000002", "S", kind="robot_cell", automation="robot", state_ttl_s=HOUR_S)
    return senders


def send_facts(senders: dict[str, Sender]) -> None:
    """Send the facts of the example, and some that are later retracted or corrected."""
    for (factory_id, machine_id), states in STATES.items():
        send(
            senders[factory_id],
            states=[
                {"machine_id": machine_id, "at": seoul(at), "state": state, "mode": mode, "reason": reason}
                for at, state, mode, reason in states
            ],
            counts=[
                {"machine_id": machine_id, "at": seoul(at), "product": p, "good": g, "scrap": s, "rework": r}
                for at, p, g, s, r in COUNTS[factory_id, machine_id]
            ],
        )
    load = "spindle_load_pct"
    for (factory_id, machine_id), readings in READINGS.items():
        rows = [{"machine_id": machine_id, "at": seoul(at), "metric": load, "value": value} for at, value in readings]
        send(senders[factory_id], readings=[{**rows[0], "value": 99.0}, *rows[1:]])
        send(senders[factory_id], 1, readings=rows[:1])
    withdrawn = {"machine_id": "A", "at": seoul("2025-03-03T11:00")}
    first = senders["F000001"]
    send(
        first,
        states=[{**withdrawn, "state": "faulted", "reason": "a mistake"}],
        counts=[{**withdrawn, "good": 1000, "product": "P-1"}],
        readings=[{**withdrawn, "metric": load, "value": 1.0}],
    )
    send(
        first,
        1,
        states=[{**withdrawn, "retracted": True}],
        counts=[{**withdrawn, "product": "P-1", "retracted": True}],
        readings=[{**withdrawn, "metric": load, "retracted": True}],
    )


def test_the_document_shows_the_results_of_its_queries(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.start_api()
    senders = register(stack)
    stack.start("ingest")
    stack.start("analytics")
    send_facts(senders)
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    variables = libpq_variables(stack.database_url, "researcher")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    queries = sections(DOCUMENT)
    assert list(queries) == list(ANSWERS)
    for name, section in queries.items():
        sql = fenced("sql", section)
        header, *rows = pandas_rows(sql)
        assert [tuple(row) for row in rows] == ANSWERS[name], name
        in_psql = psql(variables, sql)
        assert in_psql[0] == header, name
        assert shown(section) == [header, *[[as_text(v) for v in row] for row in ANSWERS[name]]], name
        as_numbers = [[number(cell) for cell in row] for row in in_psql[1:]]
        assert as_numbers == [[number(as_text(v)) for v in row] for row in ANSWERS[name]], name


def number(cell: str) -> object:
    """psql writes 50, Python 50.0."""
    try:
        return float(cell)
    except ValueError:
        return cell


async def test_a_person_logs_in_as_the_document_says(database: str) -> None:
    owner = libpq_variables(database, "jejo")
    access = DOCUMENT.split("## Access", 1)[1]
    psql(owner, fenced("sql", access))
    try:
        psql(owner, "ALTER ROLE kim PASSWORD 'kims'")
        connection = await asyncpg.connect(database.replace("jejo@", "kim:kims@"))
        try:
            assert await connection.fetchval("SELECT count(*) FROM research.factory") == 0
            assert await connection.fetchval("SHOW default_transaction_read_only") == "on"
            assert await connection.fetchval("SHOW statement_timeout") == "10min"
            # As researcher, one person could give all of them a password, and keep it when his own login is gone.
            for refused in (
                *("SELECT * FROM public.state_event", "SET temp_file_limit = -1"),
                *("SET ROLE jejo", "SET ROLE researcher"),
            ):
                with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)):
                    await connection.execute(refused)
        finally:
            await connection.close()
        psql({**libpq_variables(database, "kim"), "PGPASSWORD": "kims"}, "\\d+ research.machine_hour")
    finally:
        psql(owner, "DROP ROLE kim")
