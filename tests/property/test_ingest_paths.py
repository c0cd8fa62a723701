"""The fast path takes nothing that the strict path refuses, and reads what it takes alike."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.wire.codes import Mode, State
from schemas.wire.columns import CountRows, ReadingRows, StateRows
from schemas.wire.encode import encode_record
from schemas.wire.instant_columns import UNKNOWN, parse_texts
from schemas.wire.instants import FIRST_US, LAST_US, format_ms, format_us, parse_text
from tests.both_paths import NO_SENDER, RECEIVED_US, SENDER, assert_both_paths_agree

TOKENS = (
    *(b'"at":', b'"value":1,', b"NaN", b"true", b"null", b'""', b"\\u0041", b'"', b",", b"{", b"}", b"[", b"]", b":"),
    *(b"1e400", b"3.0", b"01", b"-0", b"-0.0", b".5", b"5.", b"e5", b"99999999999999999999", b"-", b"+", b"Z", b"24"),
    *(b'"retracted":true,', b"\xed\xa0\x80", b"\x00", b"\xea\xb3\xb5", b" ", b"\n", b'"revision":1,', b'"mode":null,'),
    *(b'"factory_id":"F1",', b'"factory_id":"F2",', b'"readings":[],', b'"M2"', b'"M9"', b'"new_c"', b"+09:00"),
    *(b'"reason":"a",', b'"product":"",', b'"scrap":2,', b'"states":null,', b"2026-02-29", b"1772290800123", b"t"),
)
machine_ids = st.sampled_from(["M1", "M1", "M1", "M2", "M3", "M9", "bad id"])
instants = st.one_of(
    st.integers(RECEIVED_US - 10**9, RECEIVED_US), st.integers(FIRST_US, LAST_US), st.just(RECEIVED_US // 2)
)
texts = st.sampled_from(["", "tool", "공구 교환", "a\tb", 'say "hi"', "x" * 128, "x" * 129, "\x00"])


def columns(kind: Callable[[], Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Rows of a kind; each as a tuple of its fields first."""
    names = ["machine_id", "at_us", "retracted", *fields]
    row = st.tuples(machine_ids, instants, st.sampled_from([False] * 9 + [True]), *fields.values())

    def to_columns(found: list[tuple[Any, ...]]) -> Any:
        rows = kind()
        for values in found:
            rows.index.append(len(rows.index))
            for name, value in zip(names, values, strict=True):
                getattr(rows, name).append(value)
        return rows

    return st.lists(row, max_size=4).map(to_columns)


COUNTS = st.integers(0, 2**31 - 1)
encoded = st.builds(
    encode_record,
    factory_id=st.sampled_from(["F1", "F1", "F1", "F2", "F9"]),
    gateway_id=st.sampled_from(["gw-1", "gw-1", "gw 1"]),
    sent_at_us=instants,
    boot_id=st.one_of(st.none(), texts),
    sequence=st.one_of(st.none(), st.integers(0, 2**63)),
    revision=st.sampled_from([0, 0, 1, 2**31 - 1, 2**31]),
    states=columns(
        StateRows, state=st.sampled_from(list(State)), mode=st.sampled_from(list(Mode)), reason=st.none() | texts
    ),
    counts=columns(CountRows, product=texts, good=COUNTS, scrap=COUNTS, rework=COUNTS),
    readings=columns(
        ReadingRows,
        metric=st.sampled_from(["load_pct", "temp_c", "new_c", "Bad"]),
        value=st.floats(allow_nan=False, allow_infinity=False),
    ),
    instants=st.sampled_from([format_us, format_ms]),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A record's bytes, some of them changed."""
    value = bytearray(draw(encoded))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(value)))
        end = draw(st.integers(start, min(len(value), start + 40)))
        match draw(st.sampled_from(["byte", "cut", "token", "token", "double"])):
            case "byte":
                value[start : start + 1] = draw(st.binary(min_size=1, max_size=1))
            case "cut":
                del value[start : min(end, start + 8)]
            case "token":
                value[start:start] = draw(st.sampled_from(TOKENS))
            case _:
                value[start:start] = value[start:end]
    return bytes(value)


senders = st.sampled_from([SENDER, SENDER, SENDER, NO_SENDER])


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(damaged(), senders), min_size=1, max_size=5))
def test_both_paths_find_the_same(batch: list[tuple[bytes, Any]]) -> None:
    values, found = zip(*batch, strict=True)
    assert_both_paths_agree(values, found)


def written_by_a_gateway(instants: Callable[[int], str | int]) -> bytes:
    """A record of every kind of row, all valid, as the reference gateway writes it."""
    return encode_record(
        factory_id="F1",
        gateway_id="gw-1",
        sent_at_us=RECEIVED_US,
        boot_id="b",
        sequence=7,
        states=StateRows([0], ["M1"], [RECEIVED_US], [State.idle], [Mode.unknown], ["공구 교환"], [False]),
        counts=CountRows([0], ["M1"], [RECEIVED_US], ["P-1"], [3], [0], [1], [False]),
        readings=ReadingRows([0, 1], ["M1", "M1"], ["load_pct", "temp_c"], [RECEIVED_US, 0], [1.5, -0.0], [False] * 2),
        instants=instants,
    )


def test_what_gateways_write_takes_the_fast_path() -> None:
    for form in (format_us, format_ms):
        assert assert_both_paths_agree([written_by_a_gateway(form)] * 3, [SENDER] * 3) == 3


def test_records_that_only_the_strict_path_takes_stay_in_order() -> None:
    """The first is given up after the others were judged; of the same row at the same revision the first must stay."""
    record = functools.partial(encode_record, factory_id="F1", gateway_id="gw-1", sent_at_us=RECEIVED_US)
    not_in_use, unknown = (
        StateRows([0, 1], ["M1", other], [RECEIVED_US] * 2, [state] * 2, [Mode.unknown] * 2, [None] * 2, [False] * 2)
        for other, state in (("M3", State.idle), ("M9", State.faulted))
    )
    assert assert_both_paths_agree([record(states=not_in_use), record(states=unknown)], [SENDER] * 2) == 0


@pytest.mark.parametrize(
    "text",
    [
        *("2026-02-29T00:00:00Z", "2024-02-29T23:59:59Z", "2100-02-29T00:00:00Z", "2000-02-29T00:00:00.1Z"),
        *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+00:01"),
        *("2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z"),
        *("2026-01-01T24:00:00Z", "2026-01-01T23:60:00Z", "2026-01-01T23:59:60Z", "2026-01-01T00:00:00.Z", "", "Z"),
        *("2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00-09:60", "2026-01-01T00:00:00.123456-23:59", "é" * 20),
    ],
)
def test_instants_of_a_column_are_those_of_the_strict_reader(text: str) -> None:
    (found,) = parse_texts([text]).tolist()
    assert found in (UNKNOWN, parse_text(text))
    assert (found == UNKNOWN) == (parse_text(text) is None)


@settings(max_examples=500)
@given(st.lists(instants, min_size=1, max_size=20), st.data())
def test_columns_of_instants_are_parsed_as_one_by_one(us: list[int], data: st.DataObject) -> None:
    written = []
    for one in us:
        text = format_us(one)
        fraction = data.draw(st.integers(0, 7))
        text = text[:19] + (text[19 : 19 + fraction] if fraction > 1 else "") + "Z"
        zone = data.draw(st.sampled_from(["Z", "+09:00", "-00:30", "+23:59"]))
        written.append(text[:-1] + zone)
    assert parse_texts(written).tolist() == [UNKNOWN if (at := parse_text(text)) is None else at for text in written]
