"""The demo: both servers, all services and a simulated fleet with its history on 127.0.0.1, until Ctrl-C."""

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
from deploy.local.fetch import fetch_kafka, fetch_timescaledb, say
from deploy.local.history import FleetSize, send_history, wait_until_accounted
from deploy.local.places import CLONE, data_folder, make_folder
from deploy.local.process import Process, claim_port, free_port
from deploy.local.servers import KafkaServer, PostgresServer

POSTGRES_PORT, KAFKA_PORT, API_PORT = 5433, 9092, 8000
FIRST_KPI_WITHIN_S = 120.0


class DemoLock:
    """Keeps a second demo, or a clean, off this clone's data."""

    def __init__(self, folder: Path) -> None:
        self._path = folder.with_name(folder.name + ".lock")
        self._file: TextIO | None = None

    def __enter__(self) -> None:
        make_folder(self._path.parent)
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
    """Where the two servers are, whether they are the demo's own, and where the API will be."""

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
    """Somebody wants the demo to stop."""


def run_demo() -> int:
    """Run everything until Ctrl-C or SIGTERM, then stop what was started, in reverse.

    Raises:
        StackError: something cannot be set up or started, or ended by itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    folder = data_folder()
    size = FleetSize.chosen()
    with ExitStack() as running:
        try:
            running.enter_context(DemoLock(folder))
            make_folder(folder)
            addresses = start_servers(running, folder)
            key = prepare(folder, addresses)
            services = start_services(running, folder, addresses, key, size)
            describe(addresses, folder, key, size, login_link(addresses))
            while True:
                see_that_all_run(services)
                time.sleep(0.5)
        except Interrupted:
            say("\nStopping everything that was started ...")
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
    say("Stopped. The data stay until `make clean`; `make demo` goes on with them.")
    return 0


def interrupt(number: int, frame: object) -> None:
    raise Interrupted


def start_servers(running: ExitStack, folder: Path) -> Addresses:
    """Start the servers that the environment does not point at."""
    database_url = os.environ.get("JEJO_DATABASE_URL")
    bootstrap = os.environ.get("JEJO_KAFKA_BOOTSTRAP_SERVERS")
    if database_url is None:
        claim_port(POSTGRES_PORT, "TimescaleDB", "set JEJO_DATABASE_URL to a server of your own")
    if bootstrap is None:
        claim_port(KAFKA_PORT, "Kafka", "set JEJO_KAFKA_BOOTSTRAP_SERVERS to a server of your own")
    api_port = int(os.environ.get("JEJO_API_PORT", API_PORT))
    claim_port(api_port, "the API", "set JEJO_API_PORT to another one")
    if database_url is None:
        fetch_timescaledb()
    if bootstrap is None:
        fetch_kafka()
    own_postgres, own_kafka = database_url is None, bootstrap is None
    passwords = None
    if database_url is None:
        postgres = PostgresServer(folder / "postgres", POSTGRES_PORT)
        say("Starting TimescaleDB ...")
        running.callback(postgres.stop)
        postgres.start()
        database_url, passwords = postgres.url, postgres.passwords
    if bootstrap is None:
        kafka = KafkaServer(folder / "kafka", KAFKA_PORT)
        say("Starting Kafka ...")
        running.callback(kafka.stop)
        kafka.start()
        bootstrap = kafka.bootstrap
    return Addresses(database_url, own_postgres, passwords, bootstrap, own_kafka, api_port)


def prepare(folder: Path, addresses: Addresses) -> str:
    """Migrate the database and find, or make, an admin's key.

    Returns:
        The key, which is kept beside the data for the next time.
    """
    say("Migrating the database ...")
    jejo(addresses, "migrate", "--bootstrap")
    kept = folder / "admin.key"
    if kept.is_file() and addresses.own_postgres:
        return kept.read_text().strip()
    name = f"demo {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    key = jejo(addresses, "keys", "create", "--role", "admin", "--name", name).strip()
    if addresses.own_postgres:
        kept.touch(mode=0o600)
        kept.write_text(key)
    return key


def jejo(addresses: Addresses, *arguments: str) -> str:
    """Run a command of ``jejo`` to its end.

    Raises:
        StackError: it failed.
    """
    command = [sys.executable, "-m", "services", *arguments]
    environment = {**os.environ, **addresses.environment}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CLONE, env=environment)
    if done.returncode != 0:
        raise StackError(f"`jejo {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout


def login_link(addresses: Addresses) -> str:
    """A link that opens the dashboard, once."""
    name = f"demo {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return jejo(addresses, "keys", "login-link", "--role", "ministry", "--name", name, "--url", addresses.api).strip()


def start_services(running: ExitStack, folder: Path, addresses: Addresses, key: str, size: FleetSize) -> list[Process]:
    """Start the services, all at once; then have the fleet's history in the figures, and start its present."""

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
    say("Starting the API, ingest and analytics ...")
    for process in (api, ingest, analytics):
        running.callback(process.stop)
        process.launch()
    for process in (api, ingest, analytics):
        process.wait_until_ready()
    progress = folder / "fleet.json"
    if not (addresses.own_postgres and addresses.own_kafka):
        # Others' servers may be other ones each time.
        progress.unlink(missing_ok=True)
    send_history(running, size, progress, addresses.environment)
    fleet = service("The fleet", "gateway", "simulate", *size.arguments, "--progress", str(progress))
    running.callback(fleet.stop)
    fleet.start()
    processes = [api, ingest, analytics, fleet]
    wait_until_accounted(progress, addresses.database_url, lambda: see_that_all_run(processes))
    wait_for_kpi(addresses, key, fleet)
    return processes


def see_that_all_run(processes: list[Process]) -> None:
    """Nothing, while they do.

    Raises:
        StackError: one has ended by itself.
    """
    for process in processes:
        if not process.is_running():
            raise StackError(f"{process.name} ended by itself:\n{process.tail()}\nThe log is {process.log}.")


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_for_kpi(addresses: Addresses, key: str, fleet: Process) -> None:
    """Wait until the nation has an availability in the running hour.

    Raises:
        StackError: that does not come.
    """
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    window = {"from": hour.isoformat(), "to": (hour + timedelta(hours=1)).isoformat()}
    query = urllib.parse.urlencode({"scope": "nation", "kpi": "availability", **window})
    request = urllib.request.Request(f"{addresses.api}/v1/kpis?{query}", headers={"Authorization": f"Bearer {key}"})
    deadline = time.monotonic() + FIRST_KPI_WITHIN_S
    while time.monotonic() < deadline:
        with urllib.request.urlopen(request, timeout=30) as answer:
            items = json.load(answer)["items"]
        if items and items[0]["kpis"]["availability"]["value"] is not None:
            return
        if not fleet.is_running():
            raise StackError(f"The fleet could not be simulated:\n{fleet.tail()}\nThe log is {fleet.log}.")
        time.sleep(0.3)
    raise StackError(f"No KPI came within {FIRST_KPI_WITHIN_S:.0f} s; the logs are in {fleet.log.parent}.")


def another_link(addresses: Addresses) -> str:
    """A command that prints a login link, where this is run."""
    settings = "" if addresses.own_postgres else f"JEJO_DATABASE_URL='{addresses.database_url}' "
    url = "" if addresses.api_port == API_PORT else f" --url {addresses.api}"
    return f"{settings}.venv/bin/jejo keys login-link --role ministry --name 'my own'{url}"


def describe(addresses: Addresses, folder: Path, key: str, size: FleetSize, link: str) -> None:
    """Say in plain words what runs where, how to look at it, and how to see KPIs move."""
    whose = {True: "", False: "  (not started here)"}
    print(
        f"""
Jejo is running, everything on this machine:

  the fleet      {size.factories} simulated factories, {size.days} days of history, sending signed telemetry
  Kafka          {addresses.bootstrap}, topic manufacturing.telemetry.v1{whose[addresses.own_kafka]}
  ingest         writes every record to the database, exactly once
  TimescaleDB    {addresses.database_url}{whose[addresses.own_postgres]}
  analytics      keeps time accounts and their sums up to date
  API            {addresses.api}
  logs and data  {folder}

Open the dashboard (this link opens it once):

  {link}

See KPIs move: run this, wait some seconds, and run it again.

  curl -s -H 'Authorization: Bearer {key}' "{addresses.api}/v1/kpis?scope=nation&interval=hour\
&from=$(date -u +%Y-%m-%dT%H:00:00Z)&to=$(date -u -d '1 hour' +%Y-%m-%dT%H:00:00Z)" | python3 -m json.tool

Another link for the dashboard:

  {another_link(addresses)}

Ctrl-C stops everything that was started here.
""",
        flush=True,
    )
