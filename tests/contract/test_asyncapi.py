"""Checks the committed AsyncAPI document against the record's schema, the wire's constants and the golden examples."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from schemas.wire.asyncapi import ASYNCAPI_FILE, COMMAND, document_text, main
from schemas.wire.codes import Reason
from schemas.wire.json_schema import record_schema
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER
from schemas.wire.strict_json import read_json
from tests.contract.test_examples import INVALID, SCHEMA, VALID, Example

DOCUMENT = json.loads(document_text())
MESSAGE = DOCUMENT["components"]["messages"]["record"]
READABLE = [example for example in (*VALID, *INVALID) if example.reason not in (Reason.bad_json, Reason.too_large)]
PAYLOAD = Draft7Validator({**MESSAGE["payload"], "components": DOCUMENT["components"]})


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_the_committed_file_is_the_generated_one() -> None:
    assert ASYNCAPI_FILE.read_bytes().decode("utf-8") == document_text()


def test_the_check_passes_as_a_command() -> None:
    command = [sys.executable, "-m", "schemas.wire.asyncapi", "--check"]
    done = subprocess.run(command, cwd=ASYNCAPI_FILE.parents[1], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_check_refuses_a_file_that_is_not_fresh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = tmp_path / "stale.json"
    assert main(["--check"], stale) == 1
    assert COMMAND in capsys.readouterr().err
    assert main([], stale) == 0
    assert main(["--check"], stale) == 0


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert "#/components/schemas/state" in found
    for reference in found:
        part = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def test_every_definition_of_the_schema_is_there() -> None:
    definitions = record_schema()["$defs"]
    assert isinstance(definitions, dict)
    assert set(DOCUMENT["components"]["schemas"]) == {"record", *definitions}


def test_the_headers_are_those_that_ingest_reads() -> None:
    assert set(MESSAGE["headers"]["required"]) == {KEY_ID_HEADER, SIGNATURE_HEADER}


def test_the_examples_shown_are_valid() -> None:
    assert MESSAGE["examples"]
    for example in MESSAGE["examples"]:
        PAYLOAD.validate(example["payload"])


@pytest.mark.parametrize("example", READABLE, ids=lambda example: example.name)
def test_the_payload_is_validated_as_by_the_schema(example: Example) -> None:
    value = read_json(example.value)
    assert PAYLOAD.is_valid(value) == SCHEMA.is_valid(value)
