"""Mutated records through the real path, each compared with the strict decoder. The short form."""

import pytest

from tests.faults.mutations import start_run
from tests.stack import Stack

RECORDS = 3_000


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_mutated_records_crash_nothing_and_become_facts_only_where_valid(stack: Stack) -> None:
    run = start_run(stack, seed=1)
    run.send(RECORDS)
    run.settle(120)
    print(run.check(least=1), run.shares, run.resident_mb)
