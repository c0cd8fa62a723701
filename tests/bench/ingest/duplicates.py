"""How fast ingest recognises what it has stored already: rows read per second, over its own pace without any."""

import statistics
from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.ingest.batches import Load, pack
from tests.bench.ingest.records import SERIES, Country, Signed
from tests.bench.ingest.rounds import Bench, bench
from tests.bench.ingest.speed import FACTORIES, ROWS, steps_of
from tests.bench.stacks import Servers

ROUNDS = 3
EVERY = 100


def figures(servers: Servers) -> Iterator[Figure]:
    """Alternate a topic without duplicates, one with a few and one with every record twice."""
    with bench(servers, "bench_duplicates", Country(FACTORIES)) as here:
        records = readings(here.country)
        few = [again for n, record in enumerate(records) for again in [record] * (1 + (n % EVERY == 0))]
        kinds = {"once": records, "1pct": few, "100pct": records + records}
        topics = {name: fill(here, f"bench_duplicates_{name}", kind) for name, kind in kinds.items()}
        rounds = [{name: pace(here, *topic) for name, topic in topics.items()} for _ in range(ROUNDS)]
    for name, goal in (("1pct", ">= 0.8"), ("100pct", ">= 0.5")):
        over_own_pace = statistics.median(one[name] / one["once"] for one in rounds)
        yield Figure(f"ingest.duplicates_{name}_ratio", over_own_pace, "ratio", goal)


def readings(country: Country, rows: int = ROWS) -> list[Signed]:
    """Records of 100 readings, in the order of time."""
    steps = range(steps_of(country, rows))
    return [record for step in steps for record in country.records(country.readings(step), step)]


def fill(here: Bench, topic: str, records: list[Signed]) -> tuple[str, Load]:
    """A topic of records in this order, and what is in it."""
    load = pack(records)
    return here.topic(topic, load), load


def pace(here: Bench, topic: str, load: Load) -> float:
    """Rows read per second, duplicates too."""
    round = here.round(topic, load)
    assert here.stored() == ROWS
    return round.records_per_s * SERIES
