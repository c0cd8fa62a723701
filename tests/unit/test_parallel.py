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


def test_each_file_is_run_by_one_process_and_what_fails_there_fails_the_run(tmp_path: Path) -> None:
    runs, report = tmp_path / "runs", tmp_path / "report.xml"
    for n in range(6):
        name = f"test_{n}"
        (tmp_path / f"{name}.py").write_text(FILE.format(runs=runs, name=name, tests=n + 1, fails="test_4"))
    options = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", f"--junit-xml={report}"]
    command = [sys.executable, "-m", "tests.parallel", "-q", *options, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    assert sorted(runs.read_text().split()) == [f"test_{n}" for n in range(6)]
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    assert len(suites) == 2
    assert sum(int(suite.get("tests", 0)) for suite in suites) == 1 + 2 + 3 + 4 + 5 + 6
    assert sum(int(suite.get("failures", 0)) for suite in suites) == 1
