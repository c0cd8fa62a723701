"""How fast ingest takes records of states and counts only, beside COPY of the same rows."""

import asyncio
import itertools
import statistics
from collections.abc import Iterator

from schemas.wire.codes import Mode, State
from services.core.database import connect
from services.gateway.records import CountRow, RecordWriter, Row, StateRow
from tests.bench.figures import Figure
from tests.bench.ingest.batches import Load, pack
from tests.bench.ingest.records import KEY_ID, MACHINES, Country, Signed
from tests.bench.ingest.rounds import Bench, bench
from tests.bench.ingest.speed import FACTORIES
from tests.bench.ingest.yardsticks import copy_states_and_counts, states_and_counts
from tests.bench.stacks import Servers

ROUNDS = 5
RECORDS_EACH = 80
"""Records of each factory: 10,000 records, 1,000,000 rows in all."""
STATES = (State.producing, State.idle, State.producing, State.faulted, State.setup)
MODES = (Mode.automatic, Mode.automatic, Mode.semi_automatic, Mode.unknown, Mode.manual)
REASONS = (None, "waiting for material", None, "공구 파손", "금형 교체")
PRODUCTS = ("", "하우징 A-120", "SHAFT-7", "기어 박스 커버")
STATES_OF_TEN = 6
TRANSACTIONS = "SELECT count(DISTINCT ingested_at) FROM ingest_record"


def figures(servers: Servers) -> Iterator[Figure]:
    """Alternate ingest and COPY of what it stored, in as many transactions."""
    with bench(servers, "bench_states", Country(FACTORIES)) as here:
        load = pack(records(here.country, RECORDS_EACH))
        topic = here.topic("bench_states", load)
        ratios = [compare(here, topic, load) for _ in range(ROUNDS)]
    yield Figure("ingest.states_counts_ratio", statistics.median(ratios), "ratio", ">= 0.4")


def records(country: Country, each: int) -> Iterator[Signed]:
    """Records of 100 rows as the reference gateway writes them: six states, then four counts, of each machine in turn.

    Half of a record's machines report in it, ten rows each.
    """
    writers = [
        RecordWriter(
            factory_id=f"F{n + 1:06d}",
            gateway_id="gw-1",
            key_id=KEY_ID,
            seed=country.seed,
            boot_id="b1",
            maximum_rows=100,
        )
        for n in range(country.factories)
    ]
    for number in range(each):
        for n, writer in enumerate(writers):
            rows = rows_of(country, n, number)
            for record in writer.write(rows, rows[-1].at_us):
                yield Signed(record.key, record.value, record.headers)


def rows_of(country: Country, factory: int, number: int) -> list[Row]:
    """The rows of one record, all at different instants."""
    rows: list[Row] = []
    half = MACHINES // 2
    for machine, place in itertools.product(range(half), range(10)):
        machine_id = f"M{number % 2 * half + machine + 1:02d}"
        step_us = country.step_us // (country.factories * 100)
        at_us = country.origin_us + number * country.step_us + (factory * 100 + machine * 10 + place) * step_us
        kind = number + machine + place
        if place < STATES_OF_TEN:
            rows.append(StateRow(machine_id, at_us, STATES[kind % 5], MODES[kind % 5], REASONS[kind % 5]))
        else:
            rows.append(CountRow(machine_id, at_us, 1 + kind % 7, kind % 3, 0, PRODUCTS[kind % 4]))
    return rows


def compare(here: Bench, topic: str, load: Load) -> float:
    """Ingest over COPY in one round."""
    round = here.round(topic, load)
    assert round.records == load.records, "the clock started late"
    pieces = asyncio.run(stored(here.stack.database_url))
    return asyncio.run(copy_states_and_counts(here.stack.database_url, pieces)) / round.seconds


async def stored(url: str) -> list[tuple[bytes, bytes]]:
    """What the round stored, in as many pieces as it had transactions."""
    owner = await connect(url)
    try:
        transactions = await owner.fetchval(TRANSACTIONS)
    finally:
        await owner.close()
    return await states_and_counts(url, transactions)
