"""Whether ingest keeps its pace while a nation's series fill one day: 600,000 machines with 5 metrics each.

One worker runs throughout. Slices of rows are written, sent as fast as the broker takes them, and read meanwhile; after
an early and a late slice, like rows are copied into the same table, so that what the growing index costs the database
itself is no part of the ratio.
"""

import asyncio
import itertools
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace

from services.core.database import Connection, connect
from services.core.times import HOUR_US
from services.ingest.stream.topic import open_topic
from tests.bench.country import ORIGIN_US
from tests.bench.figures import Figure
from tests.bench.ingest.batches import Load, pack, send
from tests.bench.ingest.records import SERIES, Country, Rows
from tests.bench.ingest.rounds import Bench, bench
from tests.bench.ingest.yardsticks import READING_COLUMNS, by_key, copy_in
from tests.bench.stacks import Servers

FACTORIES = 30_000
DAY_US = 24 * HOUR_US
UTC_DAY_US = ORIGIN_US + 9 * HOUR_US
"""The start of a day in UTC, so that all rows are in one chunk of the table."""
SLICE = 5_000_000
EARLY, LATE, LATER = 2, 20, 40
"""The slices compared: rows 5 to 10 million, 95 to 100 million, and in the longer form 195 to 200 million."""
BYTES_A_ROW = 250
"""On the disk: table and index 120, and for a while the logs of the database and of Kafka."""
PIECE = 100_000
"""Rows in a transaction of the yardstick."""


def figures(servers: Servers) -> Iterator[Figure]:
    """Ingest 100 million rows."""
    ratios = run(servers, "bench_flat", LATE)
    yield Figure("ingest.flat_ratio", ratios[LATE] / ratios[EARLY], "ratio", ">= 0.8")
    yield Figure("ingest.flat_early_ratio_to_copy", ratios[EARLY], "ratio")


def figures_200m(servers: Servers) -> Iterator[Figure]:
    """Ingest 200 million rows."""
    ratios = run(servers, "bench_flat_200m", LATER)
    yield Figure("ingest.flat_200m_ratio", ratios[LATER] / ratios[EARLY], "ratio")


def run(servers: Servers, name: str, slices: int) -> dict[int, float]:
    """Ingest over COPY in the slices compared.

    Raises:
        AssertionError: the disk has too little room.
    """
    needed, free = slices * SLICE * BYTES_A_ROW, shutil.disk_usage(tempfile.gettempdir()).free
    assert free > needed, f"{needed / 1e9:.0f} GB are needed below {tempfile.gettempdir()}, and {free / 1e9:.0f} free"
    # The yardstick's rows, half a step later, must also be within the day.
    steps = slices * SLICE // (FACTORIES * SERIES) + 3
    with bench(servers, name, Country(FACTORIES, origin_us=UTC_DAY_US, step_us=DAY_US // steps)) as here:
        return asyncio.run(measure(here, name, slices))


async def measure(here: Bench, topic: str, slices: int) -> dict[int, float]:
    """Ingest slice after slice, and compare some of them with COPY."""
    open_topic(here.stack.kafka.bootstrap, topic)
    owner = await connect(here.stack.database_url)
    loads = slices_of(here.country)
    ratios: dict[int, float] = {}
    following: Load | None = None
    sent = 0
    try:
        with here.workers(topic) as workers:
            for number in range(1, slices + 1):
                load = following if following is not None else await asyncio.to_thread(loads.__next__)
                sent += load.records
                compared = number in (EARLY, LATE, LATER)
                began = time.perf_counter()
                await asyncio.to_thread(send, here.stack.kafka.bootstrap, topic, load)
                # The next slice is written meanwhile, unless that would disturb the measurement.
                following = None if compared else await asyncio.to_thread(loads.__next__)
                await here.wait_until_read(owner, topic, sent, workers)
                if compared:
                    pace = load.records * SERIES / (time.perf_counter() - began)
                    ratios[number] = pace / await copied_pace(owner, here.country, number)
    finally:
        await owner.close()
    return ratios


def slices_of(country: Country) -> Iterator[Load]:
    """The country's readings in the order of time, in slices of SLICE rows; ends only with the day."""
    steps = (country.records(country.readings(step), step) for step in itertools.count())
    records = itertools.chain.from_iterable(steps)
    while True:
        yield pack(itertools.islice(records, SLICE // SERIES))


async def copied_pace(owner: Connection, country: Country, number: int) -> float:
    """Rows per second of COPY, sorted by key, of as many readings of the same series half a step later."""
    later = replace(country, origin_us=country.origin_us + country.step_us // 2)
    both = later.readings(number * SLICE // country.rows_a_step, 2)
    some = slice(SLICE // (2 * SERIES))
    rows = Rows(both.machine[some], both.metric[some], both.at_us[some], both.value[some])
    pieces = by_key(rows, SLICE // PIECE)
    await owner.execute("CHECKPOINT")
    return rows.count / await copy_in(owner, [("reading", READING_COLUMNS, piece) for piece in pieces])
