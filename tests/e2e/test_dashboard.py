"""The dashboard in a real Chromium, on the real stack: every page, both languages, wide and on a phone.

The tour itself is ``web/browser``; this module provides the stack and asserts the tour's report. Screenshots are left
in ``build/screenshots``.
"""

import datetime as dt
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.core.clock import system_clock
from services.core.times import SECOND_US, floor_to, rfc3339, seoul_day
from tests.stack import ROOT, Stack, wait_for

INSTALL = "install it with: apt-get install chromium fonts-noto-cjk"
FLEET = ("--factories", "24", "--machines", "2", "--seed", "1")
DAYS = 3
GHOST = "GHOST-1"
WITHIN_S = 300


@pytest.fixture(scope="module")
def chromium() -> str:
    """Returns the path of Debian's Chromium, which the tour drives."""
    found = shutil.which("chromium")
    assert found is not None, f"Chromium is missing; {INSTALL}"
    korean = subprocess.run(["fc-list", ":lang=ko"], capture_output=True, text=True, check=False)
    assert korean.stdout.strip(), f"A Korean font is missing; {INSTALL}"
    return found


@pytest.fixture(scope="module")
def built_dashboard() -> None:
    """Builds ``web/dist`` from the current source, as ``make dashboard`` does."""
    done = subprocess.run([ROOT / "deploy/local/dashboard.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def still_stack(stack: Stack, built_dashboard: None) -> Stack:
    """Returns a stack with some accounted days of a small country, and only the API running, so that no KPI changes.

    One factory never sends anything, and some have names that a spreadsheet would take for formulas.
    """
    stack.start_api()
    ingest, analytics = stack.start("ingest"), stack.start("analytics")
    now = rfc3339(floor_to(system_clock(), SECOND_US))
    course = ("--backfill-days", str(DAYS), "--speed", "max", "--until", now)
    simulated = stack.run(
        "gateway", "simulate", *FLEET, *course, "--api-url", stack.api_url, "--api-key", stack.admin_key
    )
    assert simulated.returncode == 0, simulated.stderr
    enterprise = {"enterprise_id": some_enterprise(stack)}
    stack.put(f"/v1/factories/{GHOST}", GHOST_FACTORY | enterprise)
    for number, name in enumerate(FORMULA_NAMES):
        stack.put(f"/v1/factories/NAME-{number}", GHOST_FACTORY | enterprise | {"name": name})
    stack.register_machine(GHOST, "M01", in_use_from=str(today() - dt.timedelta(days=DAYS)))
    settle(stack)
    distort(stack)
    settle(stack)
    for service in (analytics, ingest):
        assert service.stop() == 0, service.output
    return stack


GHOST_FACTORY = {
    "name": '유령정밀 <&> "1"',
    "region": "KR-50",
    "sector": "C10",
    "level": "basic",
    "established_on": "2020-03-02",
}
FORMULA_NAMES = ("＋1호기", "'=1+1", "=1+1")


def settle(stack: Stack) -> None:
    stack.wait_until_ingested()
    stack.wait_until_accounted()


def some_enterprise(stack: Stack) -> Any:
    return stack.get("/v1/enterprises", limit=1)["items"][0]["enterprise_id"]


def some_zone(stack: Stack) -> Any:
    return next(factory["zone"] for factory in stack.get("/v1/factories", limit=100)["items"] if factory["zone"])


def busiest_machine(stack: Stack) -> tuple[str, str]:
    """Returns factory and machine that produced longest on the last whole day."""
    window = {"from": str(today() - dt.timedelta(days=1)), "to": str(today())}
    items = stack.get("/v1/kpis", group_by="machine", kpi="availability", **window)["items"]
    found = max(items, key=lambda item: item["time_s"]["producing"])
    factory, machine = found["scope"].removeprefix("machine:").split("/")
    return factory, machine


def distort(stack: Stack) -> None:
    """Register an impossible ideal cycle for the busiest machine, so that there is a flag to show."""
    factory, machine = busiest_machine(stack)
    path = f"/v1/factories/{factory}/machines/{machine}"
    registered = stack.get(path)
    stack.put(path, {name: registered[name] for name in MACHINE_FIELDS} | {"ideal_cycle_s": 3600})


MACHINE_FIELDS = ("name", "kind", "automation", "state_ttl_s", "capacity_per_h", "in_use_from", "in_use_to")


def today() -> dt.date:
    return seoul_day(system_clock())


def link(stack: Stack, role: str) -> str:
    made = stack.run("keys", "login-link", "--role", role, "--name", "tour", "--url", stack.api_url)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def plan(stack: Stack, chromium: str, folder: Path) -> dict[str, Any]:
    """Returns the tour's input: the busiest machine's factory and region, and the last whole day."""
    factory_id, machine_id = busiest_machine(stack)
    factory = stack.get(f"/v1/factories/{factory_id}")
    return {
        "url": stack.api_url,
        "key": stack.admin_key,
        "chromium": chromium,
        "report": str(folder / "findings.json"),
        "screenshots": str(ROOT / "build/screenshots"),
        "links": {
            "ministry": link(stack, "ministry"),
            "region": link(stack, f"region:{factory['region']}"),
            "factory": link(stack, f"factory:{factory_id}"),
            "researcher": link(stack, "researcher"),
        },
        "factory": factory_id,
        "machine": machine_id,
        "day": str(today() - dt.timedelta(days=1)),
        "today": str(today()),
        "ghost": GHOST,
        "zone": some_zone(stack),
        "region": factory["region"],
        "from": str(today() - dt.timedelta(days=DAYS - 1)),
        "to": str(today()),
    }


def run_tour(stack: Stack, steps: dict[str, Any]) -> str:
    """Run the tour, and stop and start the API on the same port when it asks for that. Returns the tour's log."""
    built = subprocess.run(
        ["node", "build.mjs", "browser"], cwd=ROOT / "web", capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    log = stack.folder / "tour.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["node", "build/browser/tour.mjs"],
            cwd=ROOT / "web",
            env={**os.environ, "TOUR": json.dumps(steps)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            for line in requests_of(process.stdout):
                restart_api(stack, line)
                process.stdin.write("done\n")
                process.stdin.flush()
            process.wait(timeout=WITHIN_S)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
    assert process.returncode == 0, log.read_text()
    return log.read_text()


def requests_of(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        assert line.strip() in ("stop", "start"), line
        yield line.strip()


def restart_api(stack: Stack, what: str) -> None:
    api = next(service for service in reversed(stack.services) if service.log.name.startswith("api-"))
    if what == "stop":
        api.stop()
        return
    started = stack.start("api", JEJO_API_PORT=stack.api_url.rsplit(":", 1)[1])
    wait_for("the API", lambda: "Application startup complete" in started.output)


def test_the_tour_of_the_dashboard_has_no_failures(still_stack: Stack, chromium: str, tmp_path: Path) -> None:
    steps = plan(still_stack, chromium, tmp_path)
    log = run_tour(still_stack, steps)
    findings = json.loads(Path(steps["report"]).read_text())
    assert len(findings) > 150, log
    failures = [f"{finding['check']}: {failure}" for finding in findings for failure in finding["failures"]]
    assert not failures, "\n".join(failures)
    print(log)
