"""The scenarios of the fault suite, by name, in the order of the short form."""

from collections.abc import Callable

from tests.faults import batch_faults, log_faults, registry_faults, server_faults, worker_faults
from tests.faults.world import World

SCENARIOS: dict[str, Callable[[World], dict[str, int]]] = {
    "every kind of record": server_faults.everything,
    "batches beyond reading": batch_faults.batches,
    "kill -9 of ingest": worker_faults.kills,
    "SIGTERM of ingest": worker_faults.drains,
    "workers join and leave": worker_faults.rebalances,
    "a frozen worker is woken": worker_faults.zombies,
    "connections cut": worker_faults.cut_connections,
    "transactions": log_faults.transactions,
    "the registry changes": registry_faults.registry_changes,
    "PostgreSQL killed": server_faults.postgresql_killed,
    "the disk is full": server_faults.disk_full,
    "Kafka killed": server_faults.kafka_killed,
    "the log truncated": log_faults.retention,
    "the topic recreated": log_faults.recreated,
}
"""Each damages a world, leaves it able to go on, and returns counts of what happened."""
