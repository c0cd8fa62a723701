"""The decoder, the encoder and the JSON Schema agree on valid records and mutations of them."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas.wire.codes import Mode, Reason, State
from schemas.wire.columns import CountRows, ReadingRows, RowKind, StateRows
from schemas.wire.decode import Body, Claim, decode_record
from schemas.wire.encode import encode_record
from schemas.wire.instants import FIRST_US, LAST_US, RFC3339, format_us, parse_text
from schemas.wire.json_schema import record_schema
from schemas.wire.limits import FACTORY_ID_PATTERN, LOCAL_ID_PATTERN, MAX_INT32, MAX_INT64, METRIC_PATTERN
from schemas.wire.refusal import Refusal
from schemas.wire.rows import decode_row, raw_rows
from schemas.wire.strict_json import read_json

SAME_EVERY_RUN = settings(derandomize=True)
SCHEMA = Draft202012Validator(record_schema())
LISTS = ("states", "counts", "readings")
# Words that a mutation may put where they do not belong, so that names and values meet by chance more often.
FIELDS = ("machine_id", "at", "retracted", "state", "mode", "reason", "good", "scrap", "rework", "product", "metric")
WORDS = (*FIELDS, *LISTS, "value", "factory_id", "gateway_id", "boot_id", "sequence", "sent_at", "revision", "other")

COUNTS = st.integers(0, MAX_INT32)
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=128)
NUMBERS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**70), 2**70))


def written(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values)


INSTANTS = st.integers(FIRST_US, LAST_US)
WIRE_INSTANTS = st.one_of(
    INSTANTS.map(format_us),
    st.integers(FIRST_US // 1000, LAST_US // 1000),
    st.integers(0, 4 * 10**12).map(float),
    st.sampled_from(["2026-11-22t10:01:58.1209999999+09:00", "2000-02-29T23:59:59z", "0001-01-01T00:00:00-00:00"]),
)
INTEGERS = st.one_of(COUNTS, COUNTS.map(float))
RETRACTED = {"retracted": st.sampled_from([True, False, None])}


def rows(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    fixed = {"machine_id": written(LOCAL_ID_PATTERN), "at": WIRE_INSTANTS, **required}
    return st.lists(st.fixed_dictionaries(fixed, optional={**RETRACTED, "other": NUMBERS, **optional}), max_size=3)


DOCUMENTS = st.fixed_dictionaries(
    {"factory_id": written(FACTORY_ID_PATTERN), "gateway_id": written(LOCAL_ID_PATTERN), "sent_at": WIRE_INSTANTS},
    optional={
        "boot_id": maybe(TEXTS),
        "sequence": maybe(st.integers(0, MAX_INT64)),
        "revision": maybe(INTEGERS),
        "other": st.lists(TEXTS, max_size=2),
        "states": rows(
            {"state": st.sampled_from([state.name for state in State])},
            {"mode": st.sampled_from([None, "automatic", "semi_automatic", "manual"]), "reason": maybe(TEXTS)},
        ),
        "counts": rows(
            {"good": INTEGERS}, {name: maybe(INTEGERS) for name in ("scrap", "rework")} | {"product": TEXTS}
        ),
        "readings": rows({"metric": written(METRIC_PATTERN), "value": NUMBERS}, {}),
    },
).filter(lambda document: any(document.get(name) for name in LISTS))

EDGES: tuple[Any, ...] = (
    *(None, True, False, 0, -0.0, 1, -1, 0.5, 3.0, [], {}, [1], [None], [{}], {"at": 0}),
    *(MAX_INT32, MAX_INT32 + 1, float(MAX_INT32), MAX_INT64, MAX_INT64 + 1, float(MAX_INT64), 10**400, 1e308),
    *(FIRST_US // 1000, FIRST_US // 1000 - 1, LAST_US // 1000, LAST_US // 1000 + 1),
    *("x" * 64, "x" * 65, "x" * 128, "x" * 129, "a" * 63, "A" * 32, "A" * 33, "😀" * 128, "😀" * 129),
    *("", " ", "a\x00b", "\x00", "CNC-01\n", "CNC_01\n", "load_pct\n", "Ａ", "é", "unknown", "manual", "Manual", "-a"),
    *("2026-02-30T00:00:00Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "2026-01-01"),
    *("9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01", "2026-01-01T24:00:00Z", "2016-12-31T23:59:60Z"),
    *("2026-01-01T00:00:00", "2026-01-01T00:00:00Z\n", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00+24:00"),
    *("2026-01-01T00:00:00+23:60", "2026-01-01T00:00:00.Z", "٢026-01-01T00:00:00Z"),
    *(f"2026-01-01T00:00:00.{'9' * 107}Z", f"2026-01-01T00:00:00.{'9' * 108}Z"),
)
ANY_EDGE = st.one_of(st.sampled_from(EDGES), written(RFC3339.pattern))

ROW: dict[str, Any] = {"machine_id": "CNC-01", "at": "2026-11-22T01:02:00Z"}
WHOLE: dict[str, Any] = {
    "factory_id": "F000123",
    "gateway_id": "gw-1",
    "boot_id": "b",
    "sequence": 1842,
    "sent_at": "2026-11-22T01:02:03.456Z",
    "revision": 0,
    "states": [{**ROW, "state": "producing", "mode": "automatic", "reason": "r", "retracted": False}],
    "counts": [{**ROW, "good": 3, "scrap": 0, "rework": 0, "product": "P-77", "retracted": False}],
    "readings": [{**ROW, "metric": "spindle_load_pct", "value": 37.5, "retracted": False}],
}


def objects(value: Any) -> list[dict[str, Any]]:
    """All objects of a document that the contract covers: the envelope and the rows."""
    lists = (value.get(name) for name in LISTS)
    return [value, *(row for found in lists if isinstance(found, list) for row in found if isinstance(row, dict))]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A record with one to three fields dropped, renamed, replaced, or added."""
    document: dict[str, Any] = copy.deepcopy(draw(DOCUMENTS))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(objects(document)))
        name = draw(st.sampled_from([*place, *WORDS]))
        match draw(st.sampled_from(["drop", "rename", "replace", "replace", "replace"])):
            case "drop":
                place.pop(name, None)
            case "rename":
                place[draw(st.sampled_from(WORDS))] = place.pop(name, None)
            case _:
                place[name] = draw(ANY_EDGE)
    return document


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A record's bytes with some flipped, removed, inserted, or doubled."""
    value = bytearray(to_bytes(draw(st.one_of(DOCUMENTS, mutated()))))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(value)))
        end = draw(st.integers(start, min(len(value), start + 12)))
        match draw(st.sampled_from(["replace", "token", "cut", "double"])):
            case "replace":
                value[start:end] = draw(st.binary(max_size=3))
            case "token":
                value[start:start] = draw(
                    st.sampled_from([b"NaN", b"1e999", b"\\ud800", b"\\u0000", b"[", b"}", b",", b"0"])
                )
            case "cut":
                del value[start:]
            case _:
                value[start:start] = value[start:end]
    return bytes(value)


def to_bytes(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def is_accepted(claim: Claim | Refusal) -> bool:
    return isinstance(claim, Claim) and isinstance(claim.body, Body) and not claim.body.refused


def without_impossible_instants(document: Any) -> Any:
    """A copy in which every invalid instant is replaced by a valid one.

    What the schema must leave to the decoder: days that no calendar has, and years out of range.
    """
    mended = copy.deepcopy(document)
    for place, name in [(mended, "sent_at"), *((row, "at") for row in objects(mended)[1:])]:
        if isinstance(place[name], str) and parse_text(place[name]) is None:
            place[name] = "2026-11-22T01:02:00Z"
    return mended


def assert_agreement(value: bytes) -> None:
    claim = decode_record(value)
    if isinstance(claim, Refusal) and claim.reason is Reason.bad_json:
        return
    document = read_json(value)
    if not SCHEMA.is_valid(document):
        assert not is_accepted(claim), "the decoder accepts what the schema refuses"
    elif not is_accepted(claim):
        mended = without_impossible_instants(document)
        assert mended != document, "the schema accepts what the decoder refuses"
        assert is_accepted(decode_record(to_bytes(mended)))


@SAME_EVERY_RUN
@given(DOCUMENTS)
def test_valid_records_are_accepted_by_decoder_and_schema(document: dict[str, Any]) -> None:
    assert is_accepted(decode_record(to_bytes(document)))
    SCHEMA.validate(document)


@pytest.mark.parametrize("retracted", [False, True])
def test_decoder_and_schema_agree_on_every_edge_of_every_field(retracted: bool) -> None:
    document = copy.deepcopy(WHOLE)
    places = objects(document)
    for row in places[1:]:
        row["retracted"] = retracted
    assert is_accepted(decode_record(to_bytes(document)))
    for place in places:
        for name, right in list(place.items()):
            for edge in EDGES:
                place[name] = edge
                assert_agreement(to_bytes(document))
            del place[name]
            assert_agreement(to_bytes(document))
            place[name] = right


@settings(SAME_EVERY_RUN, max_examples=300)
@given(mutated())
def test_decoder_and_schema_agree_on_mutated_records(document: dict[str, Any]) -> None:
    assert_agreement(to_bytes(document))


@settings(SAME_EVERY_RUN, max_examples=300)
@given(damaged())
def test_decoder_and_schema_agree_on_damaged_bytes(value: bytes) -> None:
    assert_agreement(value)


@SAME_EVERY_RUN
@given(st.one_of(st.binary(max_size=200), st.text(max_size=50).map(str.encode)))
def test_the_decoder_never_raises(value: bytes) -> None:
    assert isinstance(decode_record(value), Claim | Refusal)
    for kind in RowKind:
        decode_row(kind, value)


@SAME_EVERY_RUN
@given(mutated())
def test_a_refused_row_alone_gets_the_same_refusal(document: dict[str, Any]) -> None:
    value = to_bytes(document)
    claim = decode_record(value)
    if isinstance(claim, Claim) and isinstance(claim.body, Body):
        for wrong in claim.body.refused:
            raw = raw_rows(value).bytes_of(wrong.kind, wrong.index)
            assert read_json(raw) == document[wrong.kind][wrong.index]
            assert decode_row(wrong.kind, raw) == wrong.refusal


STATE = st.tuples(written(LOCAL_ID_PATTERN), INSTANTS, st.sampled_from(State), st.sampled_from(Mode), maybe(TEXTS))
COUNT = st.tuples(written(LOCAL_ID_PATTERN), INSTANTS, TEXTS, COUNTS, COUNTS, COUNTS)
READING = st.tuples(
    written(LOCAL_ID_PATTERN), written(METRIC_PATTERN), INSTANTS, st.floats(allow_nan=False, allow_infinity=False)
)


@st.composite
def columns(draw: st.DrawFn) -> tuple[StateRows, CountRows, ReadingRows]:
    """Rows as the decoder returns them: a retracted row has default content."""
    states, counts, readings = StateRows(), CountRows(), ReadingRows()
    retracted = st.booleans()
    for machine_id, at_us, state, mode, reason in draw(st.lists(STATE, max_size=3)):
        gone = draw(retracted)
        content = (State.unknown, Mode.unknown, None) if gone else (state, mode, reason)
        append(states, machine_id, at_us, *content, gone)
    for machine_id, at_us, product, *numbers in draw(st.lists(COUNT, max_size=3)):
        gone = draw(retracted)
        append(counts, machine_id, at_us, product, *([0, 0, 0] if gone else numbers), gone)
    for machine_id, metric, at_us, value in draw(st.lists(READING, max_size=3)):
        gone = draw(retracted)
        append(readings, machine_id, metric, at_us, 0.0 if gone else value, gone)
    return states, counts, readings


def append(rows_of_kind: StateRows | CountRows | ReadingRows, *fields: Any) -> None:
    names = type(rows_of_kind).__slots__
    for name, field in zip(names, (len(rows_of_kind.index), *fields), strict=True):
        getattr(rows_of_kind, name).append(field)


@SAME_EVERY_RUN
@given(
    columns().filter(lambda found: any(of_kind.index for of_kind in found)),
    written(FACTORY_ID_PATTERN),
    written(LOCAL_ID_PATTERN),
    INSTANTS,
    maybe(TEXTS),
    maybe(st.integers(0, MAX_INT64)),
    COUNTS,
)
def test_what_is_encoded_decodes_to_itself(
    found: tuple[StateRows, CountRows, ReadingRows],
    factory_id: str,
    gateway_id: str,
    sent_at_us: int,
    boot_id: str | None,
    sequence: int | None,
    revision: int,
) -> None:
    states, counts, readings = found
    value = encode_record(
        factory_id=factory_id,
        gateway_id=gateway_id,
        sent_at_us=sent_at_us,
        boot_id=boot_id,
        sequence=sequence,
        revision=revision,
        states=states,
        counts=counts,
        readings=readings,
    )
    body = Body(gateway_id, boot_id, sequence, sent_at_us, revision, 0, states, counts, readings, ())
    assert decode_record(value) == Claim(factory_id, body)
    SCHEMA.validate(read_json(value))
