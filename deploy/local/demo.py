"""The demo: runs both servers, all services and a simulated fleet with its history on 127.0.0.1 until Ctrl-C."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TextIO

from deploy.local.errors import StackError
from deploy.local.fetch import fetch_kafka, fetch_timescaledb, print_progress
from deploy.local.history import FleetSize, send_history, wait_until_accounted
from deploy.local.places import CLONE, create_folder, data_folder
from deploy.local.process import Process, free_port, require_free_port
from deploy.local.servers import KafkaServer, PostgresServer

POSTGRES_PORT, KAFKA_PORT, API_PORT = 5433, 9092, 8000
FIRST_KPI_TIMEOUT_S = 120.0


class DemoLock:
    """Locks this clone's data against a second demo and against `make clean`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder.with_name(folder.name + ".lock")
        self._file: TextIO | None = None

    def __enter__(self) -> None:
        create_folder(self._path.parent)
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise StackError("A demo of this clone is running already: stop it with Ctrl-C first.") from None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            self._file.close()


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of the two servers and of the API, and whether the demo started the servers itself."""

    database_url: str
    own_postgres: bool
    passwords: Path | None
    bootstrap: str
    own_kafka: bool
    api_port: int

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def environment(self) -> dict[str, str]:
        passwords = {} if self.passwords is None else {"JEJO_DATABASE_PASSWORDS": str(self.passwords)}
        return {
            **passwords,
            "JEJO_DATABASE_URL": self.database_url,
            "JEJO_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "JEJO_API_HOST": "127.0.0.1",
            "JEJO_API_PORT": str(self.api_port),
        }


class Interrupted(Exception):
    """SIGINT or SIGTERM was received."""


def run_demo() -> int:
    """Run everything until Ctrl-C or SIGTERM, then stop what was started, in reverse order.

    Raises:
        StackError: something cannot be set up or started, or exited unexpectedly.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, raise_interrupted)
    folder = data_folder()
    size = FleetSize.from_environment()
    with ExitStack() as running:
        try:
            running.enter_context(DemoLock(folder))
            create_folder(folder)
            addresses = start_servers(running, folder)
            key = prepare_database(folder, addresses)
            services = start_services(running, folder, addresses, key, size)
            print_summary(addresses, folder, key, size, create_login_link(addresses))
            while True:
                check_processes(services)
                time.sleep(0.5)
        except Interrupted:
            print_progress("\nStopping everything that was started ...")
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
    print_progress("Stopped. The data are kept until `make clean`; `make demo` continues with them.")
    return 0


def raise_interrupted(number: int, frame: object) -> None:
    raise Interrupted


def start_servers(running: ExitStack, folder: Path) -> Addresses:
    """Start the servers that the environment does not name, and return all addresses."""
    database_url = os.environ.get("JEJO_DATABASE_URL")
    bootstrap = os.environ.get("JEJO_KAFKA_BOOTSTRAP_SERVERS")
    if database_url is None:
        require_free_port(POSTGRES_PORT, "TimescaleDB", "set JEJO_DATABASE_URL to a server of your own")
    if bootstrap is None:
        require_free_port(KAFKA_PORT, "Kafka", "set JEJO_KAFKA_BOOTSTRAP_SERVERS to a server of your own")
    api_port = int(os.environ.get("JEJO_API_PORT", API_PORT))
    require_free_port(api_port, "the API", "set JEJO_API_PORT to another one")
    if database_url is None:
        fetch_timescaledb()
    if bootstrap is None:
        fetch_kafka()
    own_postgres, own_kafka = database_url is None, bootstrap is None
    passwords = None
    if database_url is None:
        postgres = PostgresServer(folder / "postgres", POSTGRES_PORT)
        print_progress("Starting TimescaleDB ...")
        running.callback(postgres.stop)
        postgres.start()
        database_url, passwords = postgres.url, postgres.passwords
    if bootstrap is None:
        kafka = KafkaServer(folder / "kafka", KAFKA_PORT)
        print_progress("Starting Kafka ...")
        running.callback(kafka.stop)
        kafka.start()
        bootstrap = kafka.bootstrap
    return Addresses(database_url, own_postgres, passwords, bootstrap, own_kafka, api_port)


def prepare_database(folder: Path, addresses: Addresses) -> str:
    """Migrate the database, enter public holidays, and return an admin's API key.

    The key for the demo's own database is stored beside its data and used again.
    """
    print_progress("Migrating the database ...")
    jejo(addresses, "migrate", "--bootstrap")
    jejo(addresses, "holidays", "update")
    key_file = folder / "admin.key"
    if key_file.is_file() and addresses.own_postgres:
        return key_file.read_text().strip()
    name = f"demo {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    key = jejo(addresses, "keys", "create", "--role", "admin", "--name", name).strip()
    if addresses.own_postgres:
        key_file.touch(mode=0o600)
        key_file.write_text(key)
    return key


def jejo(addresses: Addresses, *arguments: str) -> str:
    """Run a command of ``jejo`` to completion and return its standard output.

    Raises:
        StackError: the command failed.
    """
    command = [sys.executable, "-m", "services", *arguments]
    environment = {**os.environ, **addresses.environment}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CLONE, env=environment)
    if done.returncode != 0:
        raise StackError(f"`jejo {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout


def create_login_link(addresses: Addresses) -> str:
    """Create a link that opens the dashboard once."""
    name = f"demo {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return jejo(addresses, "keys", "login-link", "--role", "ministry", "--name", name, "--url", addresses.api).strip()


def start_services(running: ExitStack, folder: Path, addresses: Addresses, key: str, size: FleetSize) -> list[Process]:
    """Start the services, send the fleet's history, start the fleet, and wait for the first KPIs."""

    def service(name: str, *arguments: str, **environment: str) -> Process:
        program = Path(sys.executable).with_name("jejo")
        log = folder / "logs" / f"{arguments[0]}.log"
        return Process(
            name, [str(program), *arguments], log, lambda: True, environment={**addresses.environment, **environment}
        )

    def worker(name: str, command: str) -> Process:
        setting = f"JEJO_{command.upper()}_METRICS_PORT"
        port = os.environ.get(setting, str(free_port()))
        process = service(name, command, JEJO_METRICS_HOST="127.0.0.1", **{setting: port})
        process.ready = lambda: is_ready(f"http://127.0.0.1:{port}/readyz")
        return process

    api = service("The API", "api")
    api.ready = lambda: is_ready(f"{addresses.api}/readyz")
    ingest, analytics = worker("Ingest", "ingest"), worker("Analytics", "analytics")
    print_progress("Starting the API, ingest and analytics ...")
    for process in (api, ingest, analytics):
        running.callback(process.stop)
        process.launch()
    for process in (api, ingest, analytics):
        process.wait_until_ready()
    progress = folder / "fleet.json"
    if not (addresses.own_postgres and addresses.own_kafka):
        # Servers that the demo did not start may be different ones each time.
        progress.unlink(missing_ok=True)
    send_history(running, size, progress, addresses.environment)
    fleet = service("The fleet", "gateway", "simulate", *size.arguments, "--progress", str(progress))
    running.callback(fleet.stop)
    fleet.start()
    processes = [api, ingest, analytics, fleet]
    wait_until_accounted(progress, addresses.database_url, lambda: check_processes(processes))
    wait_for_kpi(addresses, key, fleet)
    return processes


def check_processes(processes: list[Process]) -> None:
    """Check that all processes are running.

    Raises:
        StackError: one has exited.
    """
    for process in processes:
        if not process.is_running():
            raise StackError(f"{process.name} exited unexpectedly:\n{process.tail()}\nThe log is {process.log}.")


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_for_kpi(addresses: Addresses, key: str, fleet: Process) -> None:
    """Wait until the nation has an availability for the current hour.

    Raises:
        StackError: it has none within ``FIRST_KPI_TIMEOUT_S``, or the fleet has exited.
    """
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    window = {"from": hour.isoformat(), "to": (hour + timedelta(hours=1)).isoformat()}
    query = urllib.parse.urlencode({"scope": "nation", "kpi": "availability", **window})
    request = urllib.request.Request(f"{addresses.api}/v1/kpis?{query}", headers={"Authorization": f"Bearer {key}"})
    deadline = time.monotonic() + FIRST_KPI_TIMEOUT_S
    while time.monotonic() < deadline:
        with urllib.request.urlopen(request, timeout=30) as response:
            items = json.load(response)["items"]
        if items and items[0]["kpis"]["availability"]["value"] is not None:
            return
        if not fleet.is_running():
            raise StackError(f"The fleet exited unexpectedly:\n{fleet.tail()}\nThe log is {fleet.log}.")
        time.sleep(0.3)
    raise StackError(f"There were no KPIs after {FIRST_KPI_TIMEOUT_S:.0f} s; the logs are in {fleet.log.parent}.")


def login_link_command(addresses: Addresses) -> str:
    """Return a shell command that prints another login link."""
    settings = "" if addresses.own_postgres else f"JEJO_DATABASE_URL='{addresses.database_url}' "
    url = "" if addresses.api_port == API_PORT else f" --url {addresses.api}"
    return f"{settings}.venv/bin/jejo keys login-link --role ministry --name 'my own'{url}"


def print_summary(addresses: Addresses, folder: Path, key: str, size: FleetSize, link: str) -> None:
    """Print what runs where, how to open the dashboard, and how to see KPIs change."""
    note = {True: "", False: "  (not started by the demo)"}
    print(
        f"""
Jejo is running on this machine:

  the fleet      {size.factories} simulated factories, {size.days} days of history, sending signed telemetry
  Kafka          {addresses.bootstrap}, topic manufacturing.telemetry.v1{note[addresses.own_kafka]}
  ingest         writes every record to the database, exactly once
  TimescaleDB    {addresses.database_url}{note[addresses.own_postgres]}
  analytics      keeps time accounts and their sums up to date
  API            {addresses.api}
  logs and data  {folder}

Open the dashboard (the link works once):

  {link}

To see KPIs change, run this, wait a few seconds, and run it again:

  curl -s -H 'Authorization: Bearer {key}' "{addresses.api}/v1/kpis?scope=nation&interval=hour\
&from=$(date -u +%Y-%m-%dT%H:00:00Z)&to=$(date -u -d '1 hour' +%Y-%m-%dT%H:00:00Z)" | python3 -m json.tool

To get another link to the dashboard:

  {login_link_command(addresses)}

Ctrl-C stops everything that the demo started.
""",
        flush=True,
    )
