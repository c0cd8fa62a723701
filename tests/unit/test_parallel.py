"""Tests in several processes: each runs once, and what fails in one of them fails the run."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from tests.contributed import ROOT

FILE = """
import pytest

@pytest.fixture(scope="module")
def once():
    with open("{runs}", "a") as runs:
        runs.write("{name}\\n")

@pytest.mark.parametrize("n", range({tests}))
def test_something(once, n):
    assert "{name}" != "{fails}" or n
"""


def run(folder: Path, fails: str = "") -> tuple[int, list[str], ElementTree.Element]:
    """Run six files and return the exit code, which files ran, and the report."""
    runs, report = folder / "runs", folder / "report.xml"
    for n in range(6):
        name = f"test_{n}"
        text = FILE.format(runs=runs, name=name, tests=n + 1, fails=fails)
        (folder / f"{name}.py").write_text(text)
    options = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", f"--junit-xml={report}"]
    command = [sys.executable, "-m", "tests.parallel", "-q", *options, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, sorted(runs.read_text().split()), ElementTree.parse(report).getroot()


def test_each_file_is_run_by_one_process(tmp_path: Path) -> None:
    code, ran, report = run(tmp_path)
    assert code == 0
    assert ran == [f"test_{n}" for n in range(6)]
    assert [suite.get("name") for suite in report.iter("testsuite")] == ["pytest"] * 2
    assert sum(int(suite.get("tests", 0)) for suite in report.iter("testsuite")) == 1 + 2 + 3 + 4 + 5 + 6


def test_a_failure_in_any_process_is_one_of_the_run(tmp_path: Path) -> None:
    code, ran, report = run(tmp_path, "test_4")
    assert code == 1
    assert ran == [f"test_{n}" for n in range(6)]
    assert sum(int(suite.get("failures", 0)) for suite in report.iter("testsuite")) == 1
