"""Rows in any order, duplicated, revised, retracted and in any batches give the plain implementation's accounts.

The rows go through ingest's writer and analytics' engine on the real database, one small fleet for each example.
"""

import asyncio
import itertools
from contextlib import AsyncExitStack
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.wire.codes import Mode, State
from services.analytics.engine import settle, shards_with_work, start_accounting
from services.analytics.figures import SUMS, WIDE
from services.analytics.verification.reference import MachineVersion, account_machine
from services.analytics.verification.registered import NOWHERE
from services.core.database import Connection, connect
from services.core.times import FIRST_INSTANT_US, HOUR_US, LAST_INSTANT_US, MINUTE_US
from services.ingest.columns import batch_of
from services.ingest.judging.registry import Machines
from services.ingest.letters.letter_quota import LetterLimits
from services.ingest.model import AuthenticRecord, BusRecord, Content, FactTable, Findings
from services.ingest.writing.writer import Latest, OffsetMove, Plan, Topic, Writer, plan_batch

ORIGIN_US = 1_488_326_400_000_000
HOURS = 4
TTL_US = 600_000_000
CYCLE_US = 10_000_000
UNSIGNED = 0
METRICS = {"load_pct": 1, "temp_c": 2}


@dataclass(frozen=True)
class Row:
    """One row as it is sent. ``revision`` is its record's."""

    table: FactTable
    machine: int
    at_us: int
    product: str
    content: Content
    retracted: bool
    revision: int


minutes = st.integers(0, 60 * HOURS - 1).map(lambda minute: ORIGIN_US + minute * MINUTE_US)
machines = st.integers(1, 2)
revisions = st.integers(0, 2)
state_rows = st.builds(
    lambda machine, at, state, mode, retracted, revision: Row(
        FactTable.STATE,
        machine,
        at,
        "",
        (0, 0, None) if retracted else (int(state), int(mode), None),
        retracted,
        revision,
    ),
    machines,
    minutes,
    st.sampled_from(list(State)),
    st.sampled_from(list(Mode)),
    st.booleans(),
    revisions,
)
count_rows = st.builds(
    lambda machine, at, product, good, retracted, revision: Row(
        FactTable.COUNT, machine, at, product, (0, 0, 0) if retracted else (good, 1, 2), retracted, revision
    ),
    machines,
    minutes,
    st.sampled_from(["", "P-1"]),
    st.integers(0, 5),
    st.booleans(),
    revisions,
)
reading_rows = st.builds(
    lambda machine, at, metric, value, retracted, revision: Row(
        FactTable.READING, machine, at, metric, (0.0 if retracted else value,), retracted, revision
    ),
    machines,
    minutes,
    st.sampled_from(list(METRICS)),
    st.sampled_from([0.0, -0.0, 1.5, -2.25e-300]),
    st.booleans(),
    revisions,
)
rows = st.lists(st.one_of(state_rows, count_rows, reading_rows), min_size=1, max_size=30)


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Row]]:
    """Rows, some of them twice, in any order, cut into batches."""
    sent = draw(rows)
    sent = draw(st.permutations(sent + draw(st.lists(st.sampled_from(sent), max_size=10))))
    cuts = sorted(draw(st.sets(st.integers(1, len(sent)), max_size=4)))
    return [list(sent[a:b]) for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True) if a < b]


def in_force(batches: list[list[Row]]) -> dict[tuple[FactTable, int, int, str], Row]:
    """Return the rows in force, naively: the first row sent at each revision, and the highest revision of these."""
    first: dict[tuple[FactTable, int, int, str, int], Row] = {}
    for row in itertools.chain.from_iterable(batches):
        first.setdefault((row.table, row.machine, row.at_us, row.product, row.revision), row)
    found: dict[tuple[FactTable, int, int, str], Row] = {}
    for *identity, _revision in sorted(first, key=lambda key: key[-1]):
        found[tuple(identity)] = first[(*identity, _revision)]  # type: ignore[index]
    return {identity: row for identity, row in found.items() if not row.retracted}


MACHINES = Machines(np.zeros(3, np.int64), np.zeros(3, np.int64), np.ones(3, np.int16))


def plan_of(sent: list[Row], offset: int, latest: Latest) -> Plan:
    """A batch with a record for every row, since the revision is the record's."""
    found = Findings()
    for n, row in enumerate(sent):
        source = BusRecord(0, offset + n, ORIGIN_US, b"F1", b"", ())
        found.records.append(AuthenticRecord(source, 1, "gw-1", None, None, ORIGIN_US, row.revision, None, 0, 0))
        facts = found.rows[row.table]
        facts.index.append(0)
        facts.machine.append(row.machine)
        facts.key.append(row.product)
        facts.at_us.append(row.at_us)
        facts.content.append(row.content)
        facts.retracted.append(row.retracted)
        facts.record.append(n)
    ids = np.arange(offset + 1, offset + 1 + len(sent))
    return plan_batch(batch_of(found, MACHINES, METRICS), ids, latest)


REGISTER = """
INSERT INTO enterprise (enterprise_id) VALUES ('E1');
INSERT INTO factory (factory_id) VALUES ('F1');
INSERT INTO machine (factory, machine_id) VALUES (1, 'M1'), (1, 'M2');
INSERT INTO machine_version (machine, effective_from, effective_to, name, kind, automation,
    state_ttl_us, ideal_cycle_us, in_use_from, changed_in)
SELECT m, '1999-12-31 15:00Z', '9999-12-31Z', 'M', 'mill', 'automatic', 600000000, 10000000, '2017-01-01', 1
FROM generate_series(1, 2) AS m;
SELECT refresh_machine_spans(ARRAY[1, 2]);
INSERT INTO metric (name) VALUES ('load_pct'), ('temp_c');
INSERT INTO ingest_topic (cluster_id, topic_id, topic) VALUES ('c', 't', 't');
INSERT INTO ingest_offset VALUES ('c', 't', 0, 0, 0);
"""

CLEAR = """
TRUNCATE state_event, count_event, reading, fact_revision, ingest_record, dirty_mark, dirty_shard, open_hold,
    machine_hour_pack, machine_day_pack, closed_factory_hour, closed_factory_day, cohort_hour, cohort_day, group_day,
    dirty_cohort_hour, dirty_cohort_day, analytics_state;
UPDATE ingest_offset SET next_offset = 0;
"""


async def deliver(url: str, batches: list[list[Row]], *, settle_between: bool) -> dict[int, dict[int, dict[str, int]]]:
    """Write the batches and account them.

    Returns:
        The stored figures by machine and hour.
    """
    async with AsyncExitStack() as stack:
        o, i, a = [await enter(stack, url, role) for role in (None, "jejo_ingest", "jejo_analytics")]
        await o.execute(CLEAR)
        await start_accounting(a, ORIGIN_US + 100 * HOUR_US)
        writer = Writer(Topic(1, "c", "t"), LetterLimits(0, 0, 0))
        offset = 0
        for sent in batches:
            plan = plan_of(sent, offset, writer.latest)
            await writer.write(i, plan, [OffsetMove(0, offset, offset + len(sent))])
            offset += len(sent)
            if settle_between:
                await settle_all(a)
        await settle_all(a)
        counted = await o.fetchrow(
            "SELECT sum(rows_stored + rows_duplicate + rows_clashed), sum(rows_clashed), "
            "(SELECT count(*) FROM fact_revision WHERE clash) FROM ingest_record"
        )
        assert counted is not None
        assert counted[0] == offset
        assert counted[1] == counted[2]
        readings = await o.fetch(
            "SELECT machine, name, at, value FROM reading JOIN metric ON id = metric WHERE NOT retracted"
        )
        assert {tuple(row) for row in readings} == {
            (row.machine, row.product, row.at_us, row.content[0])
            for row in in_force(batches).values()
            if row.table is FactTable.READING
        }
        found: dict[int, dict[int, dict[str, int]]] = {}
        for row in await o.fetch("SELECT * FROM machine_hour"):
            figures = {name: int(row[name]) for name in (*SUMS, *WIDE)}
            found.setdefault(row["machine"], {})[row["hour"]] = figures
        return found


async def enter(stack: AsyncExitStack, url: str, role: str | None) -> Connection:
    connection = await connect(url, role)
    stack.push_async_callback(connection.close)
    return connection


async def settle_all(connection: Connection) -> None:
    for shard in await shards_with_work(connection):
        while await settle(connection, shard):
            pass


def expected(batches: list[list[Row]]) -> dict[int, dict[int, dict[str, int]]]:
    """Return the figures of the plain implementation over the rows in force."""
    version = MachineVersion(
        *(FIRST_INSTANT_US, LAST_INSTANT_US, TTL_US, CYCLE_US, FIRST_INSTANT_US, LAST_INSTANT_US), True, NOWHERE
    )
    force = in_force(batches)
    found: dict[int, dict[int, dict[str, int]]] = {}
    for machine in (1, 2):
        own = [row for row in force.values() if row.machine == machine]
        states = [(r.at_us, r.content[0], r.content[1]) for r in own if r.table is FactTable.STATE]
        counts = [(r.at_us, *r.content, UNSIGNED) for r in own if r.table is FactTable.COUNT]
        accounts = account_machine(
            states,  # type: ignore[arg-type]
            counts,  # type: ignore[arg-type]
            [version],
            LAST_INSTANT_US,
            FIRST_INSTANT_US,
            ORIGIN_US - HOUR_US,
            ORIGIN_US + (HOURS + 2) * HOUR_US,
        )
        names = (*SUMS, *WIDE)
        if accounts:
            found[machine] = {hour: {n: a[n] for n in names} for (hour, _), a in accounts.items()}
    return found


@pytest.fixture
def fleet(database: str) -> str:
    async def register() -> None:
        connection = await connect(database)
        await connection.execute(REGISTER)
        await connection.close()

    asyncio.run(register())
    return database


@given(deliveries(), st.booleans())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_accounts_do_not_depend_on_delivery(fleet: str, batches: list[list[Row]], settle_between: bool) -> None:
    assert asyncio.run(deliver(fleet, batches, settle_between=settle_between)) == expected(batches)
