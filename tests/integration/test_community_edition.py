"""On TimescaleDB's Community edition, migrations enable compression, and ingest works as on the Apache edition."""

from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from services.core.database import Connection, connect
from services.core.times import DAY_US, MINUTE_US
from services.ingest.database import connect_to_write
from services.ingest.letters.letter_quota import LetterLimits
from services.ingest.model import AuthenticRecord, BusRecord, FactTable, Findings
from services.ingest.writing.batch_counts import FATES, BatchCounts
from services.ingest.writing.writer import OffsetMove, Topic, Writer
from tests.findings import write_findings

ORIGIN_US = 1_740_927_600_000_000
"""Midnight of 3 March 2025 in Seoul."""
TOPIC = Topic(1, "c", "t")
LIMITS = LetterLimits(0, 0, 0)
MACHINES = (1, 2, 3)
MINUTES = range(0, 2 * 24 * 60, 30)
FACTS = ("state_event", "count_event", "reading")

START = """
INSERT INTO ingest_topic (cluster_id, topic_id, topic) VALUES ('c', 't', 't');
INSERT INTO ingest_offset VALUES ('c', 't', 0, 0, 0);
"""
OUTCOME = """
SELECT to_jsonb(t) - 'record_id' - 'kept_at' || jsonb_build_object('offset', r.record_offset) AS row
FROM {} t JOIN ingest_record r ON r.id = t.record_id ORDER BY 1
"""
MANY_STATES = """
INSERT INTO state_event
SELECT machine, '2025-03-03Z'::timestamptz + n * INTERVAL '1 minute', 1, 1, NULL, 0, false, 1
FROM generate_series(1, 120) AS machine, generate_series(0, 999) AS n
"""


@dataclass
class Rows:
    """One record's rows, all of one revision."""

    offset: int
    revision: int = 0
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        source = BusRecord(0, self.offset, ORIGIN_US + 9 * DAY_US, b"F1", b"", ())
        self.findings.records.append(
            AuthenticRecord(source, 1, "gw-1", None, None, ORIGIN_US, self.revision, None, 0, 0)
        )

    def add(self, table: FactTable, machine: int, at_us: int, value: int, *, retracted: bool = False) -> None:
        content, key = {
            FactTable.STATE: ((value % 8, value % 4, f"r{value}" if value % 2 else None), ""),
            FactTable.COUNT: ((value, value + 1, 0), f"P-{at_us // MINUTE_US % 2}"),
            FactTable.READING: ((value / 8,), f"m{machine % 2}_pct"),
        }[table]
        facts = self.findings.rows[table]
        facts.index.append(0)
        facts.machine.append(machine)
        facts.key.append(key)
        facts.at_us.append(at_us)
        facts.content.append(content)
        facts.retracted.append(retracted)
        facts.record.append(0)

    def everywhere(self, minutes: range, value: int, *, retracted: bool = False) -> "Rows":
        """Add the same value for every machine to all three tables."""
        for table in FactTable:
            for machine in MACHINES:
                for minute in minutes:
                    self.add(table, machine, ORIGIN_US + minute * MINUTE_US, value, retracted=retracted)
        return self


def first_record() -> Rows:
    return Rows(0).everywhere(MINUTES, 1)


def later_records() -> list[Rows]:
    """Rows of days that are compressed by then: late, duplicate, clashing, revised, retracted, and some twice."""
    return [
        Rows(1).everywhere(range(7, 24 * 60, 90), 2),
        Rows(2).everywhere(MINUTES, 1),
        Rows(3).everywhere(MINUTES[::7], 3),
        Rows(4, revision=1).everywhere(MINUTES[::5], 4),
        Rows(5, revision=2).everywhere(MINUTES[::10], 0, retracted=True),
        Rows(6, revision=1).everywhere(MINUTES[::10], 4),
        Rows(7).everywhere(range(8, 24 * 60, 90), 5).everywhere(MINUTES[::3], 1),
    ]


async def write(url: str, records: list[Rows]) -> list[BatchCounts]:
    """Write each record in a batch of its own, by a writer that knows nothing of those before."""
    connection = await connect_to_write(url, "test")
    try:
        return [
            await write_findings(
                Writer(TOPIC, LIMITS), connection, rows.findings, OffsetMove(0, rows.offset, rows.offset + 1)
            )
            for rows in records
        ]
    finally:
        await connection.close()


async def as_owner(url: str, *statements: str) -> list[Any]:
    """Rows of the last statement."""
    connection = await connect(url)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return [tuple(row) for row in await connection.fetch(statements[-1])]
    finally:
        await connection.close()


async def compress(url: str) -> int:
    """Compress every chunk of facts; how many now are."""
    calls = [f"SELECT compress_chunk(c) FROM show_chunks('{table}') AS c" for table in FACTS]
    counted = "SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed"
    return int((await as_owner(url, *calls, counted))[0][0])


async def outcome(url: str) -> list[Any]:
    """All facts, what was set aside, and how records were counted."""
    connection: Connection = await connect(url)
    try:
        found = [[row[0] for row in await connection.fetch(OUTCOME.format(t))] for t in (*FACTS, "fact_revision")]
        records = await connection.fetch(
            "SELECT record_offset, rows_stored, rows_duplicate, rows_clashed FROM ingest_record ORDER BY 1"
        )
        marks = await connection.fetch("SELECT machine, from_at, to_at FROM dirty_mark ORDER BY 1, 2, 3")
        return [*found, [tuple(r) for r in records], [tuple(r) for r in marks]]
    finally:
        await connection.close()


async def test_facts_are_the_same_whether_compressed_in_between_or_not(community_database: str, database: str) -> None:
    for url in (community_database, database):
        await as_owner(url, START, "SELECT 1")
        await write(url, [first_record()])
    # Two days in Seoul from midnight on are parts of three in UTC.
    assert await compress(community_database) == 3 * len(FACTS)
    later = later_records()
    tallies = await write(community_database, later[:4])
    assert await compress(community_database) == 3 * len(FACTS)
    tallies += await write(community_database, later[4:])
    assert tallies == await write(database, later_records())
    each = len(FACTS) * len(MACHINES)
    assert [tuple(t.rows_of(fate) // each for fate in FATES[:3]) for t in tallies] == [
        *((16, 0, 0), (0, 96, 0), (0, 0, 14), (20, 0, 0), (10, 0, 0), (0, 10, 0), (16, 32, 0)),
    ]
    in_community = await outcome(community_database)
    assert in_community == await outcome(database)
    assert all(len(rows) > 0 for rows in in_community)
    assert await compress(community_database) == 3 * len(FACTS)
    assert (await outcome(community_database))[: len(FACTS)] == in_community[: len(FACTS)]


async def test_every_table_of_facts_has_a_policy(community_database: str) -> None:
    assert await as_owner(community_database, "SHOW timescaledb.license") == [("timescale",)]
    policies = await as_owner(
        community_database,
        "SELECT hypertable_name, config->>'compress_after' FROM timescaledb_information.jobs "
        "WHERE proc_name = 'policy_compression' ORDER BY 1",
    )
    assert policies == [(table, "7 days") for table in sorted(FACTS)]


async def test_a_batch_may_touch_more_than_one_statement_may_decompress(community_database: str) -> None:
    """Late rows, clashes and revisions of 120 machines, in compressed batches of a thousand rows each."""
    machines, rows_each = 120, 1000
    limit = "SHOW timescaledb.max_tuples_decompressed_per_dml_transaction"
    assert await as_owner(community_database, limit) == [("100000",)]
    await as_owner(community_database, START, MANY_STATES, "SELECT 1")
    noon_us = ORIGIN_US + 15 * 60 * MINUTE_US
    late, doubled, revised = Rows(0), Rows(1), Rows(2, revision=1)
    for rows, at_us in ((late, noon_us + 1), (doubled, noon_us), (revised, noon_us)):
        assert await compress(community_database) == 1
        for machine in range(1, machines + 1):
            rows.add(FactTable.STATE, machine, at_us, 1)
        (counts,) = await write(community_database, [rows])
        assert counts.rows_of("stored") + counts.rows_of("duplicate") + counts.rows_of("clashed") == machines
    found = await as_owner(community_database, "SELECT revision, count(*) FROM state_event GROUP BY 1 ORDER BY 1")
    assert found == [(0, machines * rows_each), (1, machines)]


async def test_a_researcher_reads_compressed_facts_by_the_views_alone(community_database: str) -> None:
    await as_owner(
        community_database,
        "INSERT INTO factory (factory_id) VALUES ('F1'); INSERT INTO machine (factory, machine_id) VALUES (1, 'M1')",
        "INSERT INTO state_event VALUES (1, '2025-03-03Z', 1, 1, NULL, 0, false, 1)",
        "INSERT INTO state_event VALUES (1, '2025-03-04Z', 1, 1, NULL, 1, true, 1)",
        "SELECT 1",
    )
    await compress(community_database)
    stores = await as_owner(
        community_database,
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = '_timescaledb_internal'::regnamespace "
        "AND c.relkind = 'r' AND (c.relname LIKE '\\_hyper\\_%' OR c.relname LIKE 'compress\\_hyper\\_%')",
    )
    assert len(stores) == 4
    reader = await connect(community_database, "researcher")
    try:
        assert await reader.fetchval("SELECT count(*) FROM research.state_event") == 1
        for (store,) in stores:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.fetch(f"SELECT * FROM {store}")
        await reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch("SELECT add_job('pg_catalog.pg_sleep', '1 hour')")
    finally:
        await reader.close()
