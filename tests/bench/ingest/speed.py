"""How fast workers ingest readings that wait in Kafka, beside the database's own pace with the same rows."""

import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tests.bench.figures import Figure
from tests.bench.ingest.batches import Load, pack
from tests.bench.ingest.records import Country, Rows
from tests.bench.ingest.rounds import Bench, Round, bench
from tests.bench.ingest.yardsticks import batches_of, by_batch, by_key, pace
from tests.bench.stacks import Servers

ROUNDS = 5
FACTORIES = 125
ROWS = 2_000_000
LARGE = 10
"""Instants in a large record, hence 1,000 readings."""
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Readings:
    """A topic of readings, and the same rows in memory in the order of its records."""

    topic: str
    load: Load
    rows: Rows


@dataclass(frozen=True, slots=True)
class Compared:
    """A round of ingest, its rows per second, and those of COPY right after it."""

    round: Round
    rows_per_s: float
    copied_per_s: float
    in_arrival_order_per_s: float = 0.0


def figures(servers: Servers) -> Iterator[Figure]:
    """Alternate ingest and COPY; each ratio is the median of the rounds' ratios."""
    with bench(servers, "bench_speed", Country(FACTORIES)) as here:
        small, large = prepare(here, "bench_speed_100", 1), prepare(here, "bench_speed_1000", LARGE)
        one, two, thousand = [], [], []
        for _ in range(ROUNDS):
            one.append(compare(here, small, in_arrival_order=True))
            two.append(compare(here, small, workers=2))
            thousand.append(compare(here, large))
    yield from of_one_worker(one)
    yield Figure("ingest.two_workers_ratio_to_copy", ratio(two), "ratio", ">= 0.53")
    yield Figure("ingest.ratio_to_copy_1000", ratio(thousand), "ratio")


def of_one_worker(rounds: list[Compared]) -> Iterator[Figure]:
    """The figures of one worker with records of 100 readings."""

    def used(name: str) -> float:
        """Seconds of the processors for a million rows, of these processes."""
        seconds = [float(getattr(one.round.used, name)) for one in rounds]
        rows = [one.rows_per_s * one.round.seconds for one in rounds]
        return statistics.median(used / of for used, of in zip(seconds, rows, strict=True))

    arrival = statistics.median(one.rows_per_s / one.in_arrival_order_per_s for one in rounds)
    yield Figure("ingest.cpu_s_per_million_rows", used("workers") * MILLION, "s", "<= 1.9")
    yield Figure("ingest.postgres_cpu_s_per_million_rows", used("postgres") * MILLION, "s")
    yield Figure("ingest.kafka_cpu_s_per_million_rows", used("kafka") * MILLION, "s")
    yield Figure("ingest.ratio_to_copy", ratio(rounds), "ratio", ">= 0.5")
    yield Figure("ingest.ratio_to_copy_in_arrival_order", arrival, "ratio", ">= 0.62")
    yield Figure("ingest.rows_per_s", statistics.median(one.rows_per_s for one in rounds), "rows/s", ">= 300000")
    yield Figure("ingest.copy_rows_per_s", statistics.median(one.copied_per_s for one in rounds), "rows/s")


def ratio(rounds: list[Compared]) -> float:
    """Ingest over COPY."""
    return statistics.median(one.rows_per_s / one.copied_per_s for one in rounds)


def prepare(here: Bench, topic: str, instants: int, rows: int = ROWS) -> Readings:
    """Fill a topic with readings of every factory, ``instants`` of each series in a record."""
    country = here.country
    steps = [country.readings(step, instants) for step in range(0, steps_of(country, rows), instants)]
    load = pack(record for n, step in enumerate(steps) for record in country.records(step, n))
    columns = [np.concatenate([getattr(step, name) for step in steps]) for name in ("machine", "metric", "at_us")]
    value = np.concatenate([step.value for step in steps])
    return Readings(here.topic(topic, load), load, Rows(columns[0], columns[1], columns[2], value))


def steps_of(country: Country, rows: int) -> int:
    """After how many steps the country has made so many readings."""
    return rows // country.rows_a_step


def compare(here: Bench, readings: Readings, workers: int = 1, *, in_arrival_order: bool = False) -> Compared:
    """Ingest a topic, then copy the same rows in as many transactions."""
    load = readings.load
    round = here.round(readings.topic, load) if workers == 1 else here.shared_round(load, workers)
    url, rows = here.stack.database_url, readings.rows
    assert here.stored() == rows.count
    batches = asyncio.run(batches_of(url, load))
    copied = pace(url, by_key(rows, int(batches.max()) + 1), rows.count)
    arrived = pace(url, by_batch(rows, batches), rows.count) if in_arrival_order else 0.0
    return Compared(round, round.records_per_s * rows.machine.shape[1], copied, arrived)
