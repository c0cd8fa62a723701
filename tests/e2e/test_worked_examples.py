"""The two worked examples of the KPI definitions, through Kafka and the API, to six digits."""

import datetime as dt
import json

from tests.stack import Sender, Stack

DAY = {"from": "2017-03-01", "to": "2017-03-02"}
MORNING = dt.datetime(2017, 2, 28, 23, 0, tzinfo=dt.UTC)


def send(sender: Sender, **rows: object) -> None:
    envelope = {"factory_id": sender.factory_id, "gateway_id": "gw-1", "sent_at": "2017-03-01T12:00:00Z"}
    sender.send(json.dumps({**envelope, **rows}).encode()).get(timeout=30)


def stretch(machine_id: str, state: str, start_s: int, length_s: int) -> list[dict[str, object]]:
    """Return rows that assert a state every five minutes for a while, then end it."""
    at = range(start_s, start_s + length_s, 300)
    rows: list[dict[str, object]] = [
        {"machine_id": machine_id, "at": (MORNING + dt.timedelta(seconds=s)).isoformat(), "state": state} for s in at
    ]
    end = MORNING + dt.timedelta(seconds=start_s + length_s)
    return [*rows, {"machine_id": machine_id, "at": end.isoformat(), "state": "unknown"}]


def count(machine_id: str, good: int, scrap: int) -> dict[str, object]:
    at = (MORNING + dt.timedelta(hours=2)).isoformat()
    return {"machine_id": machine_id, "at": at, "good": good, "scrap": scrap}


def values(stack: Stack, scope: str, interval: str) -> dict[str, float | None]:
    (item,) = stack.get("/v1/kpis", scope=scope, interval=interval, **DAY)["items"]
    return {name: None if k["value"] is None else round(k["value"], 6) for name, k in item["kpis"].items()}


def test_one_machine_within_one_day(stack: Stack) -> None:
    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    sender = stack.register_factory("F1", "A", ideal_cycle_s=10)
    rows = stretch("A", "producing", 0, 9000)[:-1] + stretch("A", "delayed", 9000, 1800)
    send(sender, states=rows, counts=[count("A", 800, 200)])
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    for scope in ("machine:F1/A", "factory:F1", "nation"):
        for interval in ("total", "day"):
            found = values(stack, scope, interval)
            assert found["availability"] == 0.833333
            assert found["utilisation_efficiency"] == 0.833333
            assert found["effectiveness"] == 1.111111
            assert found["quality_ratio"] == 0.8
            assert found["oee"] == 0.740741


def test_a_mix_of_two_machines_is_not_the_product_of_ratios(stack: Stack) -> None:
    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    sender = stack.register_factory("F1")
    stack.register_machine("F1", "A", ideal_cycle_s=10)
    stack.register_machine("F1", "B", ideal_cycle_s=100)
    send(
        sender,
        states=[*stretch("A", "producing", 0, 1000), *stretch("B", "producing", 0, 10_000)],
        counts=[count("A", 100, 0), count("B", 0, 100)],
    )
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    for scope in ("factory:F1", "nation"):
        (item,) = stack.get("/v1/kpis", scope=scope, interval="total", **DAY)["items"]
        oee = item["kpis"]["oee"]
        assert (oee["numerator"], oee["denominator"]) == (1000, 11_000)
        assert round(oee["value"], 6) == 0.090909
