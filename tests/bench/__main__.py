"""``make bench``: figures of the hot paths on this machine, as lines and in ``build/bench.jsonl``.

Machines are shared and noisy: trust ratios of figures taken in one run, not the figures. ``docs/bench.md`` says what
each figure is.
"""

import argparse
from collections.abc import Callable, Iterator

from tests.bench import accounting, ingest, kpi_reads, starting
from tests.bench.figures import Figure
from tests.bench.stacks import Servers, running_servers

FAMILIES: dict[str, Callable[[Servers], Iterator[Figure]]] = {
    "ingest": ingest.figures,
    "accounting": accounting.figures,
    "kpi_reads": kpi_reads.figures,
    "starting": starting.figures,
}


def main() -> None:
    """Measure and report the families named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure; see docs/bench.md.")
    parser.add_argument("family", nargs="*", choices=[*FAMILIES, "all"], default="all", help="default: all")
    named = parser.parse_args().family
    with running_servers() as servers:
        for name, figures in FAMILIES.items():
            for figure in figures(servers) if name in named or "all" in named else ():
                figure.report()


if __name__ == "__main__":
    main()
