"""The most memory that a worker holds at any time, by what it reads; each kind of load has a worker of its own."""

import itertools
from collections.abc import Callable, Iterator

from tests.bench.figures import Figure
from tests.bench.ingest import states
from tests.bench.ingest.batches import Codec, Load, encode_batch, pack, partition_of
from tests.bench.ingest.duplicates import readings
from tests.bench.ingest.hostile import flooded
from tests.bench.ingest.records import SERIES, Country
from tests.bench.ingest.rounds import bench
from tests.bench.ingest.speed import FACTORIES, LARGE
from tests.bench.stacks import Servers

BACKLOG_ROWS = 2_000_000
ROWS = 1_000_000
LARGEST = 107
"""Instants in a record of just below 1 MiB."""
BOMB_BYTES = 200_000_000
STATE_RECORDS_EACH = 40


def figures(servers: Servers) -> Iterator[Figure]:
    """Read each kind of load once."""
    peaks = {}
    with bench(servers, "bench_memory", Country(FACTORIES + 1)) as here:
        for name, make in LOADS.items():
            load = make(here.country)
            topic = (here.unbounded_topic if make is bomb else here.topic)(f"bench_memory_{name}", load)
            peaks[name] = here.round(topic, load).peak_mb
    for name, peak in peaks.items():
        yield Figure(f"ingest.worker_peak_{name}_mb", peak, "MB")
    yield Figure("ingest.worker_peak_mb", max(peaks.values()), "MB", "<= 450")


def backlog(country: Country) -> Load:
    """Many records of 100 readings."""
    return pack(readings(country, BACKLOG_ROWS))


def records_of(country: Country, instants: int) -> Load:
    """Records of so many readings of each of a factory's series."""
    count = max(1, ROWS // country.factories // SERIES // instants)
    written = (country.records(country.readings(n * instants, instants), n) for n in range(count))
    return pack(itertools.chain.from_iterable(written))


def bomb(country: Country) -> Load:
    """A few kilobytes of zstd that unpack to BOMB_BYTES, with honest records before and behind."""
    load = pack(readings(country, ROWS // 10))
    record = country.signed("F000001", b" " * BOMB_BYTES)
    partition = partition_of(record.key)
    at = len(load.batches) // 2
    load.batches.insert(at, encode_batch(partition, [record], Codec.zstd))
    # Only the number of records matters here: those behind it in its partition have moved.
    load.partition.append(partition)
    load.offset.append(load.partition.count(partition) - 1)
    return load


LOADS: dict[str, Callable[[Country], Load]] = {
    "backlog": backlog,
    "1000_a_record": lambda country: records_of(country, LARGE),
    "1_mib_a_record": lambda country: records_of(country, LARGEST),
    "states_counts": lambda country: pack(states.records(country, STATE_RECORDS_EACH)),
    "bomb": bomb,
    "flood": lambda country: flooded(country, ROWS),
}
