"""Tests of the local set-up with programs, network or permissions missing; no servers are started."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local import fetch, places
from deploy.local.errors import StackError
from deploy.local.passwords import add_pgpass_entries, ensure_passwords, remove_pgpass_entries
from deploy.local.process import Process
from services.core.database import LOGINS

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "dirname", "uname", "sed", "head", "cat", "cut", "rm", "pwd")
STAMP = "stamp"


class Machine:
    """A simulated machine: a PATH with chosen programs, and the current user's id.

    Its clone has a .venv that is up to date, since creating one takes seconds.
    """

    def __init__(self, folder: Path, user_id: int) -> None:
        self.clone = folder / "clone"
        self.programs = folder / "bin"
        self.programs.mkdir()
        (self.clone / "deploy/local").mkdir(parents=True)
        shutil.copy(ROOT / "deploy/local/setup.sh", self.clone / "deploy/local")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.programs / tool).symlink_to(found)
        (self.clone / ".venv").mkdir()
        (self.clone / ".venv/.stamp").write_text(STAMP)
        self.add("sha256sum", f"echo {STAMP}")
        self.add("id", f"echo {user_id}")
        self.add("node", "echo v18.20.4")
        self.add("npm", "exit 99")

    def add(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def set_up(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(self.clone / "deploy/local/setup.sh"), *arguments],
            env={"PATH": str(self.programs), **environment},
            capture_output=True,
            text=True,
            check=False,
        )


def test_setup_prints_the_install_command_for_an_ordinary_user(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    machine.add("apt-get", "exit 99")
    done = machine.set_up()
    assert done.returncode == 1
    assert (
        done.stderr == "jejo: packages are missing; run this once: sudo apt-get install openjdk-17-jre-headless maven\n"
    )


def test_programs_used_by_tests_are_required_only_for_tests(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    for name in ("apt-get", "mvn", "curl", "openssl"):
        machine.add(name, "exit 99")
    machine.add("java", "echo 'openjdk version \"17.0.2\"' >&2")
    assert "apt-get install" not in machine.set_up().stderr
    assert machine.set_up("tests").stderr.endswith("sudo apt-get install kcat chromium fonts-noto-cjk fontconfig\n")


def test_an_outdated_node_counts_as_missing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    machine.add("apt-get", "exit 99")
    machine.add("node", "echo v16.20.2")
    (machine.programs / "npm").unlink()
    assert machine.set_up().stderr.endswith("maven nodejs npm\n")


def test_an_outdated_java_counts_as_missing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    machine.add("apt-get", "exit 99")
    machine.add("mvn", "exit 0")
    machine.add("java", "echo 'openjdk version \"11.0.2\"' >&2")
    assert machine.set_up().stderr.endswith("sudo apt-get install openjdk-17-jre-headless\n")


def test_setup_as_root_reports_and_installs_missing_packages(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 0)
    machine.add("apt-get", f'echo "$@" >> {tmp_path}/called')
    machine.add("java", "echo 'openjdk version \"17.0.2\"' >&2")
    done = machine.set_up()
    assert done.stderr.startswith("Installing missing Debian packages: maven\n")
    called = (tmp_path / "called").read_text().splitlines()
    assert called == ["update -q", "install -y -q --no-install-recommends maven"]


def test_setup_as_root_reports_a_missing_network(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 0)
    machine.add("apt-get", "exit 100")
    done = machine.set_up()
    assert done.returncode == 1
    assert "jejo: Debian's packages cannot be reached: check the network" in done.stderr


def test_other_operating_systems_get_the_alternatives(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    (machine.programs / "uname").unlink()
    machine.add("uname", "echo Darwin")
    done = machine.set_up()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for alternative in ("Docker", "JEJO_DATABASE_URL", "JEJO_KAFKA_BOOTSTRAP_SERVERS"):
        assert alternative in done.stderr


def test_an_existing_kafka_server_makes_java_unnecessary(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    machine.add("apt-get", "exit 99")
    done = machine.set_up(JEJO_KAFKA_BOOTSTRAP_SERVERS="kafka:9092")
    assert "apt-get install" not in done.stderr


def test_jars_that_differ_from_the_tested_ones_are_rejected(tmp_path: Path) -> None:
    sums = tmp_path / "jars.sha256"
    sums.write_text(f"{hashlib.sha256(b'good').hexdigest()}  a.jar\n")
    (tmp_path / "a.jar").write_bytes(b"good")
    fetch.check_jars(tmp_path, sums)
    (tmp_path / "a.jar").write_bytes(b"bad")
    with pytest.raises(StackError, match=r"Jars differ from the ones tested \(a\.jar\)"):
        fetch.check_jars(tmp_path, sums)
    (tmp_path / "a.jar").write_bytes(b"good")
    (tmp_path / "b.jar").write_bytes(b"more")
    with pytest.raises(StackError, match=r"b\.jar"):
        fetch.check_jars(tmp_path, sums)


def test_a_failed_command_is_reported_in_one_sentence_with_alternatives() -> None:
    with pytest.raises(StackError) as error:
        fetch.run(["sh", "-c", "echo 'no route to host' >&2; exit 3"], "The jars cannot be downloaded")
    assert str(error.value).startswith("The jars cannot be downloaded (no route to host), ")
    with pytest.raises(StackError, match="The disk is full"):
        fetch.run(["sh", "-c", "echo 'write: No space left on device' >&2; exit 1"], "x")


def test_a_cache_that_cannot_be_created_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="set JEJO_CACHE_DIR"), fetch.locked(tmp_path / "file/cache"):
        pass


def test_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "is_root", lambda: False)
    monkeypatch.delenv("JEJO_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert places.cache_folder() == tmp_path / "jejo"
    assert places.data_folder() == ROOT / ".jejo"
    monkeypatch.setattr(places, "is_root", lambda: True)
    assert places.cache_folder() == Path("/var/cache/jejo")
    assert places.data_folder().parent == Path("/var/lib/jejo")
    monkeypatch.setenv("JEJO_CACHE_DIR", str(tmp_path / "other"))
    assert places.cache_folder() == tmp_path / "other"


def process(tmp_path: Path, script: str, *, ready: bool) -> Process:
    return Process("The server", ["sh", "-c", script], tmp_path / "server.log", lambda: ready, ready_timeout_s=0.5)


def test_a_process_that_exits_early_shows_its_log(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"The server exited with code 7:\nno such setting"):
        process(tmp_path, "echo no such setting; exit 7", ready=False).start()


def test_a_process_that_never_becomes_ready_is_stopped(tmp_path: Path) -> None:
    slow = process(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60", ready=False)
    with pytest.raises(StackError, match="The server was not ready"):
        slow.start()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_log_contains_ignores_earlier_runs(tmp_path: Path) -> None:
    first = process(tmp_path, "echo hello; exec sleep 60", ready=True)
    (tmp_path / "server.log").write_text("started\n")
    first.start()
    assert not first.log_contains(b"started")
    first.stop()
    assert not first.is_running()


@pytest.fixture
def pgpass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "home/pgpass"
    file.parent.mkdir()
    monkeypatch.setenv("PGPASSFILE", str(file))
    return file


def test_passwords_are_created_once_and_readable_only_by_their_owner(tmp_path: Path) -> None:
    passwords = ensure_passwords(tmp_path / "passwords")
    assert set(passwords) == {"jejo", *LOGINS}
    assert len(set(passwords.values())) == len(passwords)
    assert all(len(password) == 48 for password in passwords.values())
    assert ensure_passwords(tmp_path / "passwords") == passwords
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "passwords").iterdir()} == {0o600}


def test_the_users_own_entries_in_the_password_file_are_kept(pgpass: Path, tmp_path: Path) -> None:
    pgpass.write_text("# mine\n*:*:*:*:everywhere\n127.0.0.1:5433:*:me:mine\n")
    first, second = ensure_passwords(tmp_path / "1"), ensure_passwords(tmp_path / "2")
    add_pgpass_entries(5433, first)
    add_pgpass_entries(5434, first)
    add_pgpass_entries(5433, second)
    lines = pgpass.read_text().splitlines()
    assert lines[:9] == [f"127.0.0.1:5433:*:{login}:{password}" for login, password in second.items()]
    assert lines[9:18] == [f"127.0.0.1:5434:*:{login}:{password}" for login, password in first.items()]
    assert pgpass.stat().st_mode & 0o777 == 0o600
    remove_pgpass_entries(5433, tmp_path / "1")
    assert pgpass.read_text().splitlines() == lines
    remove_pgpass_entries(5433, tmp_path / "2")
    remove_pgpass_entries(5434, tmp_path / "1")
    assert pgpass.read_text() == "# mine\n*:*:*:*:everywhere\n127.0.0.1:5433:*:me:mine\n"


def test_a_linked_password_file_stays_a_link(pgpass: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("# mine\n")
    pgpass.symlink_to(tmp_path / "kept")
    add_pgpass_entries(5433, ensure_passwords(tmp_path / "1"))
    assert pgpass.is_symlink()
    assert len((tmp_path / "kept").read_text().splitlines()) == 10


def test_a_password_file_that_we_created_is_removed(pgpass: Path, tmp_path: Path) -> None:
    add_pgpass_entries(5433, ensure_passwords(tmp_path / "1"))
    remove_pgpass_entries(5433, tmp_path / "1")
    assert not pgpass.exists()


def test_a_password_file_that_cannot_be_written_names_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for impossible in ("absent/pgpass", "x" * 300):
        monkeypatch.setenv("PGPASSFILE", str(tmp_path / impossible))
        with pytest.raises(StackError, match="name another file in PGPASSFILE"):
            add_pgpass_entries(5433, {"jejo": "x"})


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_a_password_file_that_is_no_ordinary_file_is_never_replaced(pgpass: Path, kind: str) -> None:
    """PGPASSFILE=/dev/null is a common way to have no password file, and root could replace the device."""
    os.mkfifo(pgpass) if kind == "pipe" else pgpass.mkdir()
    with pytest.raises(StackError, match=r"is no ordinary file.*name another in PGPASSFILE"):
        add_pgpass_entries(5433, {"jejo": "x"})
    assert not pgpass.is_file()
    assert [path.name for path in pgpass.parent.iterdir()] == ["pgpass"]


def test_other_lines_of_the_password_file_are_kept_byte_for_byte(pgpass: Path, tmp_path: Path) -> None:
    own = b"db:5432:*:me:caf\xe9\x0cx\xc2\x85y\r\n\n#\xe2\x80\xa8"
    pgpass.write_bytes(own)
    add_pgpass_entries(5433, ensure_passwords(tmp_path / "1"))
    assert pgpass.read_bytes().endswith(b"\n" + own + b"\n")
    remove_pgpass_entries(5433, tmp_path / "1")
    assert pgpass.read_bytes() == own + b"\n"


def test_a_link_beside_the_password_file_is_not_followed(pgpass: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    pgpass.with_name(f"pgpass.{os.getpid()}").symlink_to(precious)
    add_pgpass_entries(5433, {"jejo": "x"})
    assert precious.read_text() == "precious"


def test_a_password_file_that_root_writes_keeps_its_owner(pgpass: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with sudo, which may keep HOME."""
    pgpass.write_text("# mine\n")
    owners: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda file, user, group: owners.append((user, group)))
    add_pgpass_entries(5433, {"jejo": "x"})
    assert owners == [(os.getuid(), os.getgid())]


def test_a_user_without_a_home_folder_is_asked_for_a_password_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("PGPASSFILE", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(StackError, match="name another file in PGPASSFILE"):
        add_pgpass_entries(5433, {"jejo": "x"})
