"""PostgreSQL with TimescaleDB, and Kafka: each a real server in a folder of its own, on 127.0.0.1 only."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT

from deploy.local.errors import StackError
from deploy.local.fetch import fetch_kafka, fetch_timescaledb
from deploy.local.passwords import ADMINISTRATOR, HOST, add_pgpass_entries, ensure_passwords, has_password
from deploy.local.places import create_folder, server_owner
from deploy.local.process import Process, free_port, listens

HERE = Path(__file__).parent
DATABASE = "jejo"
ACCESS = f"""host all {ADMINISTRATOR} {HOST}/32 scram-sha-256
host "/^{DATABASE}" all {HOST}/32 scram-sha-256
"""
"""The content of pg_hba.conf: connections from this machine only, none without a password, and only to our databases.

In any other, such as ``postgres``, every user may fill the disk with temporary tables and large objects.
"""

POSTGRES_SETTINGS = """
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
jit = off
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
max_locks_per_transaction = 512
shared_buffers = '256MB'
max_wal_size = '2GB'
log_timezone = 'UTC'
timezone = 'UTC'
"""

KAFKA_SETTINGS = """
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=250
auto.create.topics.enable=false
transaction.max.timeout.ms=10000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
"""
"""The last two end a transaction that was left open, which holds up everybody's records of its partition.

By default that takes up to 15 minutes. Nobody needs transactions; 10 s are enough for those who use them all the same,
and most clients' default of 60 s is refused, so that the mistake shows at once.
"""


def run_as_owner(command: list[str], what: str, *, text: str = "", **environment: str) -> str:
    """Run a server's tool as the user that the server runs as, and return its standard output.

    Args:
        what: is being done, for the error message.
        text: the tool's standard input.

    Raises:
        StackError: the tool failed.
    """
    owner = server_owner()
    who = {} if owner is None else {"user": owner.uid, "group": owner.gid, "extra_groups": []}
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**os.environ, **environment},
        **who,  # type: ignore[call-overload]
    )
    if done.returncode != 0:
        raise StackError(f"{what} failed:\n{done.stdout}{done.stderr}")
    return str(done.stdout)


@dataclass(slots=True)
class PostgresServer:
    """PostgreSQL with a superuser and a database named ``jejo``; data and passwords are in ``folder``.

    Every connection needs a password. All passwords are added to libpq's password file of the current user.

    ``durable`` is off in tests: killing the server still loses no data, but a crash of the machine may.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    durable: bool = True
    _process: Process | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{ADMINISTRATOR}@{HOST}:{self.port}/{DATABASE}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def process(self) -> Process:
        """The server's process, started or not."""
        if self._process is None:
            programs = fetch_timescaledb() / "usr/lib/postgresql/17/bin"
            data = self.folder / "data"
            command = [str(programs / "postgres"), "-D", str(data), "-p", str(self.port)]
            if not self.durable:
                command += ["-c", "fsync=off", "-c", "full_page_writes=off"]
            log = self.folder / "postgres.log"
            self._process = Process(
                "PostgreSQL", command, log, self.is_ready, owner=server_owner(), stop_signal=SIGINT, ready_timeout_s=60
            )
        return self._process

    def is_ready(self) -> bool:
        """Return whether the server accepts connections."""
        program = fetch_timescaledb() / "usr/lib/postgresql/17/bin/pg_isready"
        command = [str(program), "-q", "-h", HOST, "-p", str(self.port), "-d", DATABASE, "-U", ADMINISTRATOR]
        return subprocess.run(command, check=False).returncode == 0

    def start(self) -> None:
        """Start the server and wait until it is ready. Creates data folder, passwords and database if missing.

        Raises:
            StackError: the server cannot be set up or started.
        """
        new = not (self.folder / "data/PG_VERSION").is_file()
        if new:
            self.initialise()
        passwords = self.require_passwords()
        # After a kill, the server's other processes may hold its shared memory for a moment.
        for attempt in range(20):
            try:
                self.process.start()
                break
            except StackError:
                if attempt == 19 or "shared memory" not in self.process.tail():
                    raise
        add_pgpass_entries(self.port, passwords)
        if new:
            self.create_database(passwords[ADMINISTRATOR])

    def require_passwords(self) -> dict[str, str]:
        """Require a password of every login, and return the passwords. Call this before the server starts.

        This also upgrades data folders in which no passwords were required.
        """
        data = self.folder / "data"
        access = data / "pg_hba.conf"
        unprotected = not has_password(self.passwords / ADMINISTRATOR) or access.read_text() != ACCESS
        if unprotected:
            # If this is interrupted, the next start sets the password again.
            run_as_owner(["tee", str(access)], "Writing pg_hba.conf", text="# Passwords are being set.\n")
        passwords = ensure_passwords(self.passwords)
        if unprotected:
            program = fetch_timescaledb() / "usr/lib/postgresql/17/bin/postgres"
            # Single-user mode: the server runs this one statement and accepts no connections.
            command = [str(program), "--single", "-D", str(data), "-c", "shared_preload_libraries=", "postgres"]
            statement = f"ALTER ROLE {ADMINISTRATOR} PASSWORD '{passwords[ADMINISTRATOR]}'"
            run_as_owner(command, "Setting the superuser's password", text=statement)
            run_as_owner(["tee", str(access)], "Writing pg_hba.conf", text=ACCESS)
        return passwords

    @property
    def passwords(self) -> Path:
        """The folder with a password file per login, for ``JEJO_DATABASE_PASSWORDS``."""
        return self.folder / "passwords"

    def initialise(self) -> None:
        """Create a new data folder with ``initdb``."""
        create_folder(self.folder)
        programs = fetch_timescaledb() / "usr/lib/postgresql/17/bin"
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        options = ["--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8", "--auth=reject", "--no-sync"]
        run_as_owner([str(programs / "initdb"), "-D", str(data), "-U", ADMINISTRATOR, *options], "initdb")
        with (data / "postgresql.conf").open("a") as out:
            out.write(POSTGRES_SETTINGS)

    def create_database(self, password: str) -> None:
        """Create the database ``jejo``; ``password`` is the superuser's."""
        program = fetch_timescaledb() / "usr/lib/postgresql/17/bin/createdb"
        run_as_owner(
            [str(program), "-h", HOST, "-p", str(self.port), "-U", ADMINISTRATOR, DATABASE],
            "createdb",
            PGPASSWORD=password,
        )

    def stop(self) -> None:
        """Stop the server; open transactions are rolled back."""
        self.process.stop()

    def kill(self) -> None:
        """Kill the server; its child processes exit as soon as they notice."""
        self.process.kill()


@dataclass(slots=True)
class KafkaServer:
    """One Kafka broker that is also its own controller; its data are in ``folder``.

    ``settings`` are lines added to those of every broker.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    controller_port: int = field(default_factory=free_port)
    heap: str = "512m"
    settings: str = ""
    _process: Process | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def process(self) -> Process:
        """The server's process, started or not."""
        if self._process is None:
            options = ["-Xms128m", f"-Xmx{self.heap}", "-XX:+UseG1GC", "-Duser.timezone=UTC"]
            options.append(f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}")
            command = [
                "java",
                *options,
                "-cp",
                f"{fetch_kafka()}/*",
                "kafka.Kafka",
                str(self.folder / "server.properties"),
            ]
            log = self.folder / "kafka.log"
            self._process = Process("Kafka", command, log, self.is_ready, owner=server_owner(), ready_timeout_s=90)
        return self._process

    def is_ready(self) -> bool:
        """Return whether the broker has started and accepts connections."""
        return self.process.log_contains(b"Kafka Server started") and listens(self.port)

    def start(self) -> None:
        """Start the broker and wait until it is ready. Formats the data folder if it is new.

        Raises:
            StackError: the broker cannot be set up or started.
        """
        create_folder(self.folder)
        self.configure()
        if not (self.folder / "data/meta.properties").is_file():
            tool = ["java", "-cp", f"{fetch_kafka()}/*", "kafka.tools.StorageTool"]
            cluster = run_as_owner([*tool, "random-uuid"], "Kafka's random-uuid").split()[-1]
            settings = str(self.folder / "server.properties")
            run_as_owner([*tool, "format", "-t", cluster, "-c", settings], "Kafka's format")
        self.process.start()

    def configure(self) -> None:
        """Write the broker's settings, with the current ports."""
        address = f"PLAINTEXT://127.0.0.1:{self.port}"
        lines = [
            f"controller.quorum.voters=1@127.0.0.1:{self.controller_port}",
            f"listeners={address},CONTROLLER://127.0.0.1:{self.controller_port}",
            f"advertised.listeners={address}",
            f"log.dirs={self.folder / 'data'}",
        ]
        (self.folder / "server.properties").write_text(KAFKA_SETTINGS + self.settings + "\n".join(lines) + "\n")
        shutil.copyfile(HERE / "kafka/log4j2.properties", self.folder / "log4j2.properties")

    def stop(self) -> None:
        """Shut the broker down cleanly."""
        self.process.stop()

    def kill(self) -> None:
        """Kill the broker."""
        self.process.kill()
