"""Quotas on a real database: what is spent, who introduced a metric or a day, and letters that are only counted."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from schemas.wire.codes import Reason
from schemas.wire.columns import RowKind
from services.core.database import Connection, connect
from services.core.times import DAY_US, HOUR_US, SECOND_US
from services.ingest.database import connect_to_write
from services.ingest.judging.introductions import FactDay, Introductions, Request
from services.ingest.judging.quotas import FactoryLimits, PartitionHour, Quotas, load
from services.ingest.letters.dead_letters import expire_dead_letters, list_counts, write_dead_letters
from services.ingest.letters.letter_quota import LetterLimits
from services.ingest.model import AuthenticRecord, BusRecord, DeadLetter, FactTable, Findings
from services.ingest.writing.writer import OffsetMove, Topic, Writer
from tests.findings import write_findings

HOUR = 1_740_927_600_000_000
"""The start of the hour of receipt."""
RECEIVED_US = HOUR + 20 * 60 * SECOND_US
NOON = HOUR - 3 * HOUR_US
TOPIC = Topic(1, "c", "t")
KEPT = LetterLimits(1 << 30, 1 << 30, 1 << 30)
LIMITS = FactoryLimits(rows=5, size=1000, metrics=3, days=2)
MIGRATION = Path(__file__).parents[2] / "schemas/migrations/0015_quotas.sql"
DAY = NOON // DAY_US


def source(offset: int, partition: int = 0, received_us: int = RECEIVED_US, value: bytes = b"v" * 100) -> BusRecord:
    return BusRecord(partition, offset, received_us, b"F1", value, ())


def record(batch: Findings, place: BusRecord, *, factory: int = 1, revision: int = 0, refused: int = 0) -> int:
    """Add a record to a batch; returns its index."""
    batch.records.append(AuthenticRecord(place, factory, "gw-1", None, None, NOON, revision, None, 0, refused))
    return len(batch.records) - 1


def reading(batch: Findings, index: int, at_us: int, name: str = "load_pct", value: float = 1.5) -> None:
    facts = batch.rows[FactTable.READING]
    facts.index.append(0)
    facts.machine.append(1)
    facts.key.append(name)
    facts.at_us.append(at_us)
    facts.content.append((value,))
    facts.retracted.append(False)
    facts.record.append(index)


def refused_row(place: BusRecord, index: int, reason: Reason, row: int = 0) -> DeadLetter:
    return DeadLetter(place, "F1", True, reason, "m", b"{}", RowKind.readings, row, index)


def forged(offset: int, factory: str, reason: Reason = Reason.bad_signature, size: int = 1000) -> DeadLetter:
    place = BusRecord(0, offset, RECEIVED_US, factory.encode(), b"x" * size, (("h", b"1" * 30),))
    return DeadLetter(place, factory, False, reason, "m", b"x" * size)


async def rows_of(connection: Connection, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(query, *parameters)]


async def test_what_is_spent_is_loaded_from_records_below_the_first_offset(
    owner: Connection, ingest: Connection
) -> None:
    batch = Findings()
    for offset, factory, received_us in ((0, 1, RECEIVED_US), (1, 2, RECEIVED_US), (2, 1, RECEIVED_US - HOUR_US)):
        reading(batch, record(batch, source(offset, received_us=received_us), factory=factory), NOON + offset)
    index = record(batch, source(5, value=b"v" * 40), refused=2)
    reading(batch, index, NOON + 5)
    reading(batch, index, NOON + 5)
    batch.dead_letters += [refused_row(batch.records[index].source, index, Reason.not_in_use, n) for n in range(2)]
    reading(batch, record(batch, source(6)), NOON + 6)
    reading(batch, record(batch, source(0, partition=1)), NOON + 7)
    await write_findings(Writer(TOPIC, KEPT), ingest, batch, OffsetMove(0, 0, 7), OffsetMove(1, 0, 1))

    quotas = Quotas(LIMITS)
    place = PartitionHour(0, HOUR)
    await load(ingest, TOPIC.number, quotas, {place: 6})
    # One row and 100 bytes, then four rows, of which two were refused, and 40 bytes.
    refusal = quotas.admit(0, HOUR, 1)
    assert refusal is not None
    assert "5 rows" in refusal
    assert quotas.admit(0, HOUR, 2) is None
    assert quotas.missing({place: 7}) == {}
    quotas.close_batch({0: 7})
    assert quotas.missing({PartitionHour(1, HOUR): 1}) == {PartitionHour(1, HOUR): 1}

    again = Quotas(replace(LIMITS, rows=100, size=140))
    await load(ingest, TOPIC.number, again, {place: 6})
    assert "140 bytes" in str(again.admit(0, HOUR, 1))
    earlier = Quotas(LIMITS)
    await load(ingest, TOPIC.number, earlier, {place: 5})
    assert earlier.admit(0, HOUR, 1) is None


def request(
    offset: int, names: str = "", days: tuple[int, ...] = (), *, partition: int = 0, factory: int = 1
) -> Request:
    return Request(
        partition, offset, RECEIVED_US, factory, tuple(names.split()), tuple(FactDay(FactTable.STATE, d) for d in days)
    )


async def test_names_and_days_beyond_the_quota_are_refused_and_found_again_after_a_crash(ingest: Connection) -> None:
    requests = [
        request(0, "a_c b_c", (1,)),
        request(1, "b_c c_c d_c", (1, 2, 3)),
        request(2, "d_c", (3,), factory=2),
        request(3, "d_c e_c", (3, 4)),
    ]
    names, days = {name for r in requests for name in r.metrics}, {day for r in requests for day in r.days}
    outcomes = []
    for _ in range(2):
        known = Introductions(TOPIC.number)
        unknown = await known.look_up(ingest, {0: 0}, names, days)
        assert (unknown.metrics, unknown.days) == (names, days)
        outcomes.append(await known.introduce(ingest, requests, LIMITS))
        assert known.metrics.keys() == {"a_c", "b_c", "c_c", "d_c"}
    assert outcomes[0] == outcomes[1]
    assert outcomes[0].metrics_added == [2, 1, 1, 0]
    assert outcomes[0].days_added == [1, 1, 1, 0]
    assert outcomes[0].refused_metrics == {(1, "d_c"), (3, "e_c")}
    assert outcomes[0].refused_days == {(1, FactDay(FactTable.STATE, 3)), (3, FactDay(FactTable.STATE, 4))}

    # In smaller batches, after another crash: the record at 1 does not profit from what the one at 2 introduced.
    known = Introductions(TOPIC.number)
    for n, one in enumerate(requests):
        unknown = await known.look_up(ingest, {0: n}, one.metrics, one.days)
        assert {"d_c"} & set(one.metrics) <= unknown.metrics or n > 2
        done = await known.introduce(ingest, [one], LIMITS)
        assert done.metrics_added == [outcomes[0].metrics_added[n]]
        assert done.refused_metrics == {(0, name) for m, name in outcomes[0].refused_metrics if m == n}
        assert done.refused_days == {(0, day) for m, day in outcomes[0].refused_days if m == n}

    later = await Introductions(TOPIC.number).look_up(ingest, {0: 4}, names, days)
    assert (later.metrics, later.days) == ({"e_c"}, {FactDay(FactTable.STATE, 4)})
    # Another partition, and an operator's replay, are not affected by this quota.
    assert (await known.introduce(ingest, [request(0, "e_c", partition=1)], LIMITS)).metrics_added == [1]
    assert (await known.introduce(ingest, [request(9, "f_c g_c", (7, 8))], None)).days_added == [2]


async def test_workers_that_introduce_the_same_at_once_neither_fail_nor_wait_for_each_other(
    database: str, owner: Connection
) -> None:
    workers = 4
    connections = [await connect_to_write(database, "test") for _ in range(workers)]
    names = [f"m{n}_c" for n in range(300)]
    # Enough even if one partition's worker is the first with every name of every turn.
    limits = FactoryLimits(1, 1, 5 * len(names), 5 * 9)
    try:
        for turn in range(5):
            own = [f"t{turn}_{name}" for name in names]
            done = await asyncio.gather(
                *(
                    Introductions(TOPIC.number).introduce(
                        connection,
                        [
                            request(
                                turn,
                                " ".join(own[n::2] if n % 2 else own),
                                tuple(range(turn * 9, turn * 9 + 9)),
                                partition=n,
                            )
                            for n in ([worker, worker + 4] if worker % 2 else [worker + 4, worker])
                        ],
                        limits,
                    )
                    for worker, connection in enumerate(connections)
                )
            )
            assert sum(sum(one.metrics_added) for one in done) == len(names)
            assert sum(sum(one.days_added) for one in done) == 9
            assert not any(one.refused_metrics or one.refused_days for one in done)
    finally:
        for connection in connections:
            await connection.close()


async def test_the_migration_finds_the_days_of_facts_that_are_there(owner: Connection) -> None:
    await owner.execute(
        "INSERT INTO state_event "
        "SELECT 1, '2020-02-28Z'::timestamptz + n * INTERVAL '10 hours', 1, 1, NULL, 0, false, 1 "
        "FROM generate_series(0, 6) n"
    )
    await owner.execute("INSERT INTO reading VALUES (1, 1, '2016-01-01 23:59:59.999999Z', 1, 0, false, 1)")
    await backfill(owner)
    await backfill(owner)
    assert await rows_of(owner, "SELECT table_name, day::text, topic FROM fact_day ORDER BY 1, 2") == [
        ("reading", "2016-01-01", None),
        ("state_event", "2020-02-28", None),
        ("state_event", "2020-02-29", None),
        ("state_event", "2020-03-01", None),
    ]


async def test_the_migration_finds_the_days_of_compressed_facts(community_database: str) -> None:
    connection = await connect(community_database)
    try:
        await connection.execute(
            "INSERT INTO count_event VALUES (1, '2016-01-01Z', 'P', 1, 0, 0, 0, false, 1), "
            "(1, '2016-03-01Z', 'P', 1, 0, 0, 0, false, 1)"
        )
        await connection.execute("SELECT compress_chunk(c) FROM show_chunks('count_event') AS c")
        await backfill(connection)
        assert await rows_of(connection, "SELECT table_name, day::text FROM fact_day ORDER BY 2") == [
            ("count_event", "2016-01-01"),
            ("count_event", "2016-03-01"),
        ]
    finally:
        await connection.close()


async def backfill(connection: Connection) -> None:
    (block,) = re.findall(r"DO \$\$.*?\$\$;", MIGRATION.read_text(), re.DOTALL)
    await connection.execute("SET ROLE jejo_migrate")
    await connection.execute(block)
    await connection.execute("RESET ROLE")


SHARED = LetterLimits(1 << 20, 100, 50_000)


async def letters_in_batches(connection: Connection, letters: list[DeadLetter], step: int) -> None:
    for start in range(0, len(letters), step):
        batch = Findings(dead_letters=letters[start : start + step])
        move = OffsetMove(0, start, min(len(letters), start + step))
        await write_findings(Writer(TOPIC, SHARED), connection, batch, move)


async def test_forgeries_share_one_quota_whatever_factories_they_claim(owner: Connection, ingest: Connection) -> None:
    letters = [
        forged(n, f"F{n:06}", Reason.unknown_factory if n % 4 else Reason.bad_signature, 100 if n < 50 else 2000)
        for n in range(4000)
    ]
    await letters_in_batches(ingest, letters, 700)
    state = [await rows_of(owner, query) for query in (KEPT_LETTERS, COUNTS, SPENT)]
    assert state[0] == [(70, 69)]
    ((kept, size, last_offset),) = state[2]
    assert (kept, last_offset) == (70, 3999)
    assert size <= SHARED.shared_bytes
    assert sum(row[1] for row in state[1]) + kept == len(letters)
    assert {row[0]: row[3] for row in state[1]} == {"bad_signature": 3996, "unknown_factory": 3999}
    assert await owner.fetchval("SELECT sum(pg_total_relation_size(c)) FROM unnest($1::regclass[]) c", TABLES) < 1 << 20

    # An operator has the partition read again, in other batches: nothing is kept or counted twice.
    await owner.execute("UPDATE ingest_offset SET next_offset = 0 WHERE partition = 0")
    await letters_in_batches(ingest, letters, 999)
    assert [await rows_of(owner, query) for query in (KEPT_LETTERS, COUNTS, SPENT)] == state
    (first, *_) = await list_counts(ingest, "bad_signature", 5)
    assert first.endswith("bad_signature  982 letters  1964000 bytes  up to offset 3996"), first


KEPT_LETTERS = "SELECT count(*), max(record_offset) FROM dead_letter"
COUNTS = "SELECT reason, letters, bytes, last_offset FROM dead_letter_count ORDER BY 1"
SPENT = "SELECT letters, bytes, last_offset FROM dead_letter_spent WHERE factory = ''"
TABLES = ["dead_letter", "dead_letter_count", "dead_letter_spent"]


async def test_what_was_a_fact_or_a_letter_stays_so_when_it_is_read_again(
    owner: Connection, ingest: Connection
) -> None:
    """The registry was changed meanwhile, so now each would be judged as the other was."""
    writer = Writer(TOPIC, KEPT)
    first = Findings(dead_letters=[forged(1, "F1")])
    reading(first, record(first, source(0)), NOON)
    await write_findings(writer, ingest, first, OffsetMove(0, 0, 2))
    again = Findings(dead_letters=[forged(0, "F1")])
    reading(again, record(again, source(1)), NOON + 1)
    reading(again, record(again, source(2)), NOON + 2)
    await owner.execute("UPDATE ingest_offset SET next_offset = 0 WHERE partition = 0")
    await write_findings(writer, ingest, again, OffsetMove(0, 0, 3))
    assert await rows_of(owner, "SELECT record_offset FROM ingest_record ORDER BY 1") == [(0,), (2,)]
    assert await rows_of(owner, "SELECT record_offset FROM dead_letter") == [(1,)]
    assert await owner.fetchval("SELECT count(*) FROM reading") == 2


async def test_letters_expire_with_their_counts(owner: Connection, ingest: Connection) -> None:
    await letters_in_batches(ingest, [forged(n, "F1", size=100) for n in range(150)], 150)
    for table in TABLES:
        await owner.execute(f"UPDATE {table} SET kept_at = kept_at - INTERVAL '91 days'")
    place = source(200)
    batch = Findings(dead_letters=[DeadLetter(place, "F1", True, Reason.bad_schema, "m", b"{}")])
    await write_findings(Writer(TOPIC, SHARED), ingest, batch, OffsetMove(0, 150, 201))
    before_us = await owner.fetchval("SELECT now() - INTERVAL '90 days'")
    assert await expire_dead_letters(ingest, before_us) == 100
    assert await rows_of(owner, KEPT_LETTERS) == [(1, 200)]
    assert await rows_of(owner, COUNTS) == []
    assert await rows_of(owner, "SELECT factory, letters FROM dead_letter_spent") == [("F1", 1)]
    assert await expire_dead_letters(ingest, before_us) == 0


QUALITY = """
SELECT rows_stored, rows_duplicate, rows_clashed, rows_refused, value_bytes, rows_late, rows_revised, newest_at,
       refusals, metrics_added, days_added
FROM ingest_record ORDER BY record_offset
"""


async def test_a_record_says_what_it_brought_and_a_redelivered_one_nothing(
    owner: Connection, ingest: Connection
) -> None:
    def batch_at(offset: int, revision: int = 0, value: float = 1.5) -> Findings:
        batch = Findings()
        place = source(offset)
        index = record(batch, place, revision=revision, refused=3)
        for at_us in (NOON, RECEIVED_US - DAY_US, RECEIVED_US - DAY_US - 1):
            reading(batch, index, at_us, "load_pct", value)
        reading(batch, index, NOON, "temp_c", value)
        reasons = (Reason.not_in_use, Reason.unknown_machine, Reason.not_in_use)
        batch.dead_letters += [refused_row(place, index, reason, n) for n, reason in enumerate(reasons)]
        return batch

    for offset, batch in enumerate([batch_at(0), batch_at(1), batch_at(2, value=2.5), batch_at(3, 1), batch_at(4, 1)]):
        await write_findings(Writer(TOPIC, KEPT), ingest, batch, OffsetMove(0, offset, offset + 1))
    refused = '{"not_in_use": 2, "unknown_machine": 1}'
    assert await rows_of(owner, QUALITY) == [
        (4, 0, 0, 3, 100, 1, 0, NOON, refused, 2, 2),
        (0, 4, 0, 3, 100, 0, 0, None, refused, 0, 0),
        (0, 0, 4, 3, 100, 0, 0, NOON, refused, 0, 0),
        (4, 0, 0, 3, 100, 1, 4, NOON, refused, 0, 0),
        (0, 4, 0, 3, 100, 0, 0, None, refused, 0, 0),
    ]


async def test_the_same_rows_in_one_batch_are_counted_as_in_two(owner: Connection, ingest: Connection) -> None:
    batch = Findings()
    for offset, revision in enumerate((0, 2, 1, 0)):
        reading(batch, record(batch, source(offset), revision=revision), NOON, value=revision)
    batch.dead_letters.append(forged(9, "F1"))
    await write_findings(Writer(TOPIC, KEPT), ingest, batch, OffsetMove(0, 0, 10))
    found = await rows_of(
        owner, "SELECT rows_stored, rows_duplicate, rows_revised FROM ingest_record ORDER BY record_offset"
    )
    assert found == [(1, 0, 0), (1, 0, 1), (1, 0, 1), (0, 1, 0)]


async def test_letters_of_other_partitions_and_hours_have_their_own_quota(
    owner: Connection, ingest: Connection
) -> None:
    limits = LetterLimits(0, 1, 1 << 20)
    one = forged(0, "F1")
    others = [one, forged(1, "F2")]
    others.append(replace(one, source=replace(one.source, partition=1)))
    others.append(replace(one, source=replace(one.source, offset=2, received_us=RECEIVED_US + HOUR_US)))
    async with ingest.transaction():
        written = await write_dead_letters(ingest, TOPIC.number, others, None, limits)  # type: ignore[arg-type]
    assert (written.kept, written.counted) == ({Reason.bad_signature: 3}, {Reason.bad_signature: 1})
