"""Runs pytest in several processes, each of which takes the next file of tests that no other has taken.

``python -m tests.parallel ARGUMENTS`` passes its arguments to all of them. Each process starts servers of its own when
its tests first need them. All tests of a file run in one process, which keeps what they share.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deploy.local.process import die_with_parent

PROCESSES = 2
"""More are in each other's way on small machines, since each may have a Kafka, a TimescaleDB and services."""

REPORT = "--junit-xml="


class Claims:
    """Pytest's loop over the tests of files that no other process has claimed. A claim is a file in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[Path, bool] = {}

    def claim(self, file: Path) -> bool:
        """Return whether the tests of a file are this process's, claiming it if nobody has."""
        if file not in self.known:
            try:
                (self.folder / "+".join(file.parts[1:])).touch(exist_ok=False)
                self.known[file] = True
            except FileExistsError:
                self.known[file] = False
        return self.known[file]

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the tests that are this process's. Files are claimed one at a time, so that a slow one delays nobody."""
        if session.testsfailed or session.config.option.collectonly:
            return None
        own = (item for item in session.items if self.claim(item.path))
        item = next(own, None)
        while item is not None:
            following = next(own, None)
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
            item = following
        return True


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--claims", type=Path, required=True, help="folder in which processes claim files of tests")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Claims(config.getoption("--claims")))


def run(arguments: Sequence[str]) -> int:
    """Run pytest in all processes and return an exit code: 0 only if each of them returned 0.

    The output of the first is shown as it comes, that of the others when they have ended.
    """
    report = next((Path(a.removeprefix(REPORT)) for a in arguments if a.startswith(REPORT)), None)
    common = [a for a in arguments if not a.startswith(REPORT)]
    with tempfile.TemporaryDirectory(prefix="jejo-parallel-") as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "claims").mkdir()
        processes = []
        for n in range(PROCESSES):
            command = [sys.executable, "-m", "pytest", "-p", "tests.parallel", f"--claims={folder / 'claims'}"]
            own = [f"{REPORT}{folder / f'{n}.xml'}"] if report else []
            output = stack.enter_context((folder / f"{n}.out").open("wb")) if n else None
            process = subprocess.Popen(
                [*command, *own, *common], stdout=output, stderr=output, preexec_fn=die_with_parent
            )
            processes.append(process)
            stack.callback(end, process)
        codes = [process.wait() for process in processes]
        for n in range(1, PROCESSES):
            print((folder / f"{n}.out").read_text(errors="replace"), flush=True)
        if report:
            merge(sorted(folder.glob("*.xml")), report)
    return next((code for code in codes if code), 0)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that has not ended in time: Ctrl-C reaches it, too, and it stops its servers then."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(60)
    process.kill()
    process.wait()


def merge(reports: Sequence[Path], target: Path) -> None:
    """Write the suites of several reports into one."""
    merged = ElementTree.Element("testsuites")
    for report in reports:
        merged.extend(ElementTree.parse(report).getroot().iter("testsuite"))
    ElementTree.ElementTree(merged).write(target, encoding="utf-8", xml_declaration=True)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
