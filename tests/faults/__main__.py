"""``make faults MINUTES=n``: rounds of all scenarios on servers of their own, and a table of all rounds so far.

Results are appended to ``build/faults.jsonl``; another start goes on with the next seed and sums up all. Exit code 1:
the law was broken in some round.
"""

import argparse
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.accounting_faults import ACCOUNTING
from tests.faults.rounds import ROOT, read_results, run_for, table_of
from tests.faults.scenarios import SCENARIOS
from tests.faults.world import running_servers

RESULTS = ROOT / "build/faults.jsonl"


@contextmanager
def own_passwords() -> Iterator[None]:
    """Have servers and clients use a password file of this run alone."""
    folder = tempfile.mkdtemp(prefix="jejo-passwords-")
    os.environ["PGPASSFILE"] = str(Path(folder) / "pgpass")
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run rounds for the minutes given, and print the table. Returns 1 if the law was ever broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Break things, and check the law.")
    parser.add_argument("--minutes", type=float, default=10, help="default: 10")
    parser.add_argument("--only", choices=[*SCENARIOS, *ACCOUNTING], help="run this scenario alone")
    options = parser.parse_args()
    # Its errors about servers that were killed are no news.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    if options.minutes > 0:
        with own_passwords(), running_servers() as servers:
            run_for(servers, options.minutes, RESULTS, options.only)
    results = read_results(RESULTS)
    print(table_of(results))
    return int(any(result.broken is not None for result in results))


if __name__ == "__main__":
    sys.exit(main())
