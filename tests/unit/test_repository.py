"""What belongs to the repository rather than to the program: the licence, the opt-in git hook."""

import hashlib
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APACHE_2_0 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


def test_the_licence_is_apache_2_0_unaltered() -> None:
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2_0
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE"])


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A git repository that has no more than the make target needs."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / ".ci/pre-commit", tmp_path / ".ci")
    run(tmp_path, "git", "init", "-q")
    return tmp_path


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    outside_git = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MAKE"))}
    return subprocess.run(command, cwd=folder, env=outside_git, capture_output=True, text=True, check=False)


def test_make_hooks_installs_the_checks_once_and_again(clone: Path) -> None:
    hook = clone / ".git/hooks/pre-commit"
    for _ in range(2):
        done = run(clone, "make", "hooks")
        assert done.returncode == 0, done.stderr
        assert hook.read_bytes() == (ROOT / ".ci/pre-commit").read_bytes()
        assert os.access(hook, os.X_OK)


def test_make_hooks_leaves_a_hook_of_ones_own_alone(clone: Path) -> None:
    hook = clone / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    done = run(clone, "make", "hooks")
    assert done.returncode != 0
    assert "move it away first" in done.stderr
    assert hook.read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize("passing", [True, False])
def test_the_hook_lets_a_commit_through_only_if_check_and_quick_pass(clone: Path, passing: bool) -> None:
    run(clone, "make", "hooks")
    verdict = "true" if passing else "false"
    # The hook's own targets, in place of the real ones; a test in them must not see git's variables.
    (clone / "Makefile").write_text(f'check:\n\t@test -z "$$GIT_INDEX_FILE"\nquick:\n\t@{verdict}\n')
    run(clone, "git", "add", "-A")
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = run(clone, "git", *identity, "commit", "-q", "-m", "first")
    assert (done.returncode == 0) is passing, done.stderr
