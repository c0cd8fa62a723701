"""Generates the JSON Schema (draft 2020-12) of a telemetry record from the constants that the decoder uses."""

import json
import sys
from pathlib import Path

from schemas.wire.codes import Mode, State
from schemas.wire.generated import write_or_check
from schemas.wire.instants import FIRST_US, LAST_US
from schemas.wire.limits import (
    FACTORY_ID_PATTERN,
    LOCAL_ID_PATTERN,
    MAX_INT32,
    MAX_INT64,
    MAX_STRING,
    MAX_VALUE_BYTES,
    METRIC_PATTERN,
)

SCHEMA_FILE = Path(__file__).parents[1] / "telemetry.v1.schema.json"
COMMAND = "python -m schemas.wire.json_schema"

DAY_PATTERN = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
HOUR_AND_MINUTE_PATTERN = "([01][0-9]|2[0-3]):[0-5][0-9]"
OFFSET_PATTERN = f"([Zz]|[+-]{HOUR_AND_MINUTE_PATTERN})"
TIME_PATTERN = rf"{HOUR_AND_MINUTE_PATTERN}:[0-5][0-9](\.[0-9]+)?"

RECORD_DESCRIPTION = (
    "One Kafka record's value. A schema cannot say that it is strict JSON in UTF-8, without a byte order mark, without "
    "a key twice in an object, without lone surrogates; that it has at most "
    f"{MAX_VALUE_BYTES} bytes; that the record key is the factory_id; that the signature is sound; or that factory, "
    "machine and instant fit the registry. Ingest checks all of these. Fields that are not named here are ignored and "
    "counted. A row that breaks its definition is refused alone; the record's other rows are facts."
)

Schema = dict[str, object]


def record_schema() -> Schema:
    """Return the schema of a record."""
    modes = [mode.name for mode in Mode if mode is not Mode.unknown]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:jejo:manufacturing.telemetry.v1",
        "title": "Telemetry record, version 1",
        "description": RECORD_DESCRIPTION,
        "type": "object",
        "properties": {
            "factory_id": text(FACTORY_ID_PATTERN, "The factory; the Kafka record key is the same."),
            "gateway_id": text(LOCAL_ID_PATTERN, "The sending gateway, unique within the factory."),
            "boot_id": reference("optional_text", "The gateway's run; sequence counts within it."),
            "sequence": optional_integer(MAX_INT64, "Counts up by one per boot_id: gaps measure what was lost."),
            "sent_at": reference("instant", "When the gateway sent the record."),
            "revision": optional_integer(MAX_INT32, "A row of the same identity with a higher revision takes over.", 0),
            "states": rows("state"),
            "counts": rows("count"),
            "readings": rows("reading"),
        },
        "required": ["factory_id", "gateway_id", "sent_at"],
        "anyOf": [has_rows("states"), has_rows("counts"), has_rows("readings")],
        "additionalProperties": True,
        "$defs": {
            "state": row(
                "What a machine does from an instant on. Identity: machine_id, at.",
                identity={},
                required_content={"state": {"enum": [state.name for state in State]}},
                optional_content={
                    "mode": {
                        "description": "How it is controlled; null where that is unknown.",
                        "enum": [*modes, None],
                    },
                    "reason": reference("optional_text", "Why, in the factory's own words."),
                },
            ),
            "count": row(
                "What was made since the machine's last count: an increment, never a running total. "
                "Identity: machine_id, at, product.",
                identity={"product": reference("optional_text", 'What was made; absent or null is "".')},
                required_content={"good": integer(MAX_INT32)},
                optional_content={
                    "scrap": optional_integer(MAX_INT32, "Pieces for scrap.", 0),
                    "rework": optional_integer(MAX_INT32, "Pieces to be worked again.", 0),
                },
            ),
            "reading": row(
                "A number. Identity: machine_id, metric, at.",
                identity={"metric": text(METRIC_PATTERN, "What was measured; the name ends in its unit.")},
                required_content={"value": finite_number()},
                optional_content={},
                required_identity=["metric"],
            ),
            "instant": instant(),
            "optional_text": {
                "type": ["string", "null"],
                "maxLength": MAX_STRING,
                "not": {"type": "string", "pattern": r"\x00"},
            },
        },
    }


def rows(definition: str) -> Schema:
    return {"type": ["array", "null"], "items": {"$ref": f"#/$defs/{definition}"}}


def has_rows(name: str) -> Schema:
    return {"properties": {name: {"type": "array", "minItems": 1}}, "required": [name]}


def row(
    description: str,
    *,
    identity: Schema,
    required_content: Schema,
    optional_content: Schema,
    required_identity: list[str] | None = None,
) -> Schema:
    """Return the schema of a row: its identity always, and its content unless it is retracted."""
    return {
        "description": f"{description} A retracted row needs its identity only; its content is not looked at.",
        "type": "object",
        "properties": {
            "machine_id": text(LOCAL_ID_PATTERN, "The machine, unique within the factory."),
            "at": {"$ref": "#/$defs/instant"},
            **identity,
            "retracted": {
                "description": "true, at a higher revision, withdraws the row.",
                "type": ["boolean", "null"],
                "default": False,
            },
        },
        "required": ["machine_id", "at", *(required_identity or [])],
        "if": {"properties": {"retracted": {"const": True}}, "required": ["retracted"]},
        "else": {"properties": {**required_content, **optional_content}, "required": list(required_content)},
        "additionalProperties": True,
    }


def text(pattern: str, description: str) -> Schema:
    return {"description": description, **matching(pattern)}


def matching(pattern: str) -> Schema:
    """Return the schema of a string that matches the whole pattern.

    In Python's expressions, unlike JSON Schema's, ``$`` also matches before a last line feed; ``not`` holds for both.
    """
    return {"type": "string", "pattern": f"^{pattern}$", "maxLength": MAX_STRING, "not": {"pattern": r"\n"}}


def reference(definition: str, description: str) -> Schema:
    return {"description": description, "$ref": f"#/$defs/{definition}"}


def integer(most: int) -> Schema:
    return {"type": "integer", "minimum": 0, "maximum": most}


def optional_integer(most: int, description: str, default: int | None = None) -> Schema:
    schema: Schema = {"description": description, "type": ["integer", "null"], "minimum": 0, "maximum": most}
    return schema if default is None else {**schema, "default": default}


def finite_number() -> Schema:
    largest = sys.float_info.max
    return {
        "description": "Kept as a 64-bit floating point number.",
        "type": "number",
        "minimum": -largest,
        "maximum": largest,
    }


def instant() -> Schema:
    """Return the schema of an instant: text or milliseconds. ``oneOf`` is not needed, since no value is both."""
    return {
        "description": "RFC 3339 with an offset, floored to microseconds, or an integer of Unix milliseconds. A schema "
        "cannot say that the day is one of the calendar, and that the instant in UTC lies in the years 1 to 9999.",
        "anyOf": [
            matching(f"{DAY_PATTERN}[Tt]{TIME_PATTERN}{OFFSET_PATTERN}"),
            {"type": "integer", "minimum": -(-FIRST_US // 1000), "maximum": LAST_US // 1000},
        ],
    }


def schema_text() -> str:
    """Return the schema as it is committed."""
    return json.dumps(record_schema(), indent=2) + "\n"


def main(arguments: list[str], target: Path = SCHEMA_FILE) -> int:
    """Write the schema, or with ``--check`` compare the file with it. Returns the exit code."""
    return write_or_check(arguments, target, schema_text(), COMMAND, "the JSON Schema of a telemetry record")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
