"""Checks the committed JSON Schema against the constants that it is generated from."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas.wire.json_schema import COMMAND, SCHEMA_FILE, main, schema_text


def test_the_committed_file_is_the_generated_one() -> None:
    assert SCHEMA_FILE.read_bytes().decode("utf-8") == schema_text()


def test_the_file_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(json.loads(schema_text()))


def test_the_check_passes_as_a_command() -> None:
    command = [sys.executable, "-m", "schemas.wire.json_schema", "--check"]
    done = subprocess.run(command, cwd=SCHEMA_FILE.parents[1], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("content", [None, "", "{}\n"])
def test_the_check_refuses_a_file_that_is_not_fresh(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "stale.json"
    if content is not None:
        stale.write_text(content, encoding="utf-8")
    assert main(["--check"], stale) == 1
    assert COMMAND in capsys.readouterr().err
    assert (stale.read_text("utf-8") if stale.exists() else None) == content


def test_what_is_written_passes_the_check(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.json"
    assert main([], fresh) == 0
    assert main(["--check"], fresh) == 0
