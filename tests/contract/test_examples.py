"""Checks the decoder, ingest's judge and the JSON Schema against the golden examples."""

import base64
import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.wire.codes import Reason
from schemas.wire.columns import RowKind
from schemas.wire.decode import Body, Claim, decode_record
from schemas.wire.instants import parse_text
from schemas.wire.refusal import Refusal
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, is_sound_public_key, sign, verify
from schemas.wire.strict_json import read_json
from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US
from services.ingest.columns import batch_of
from services.ingest.judging.authenticate import authenticate
from services.ingest.judging.decode import Decoded, decode_batch
from services.ingest.judging.judge import judge
from services.ingest.judging.registry import KeyVersion, Registry
from services.ingest.model import BusRecord, FactTable, Findings
from tests.both_paths import all_known, unlimited
from tests.columns import rows_of
from tests.registries import registry_of

ROOT = Path(__file__).parents[2] / "schemas"
EXAMPLES = ROOT / "examples"
REGISTRY = json.loads((EXAMPLES / "registry.json").read_text("utf-8"))
SCHEMA = Draft202012Validator(json.loads((ROOT / "telemetry.v1.schema.json").read_text("utf-8")))

FIELDS = {"description", "reason", "row", "received_at", "record_key", "key_id", "signature"}
VALUE_FIELDS = {"value", "value_text", "value_base64"}
FORGERS_SEED = bytes(32)

# Of whole batches of records, which tests/unit/test_kafka_batches.py makes.
OF_BATCHES = {Reason.unreadable_batch}
# What the decoder decides without registry or signature.
DECODER_REASONS = {Reason.too_large, Reason.bad_json, Reason.bad_schema}
# Invalid in a way that the schema's descriptions leave to the decoder.
BEYOND_SCHEMA = {"bad_schema-day_not_in_calendar", "bad_schema-year_zero", "bad_schema-after_year_9999"}
# Wrong in their envelope too, to show what is judged first.
WRONG_TWICE = {"bad_signature-before_envelope"}


@dataclass(frozen=True, slots=True)
class Example:
    """One example, with its bytes and headers built."""

    name: str
    reason: Reason | None
    row: tuple[RowKind, int] | None
    value: bytes
    record: BusRecord


def load(path: Path) -> Example:
    document = json.loads(path.read_text("utf-8"))
    assert document.keys() - VALUE_FIELDS - {"value_bytes"} == FIELDS, path
    assert len(document.keys() & VALUE_FIELDS) == 1, path
    value = example_bytes(document)
    key = document["record_key"]
    record = BusRecord(
        partition=0,
        offset=0,
        received_us=instant_us(document["received_at"]),
        key=None if key is None else key.encode(),
        value=value,
        headers=tuple(headers(document, value)),
    )
    row = document["row"] and (RowKind(document["row"]["kind"]), document["row"]["index"])
    return Example(path.stem, document["reason"] and Reason(document["reason"]), row, value, record)


def example_bytes(document: dict[str, Any]) -> bytes:
    if "value_base64" in document:
        value = base64.b64decode(document["value_base64"], validate=True)
    elif "value_text" in document:
        value = document["value_text"].encode()
    else:
        value = json.dumps(document["value"], ensure_ascii=False, separators=(",", ":")).encode()
    return value.ljust(document.get("value_bytes", 0))


def headers(document: dict[str, Any], value: bytes) -> Iterable[tuple[str, bytes]]:
    key_id, kind = document["key_id"], document["signature"]
    if key_id is not None:
        yield KEY_ID_HEADER, key_id.encode()
    if kind == "missing":
        return
    seed = FORGERS_SEED if kind == "forged" else seeds()[key_id]
    signature = {
        "valid": sign(value, seed),
        "twice": sign(value, seed),
        "forged": sign(value, seed),
        "altered": sign(value + b" ", seed),
        "short": sign(value, seed)[:63],
    }[kind]
    yield from [(SIGNATURE_HEADER, signature)] * (2 if kind == "twice" else 1)


def seeds() -> dict[str, bytes]:
    keys = (key for factory in REGISTRY["factories"] for key in factory["keys"])
    return {key["key_id"]: base64.b64decode(key["example_seed"]) for key in keys}


def instant_us(text: str) -> int:
    us = parse_text(text)
    assert us is not None, text
    return us


def optional_us(text: str | None) -> int | None:
    return None if text is None else instant_us(text)


def example_registry() -> Registry:
    """The registry of the examples, as ingest loads it."""
    sealed = {table: optional_us(REGISTRY["sealed_before"][table]) or FIRST_INSTANT_US for table in FactTable}
    factories = {
        factory["factory_id"]: {machine["machine_id"]: spans(machine) for machine in factory["machines"]}
        for factory in REGISTRY["factories"]
    }
    numbers = itertools.count()
    keys = {
        factory["factory_id"]: {key["key_id"]: (key_version(next(numbers), key),) for key in factory["keys"]}
        for factory in REGISTRY["factories"]
    }
    return registry_of(factories, keys, sealed)


def spans(machine: dict[str, Any]) -> list[tuple[int, int]]:
    return [(instant_us(start), optional_us(end) or LAST_INSTANT_US) for start, end in machine["in_use"]]


def key_version(number: int, key: dict[str, Any]) -> KeyVersion:
    return KeyVersion(
        gateway_key=number,
        effective_from_us=FIRST_INSTANT_US,
        effective_to_us=LAST_INSTANT_US,
        public_key=base64.b64decode(key["public_key"]),
        valid_from_us=instant_us(key["valid_from"]),
        valid_to_us=optional_us(key["valid_to"]),
        revoked_at_us=optional_us(key["revoked_at"]),
        compromised_since_us=optional_us(key["compromised_since"]),
    )


def examples(folder: str) -> list[Example]:
    return [load(path) for path in sorted((EXAMPLES / folder).glob("*.json"))]


def parameters(found: Iterable[Example]) -> list[Any]:
    return [pytest.param(example, id=example.name) for example in found]


VALID = examples("valid")
INVALID = examples("invalid")
REFUSED_BY_DECODER = [example for example in INVALID if example.reason in DECODER_REASONS]
REFUSED_BY_INGEST = [example for example in INVALID if example.reason not in DECODER_REASONS]


def body_of(example: Example) -> Body:
    claim = decode_record(example.value)
    assert isinstance(claim, Claim), claim
    assert isinstance(claim.body, Body), claim.body
    return claim.body


def judged(example: Example) -> Findings:
    findings, registry = Findings(), example_registry()
    judge(example.record, authenticate(example.record, registry, require_signatures=True), registry, findings)
    return findings


def row_count(batch: Findings) -> int:
    return sum(len(rows.at_us) for rows in batch.rows.values())


def test_every_reason_has_an_example() -> None:
    assert {example.reason for example in INVALID} == set(Reason) - OF_BATCHES - {Reason.over_quota}


def test_examples_are_named_after_their_reason() -> None:
    assert [example.name for example in INVALID if example.name.partition("-")[0] != example.reason] == []


def test_the_registrys_keys_are_those_of_its_seeds() -> None:
    keys = [pair for factory in example_registry().factories.values() for pair in factory.keys.items()]
    for key_id, (version,) in keys:
        assert is_sound_public_key(version.public_key)
        assert verify(b"value", sign(b"value", seeds()[key_id]), version.public_key)


@pytest.mark.parametrize("example", parameters(VALID))
def test_valid_examples_are_facts(example: Example) -> None:
    assert example.reason is None
    body = body_of(example)
    assert body.refused == ()
    SCHEMA.validate(read_json(example.value))
    batch = judged(example)
    assert batch.dead_letters == []
    assert row_count(batch) == len(body.states.at_us) + len(body.counts.at_us) + len(body.readings.at_us)


@pytest.mark.parametrize("example", parameters(REFUSED_BY_DECODER))
def test_the_decoder_alone_refuses(example: Example) -> None:
    claim = decode_record(example.value)
    refusal = claim.body if isinstance(claim, Claim) else claim
    if example.row is None:
        assert isinstance(refusal, Refusal)
        assert refusal.reason == example.reason
    else:
        (wrong,) = body_of(example).refused
        assert (wrong.refusal.reason, wrong.kind, wrong.index) == (example.reason, *example.row)


@pytest.mark.parametrize("example", parameters(INVALID))
def test_invalid_examples_get_their_reason(example: Example) -> None:
    batch = judged(example)
    (letter,) = batch.dead_letters
    assert letter.reason == example.reason
    assert (letter.row_kind, letter.row_index) == (example.row or (None, None))
    assert len(batch.records) == (0 if example.row is None else 1)


@pytest.mark.parametrize("example", parameters(e for e in INVALID if e.reason is Reason.bad_schema))
def test_the_schema_refuses_what_it_can_judge(example: Example) -> None:
    assert SCHEMA.is_valid(read_json(example.value)) == (example.name in BEYOND_SCHEMA)


@pytest.mark.parametrize("example", parameters(e for e in REFUSED_BY_INGEST if e.name not in WRONG_TWICE))
def test_schema_and_decoder_leave_the_rest_to_ingest(example: Example) -> None:
    SCHEMA.validate(read_json(example.value))
    assert body_of(example).refused == ()


def decoded(example: Example, metrics: dict[str, int]) -> Decoded:
    """Return what the worker's two paths make of an example."""
    registry = example_registry()
    sender = authenticate(example.record, registry, require_signatures=True)
    return decode_batch([example.record], [sender], registry, all_known(metrics), unlimited(example.record))


@pytest.mark.parametrize("example", parameters([*VALID, *INVALID]))
def test_both_paths_find_the_same(example: Example) -> None:
    strict = judged(example)
    names = sorted(set(strict.rows[FactTable.READING].key))
    metrics = {name: number for number, name in enumerate(names, start=1)}
    batch, _ = decoded(example, metrics).batch(metrics)
    assert rows_of(batch) == rows_of(batch_of(strict, example_registry().machines, metrics))
    assert batch.records == strict.records
    assert batch.dead_letters == strict.dead_letters


def test_some_valid_examples_take_the_fast_path() -> None:
    plain = []
    for example in VALID:
        names = sorted(set(body_of(example).readings.metric))
        metrics = {name: number for number, name in enumerate(names, start=1)}
        if decoded(example, metrics).plain:
            plain.append(example.name)
    assert len(plain) >= 5, plain
