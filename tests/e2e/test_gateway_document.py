"""docs/gateway.md as a reader would follow it: both examples run as written, until the KPI shows their data."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.stack import ROOT, Stack, wait_for

DOCUMENT = ROOT / "docs/gateway.md"
BLOCK = re.compile(r"(?ms)^```(?:bash|python) ([a-z_]+\.(?:sh|py))\n(.*?)^```$")
NEEDED = ("bash", "curl", "openssl", "kcat")


class Reader:
    """A reader with the document, a shell and an empty folder; the variables say where the platform is."""

    def __init__(self, stack: Stack, folder: Path, machine: str, key_id: str) -> None:
        self.folder = folder
        folder.mkdir()
        for name, text in BLOCK.findall(DOCUMENT.read_text()):
            (folder / name).write_text(text)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("JEJO_")},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "API": stack.api_url,
            "API_KEY": stack.admin_key,
            "KAFKA": stack.kafka.bootstrap,
            "TOPIC": stack.topic,
            "MACHINE": machine,
            "KEY_ID": key_id,
        }

    def shell(self, line: str) -> str:
        """Run a line in a shell that has read addresses.sh. Return what it prints."""
        done = subprocess.run(
            ["bash", "-c", f". ./addresses.sh\n{line}"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def register(self, make_key: str) -> None:
        public_key = self.shell(make_key).strip()
        registered = self.shell(f"export PUBLIC_KEY={public_key}\nset -e\n. ./register.sh")
        assert public_key in registered

    def item(self) -> dict[str, Any]:
        """Return the machine's KPIs of the last hours, as the document asks for them."""
        items: list[dict[str, Any]] = json.loads(self.shell(". ./kpi.sh"))["items"]
        return items[0] if items else {"time_s": {"producing": 0}, "counts": {"good": 0}}


@pytest.fixture
def running(stack: Stack) -> Stack:
    missing = [program for program in NEEDED if shutil.which(program) is None]
    assert not missing, f"the examples need more programs: apt-get install {' '.join(missing)}"
    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    return stack


def check_that_nothing_was_refused(stack: Stack) -> None:
    assert stack.query("SELECT reason, message FROM dead_letter") == []
    assert stack.query("SELECT bool_and(signed), sum(rows_refused + unknown_fields) FROM ingest_record") == [(True, 0)]


def test_the_python_example_shows_in_the_kpis(running: Stack, tmp_path: Path) -> None:
    reader = Reader(running, tmp_path / "reader", "CNC-01", "k-python")
    reader.register("python3 make_key.py")
    gateway = subprocess.Popen(
        ["bash", "-c", ". ./addresses.sh\nexec python3 gateway.py"],
        cwd=reader.folder,
        env=reader.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        item = wait_for("the KPI", lambda: (seen := reader.item())["time_s"]["producing"] >= 1 and seen)
        gateway.send_signal(signal.SIGINT)
        output, _ = gateway.communicate(timeout=30)
    finally:
        gateway.kill()
        gateway.wait()
    assert gateway.returncode == 0, output
    assert output.splitlines()[0] == "1 records acknowledged"
    assert item["kpis"]["availability"]["value"] == 1
    assert item["kpis"]["automatic_production_share"]["value"] == 1
    assert item["counts"]["good"] >= 1

    running.wait_until_ingested()
    last = "SELECT state FROM state_event ORDER BY at DESC LIMIT 1"
    wait_for("the end of the hold", lambda: running.query(last) == [(0,)])
    sequences = [sequence for (sequence,) in running.query("SELECT sequence FROM ingest_record ORDER BY record_offset")]
    assert sequences == list(range(len(sequences)))
    check_that_nothing_was_refused(running)


def test_the_kcat_example_shows_in_the_kpis(running: Stack, tmp_path: Path) -> None:
    reader = Reader(running, tmp_path / "reader", "CNC-02", "k-shell")
    reader.register("bash make_key.sh")
    # Enough that a signature with a zero byte, which is handled differently, is all but certain.
    for _ in range(15):
        reader.shell("bash send.sh producing manual 2")
    item = wait_for("the KPI", lambda: (seen := reader.item())["counts"]["good"] == 30 and seen)
    assert item["time_s"]["producing"] > 0
    assert item["producing_by_mode_s"]["manual"] == item["time_s"]["producing"]
    assert item["kpis"]["quality_ratio"]["value"] == 1
    check_that_nothing_was_refused(running)
    # Both ways of sending must choose the same partition, or a factory's records would not be in order.
    partition = running.producer().send(running.topic, key=b"F900001").get(timeout=30).partition
    assert running.query("SELECT DISTINCT partition FROM ingest_record") == [(partition,)]


def test_the_tests_run_every_block_of_the_document() -> None:
    fenced = re.findall(r"(?m)^```(?:bash|python)(.*)$", DOCUMENT.read_text())
    assert len(fenced) == len(BLOCK.findall(DOCUMENT.read_text())) == 7
