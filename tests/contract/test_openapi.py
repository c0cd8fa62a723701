"""The committed OpenAPI document: fresh, valid, and with a named model for everything that is answered in JSON."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.wire.codes import Mode, State
from services.api.app import OPENAPI_FILE
from services.api.openapi import COMMAND, document, document_text, main

DOCUMENT: dict[str, Any] = document()
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
NO_CONTENT = {"DELETE /v1/sessions/current"}


def references(part: Any) -> set[str]:
    """Every reference within a part of the document."""
    if isinstance(part, dict):
        here = {part["$ref"]} if "$ref" in part else set()
        return here.union(*(references(inner) for inner in part.values()))
    return set().union(*(references(inner) for inner in part)) if isinstance(part, list) else set()


def test_the_committed_file_is_the_generated_one() -> None:
    assert OPENAPI_FILE.read_bytes().decode("utf-8") == document_text()


def test_it_needs_no_server_no_database_and_no_settings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "services.api.openapi", "--check"]
    environment = {"JEJO_DATABASE_URL": "nowhere", "JEJO_LOG_LEVEL": "none"}
    done = subprocess.run(
        command, cwd=OPENAPI_FILE.parents[1], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_check_refuses_a_file_that_is_not_fresh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = tmp_path / "openapi.json"
    assert main(["--check"], stale) == 1
    assert COMMAND in capsys.readouterr().err
    assert main([], stale) == 0
    assert main(["--check"], stale) == 0


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_json_answer_has_a_named_model(name: str, operation: dict[str, Any]) -> None:
    successes = {status: response for status, response in operation["responses"].items() if status.startswith("2")}
    assert successes
    for response in successes.values():
        content = response.get("content", {})
        assert content or name in NO_CONTENT
        if "application/json" in content:
            (reference,) = content["application/json"]["schema"].values()
            assert reference.rpartition("/")[2] in SCHEMAS
    for status in ("4XX", "5XX"):
        problem = operation["responses"][status]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/ProblemDetails"}


def test_every_reference_leads_to_a_valid_schema() -> None:
    assert references(DOCUMENT) <= {f"#/components/schemas/{name}" for name in SCHEMAS}
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


def test_names_of_models_are_names_in_typescript() -> None:
    assert [name for name in SCHEMAS if not name.isalnum()] == []
    ids = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
    assert all(identifier.isidentifier() for identifier in ids)


def test_states_and_modes_are_those_of_the_wire() -> None:
    states, modes = {state.name for state in State}, {mode.name for mode in Mode}
    assert set(SCHEMAS["TimeAccount"]["required"]) == states
    assert set(SCHEMAS["ProducingByMode"]["required"]) == modes
    segment = SCHEMAS["TimelineSegment"]["properties"]
    assert set(segment["state"]["enum"]) == states
    assert set(segment["mode"]["anyOf"][0]["enum"]) == modes - {Mode.unknown.name}


def test_answers_say_that_all_of_their_fields_are_there() -> None:
    for name, schema in SCHEMAS.items():
        if name.endswith(("Entry", "Page", "Item", "Value", "Definition", "Timeline", "Target", "Figure", "Session")):
            assert set(schema["required"]) == set(schema["properties"]), name


def test_the_file_is_json_with_a_line_end() -> None:
    text = OPENAPI_FILE.read_text(encoding="utf-8")
    assert json.loads(text)["openapi"].startswith("3.1")
    assert text.endswith("}\n")
