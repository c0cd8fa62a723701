"""``make bench``: figures of the hot paths on this machine, as lines and in ``build/bench.jsonl``.

Machines are shared and noisy: trust ratios of figures taken in one run, not the figures. ``docs/bench.md`` says what
each figure is.
"""

import argparse
from collections.abc import Callable, Iterator

from tests.bench import accounting, bulk, day, instead, kpi_reads, layouts, reads_nation, registering, starting
from tests.bench.figures import Figure
from tests.bench.freshness import figures as freshness
from tests.bench.ingest import delay, duplicates, flat, hostile, memory, speed, states
from tests.bench.peers import figures as peers
from tests.bench.stacks import Servers, running_servers

FAMILIES: dict[str, Callable[[Servers], Iterator[Figure]]] = {
    "ingest_speed": speed.figures,
    "ingest_duplicates": duplicates.figures,
    "ingest_states": states.figures,
    "ingest_delay": delay.figures,
    "ingest_hostile": hostile.figures,
    "ingest_memory": memory.figures,
    "ingest_flat": flat.figures,
    "ingest_flat_200m": flat.figures_200m,
    "peers": peers.figures,
    "registering": registering.figures,
    "accounting": accounting.figures,
    "day": day.figures,
    "day_national": day.figures_national,
    "freshness": freshness.figures,
    "kpi_reads": kpi_reads.figures,
    "reads_nation": reads_nation.figures,
    "bulk": bulk.figures,
    "instead": instead.figures,
    "starting": starting.figures,
    "layouts": layouts.figures,
}
LONG = {
    "bulk",
    "day",
    "day_national",
    "freshness",
    "ingest_flat",
    "ingest_flat_200m",
    "instead",
    "layouts",
    "peers",
    "reads_nation",
}
"""They run only by name."""
GROUPS: dict[str, set[str]] = {
    "all": FAMILIES.keys() - LONG,
    "ingest": {name for name in FAMILIES if name.startswith("ingest_")} - LONG,
}


def main() -> None:
    """Measure and report the families named, or all but the long ones."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure; see docs/bench.md.")
    parser.add_argument("family", nargs="*", choices=[*FAMILIES, *GROUPS], default="all", help="default: all")
    named = parser.parse_args().family
    chosen = set().union(*(GROUPS.get(name, {name}) for name in ([named] if isinstance(named, str) else named)))
    with running_servers() as servers:
        for name, figures in FAMILIES.items():
            for figure in figures(servers) if name in chosen else ():
                figure.report()


if __name__ == "__main__":
    main()
