"""Recorded logs of real machines through gateway, Kafka, ingest and analytics: the API serves the known truths."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.recorded_logs import JEJO_REAL_DATA_DIR, needs_real_data
from tests.stack import Sender, Stack

DEVICES = JEJO_REAL_DATA_DIR / "nist_mtconnect" / "Devices.xml"
NIST_WEEK = {"from": "2016-10-31T00:00:00Z", "to": "2016-11-07T00:00:00Z", "interval": "total"}

pytestmark = needs_real_data


def replay(stack: Stack, sender: Sender, machines: dict[str, list[Path]], *options: str) -> str:
    """Replay logs, and wait until what was sent is accounted. Return the command's output."""
    key = stack.folder / "gateway.key"
    key.write_text(base64.b64encode(sender.seed).decode())
    chosen = [f"--machine={name}={','.join(map(str, files))}" for name, files in machines.items()]
    done = stack.run(
        *("gateway", "replay", "--factory", sender.factory_id, "--gateway-id", "gw-1", "--key-id", sender.key_id),
        *("--private-key", str(key), "--speed", "max", *chosen, *options),
    )
    assert done.returncode == 0, done.stderr
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    return done.stdout + done.stderr


def start(stack: Stack, factory_id: str, *machines: str) -> Sender:
    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    return stack.register_factory(factory_id, *machines)


def machine_item(stack: Stack, machine: str, window: dict[str, str]) -> Any:
    (item,) = stack.get("/v1/kpis", scope=f"machine:{machine}", **window)["items"]
    return item


def everything_derived(stack: Stack) -> list[Any]:
    return [
        stack.query(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        for table in ("machine_hour", "machine_day", "factory_hour")
    ]


def test_the_nist_week_is_exact_and_stays_so_when_sent_again(stack: Stack) -> None:
    sender = start(stack, "NIST", "Mazak01", "Mazak03")
    folder = JEJO_REAL_DATA_DIR / "nist_mtconnect"
    machines = {name: sorted((folder / name).glob("*.gz")) for name in ("Mazak01", "Mazak03")}
    truth = json.loads((folder / "ground_truth.json").read_text())["machines"]
    replay(stack, sender, machines)
    for name, expected in truth.items():
        item = machine_item(stack, f"NIST/{name}", NIST_WEEK)
        time_s = item["time_s"]
        print(name, time_s, item["producing_by_mode_s"])
        assert abs(time_s["producing"] - expected["execution_seconds"]["ACTIVE"]) <= 1
        assert round(sum(time_s.values()), 6) == 604_800
        by_mode = item["producing_by_mode_s"]
        assert by_mode["automatic"] <= expected["mode_seconds"]["AUTOMATIC"] + 1
        assert round(sum(by_mode.values()), 6) == round(time_s["producing"], 6)
    facts = stack.query("SELECT count(*) FROM state_event")
    before = everything_derived(stack)

    replay(stack, sender, machines)
    assert stack.query("SELECT count(*) FROM state_event") == facts
    assert everything_derived(stack) == before
    replay(stack, sender, machines, "--shuffle-seed", "7", "--duplicate")
    assert stack.query("SELECT count(*) FROM state_event") == facts
    assert everything_derived(stack) == before
    assert stack.query("SELECT count(*) FROM fact_revision") == [(0,)]
    assert stack.query("SELECT count(*) FROM dead_letter") == [(0,)]
    verified = stack.run("verify", "--from", "2016-10-30", "--to", "2016-11-09")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    stack.wait_until_judged()
    assert stack.get("/v1/flags")["items"] == []


def test_the_nist_week_by_its_device_model(stack: Stack) -> None:
    sender = start(stack, "NIST", "Mazak01", "Mazak03")
    folder = JEJO_REAL_DATA_DIR / "nist_mtconnect"
    machines = {name: sorted((folder / name).glob("*.gz")) for name in ("Mazak01", "Mazak03")}
    truth = json.loads((folder / "ground_truth.json").read_text())["machines"]
    replay(stack, sender, machines, f"--devices={DEVICES}", "--readings=none")
    for name, expected in truth.items():
        item = machine_item(stack, f"NIST/{name}", NIST_WEEK)
        assert item["time_s"]["producing"] == pytest.approx(expected["execution_seconds"]["ACTIVE"], abs=1e-6)
        by_mode = item["producing_by_mode_s"]
        assert by_mode["automatic"] <= expected["mode_seconds"]["AUTOMATIC"]
        assert by_mode["unknown"] == 0
    assert stack.query("SELECT count(*) FROM dead_letter") == [(0,)]


@pytest.mark.parametrize("options", [(), (f"--devices={DEVICES}", "--units=model")], ids=["ready-made", "device-model"])
@pytest.mark.parametrize(("machine", "parts"), [("Hurco02", 8), ("Hurco04", 10)])
def test_the_hurcos_counters_give_the_parts_made(
    stack: Stack, machine: str, parts: int, options: tuple[str, ...]
) -> None:
    sender = start(stack, "HURCO", machine)
    log = JEJO_REAL_DATA_DIR / "nist_hurco" / f"2-1-2017-{machine}-Clean.txt.gz"
    replay(stack, sender, {machine: [log]}, *options)
    window = {"from": "2017-01-31", "to": "2017-02-04", "interval": "total"}
    item = machine_item(stack, f"HURCO/{machine}", window)
    assert item["counts"] == {"good": parts, "scrap": 0, "rework": 0}
    assert item["kpis"]["quality_ratio"]["value"] == 1
    verified = stack.run("verify", "--from", "2017-01-31", "--to", "2017-02-04")
    assert verified.returncode == 0, verified.stdout + verified.stderr
