"""Generates the AsyncAPI 3.0 document of the telemetry topic from the record's schema and golden examples."""

import json
import sys
from pathlib import Path
from typing import Any

from schemas.wire.generated import write_or_check
from schemas.wire.json_schema import matching, record_schema
from schemas.wire.limits import FACTORY_ID_PATTERN, LOCAL_ID_PATTERN, MAX_BATCH_BYTES, MAX_VALUE_BYTES
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER
from schemas.wire.topic import CONFIGURATION, PARTITIONS, TELEMETRY_TOPIC

ASYNCAPI_FILE = Path(__file__).parents[1] / "asyncapi.json"
COMMAND = "python -m schemas.wire.asyncapi"
EXAMPLES = Path(__file__).parents[1] / "examples/valid"
EXAMPLES_SHOWN = ("full", "minimal", "counts_only", "readings_only", "revision", "retraction", "unknown_state")

BINDING_VERSION = "0.5.0"
DESCRIPTION = (
    "What a factory's gateway sends. Kafka acknowledges whatever is sent: a record is judged when it is read, and what "
    "cannot be a fact is kept as a dead letter with the reason."
)
CHANNEL_DESCRIPTION = (
    "Jejo creates the topic. A factory's records have one key and so are in order, if every gateway chooses the "
    "partition as Java's clients do (murmur2). Receipt is the broker's append time; a producer's own time stamp is "
    "not used. Any of Kafka's compressions may be used; a batch of records unpacks to at most "
    f"{MAX_BATCH_BYTES} bytes. Producers are idempotent and use no transactions: an open one holds up its partition."
)
MESSAGE_DESCRIPTION = (
    f"The record's key is the factory_id, its value at most {MAX_VALUE_BYTES} bytes of JSON, each of its headers there "
    "exactly once. A row is identified by machine, instant and product or metric: to send it again changes nothing."
)

Document = dict[str, Any]


def document() -> Document:
    """Return the document. Its schemas are those of the JSON Schema, which uses nothing that draft 7 lacks."""
    schema = record_schema()
    definitions: Document = {"record": schema, **schema.pop("$defs")}  # type: ignore[dict-item]
    for name in ("$schema", "$id"):
        del schema[name]
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:jejo:{TELEMETRY_TOPIC}:asyncapi",
        "info": {"title": "Jejo: telemetry of factories", "version": "1", "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {
            "local": {"host": "127.0.0.1:9092", "protocol": "kafka", "description": "Where `make demo` has its broker."}
        },
        "channels": {"telemetry": channel()},
        "operations": {"receiveTelemetry": operation()},
        "components": {"messages": {"record": message()}, "schemas": rebased(definitions)},
    }


def channel() -> Document:
    """Return the topic as ingest creates it."""
    configuration = {
        "cleanup.policy": CONFIGURATION["cleanup.policy"].split(","),
        "max.message.bytes": int(CONFIGURATION["max.message.bytes"]),
        "max.decompressed.message.bytes": int(CONFIGURATION["max.decompressed.message.bytes"]),
    }
    return {
        "address": TELEMETRY_TOPIC,
        "title": "Telemetry",
        "description": CHANNEL_DESCRIPTION,
        "messages": {"record": {"$ref": "#/components/messages/record"}},
        "bindings": {
            "kafka": {
                "topic": TELEMETRY_TOPIC,
                "partitions": PARTITIONS,
                "topicConfiguration": {**CONFIGURATION, **configuration},
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def operation() -> Document:
    """Return what Jejo does with the topic; gateways do the opposite."""
    return {
        "action": "receive",
        "title": "Receive telemetry",
        "summary": "Jejo reads what gateways send.",
        "channel": {"$ref": "#/channels/telemetry"},
        "messages": [{"$ref": "#/channels/telemetry/messages/record"}],
    }


def message() -> Document:
    """Return the description of a record: its key, headers, value and examples."""
    return {
        "name": "record",
        "title": "Telemetry record",
        "summary": "States, counts and readings of a factory's machines.",
        "description": MESSAGE_DESCRIPTION,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {
                KEY_ID_HEADER: {"description": "A key registered for the factory.", **matching(LOCAL_ID_PATTERN)},
                SIGNATURE_HEADER: {
                    "description": "The Ed25519 signature over the value's bytes exactly as sent: 64 raw bytes.",
                    "type": "string",
                    "format": "binary",
                    "contentMediaType": "application/octet-stream",
                },
            },
            "required": [KEY_ID_HEADER, SIGNATURE_HEADER],
        },
        "payload": {"$ref": "#/components/schemas/record"},
        "bindings": {
            "kafka": {
                "key": {"description": "The factory_id, in UTF-8.", **matching(FACTORY_ID_PATTERN)},
                "bindingVersion": BINDING_VERSION,
            }
        },
        "examples": [example(name) for name in EXAMPLES_SHOWN],
    }


def example(name: str) -> Document:
    """Return a golden example as AsyncAPI shows it."""
    golden = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return {"name": name, "summary": golden["description"], "payload": golden["value"]}


def rebased(part: Any) -> Any:
    """Return a part of the JSON Schema with its references pointing to this document's components."""
    if isinstance(part, dict):
        return {name: rebased_reference(inner) if name == "$ref" else rebased(inner) for name, inner in part.items()}
    return [rebased(inner) for inner in part] if isinstance(part, list) else part


def rebased_reference(reference: str) -> str:
    return reference.replace("#/$defs/", "#/components/schemas/")


def document_text() -> str:
    """Return the document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str], target: Path = ASYNCAPI_FILE) -> int:
    """Write the document, or with ``--check`` compare the file with it. Returns the exit code."""
    return write_or_check(arguments, target, document_text(), COMMAND, "the AsyncAPI document of the telemetry topic")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
