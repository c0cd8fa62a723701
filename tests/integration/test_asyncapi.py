"""Checks the AsyncAPI document against the specification's JSON Schema and against the topic that ingest creates."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, ValidationError
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from deploy.local.places import cache_folder
from schemas.wire.asyncapi import ASYNCAPI_FILE
from tests.api import Api
from tests.stack import ROOT, Stack

PINNED = ROOT / "tests/asyncapi"


@pytest.fixture(scope="module")
def specification() -> Draft7Validator:
    """The JSON Schema of AsyncAPI 3.0 documents, downloaded with npm in the version pinned in ``tests/asyncapi``."""
    assert shutil.which("npm"), "npm is missing: apt-get install npm"
    folder = cache_folder() / "asyncapi"
    lock = (PINNED / "package-lock.json").read_text()
    stamp = folder / ".done"
    if not stamp.is_file() or stamp.read_text() != lock:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(PINNED, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        fetched = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert fetched.returncode == 0, fetched.stderr
        stamp.write_text(lock)
    schema = json.loads((folder / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json").read_text())
    return Draft7Validator(schema)


@pytest.fixture
def document() -> Any:
    return json.loads(Path(ASYNCAPI_FILE).read_text("utf-8"))


def test_the_document_is_valid(specification: Draft7Validator, document: Any) -> None:
    specification.validate(document)


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (("asyncapi",), "2.6.0"),
        (("operations", "receiveTelemetry", "action"), "publish"),
        (("components", "messages", "record", "payload"), 7),
        (("components", "messages", "record", "bindings", "kafka", "bindingVersion"), "0.9.0"),
        (("channels", "telemetry", "bindings", "kafka", "partitions"), 0),
    ],
)
def test_an_invalid_document_is_rejected(
    specification: Draft7Validator, document: Any, place: tuple[str, ...], wrong: object
) -> None:
    part = document
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = wrong
    with pytest.raises(ValidationError):
        specification.validate(document)


def test_the_topic_matches_the_document(stack: Stack, document: Any) -> None:
    described = document["channels"]["telemetry"]["bindings"]["kafka"]
    admin = KafkaAdminClient(bootstrap_servers=stack.kafka.bootstrap)
    try:
        (topic,) = admin.describe_topics([stack.topic])
        resource = ConfigResource(ConfigResourceType.TOPIC, stack.topic)
        found = admin.describe_configs([resource], config_filter="all")["topic"][stack.topic]
    finally:
        admin.close()
    assert len(topic["partitions"]) == described["partitions"]
    for name, value in described["topicConfiguration"].items():
        assert found[name]["value"] == (",".join(value) if isinstance(value, list) else str(value)), name


async def test_the_api_serves_the_document_to_any_key(api: Api, document: Any) -> None:
    for role in ("admin", "factory:F1"):
        assert (await api.get("/asyncapi.json", role)).json() == document
    assert (await api.get("/asyncapi.json", None)).status_code == 401
