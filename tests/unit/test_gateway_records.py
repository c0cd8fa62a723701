"""Records: their rows, their size, their numbering and their signature."""

import json

from nacl.signing import SigningKey

from schemas.wire.codes import Mode, State
from schemas.wire.decode import Body, Claim, decode_record
from schemas.wire.signature import verify
from services.gateway.records import CountRow, ReadingRow, Record, RecordWriter, Row, StateRow, new_boot_id

SEED = bytes(range(32))
AT_US = 1_709_539_200_000_000


def writer(maximum_rows: int = 1000, maximum_bytes: int = 256 * 1024) -> RecordWriter:
    return RecordWriter(
        factory_id="F000123",
        gateway_id="gw-1",
        key_id="key-1",
        seed=SEED,
        boot_id="2024-03-04T08:00:00Z/7f3a",
        maximum_rows=maximum_rows,
        maximum_bytes=maximum_bytes,
    )


def readings(number: int) -> list[Row]:
    return [ReadingRow("M01", AT_US + n, "spindle_load_pct", n / 7) for n in range(number)]


def body(record: Record) -> Body:
    claim = decode_record(record.value)
    assert isinstance(claim, Claim)
    assert isinstance(claim.body, Body)
    assert claim.factory_id == "F000123"
    return claim.body


def test_every_kind_of_row_decodes_to_what_it_was() -> None:
    rows: list[Row] = [
        StateRow("M01", AT_US, State.producing, Mode.automatic),
        CountRow("M02", AT_US + 1, 3, 1, 0, "P-77"),
        StateRow("M01", AT_US + 2, State.faulted, Mode.unknown, "servo alarm"),
        ReadingRow("M01", AT_US + 3, "spindle_load_pct", 37.5),
    ]
    (record,) = writer().write(rows, AT_US + 9)
    sent = body(record)
    assert record.rows == 4
    assert record.key == b"F000123"
    assert (sent.gateway_id, sent.boot_id, sent.sequence) == ("gw-1", "2024-03-04T08:00:00Z/7f3a", 0)
    assert (sent.sent_at_us, sent.revision, sent.refused) == (AT_US + 9, 0, ())
    assert sent.states.at_us == [AT_US, AT_US + 2]
    assert sent.states.state == [State.producing, State.faulted]
    assert sent.states.mode == [Mode.automatic, Mode.unknown]
    assert sent.states.reason == [None, "servo alarm"]
    assert (sent.counts.good, sent.counts.scrap, sent.counts.product) == ([3], [1], ["P-77"])
    assert (sent.readings.metric, sent.readings.value) == (["spindle_load_pct"], [37.5])


def test_the_signature_covers_the_bytes_sent() -> None:
    (record,) = writer().write(readings(3), AT_US)
    headers = dict(record.headers)
    assert list(headers) == ["jejo-key-id", "jejo-signature"]
    assert headers["jejo-key-id"] == b"key-1"
    public = bytes(SigningKey(SEED).verify_key)
    assert verify(record.value, headers["jejo-signature"], public)
    assert not verify(record.value + b" ", headers["jejo-signature"], public)


def test_records_are_numbered_without_gaps_and_have_at_most_maximum_rows() -> None:
    out = writer(maximum_rows=10)
    records = out.write(readings(25), AT_US) + out.write(readings(1), AT_US) + out.write([], AT_US)
    assert [record.rows for record in records] == [10, 10, 5, 1]
    assert [body(record).sequence for record in records] == [0, 1, 2, 3]


def test_records_have_at_most_maximum_bytes() -> None:
    rows = readings(100)
    records = writer(maximum_bytes=2000).write(rows, AT_US)
    assert all(len(record.value) <= 2000 for record in records)
    assert [body(record).sequence for record in records] == list(range(len(records)))
    assert [us for record in records for us in body(record).readings.at_us] == [row.at_us for row in rows]


def test_a_full_record_of_readings_fits_whatever_their_ids() -> None:
    rows = [ReadingRow("M" * 64, AT_US + n, "m" * 63, -1.2345678901234567e-300) for n in range(1000)]
    out = RecordWriter(factory_id="F" * 64, gateway_id="g" * 64, key_id="k", seed=SEED, boot_id="b" * 128)
    (record,) = out.write(rows, AT_US)
    assert record.rows == 1000
    assert len(record.value) < 256 * 1024


def test_a_single_row_is_sent_whatever_its_size() -> None:
    assert len(writer(maximum_bytes=10).write(readings(2), AT_US)) == 2


def test_the_same_rows_at_the_same_instant_give_the_same_bytes() -> None:
    (first,) = writer().write(readings(5), AT_US)
    (second,) = writer().write(readings(5), AT_US + 1_000_000)
    one, two = json.loads(first.value), json.loads(second.value)
    assert one.pop("sent_at") != two.pop("sent_at")
    assert one == two
    assert writer().write(readings(5), AT_US)[0].value == first.value


def test_boot_ids_are_unique_and_begin_with_the_instant() -> None:
    assert len({new_boot_id(AT_US) for _ in range(20)}) > 1
    assert new_boot_id(AT_US).startswith("2024-03-04T08:00:00Z/")
