"""How much slower honest factories' rows are stored while invalid records arrive in the same partitions."""

import dataclasses
import itertools
import math
import os
import statistics
from collections.abc import Iterator

from schemas.wire.limits import MAX_NESTING, MAX_VALUE_BYTES
from schemas.wire.signature import SIGNATURE_HEADER
from tests.bench.figures import Figure
from tests.bench.ingest.batches import Load, pack, partition_of
from tests.bench.ingest.duplicates import readings
from tests.bench.ingest.records import Country, Signed
from tests.bench.ingest.rounds import Bench, bench
from tests.bench.ingest.speed import FACTORIES
from tests.bench.stacks import Servers

ROUNDS = 3
ROWS = 1_000_000
INVENTED = 4000
TOO_LARGE_EVERY = 100
"""Of the invalid records one in so many is too large: they are a hundred times as long as the others."""
USER_BYTES_PER_S = 262_144
"""What docs/operations.md has the broker take of one user in a second, as compressed."""
FLOODERS = 2
"""The gateway of one registered factory, and one whose records claim all the invented ones."""


def figures(servers: Servers) -> Iterator[Figure]:
    """Alternate honest records alone, with as much of a flood as two users may send, and with one as large as they."""
    # The last factory is registered, and sends only invalid records.
    with bench(servers, "bench_hostile", Country(FACTORIES + 1)) as here:
        honest = readings(honest_part(here.country), ROWS)
        load = pack(honest)
        alone = here.topic("bench_hostile_alone", load)
        every = records_per_invalid_one(here.country, honest, pace(here, alone, load) / ROWS * len(honest))
        within, beyond = flooded(here.country, ROWS, every), flooded(here.country, ROWS)
        topics = [(here.topic("bench_hostile_within", within), within), (here.topic("bench_hostile", beyond), beyond)]
        shares = []
        for _ in range(ROUNDS):
            without = pace(here, alone, load)
            shares.append([pace(here, *flood) / without for flood in topics])
    yield Figure("ingest.hostile_records_per_invalid_one", every, "records")
    slowdowns = [1 - statistics.median(kind) for kind in zip(*shares, strict=True)]
    yield Figure("ingest.hostile_slowdown", slowdowns[0], "ratio", "<= 0.2")
    yield Figure("ingest.hostile_slowdown_without_rates", slowdowns[1], "ratio")


def records_per_invalid_one(country: Country, honest: list[Signed], records_per_s: float) -> int:
    """After how many honest records an invalid one comes, if the flooders send all that the broker takes of them."""
    some = list(flood(country, honest[:1000]))
    size = sum(len(batch.data) for batch in pack(some, itertools.repeat(0)).batches) / len(some)
    return math.ceil(records_per_s * size / (FLOODERS * USER_BYTES_PER_S))


def pace(here: Bench, topic: str, load: Load) -> float:
    """Honest rows per second."""
    seconds = here.round(topic, load).seconds
    assert here.stored() == ROWS
    return ROWS / seconds


def honest_part(country: Country) -> Country:
    """The country without its last factory."""
    return dataclasses.replace(country, factories=country.factories - 1)


def flooded(country: Country, rows: int, every: int = 1) -> Load:
    """Honest records, and behind each, or each one in so many, an invalid one in the same partition."""
    honest = readings(honest_part(country), rows)
    invalid_ones = flood(country, honest)
    mixed: list[tuple[Signed, int]] = []
    for n, record in enumerate(honest, start=1):
        partition = partition_of(record.key)
        mixed.append((record, partition))
        if n % every == 0:
            mixed.append((next(invalid_ones), partition))
    return pack((record for record, _ in mixed), (partition for _, partition in mixed))


def flood(country: Country, honest: list[Signed]) -> Iterator[Signed]:
    """One invalid record for each honest one, about as long: in turn of a registered factory and of invented ones."""
    flooder = f"F{country.factories:06d}"
    for n, record in enumerate(honest):
        if n % TOO_LARGE_EVERY == 0:
            yield country.signed(flooder, record.value.ljust(MAX_VALUE_BYTES + 1))
        elif n % 2:
            invented = f"X{n // 2 % INVENTED:06d}"
            yield country.signed(invented, renamed(record, invented))
        else:
            yield invalid(country, flooder, renamed(record, flooder), n // 2 % 5)


def renamed(record: Signed, factory_id: str) -> bytes:
    """The record as another factory's."""
    return record.value.replace(record.key, factory_id.encode(), 1)


def invalid(country: Country, factory_id: str, value: bytes, kind: int) -> Signed:
    """One of five kinds of invalid records made of a valid one; signed, so that each is examined as far as it goes."""
    match kind:
        case 0:  # a signature that is not the key's
            key_id, _ = country.signed(factory_id, value).headers
            return Signed(factory_id.encode(), value, (key_id, (SIGNATURE_HEADER, os.urandom(64))))
        case 1:  # a key of the envelope twice, at the end
            value = value[:-1] + b',"revision":0}'
        case 2:  # too deep, after the valid part
            value = value[:-1] + b',"x":' + b"[" * (MAX_NESTING + 1) + b"]" * (MAX_NESTING + 1) + b"}"
        case 3:  # authentic, and every row of a machine that is not registered
            value = value.replace(b'"machine_id":"M', b'"machine_id":"N')
        case _:
            value = os.urandom(len(value))
    return country.signed(factory_id, value)
