"""What ``make bench`` prepares: the bytes of records and batches, and the yardsticks' rows."""

import itertools
from collections import defaultdict

import numpy as np
from kafka.record.memory_records import MemoryRecords

from schemas.wire.columns import ReadingRows
from schemas.wire.decode import Body, decode_record
from schemas.wire.encode import encode_record
from schemas.wire.refusal import Refusal
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, verify
from tests.bench.ingest import hostile, states
from tests.bench.ingest.batches import Codec, encode_batch, pack, partition_of
from tests.bench.ingest.delay import committed_us
from tests.bench.ingest.records import FIRST_SEQUENCE, MACHINES, METRICS, SERIES, Country, Rows
from tests.bench.ingest.yardsticks import HEADER, ROW, TRAILER, by_batch, by_key

COUNTRY = Country(factories=3)


def body_of(value: bytes) -> Body:
    claim = decode_record(value)
    assert not isinstance(claim, Refusal)
    assert isinstance(claim.body, Body)
    return claim.body


def test_records_are_what_the_encoder_writes_for_the_same_rows() -> None:
    rows = COUNTRY.readings(instant=7, instants=2)
    for n, record in enumerate(COUNTRY.records(rows, sequence=5)):
        assert record.value == encode_record(
            factory_id=f"F{n + 1:06d}",
            gateway_id="gw-1",
            boot_id="b1",
            sequence=FIRST_SEQUENCE + 5,
            sent_at_us=int(rows.at_us.max()),
            readings=ReadingRows(
                machine_id=[f"M{m:02d}" for m in range(1, MACHINES + 1) for _ in METRICS] * 2,
                metric=list(METRICS) * MACHINES * 2,
                at_us=rows.at_us[n].tolist(),
                value=rows.value[n].tolist(),
                retracted=[False] * SERIES * 2,
            ),
        )


def test_records_are_signed_with_the_countrys_key() -> None:
    for record in COUNTRY.records(COUNTRY.readings(0), 0):
        headers = dict(record.headers)
        assert headers[KEY_ID_HEADER] == b"k1"
        assert verify(record.value, headers[SIGNATURE_HEADER], COUNTRY.public_key)


def test_no_two_readings_share_an_instant() -> None:
    at_us = np.concatenate([COUNTRY.readings(step).at_us.ravel() for step in range(4)])
    assert len(np.unique(at_us)) == 4 * COUNTRY.rows_a_step


def test_records_of_states_and_counts_have_a_hundred_valid_rows_at_instants_of_their_own() -> None:
    bodies = [body_of(record.value) for record in states.records(COUNTRY, 4)]
    assert not any(body.refused for body in bodies)
    assert {len(body.states.at_us) + len(body.counts.at_us) for body in bodies} == {100}
    at_us = list(itertools.chain.from_iterable([*body.states.at_us, *body.counts.at_us] for body in bodies))
    assert len(set(at_us)) == 1200


def test_batches_hold_the_records_by_partition_in_order_at_the_places_given() -> None:
    records = [record for step in range(40) for record in COUNTRY.records(COUNTRY.readings(step), step)]
    load = pack(records, most_bytes=100_000)
    assert load.records == len(records)
    assert len(load.batches) > 3
    logs: dict[int, list[bytes | None]] = defaultdict(list)
    for batch in load.batches:
        log = logs[batch.partition]
        found = MemoryRecords(batch.data).next_batch()
        assert found is not None
        log += [record.value for record in found]
    for record, partition, offset in zip(records, *load.places(), strict=True):
        assert partition == partition_of(record.key)
        assert logs[partition][offset] == record.value


def test_a_bomb_is_a_batch_of_a_few_kilobytes() -> None:
    batch = encode_batch(3, [COUNTRY.signed("F000001", b" " * 20_000_000)], Codec.zstd)
    assert len(batch.data) < 4000


def test_a_flood_has_a_record_for_each_honest_one_and_all_are_invalid() -> None:
    country = Country(factories=4)
    honest = [record for step in range(50) for record in country.records(country.readings(step), step)]
    reasons: dict[str, int] = defaultdict(int)
    for record in hostile.flood(country, honest):
        claim = decode_record(record.value)
        reasons[str(claim.reason) if isinstance(claim, Refusal) else claim.factory_id[0]] += 1
    # Those that decode have an invalid signature, name machines that do not exist, or are of invented factories.
    assert set(reasons) == {"F", "X", "bad_json", "too_large"}
    assert sum(reasons.values()) == len(honest)
    assert reasons["X"] == len(honest) / 2


def copied(piece: bytes) -> list[tuple[int, int, int]]:
    """The keys of one COPY's rows."""
    assert piece.startswith(HEADER)
    assert piece.endswith(TRAILER)
    lines = np.frombuffer(piece[len(HEADER) : -len(TRAILER)], ROW)
    return list(zip(lines["machine"].tolist(), lines["metric"].tolist(), lines["at"].tolist(), strict=True))


def test_yardsticks_have_all_rows_once_each_piece_sorted_by_key() -> None:
    steps = [COUNTRY.readings(step) for step in range(2)]
    rows = Rows(*(np.concatenate([getattr(step, name) for step in steps]) for name in Rows.__slots__))
    batches = np.array([1, 0, 1, 0, 0, 1])
    whole = [copied(piece) for piece in by_key(rows, 2)]
    parts = [copied(piece) for piece in by_batch(rows, batches)]
    assert sorted(whole[0] + whole[1]) == whole[0] + whole[1]
    assert [len(part) for part in parts] == [3 * SERIES, 3 * SERIES]
    assert all(part == sorted(part) for part in parts)
    assert sorted(parts[0] + parts[1]) == whole[0] + whole[1]
    # The first transaction has the second factory's first record, and the first and second one's second.
    assert {machine for machine, _, _ in parts[0]} == set(range(1, 2 * MACHINES + 1))


def test_a_record_was_committed_when_the_offset_behind_it_was_first_seen() -> None:
    seen = [(0, 10), (3, 20), (7, 30)]
    assert [committed_us(seen, offset) for offset in (0, 2, 3, 6)] == [20, 20, 30, 30]
