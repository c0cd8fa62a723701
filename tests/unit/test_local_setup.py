"""What the set-up says and does where something is missing: no network, no servers, a made-up machine."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local import fetch, places
from deploy.local.errors import StackError
from deploy.local.passwords import enter_passwords, make_passwords, remove_passwords
from deploy.local.process import Process
from services.core.database import LOGINS

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "dirname", "uname", "sed", "head", "cat", "sha256sum", "cut", "rm", "pwd")


class Machine:
    """A machine with a PATH of our making: which programs there are, and who one is."""

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


def test_an_ordinary_user_is_told_the_command(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    machine.add("apt-get", "exit 99")
    done = machine.set_up()
    assert done.returncode == 1
    assert done.stderr == "jejo: please have this run once: sudo apt-get install openjdk-17-jre-headless maven\n"


def test_what_only_tests_run_is_asked_for_by_them(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    for name in ("apt-get", "mvn", "curl", "openssl"):
        machine.add(name, "exit 99")
    machine.add("java", "echo 'openjdk version \"17.0.2\"' >&2")
    assert "apt-get install" not in machine.set_up().stderr
    assert machine.set_up("tests").stderr.endswith("sudo apt-get install kcat chromium fonts-noto-cjk fontconfig\n")


def test_an_old_node_is_as_none(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    machine.add("apt-get", "exit 99")
    machine.add("node", "echo v16.20.2")
    (machine.programs / "npm").unlink()
    assert machine.set_up().stderr.endswith("maven nodejs npm\n")


def test_an_old_java_is_as_none(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    machine.add("apt-get", "exit 99")
    machine.add("mvn", "exit 0")
    machine.add("java", "echo 'openjdk version \"11.0.2\"' >&2")
    assert machine.set_up().stderr.endswith("sudo apt-get install openjdk-17-jre-headless\n")


def test_root_has_it_installed_after_being_told(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 0)
    machine.add("apt-get", f'echo "$@" >> {tmp_path}/called')
    machine.add("java", "echo 'openjdk version \"17.0.2\"' >&2")
    done = machine.set_up()
    assert done.stderr.startswith("Installing what is missing from Debian's packages: maven\n")
    called = (tmp_path / "called").read_text().splitlines()
    assert called == ["update -q", "install -y -q --no-install-recommends maven"]


def test_root_without_a_network_is_told_so(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 0)
    machine.add("apt-get", "exit 100")
    done = machine.set_up()
    assert done.returncode == 1
    assert "jejo: Debian's packages cannot be reached: check the network" in done.stderr


def test_another_system_is_told_the_ways_out(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    (machine.programs / "uname").unlink()
    machine.add("uname", "echo Darwin")
    done = machine.set_up()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for way in ("Docker", "JEJO_DATABASE_URL", "JEJO_KAFKA_BOOTSTRAP_SERVERS"):
        assert way in done.stderr


def test_kafka_of_ones_own_needs_no_java(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1000)
    machine.add("apt-get", "exit 99")
    done = machine.set_up(JEJO_KAFKA_BOOTSTRAP_SERVERS="kafka:9092")
    assert "apt-get install" not in done.stderr


def test_a_jar_other_than_the_tested_one_is_refused(tmp_path: Path) -> None:
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


def test_a_command_that_fails_is_one_sentence_with_the_ways_out() -> None:
    with pytest.raises(StackError) as error:
        fetch.run(["sh", "-c", "echo 'no route to host' >&2; exit 3"], "The jars cannot be downloaded")
    assert str(error.value).startswith("The jars cannot be downloaded (no route to host), ")
    with pytest.raises(StackError, match="The disk is full"):
        fetch.run(["sh", "-c", "echo 'write: No space left on device' >&2; exit 1"], "x")


def test_a_cache_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
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
    return Process("It", ["sh", "-c", script], tmp_path / "it.log", lambda: ready, ready_within_s=0.5)


def test_a_process_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"It ended at once \(exit code 7\):\nno such setting"):
        process(tmp_path, "echo no such setting; exit 7", ready=False).start()


def test_a_process_that_never_gets_ready_is_stopped(tmp_path: Path) -> None:
    slow = process(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60", ready=False)
    with pytest.raises(StackError, match="It was not ready"):
        slow.start()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_only_what_this_run_said_counts(tmp_path: Path) -> None:
    first = process(tmp_path, "echo hello; exec sleep 60", ready=True)
    (tmp_path / "it.log").write_text("started\n")
    first.start()
    assert not first.said(b"started")
    first.stop()
    assert not first.is_running()


@pytest.fixture
def password_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "home/pgpass"
    file.parent.mkdir()
    monkeypatch.setenv("PGPASSFILE", str(file))
    return file


def test_passwords_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    made = make_passwords(tmp_path / "passwords")
    assert set(made) == {"jejo", *LOGINS}
    assert len(set(made.values())) == len(made)
    assert all(len(password) == 48 for password in made.values())
    assert make_passwords(tmp_path / "passwords") == made
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "passwords").iterdir()} == {0o600}


def test_the_users_own_entries_stay_in_the_password_file(password_file: Path, tmp_path: Path) -> None:
    password_file.write_text("# mine\n*:*:*:*:everywhere\n127.0.0.1:5433:*:me:mine\n")
    first, second = make_passwords(tmp_path / "1"), make_passwords(tmp_path / "2")
    enter_passwords(5433, first)
    enter_passwords(5434, first)
    enter_passwords(5433, second)
    lines = password_file.read_text().splitlines()
    assert lines[:9] == [f"127.0.0.1:5433:*:{login}:{password}" for login, password in second.items()]
    assert lines[9:18] == [f"127.0.0.1:5434:*:{login}:{password}" for login, password in first.items()]
    assert password_file.stat().st_mode & 0o777 == 0o600
    remove_passwords(5433, tmp_path / "1")
    assert password_file.read_text().splitlines() == lines
    remove_passwords(5433, tmp_path / "2")
    remove_passwords(5434, tmp_path / "1")
    assert password_file.read_text() == "# mine\n*:*:*:*:everywhere\n127.0.0.1:5433:*:me:mine\n"


def test_a_password_file_that_is_a_link_stays_one(password_file: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("# mine\n")
    password_file.symlink_to(tmp_path / "kept")
    enter_passwords(5433, make_passwords(tmp_path / "1"))
    assert password_file.is_symlink()
    assert len((tmp_path / "kept").read_text().splitlines()) == 10


def test_a_password_file_that_was_not_there_goes_again(password_file: Path, tmp_path: Path) -> None:
    enter_passwords(5433, make_passwords(tmp_path / "1"))
    remove_passwords(5433, tmp_path / "1")
    assert not password_file.exists()


def test_a_password_file_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "absent/pgpass"))
    with pytest.raises(StackError, match="name another file in PGPASSFILE"):
        enter_passwords(5433, {"jejo": "x"})
