"""A change in the registry changes exactly the figures that it should."""

import datetime as dt
import json
from typing import Any

import pytest

from tests.stack import Sender, Stack

START = dt.datetime(2017, 3, 1, tzinfo=dt.UTC)
WINDOW = {"from": "2017-03-01", "to": "2017-03-02", "interval": "total"}


def send(sender: Sender, **rows: object) -> None:
    envelope = {"factory_id": sender.factory_id, "gateway_id": "gw-1", "sent_at": START.isoformat()}
    sender.send(json.dumps({**envelope, **rows}).encode()).get(timeout=30)


def state(machine_id: str, second: int, name: str) -> dict[str, object]:
    at = (START + dt.timedelta(seconds=second)).isoformat()
    return {"machine_id": machine_id, "at": at, "state": name, "mode": "automatic"}


def item(stack: Stack, scope: str) -> Any:
    stack.wait_until_accounted()
    (found,) = stack.get("/v1/kpis", scope=scope, **WINDOW)["items"]
    return found


def differences(before: Any, after: Any, path: str = "") -> set[str]:
    """Return the paths at which two items differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {p for key in before | after for p in differences(before.get(key), after.get(key), f"{path}/{key}")}
    return set() if before == after else {path}


@pytest.fixture
def sender(stack: Stack) -> Sender:
    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    sender = stack.register_factory("F1", "M1", ideal_cycle_s=10)
    counts = [{"machine_id": "M1", "at": START.isoformat(), "good": 30, "scrap": 10}]
    send(sender, states=[state("M1", 0, "producing"), state("M1", 300, "idle")], counts=counts)
    stack.wait_until_ingested()
    return sender


def verify(stack: Stack) -> None:
    stack.wait_until_accounted()
    verified = stack.run("verify", "--from", "2017-02-28", "--to", "2017-03-03")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_shorter_ttl_takes_the_time_no_longer_held(stack: Stack, sender: Sender) -> None:
    before = item(stack, "machine:F1/M1")
    assert before["time_s"]["idle"] == 600
    stack.register_machine("F1", "M1", ideal_cycle_s=10, state_ttl_s=120)
    after = item(stack, "machine:F1/M1")
    assert after["time_s"]["producing"] == 120
    assert after["time_s"]["idle"] == 120
    assert after["counts"] == before["counts"]
    assert after["kpis"]["quality_ratio"] == before["kpis"]["quality_ratio"]
    verify(stack)


def test_a_new_ideal_cycle_changes_only_the_kpis_made_of_it(stack: Stack, sender: Sender) -> None:
    before = item(stack, "machine:F1/M1")
    stack.register_machine("F1", "M1", ideal_cycle_s=5)
    after = item(stack, "machine:F1/M1")
    changed = {"/".join(path.split("/")[:3]) for path in differences(before, after)}
    assert changed == {"/kpis/effectiveness", "/kpis/oee", "/kpis/nee"}
    assert after["kpis"]["effectiveness"]["numerator"] == 200
    assert after["kpis"]["oee"]["numerator"] == 150
    verify(stack)


def test_a_version_from_the_middle_of_a_hold_divides_it(stack: Stack, sender: Sender) -> None:
    noon = (START + dt.timedelta(seconds=200)).isoformat()
    stack.register_machine("F1", "M1", ideal_cycle_s=None, effective_from=noon)
    after = item(stack, "machine:F1/M1")
    assert after["time_s"]["producing"] == 300
    effectiveness = after["kpis"]["effectiveness"]
    assert (effectiveness["numerator"], effectiveness["denominator"]) == (400, 200)
    verify(stack)


def test_a_silent_machine_halves_coverage_and_leaves_measured_kpis_alone(stack: Stack, sender: Sender) -> None:
    rows = [state("M1", second, "producing") for second in range(-9 * 3600, 15 * 3600, 500)]
    send(sender, states=rows)
    stack.wait_until_ingested()
    before = item(stack, "factory:F1")
    assert before["coverage"] == 1.0
    stack.register_machine("F1", "SILENT")
    after = item(stack, "factory:F1")
    assert after["coverage"] == 0.5
    assert after["machines"] == 2
    assert after["time_s"]["unknown"] == before["time_s"]["unknown"] + 86_400
    assert {k: v for k, v in after["time_s"].items() if k != "unknown"} == {
        k: v for k, v in before["time_s"].items() if k != "unknown"
    }
    assert after["kpis"]["availability"]["value"] == before["kpis"]["availability"]["value"]
    verify(stack)


def test_time_out_of_use_is_not_counted(stack: Stack, sender: Sender) -> None:
    stack.register_machine("F1", "M1", ideal_cycle_s=10, in_use_from="2017-03-02")
    stack.wait_until_accounted()
    assert stack.get("/v1/kpis", scope="machine:F1/M1", **WINDOW)["items"] == []
    verify(stack)
    stack.register_machine("F1", "M1", ideal_cycle_s=10, in_use_from="2017-03-01", in_use_to="2017-03-02")
    after = item(stack, "machine:F1/M1")
    assert after["time_s"]["producing"] == 300
    verify(stack)


def test_a_calendar_moves_idle_time_out_of_shifts_and_nothing_else(stack: Stack, sender: Sender) -> None:
    """The day is 1 March 2017, a Wednesday; the machine is idle from 09:05 to 09:15."""
    other = stack.register_factory("F2", "M1")
    send(other, states=[state("M1", 0, "idle")])
    stack.wait_until_ingested()
    before, untouched = item(stack, "machine:F1/M1"), item(stack, "factory:F2")
    shifts = [
        {"days": ["tue"], "from": "22:00", "to": "09:05"},
        {"days": ["wed"], "from": "09:10", "to": "24:00"},
    ]
    stack.put("/v1/factories/F1/calendar", {"weekly": shifts, "effective_from": "2017-02-27"})
    after = item(stack, "machine:F1/M1")
    assert (after["time_s"]["idle"], after["time_s"]["off_shift"]) == (300, 300)
    assert after["time_s"]["producing"] == before["time_s"]["producing"]
    assert item(stack, "factory:F2") == untouched
    verify(stack)
    stack.put("/v1/factories/F1/calendar", {"weekly": None, "effective_from": "2017-03-01"})
    ended = item(stack, "machine:F1/M1")
    assert (ended["time_s"]["idle"], ended["time_s"]["off_shift"]) == (600, 0)
    verify(stack)


def test_a_holiday_takes_the_shifts_of_its_day(stack: Stack, sender: Sender) -> None:
    """1 March is Independence Movement Day."""
    working = [{"days": ["wed"], "from": "08:00", "to": "20:00"}]
    stack.put("/v1/factories/F1/calendar", {"weekly": working, "holidays": True})
    assert item(stack, "machine:F1/M1")["time_s"]["idle"] == 600
    updated = stack.run("holidays", "update")
    assert "machines to be accounted again: 1 (factories: 1)" in updated.stdout, updated.stderr
    after = item(stack, "machine:F1/M1")
    assert (after["time_s"]["idle"], after["time_s"]["off_shift"]) == (0, 86_400 - 300)
    verify(stack)
