"""How much slower honest factories' rows are stored while a flood of invalid records fills the same partitions."""

import dataclasses
import itertools
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


def figures(servers: Servers) -> Iterator[Figure]:
    """Alternate honest records alone and the same ones with an invalid record after each."""
    # The last factory is registered, and sends only invalid records.
    with bench(servers, "bench_hostile", Country(FACTORIES + 1)) as here:
        honest = pack(readings(honest_part(here.country), ROWS))
        mixed = flooded(here.country, ROWS)
        alone = here.topic("bench_hostile_alone", honest)
        beside = here.topic("bench_hostile_beside", mixed)
        shares = [pace(here, beside, mixed) / pace(here, alone, honest) for _ in range(ROUNDS)]
    yield Figure("ingest.hostile_slowdown", 1 - statistics.median(shares), "ratio", "<= 0.2")


def pace(here: Bench, topic: str, load: Load) -> float:
    """Honest rows per second."""
    seconds = here.round(topic, load).seconds
    assert here.stored() == ROWS
    return ROWS / seconds


def honest_part(country: Country) -> Country:
    """The country without its last factory."""
    return dataclasses.replace(country, factories=country.factories - 1)


def flooded(country: Country, rows: int) -> Load:
    """Honest records, and behind each an invalid one in the same partition."""
    honest = readings(honest_part(country), rows)
    mixed = list(itertools.chain.from_iterable(zip(honest, flood(country, honest), strict=True)))
    places = itertools.chain.from_iterable((partition_of(record.key),) * 2 for record in honest)
    return pack(mixed, places)


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
