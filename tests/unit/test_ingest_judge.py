"""Hostile records: each is judged in time proportional to its size, and none stops the judge."""

import json
import sys
import time

import pytest

from schemas.wire.codes import Reason
from schemas.wire.decode import Claim, decode_record
from schemas.wire.limits import MAX_NESTING
from schemas.wire.refusal import Refusal
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER
from services.ingest.judging.authenticate import authenticate
from services.ingest.judging.judge import judge
from services.ingest.model import BusRecord, FactTable, Findings
from tests.registries import registry_of

Headers = tuple[tuple[str, bytes | None], ...]
AT_US = 1_488_326_400_000_000
ENVELOPE = '{"factory_id": "F1", "gateway_id": "gw-1", "sent_at": "2017-03-01T00:00:00Z", "states": [%s]}'
STATE = '{"machine_id": "M1", "at": "2017-03-01T00:00:00Z", "state": "idle"}'


def judged(
    value: bytes | None, key: bytes | None = b"F1", headers: Headers = (), *, require_signatures: bool = False
) -> Findings:
    registry = registry_of({"F1": {"M1": [(0, 2 * AT_US)]}})
    source = BusRecord(0, 0, AT_US, key, value, headers)
    findings = Findings()
    judge(source, authenticate(source, registry, require_signatures=require_signatures), registry, findings)
    return findings


def reasons(batch: Findings) -> list[Reason]:
    return [letter.reason for letter in batch.dead_letters]


@pytest.mark.parametrize(
    ("value", "key", "headers", "reason"),
    [
        (None, b"F1", (), Reason.bad_json),
        (b"", None, (), Reason.bad_json),
        (b"\x00", b"\xff\x00", (), Reason.bad_json),
        ((ENVELOPE % STATE).encode(), None, (), Reason.key_mismatch),
        ((ENVELOPE % STATE).encode(), b"F1", ((KEY_ID_HEADER, None), (SIGNATURE_HEADER, None)), Reason.bad_signature),
        ((ENVELOPE % STATE).encode(), b"F1", ((KEY_ID_HEADER, b"k"), (SIGNATURE_HEADER, b"")), Reason.bad_signature),
        ((ENVELOPE % STATE).encode(), b"F1", ((KEY_ID_HEADER, b"k"),) * 2, Reason.bad_signature),
        ((ENVELOPE % '"\\ud800"').encode(), b"F1", (), Reason.bad_json),
        ((ENVELOPE % ("9" * 5000)).encode(), b"F1", (), Reason.bad_json),
    ],
)
def test_malformed_records_are_refused_as_a_whole(
    value: bytes | None, key: bytes | None, headers: Headers, reason: Reason
) -> None:
    batch = judged(value, key, headers)
    assert reasons(batch) == [reason]
    assert batch.records == []


def test_each_stage_is_judged_before_the_next() -> None:
    bad_row = b'{"machine_id": "?"}'
    envelope = {"factory_id": "F9", "states": [STATE]}
    assert reasons(judged(b'{"factory_id": "f"}', b"F2")) == [Reason.bad_schema]
    assert reasons(judged(json.dumps(envelope).encode(), b"F2")) == [Reason.key_mismatch]
    assert reasons(judged(json.dumps(envelope).encode(), b"F9")) == [Reason.unknown_factory]
    known = json.dumps({**envelope, "factory_id": "F1"}).encode()
    assert reasons(judged(known, require_signatures=True)) == [Reason.bad_signature]
    assert reasons(judged(known)) == [Reason.bad_schema]
    assert [(d.reason, d.raw) for d in judged((ENVELOPE % bad_row.decode()).encode()).dead_letters] == [
        (Reason.bad_schema, bad_row)
    ]


def nested(depth: int) -> bytes:
    """A record nested to this depth."""
    inner = depth - 3
    return (ENVELOPE % STATE.replace("}", ', "more": ' + "[" * inner + "]" * inner + "}")).encode()


def test_the_nesting_limit_does_not_depend_on_the_stack() -> None:
    def at_stack_depth(frames: int, value: bytes) -> Claim | Refusal:
        return at_stack_depth(frames - 1, value) if frames else decode_record(value)

    for frames in (0, sys.getrecursionlimit() // 2):
        assert isinstance(at_stack_depth(frames, nested(MAX_NESTING)), Claim)
        for depth in (MAX_NESTING + 1, 900, 500_000):
            refusal = at_stack_depth(frames, nested(depth))
            assert isinstance(refusal, Refusal)
            assert refusal.reason is Reason.bad_json
            assert "nested more than" in refusal.message


def test_a_record_full_of_invalid_rows_takes_proportional_time() -> None:
    value = (ENVELOPE % ",".join("0" * 100_000)).encode()
    started = time.process_time()
    batch = judged(value)
    assert time.process_time() - started < 4
    assert len(batch.dead_letters) == 100_000
    assert {letter.raw for letter in batch.dead_letters} == {b"0"}
    assert batch.records[0].refused == 100_000


def test_identical_rows_of_one_record_are_all_passed_on_in_order() -> None:
    batch = judged((ENVELOPE % ",".join([STATE] * 100)).encode())
    assert batch.rows[FactTable.STATE].at_us == [AT_US] * 100
    assert batch.dead_letters == []
