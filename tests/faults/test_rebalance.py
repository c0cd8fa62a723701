"""Two workers on 24 partitions, one leaving and one joining mid-run: the law of exactly once holds."""

from tests.faults.workload import check_exactly_once, start_workload
from tests.stack import Stack, wait_for


def assigned(output: str) -> int:
    """How many partitions a worker last said it reads."""
    lines = [line for line in output.splitlines() if "reading on from" in line]
    return lines[-1].count(":") - 2 if lines else 0


def test_two_workers_one_leaving_one_joining(stack: Stack) -> None:
    stack.start_api()
    stack.start("analytics")
    workload = start_workload(stack, factories=12)
    first, second = stack.start("ingest"), stack.start("ingest")
    workload.send_for(1)
    both = (first, second)
    wait_for("both workers to share", lambda: all("reading on from" in service.output for service in both))
    workload.send_for(5)
    assert second.stop() == 0, second.output
    workload.send_for(3)
    third = stack.start("ingest")
    workload.send_for(3)
    wait_for("the third worker", lambda: "reading on from" in third.output)
    first.kill()
    workload.send_for(3)
    workload.flush()
    stack.wait_until_ingested(180)
    stack.wait_until_accounted()
    assert third.process.poll() is None, third.output
    check_exactly_once(stack, workload.expected)
