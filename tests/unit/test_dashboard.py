"""Runs the dashboard's unit tests in ``web/tests``, and checks its packages and its page."""

import json
import subprocess

from tests.stack import ROOT

WEB = ROOT / "web"


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_unit_tests_of_the_dashboard_pass() -> None:
    run(str(ROOT / "deploy/local/dashboard.sh"), "packages")
    output = run("npm", "run", "--silent", "test")
    assert "# fail 0" in output
    assert "# skipped 0" in output


def test_the_lock_file_pins_every_package_by_hash_and_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 5
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert entry["integrity"].startswith("sha512-"), name
        assert entry["license"], name


def test_the_page_has_no_inline_script_or_style() -> None:
    page = (WEB / "index.html").read_text()
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count('<script type="module" src=') == 1
