"""Tests of the demo as a newcomer starts it, on free ports."""

import datetime as dt
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers import KafkaServer
from tests.stack import ROOT, free_port, wait_for

RUNNING = "Jejo is running"


@pytest.fixture
def environment(database: str, kafka_server: KafkaServer, tmp_path: Path) -> dict[str, str]:
    """The demo's environment: its own data folder and API port, and the session's two servers."""
    return {
        **os.environ,
        "JEJO_DATABASE_URL": database,
        "JEJO_KAFKA_BOOTSTRAP_SERVERS": kafka_server.bootstrap,
        "JEJO_API_PORT": str(free_port()),
        "JEJO_DATA_DIR": str(tmp_path / "data"),
        "JEJO_DEMO_FACTORIES": "4",
        "JEJO_DEMO_DAYS": "2",
    }


def start(environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "deploy.local", "demo"]
    with log.open("wb") as out:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)


@pytest.fixture
def demo(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    log = tmp_path / "demo.log"
    process = start(environment, log)
    yield process, log
    if process.poll() is None:
        process.kill()
    process.wait()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_the_printed_command_shows_kpis_changing_and_ctrl_c_stops_everything(
    demo: tuple["subprocess.Popen[bytes]", Path], environment: dict[str, str]
) -> None:
    process, log = demo

    def is_running() -> bool:
        assert process.poll() is None, log.read_text()
        return RUNNING in log.read_text()

    wait_for("the demo", is_running, 120)
    second = subprocess.run(
        [sys.executable, "-m", "deploy.local", "demo"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr == "jejo: A demo of this clone is running already: stop it with Ctrl-C first.\n"

    check_link_and_history(environment, log)
    line = re.search(r"curl .*?(?= \| python3)", log.read_text())
    assert line is not None

    def producing() -> float:
        shown = subprocess.run(["bash", "-c", line[0]], capture_output=True, check=True)
        return float(sum(item["time_s"]["producing"] for item in json.loads(shown.stdout)["items"]))

    # It usually rises, but falls when an hour has just begun, since the command queries the current hour.
    first = producing()
    wait_for("producing time to change", lambda: producing() != first, 30)

    command = re.search(r"^ +(.* keys login-link .*)$", log.read_text(), re.MULTILINE)
    assert command is not None
    created = subprocess.run(["bash", "-c", command[1]], cwd=ROOT, env=os.environ, capture_output=True, check=True)
    assert created.stdout.startswith(f"http://127.0.0.1:{environment['JEJO_API_PORT']}/#login=".encode())

    services = children_of(process.pid)
    assert len(services) == 4
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, log.read_text()
    assert not [pid for pid in services if is_alive(pid)]
    assert "Stopped." in log.read_text()


def check_link_and_history(environment: dict[str, str], log: Path) -> None:
    """Check that the printed link opens a session exactly once, and that past days have KPIs."""
    api = f"http://127.0.0.1:{environment['JEJO_API_PORT']}"
    link = re.search(rf"{api}/#login=(\S+)", log.read_text())
    assert link is not None
    today = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=9)).date()
    window = {"from": str(today - dt.timedelta(days=2)), "to": str(today), "interval": "day"}
    with httpx.Client(base_url=api, headers={"Authorization": f"Bearer {link[1]}"}) as client:
        assert client.post("/v1/sessions").status_code == 201
        assert client.post("/v1/sessions").status_code == 401
        del client.headers["Authorization"]
        items = client.get("/v1/kpis", params=window).json()["items"]
    assert len(items) == 2
    assert all(item["factories"] == 4 and item["kpis"]["availability"]["value"] > 0.3 for item in items)


def test_an_invalid_size_is_reported_in_one_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "demo.log"
    assert start({**environment, "JEJO_DEMO_DAYS": "many"}, log).wait(60) == 1
    assert log.read_text() == "jejo: JEJO_DEMO_DAYS=many: write a whole number of at least 0.\n"


def test_a_port_in_use_is_reported_in_one_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["JEJO_API_PORT"])))
        taken.listen()
        log = tmp_path / "demo.log"
        assert start(environment, log).wait(60) == 1
    assert re.fullmatch(r"jejo: Port \d+, which the API needs, is in use: .* JEJO_API_PORT.*\n", log.read_text())


def test_a_service_that_exits_stops_the_demo_and_shows_its_log(
    demo: tuple["subprocess.Popen[bytes]", Path],
) -> None:
    process, log = demo
    wait_for("the demo", lambda: RUNNING in log.read_text(), 120)
    services = children_of(process.pid)
    os.kill(services[0], signal.SIGKILL)
    assert process.wait(60) == 1
    assert "The API exited unexpectedly" in log.read_text()
    time.sleep(0.1)
    assert not [pid for pid in services if is_alive(pid)]
