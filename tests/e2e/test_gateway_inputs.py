"""Lines as machines really send them, from the log through Kafka to the API, with and without a device model."""

import base64
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.stack import Sender, Stack

DEVICES = Path(__file__).parents[1] / "fixtures" / "devices" / "vmc1.xml"
DAY = {"from": "2024-03-04", "to": "2024-03-05", "interval": "total"}
MORNING = dt.datetime(2024, 3, 4, 0, 0, tzinfo=dt.UTC)
HOLD_S = 600
HOUR_S = 3600


def line(second: float, fields: str, behind: str = "") -> str:
    """Write a line ``second`` seconds after the beginning; ``behind`` stands right behind the timestamp."""
    at = (MORNING + dt.timedelta(seconds=second)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{at}{behind}|{fields}\n"


def heard(until_s: int, every_s: int = 300) -> str:
    """Write lines that only show that the machine is heard."""
    return "".join(line(second, f"Srpm|{1000 + second % 7}") for second in range(every_s, until_s + 1, every_s))


LOGS: dict[str, str] = {
    "quoted": line(0, r'block|"(OP 10 \| ROUGH)"|execution|ACTIVE'),
    "duration": line(0, "execution|STOPPED", behind="@540.0"),
    "fault-on-a-line": line(0, "execution|STOPPED|system|FAULT|410|1||Servo alarm"),
    "fault-that-ends": line(0, "execution|STOPPED|system|FAULT|410|1||Servo")
    + line(60, "system|normal")
    + heard(HOUR_S),
    "fault-alone": line(0, "execution|STOPPED")
    + line(0, "system|FAULT|410|1||Servo")
    + line(60, "system|normal")
    + heard(HOUR_S),
    "messages": line(0, "execution|ACTIVE")
    + "".join(line(second, "msg|E5|text") for second in range(300, HOUR_S + 1, 300)),
    "series": line(0, "execution|ACTIVE") + line(60, "Sload|10|100|11 12 13 14 15 16 17 18 19 20"),
    "byte-order-mark": "\ufeff" + line(0, "execution|ACTIVE"),
    "spike": line(0, "execution|ACTIVE|PartCountAct|2000")
    + line(60, "PartCountAct|2001")
    + line(120, "PartCountAct|599999")
    + line(180, "PartCountAct|2002"),
    "prefixed": line(0, "VMC1:execution|ACTIVE"),
}
TIMES_S: dict[str, dict[str, float]] = {
    "quoted": {"producing": HOLD_S},
    "duration": {"idle": HOLD_S},
    "fault-on-a-line": {"faulted": HOLD_S},
    "fault-that-ends": {"faulted": 60, "idle": HOUR_S + HOLD_S - 60},
    "fault-alone": {"faulted": 60, "idle": HOUR_S + HOLD_S - 60},
    "messages": {"producing": HOUR_S + HOLD_S},
    "series": {"producing": 60 + HOLD_S},
    "byte-order-mark": {"producing": HOLD_S},
    "spike": {"producing": 180 + HOLD_S},
    "prefixed": {"producing": HOLD_S},
}


def replay(stack: Stack, sender: Sender, *options: str) -> str:
    """Replay every log as a machine of its own, and wait until it is accounted. Return what the command printed."""
    key = stack.folder / "gateway.key"
    key.write_text(base64.b64encode(sender.seed).decode())
    for name, text in LOGS.items():
        (stack.folder / f"{name}.txt").write_text(text, encoding="utf-8")
    machines = [f"--machine={name}={stack.folder / name}.txt" for name in LOGS]
    done = stack.run(
        *("gateway", "replay", "--factory", sender.factory_id, "--gateway-id", "gw-1", "--key-id", sender.key_id),
        *("--private-key", str(key), *machines, *options),
    )
    assert done.returncode == 0, done.stderr
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    return done.stdout + done.stderr


def item(stack: Stack, machine: str) -> Any:
    (found,) = stack.get("/v1/kpis", scope=f"machine:F1/{machine}", **DAY)["items"]
    return found


@pytest.mark.parametrize("options", [(), (f"--devices={DEVICES}",)], ids=["without-a-model", "with-a-model"])
def test_each_input_gives_its_right_figures(stack: Stack, options: tuple[str, ...]) -> None:
    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    printed = replay(stack, stack.register_factory("F1", *LOGS), *options)
    for machine, expected in TIMES_S.items():
        found = item(stack, machine)
        times = {state: seconds for state, seconds in found["time_s"].items() if seconds and state != "unknown"}
        assert (machine, times) == (machine, expected)
        assert found["counts"]["good"] == (2 if machine == "spike" else 0)
    readings = "SELECT count(*) FROM research.reading WHERE machine_id = $1"
    assert stack.query(readings, "series") == [(0,)]
    assert stack.query(readings, "messages") == [(0,)]
    assert stack.query(readings, "fault-that-ends")[0][0] == HOUR_S / 300
    assert "spike: part count that rises and falls back (once): spike.txt:3: PartCountAct=599999" in printed
    assert "series: time series (once): series.txt:2:26: Sload" in printed
    verified = stack.run("verify", "--from", "2024-03-03", "--to", "2024-03-06")
    assert verified.returncode == 0, verified.stdout + verified.stderr
