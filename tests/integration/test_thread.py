"""End to end: a signed record over Kafka becomes a fact, an hour's account, and a KPI over HTTP."""

import json

from tests.stack import Stack, wait_for

DAY = {"from": "2017-03-01", "to": "2017-03-02", "interval": "total"}


def record(**parts: object) -> bytes:
    envelope = {"factory_id": "F000123", "gateway_id": "gw-1", "sent_at": "2017-03-01T01:00:00Z"}
    return json.dumps({**envelope, **parts}).encode()


def state(at: str, name: str, mode: str | None = None, machine_id: str = "CNC-01") -> dict[str, object]:
    return {"machine_id": machine_id, "at": at, "state": name, "mode": mode}


def test_one_signed_record_becomes_a_fact_an_account_and_a_kpi(stack: Stack) -> None:
    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    sender = stack.register_factory("F000123", "CNC-01", "CNC-02")
    states = [state("2017-03-01T00:00:00Z", "producing", "automatic"), state("2017-03-01T00:05:00Z", "idle")]
    sender.send(record(states=states)).get(timeout=30)
    stack.wait_until_ingested()
    stack.wait_until_accounted()

    answer = stack.get("/v1/kpis", scope="machine:F000123/CNC-01", **DAY)
    (item,) = answer["items"]
    assert item["time_s"]["producing"] == 300
    assert item["time_s"]["idle"] == 600
    assert item["time_s"]["unknown"] == 86_400 - 900
    assert sum(item["time_s"].values()) == 86_400
    assert item["producing_by_mode_s"]["automatic"] == 300
    availability = item["kpis"]["availability"]
    assert (availability["numerator"], availability["denominator"]) == (300, 900)
    assert round(availability["value"], 6) == 0.333333
    assert "low_coverage" in availability["flags"]

    for scope in ("factory:F000123", "nation"):
        (whole,) = stack.get("/v1/kpis", scope=scope, **DAY)["items"]
        assert (whole["factories"], whole["machines"]) == (1, 2)
        assert whole["time_s"]["producing"] == 300
        assert sum(whole["time_s"].values()) == 2 * 86_400

    lineage = stack.query(
        "SELECT r.rows_stored, r.signed FROM state_event s JOIN ingest_record r ON r.id = s.record_id GROUP BY 1, 2"
    )
    assert lineage == [(2, True)]
    verified = stack.run("verify", "--from", "2017-03-01", "--to", "2017-03-02")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_fact_is_in_its_kpis_within_ten_seconds(stack: Stack) -> None:
    import time

    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    sender = stack.register_factory("F000123", "CNC-01")
    sender.send(record(states=[state("2017-03-01T00:00:00Z", "idle")])).get(timeout=30)
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    began = time.monotonic()
    sender.send(record(states=[state("2017-03-01T00:05:00Z", "producing")])).get(timeout=30)
    wait_for(
        "the KPI",
        lambda: stack.get("/v1/kpis", scope="machine:F000123/CNC-01", **DAY)["items"][0]["time_s"]["producing"] == 600,
        10,
    )
    assert time.monotonic() - began < 10


def test_a_state_sent_now_fills_the_running_hour_as_time_passes(stack: Stack) -> None:
    import datetime as dt

    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    sender = stack.register_factory("F000123", "CNC-01")
    now = dt.datetime.now(dt.UTC)
    sender.send(record(states=[state(now.isoformat(), "producing", "automatic")])).get(timeout=30)
    hour = now.replace(minute=0, second=0, microsecond=0)
    window = {
        "scope": "machine:F000123/CNC-01",
        "from": hour.isoformat(),
        "to": (hour + dt.timedelta(hours=2)).isoformat(),
        "interval": "total",
    }

    def producing() -> float:
        items = stack.get("/v1/kpis", **window)["items"]
        return float(items[0]["time_s"]["producing"]) if items else 0.0

    first = wait_for("the running state", producing)
    later = wait_for("time to pass", lambda: (seen := producing()) > first + 1 and seen)
    assert later > first
    (item,) = stack.get("/v1/kpis", **window)["items"]
    assert item["partial"] is True
