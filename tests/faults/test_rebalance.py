"""Two workers on 24 partitions, one leaving and one joining under load: everything is ingested exactly once."""

from tests.faults.workload import check_exactly_once, start_workload
from tests.stack import Stack, wait_for


def test_two_workers_one_leaving_one_joining(stack: Stack) -> None:
    stack.start_api()
    stack.start("analytics")
    workload = start_workload(stack, factories=12)
    first, second = stack.start("ingest"), stack.start("ingest")
    workload.send_for(1)
    both = (first, second)
    wait_for("both workers to share", lambda: all(service.is_ready() for service in both))
    workload.send_for(5)
    assert second.stop() == 0, second.output
    workload.send_for(3)
    third = stack.start("ingest")
    workload.send_for(3)
    wait_for("the third worker", third.is_ready)
    first.kill()
    workload.send_for(3)
    workload.flush()
    stack.wait_until_ingested(180)
    stack.wait_until_accounted()
    assert third.process.poll() is None, third.output
    check_exactly_once(stack, workload.expected)
