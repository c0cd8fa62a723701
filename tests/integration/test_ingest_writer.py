"""Ingest's writer on a real database: records read twice, many days, ids of metrics, quotas of dead letters."""

import asyncio
import threading
import time
from concurrent.futures import CancelledError
from typing import Any

import pytest

from schemas.wire.codes import Reason
from schemas.wire.columns import RowKind
from services.core.database import Connection
from services.core.errors import ConfigurationError, TransientError
from services.core.times import DAY_US
from services.ingest.database import DatabaseThread, connect_to_write
from services.ingest.judging.registry import Registry, refresh_registry
from services.ingest.letters.letter_quota import LetterLimits
from services.ingest.model import AuthenticRecord, BusRecord, Content, DeadLetter, FactTable, Findings
from services.ingest.stream.offsets import BeyondLog, adopt_topic, enter_topic, load_offsets, override_offset
from services.ingest.stream.progress import LogBounds
from services.ingest.stream.topic import TopicName
from services.ingest.writing.writer import OffsetMove, Topic, Writer
from tests.findings import write_findings

ORIGIN_US = 1_488_326_400_000_000
TOPIC = Topic(1, "c", "t")
NO_LIMIT = LetterLimits(1 << 40, 1 << 40, 1 << 40)
NOTHING_KEPT = LetterLimits(0, 0, 0)


def source(offset: int, key: bytes = b"F1", headers: tuple[tuple[str, bytes | None], ...] = ()) -> BusRecord:
    return BusRecord(0, offset, ORIGIN_US, key, b"", headers)


def record(batch: Findings, offset: int, revision: int = 0, refused: int = 0) -> int:
    """Add a record to a batch; returns its index."""
    made = AuthenticRecord(source(offset), 1, "gw-1", None, None, ORIGIN_US, revision, None, 0, refused)
    batch.records.append(made)
    return len(batch.records) - 1


def row(batch: Findings, index: int, at_us: int, content: Content = (1, 1, None), key: str = "") -> None:
    table = FactTable.READING if key else FactTable.STATE
    facts = batch.rows[table]
    facts.index.append(0)
    facts.machine.append(1)
    facts.key.append(key)
    facts.at_us.append(at_us)
    facts.content.append(content)
    facts.retracted.append(False)
    facts.record.append(index)


def letter(offset: int, raw: bytes = b"x", record: int | None = None, factory: str | None = "F1") -> DeadLetter:
    kind, index = (None, None) if record is None else (RowKind.states, 0)
    headers = (("h", b"1" * 30), ("n", None))
    return DeadLetter(source(offset, headers=headers), factory, True, Reason.bad_json, "m", raw, kind, index, record)


def batch_of_all_kinds(first: int) -> Findings:
    """A record with a fact and a refused row, and a record refused as a whole."""
    batch = Findings()
    index = record(batch, first, refused=1)
    row(batch, index, ORIGIN_US + first)
    batch.dead_letters += [letter(first, record=index), letter(first + 1)]
    return batch


async def counts(owner: Connection) -> Any:
    (found,) = await owner.fetch(
        "SELECT (SELECT count(*) FROM state_event), (SELECT count(*) FROM dead_letter), count(*), "
        "sum(rows_stored), sum(rows_duplicate), sum(rows_refused) FROM ingest_record"
    )
    return tuple(found)


async def test_reading_a_partition_again_adds_only_what_is_new(owner: Connection, ingest: Connection) -> None:
    writer = Writer(TOPIC, NO_LIMIT)
    await write_findings(writer, ingest, batch_of_all_kinds(0), OffsetMove(0, 0, 2))
    before = await counts(owner)
    assert before == (1, 2, 1, 1, 0, 1)
    await override_offset(ingest, TOPIC, 0, 0, LogBounds(0, 2))
    again = batch_of_all_kinds(0)
    index = record(again, 2)
    row(again, index, ORIGIN_US + 2)
    for fresh in (writer, Writer(TOPIC, NO_LIMIT)):
        await owner.execute("UPDATE ingest_offset SET next_offset = 0")
        await write_findings(fresh, ingest, again, OffsetMove(0, 0, 3))
        assert await counts(owner) == (2, 2, 2, 2, 0, 1)
    assert await owner.fetchval("SELECT next_offset FROM ingest_offset WHERE partition = 0") == 3


async def test_a_revision_locks_its_own_days_and_not_the_whole_table(owner: Connection, ingest: Connection) -> None:
    days = 40
    batch = Findings()
    index = record(batch, 0)
    for day in range(days):
        row(batch, index, ORIGIN_US + day * DAY_US)
    writer = Writer(TOPIC, NOTHING_KEPT)
    await write_findings(writer, ingest, batch, OffsetMove(0, 0, 1))
    for turn in range(8):
        revised = Findings()
        index = record(revised, turn + 1, revision=turn + 1)
        row(revised, index, ORIGIN_US, (2, 1, None))
        row(revised, index, ORIGIN_US + 20 * DAY_US, (2, 1, None))
        async with ingest.transaction():
            counts = await write_findings(writer, ingest, revised, OffsetMove(0, turn + 1, turn + 2))
            locked = await ingest.fetchval(
                "SELECT count(DISTINCT relation) FROM pg_locks JOIN pg_class c ON c.oid = relation "
                "WHERE pid = pg_backend_pid() AND c.relkind = 'r' AND c.relname LIKE '%hyper%chunk'"
            )
        assert counts.rows_of("stored") == 2
        # Two days of states and the record's own; not forty.
        assert locked <= 6


async def test_known_metrics_use_up_no_ids(owner: Connection, ingest: Connection) -> None:
    for offset in range(5):
        batch = Findings()
        index = record(batch, offset)
        for name in ("load_pct", "temp_c", f"new_{offset}"):
            row(batch, index, ORIGIN_US + offset, (1.5,), name)
        await write_findings(Writer(TOPIC, NOTHING_KEPT), ingest, batch, OffsetMove(0, offset, offset + 1))
    assert await owner.fetchval("SELECT max(id) FROM metric") == 7
    assert await owner.fetchval("SELECT count(*) FROM reading") == 15


async def test_there_may_be_more_metrics_than_a_smallint_counts(owner: Connection, ingest: Connection) -> None:
    await owner.execute("ALTER SEQUENCE metric_id_seq RESTART WITH 100000")
    batch = Findings()
    index = record(batch, 0)
    row(batch, index, ORIGIN_US, (1.5,), "load_pct")
    await write_findings(Writer(TOPIC, NOTHING_KEPT), ingest, batch, OffsetMove(0, 0, 1))
    again = Findings()
    row(again, record(again, 1, revision=1), ORIGIN_US, (2.5,), "load_pct")
    await write_findings(Writer(TOPIC, NOTHING_KEPT), ingest, again, OffsetMove(0, 1, 2))
    assert [tuple(r) for r in await owner.fetch("SELECT metric, value, revision FROM reading")] == [(100000, 2.5, 1)]


async def test_the_quota_counts_key_and_headers_which_are_dropped_with_the_bytes(
    owner: Connection, ingest: Connection
) -> None:
    writer = Writer(TOPIC, LetterLimits(200, 10, 200))
    batch = Findings()
    index = record(batch, 9)
    batch.dead_letters += [
        letter(0, b"x" * 100),
        letter(1, b"x" * 100),
        letter(2, b"x" * 100, factory="F2"),
        letter(9, b"r" * 10, record=index),
    ]
    await write_findings(writer, ingest, batch, OffsetMove(0, 0, 3))
    later = Findings()
    later.dead_letters += [letter(3, b"x" * 100), letter(4, b"x" * 100, factory="F2"), letter(5, b"x")]
    await write_findings(writer, ingest, later, OffsetMove(0, 3, 6))
    kept = await owner.fetch(
        "SELECT raw IS NOT NULL, record_key IS NOT NULL, headers IS NOT NULL, raw_length FROM dead_letter ORDER BY id"
    )
    whole, nothing = (True, True, True), (False, False, False)
    assert [tuple(r) for r in kept] == [
        (*whole, 100),
        (*nothing, 100),
        (*whole, 100),
        (True, False, False, 10),
        (*nothing, 100),
        (*nothing, 100),
        (*nothing, 1),
    ]


async def test_a_topic_adopted_again_continues_where_it_was_left(ingest: Connection) -> None:
    first, other = TopicName("t", "c", "t"), TopicName("t", "another cluster", "t")
    at_first = await enter_topic(ingest, first)
    with pytest.raises(ConfigurationError, match="offsets adopt"):
        await enter_topic(ingest, other)
    await adopt_topic(ingest, other)
    assert (await enter_topic(ingest, other)).number != at_first.number
    with pytest.raises(ConfigurationError, match="offsets adopt"):
        await enter_topic(ingest, first)
    await adopt_topic(ingest, first)
    assert await enter_topic(ingest, first) == at_first


async def test_offsets_outside_the_log_are_refused(ingest: Connection) -> None:
    for log in (LogBounds(5, 9), LogBounds(-9, -5)):
        with pytest.raises(ConfigurationError, match="offsets move --partition 0"):
            await load_offsets(ingest, TOPIC, {0: log})
        with pytest.raises(ConfigurationError, match="log of partition 0"):
            await override_offset(ingest, TOPIC, 0, 0, log)
    assert await load_offsets(ingest, TOPIC, {0: LogBounds(0, 0), 7: LogBounds(3, 9)}) == {0: 0, 7: 3}


async def test_an_offset_behind_the_end_may_be_one_that_another_worker_has_just_reached(ingest: Connection) -> None:
    assert await load_offsets(ingest, TOPIC, {7: LogBounds(4, 9)}) == {7: 4}
    with pytest.raises(BeyondLog) as found:
        await load_offsets(ingest, TOPIC, {7: LogBounds(0, 3)})
    assert not found.value.is_confirmed_by({7: LogBounds(0, 4)})
    assert found.value.is_confirmed_by({7: LogBounds(0, 3)})
    with pytest.raises(ConfigurationError) as lost:
        await load_offsets(ingest, TOPIC, {7: LogBounds(5, 9)})
    assert not isinstance(lost.value, BeyondLog)


KEY = """
INSERT INTO factory (factory_id) VALUES ('F1');
INSERT INTO gateway_key (factory, key_id) VALUES (1, 'k1');
INSERT INTO gateway_key_version (gateway_key, effective_from, effective_to, public_key, valid_from, changed_in)
VALUES (1, '2000-01-01Z', '9999-12-31Z', repeat('x', 32)::bytea, '2016-01-01Z', 1);
INSERT INTO enterprise (enterprise_id) VALUES ('E1');
INSERT INTO factory_version
VALUES (1, '2000-01-01Z', '9999-12-31Z', 'F', 1, 'KR-48', 'C29', NULL, NULL, 'basic', NULL, NULL, 1);
UPDATE registry_version SET version = 5;
"""


async def test_the_registry_drops_what_was_retired_and_reloads_after_a_restore(
    owner: Connection, ingest: Connection
) -> None:
    await owner.execute(KEY)
    first = await refresh_registry(ingest, Registry())
    assert await refresh_registry(ingest, first) is first
    assert [len(versions) for versions in first.factories["F1"].keys.values()] == [1]
    await owner.execute("UPDATE gateway_key_version SET retired_at = now(), changed_in = 6")
    await owner.execute("UPDATE registry_version SET version = 6")
    second = await refresh_registry(ingest, first)
    assert [len(versions) for versions in second.factories["F1"].keys.values()] == [0]
    assert [len(versions) for versions in first.factories["F1"].keys.values()] == [1]
    await owner.execute("DELETE FROM gateway_key_version; DELETE FROM gateway_key; DELETE FROM factory_version")
    await owner.execute("UPDATE registry_version SET version = 2")
    third = await refresh_registry(ingest, second)
    assert (third.factories, third.version) == ({}, 2)


async def test_two_writers_of_one_partition_write_once(database: str, owner: Connection, ingest: Connection) -> None:
    other = await connect_to_write(database, "test")
    try:
        batches = [
            write_findings(Writer(TOPIC, NOTHING_KEPT), c, batch_of_all_kinds(0), OffsetMove(0, 0, 2))
            for c in (ingest, other)
        ]
        done = await asyncio.gather(*batches, return_exceptions=True)
    finally:
        await other.close()
    assert sorted(isinstance(answer, TransientError) for answer in done) == [False, True]
    assert await counts(owner) == (1, 2, 1, 1, 0, 1)


def test_closing_a_connections_thread_ends_what_is_under_way(database: str) -> None:
    thread = DatabaseThread(database, "test")
    started = threading.Event()

    async def sleep(connection: Connection) -> None:
        started.set()
        await connection.execute("SELECT pg_sleep(60)")

    sleeping, waiting = thread.submit(sleep, 60), thread.submit(sleep, 60)
    assert started.wait(20)
    began = time.monotonic()
    thread.close()
    assert time.monotonic() - began < 10
    for future in (sleeping, waiting):
        with pytest.raises((TransientError, CancelledError)):
            future.result(timeout=5)
    with pytest.raises(TransientError):
        thread.submit(sleep, 60)
