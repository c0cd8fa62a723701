"""Ingest: Kafka to facts and dead letters, exactly once. Other services may use the names below and no others.

A record's way, by the stages of ``pipeline``, each a thread:

- poll: ``worker`` polls through ``stream.consumer`` into ``stream.buffer``, and hands batches over;
- verify: ``judging.authenticate`` finds each record's sender in the ``judging.registry``;
- decode: ``judging.decode`` takes plain records through ``judging.plain_rows`` straight into ``columns``, and all
  others through ``judging.judge``, as far as ``judging.quotas`` and ``judging.introductions`` admit them;
  ``writing.plan`` splits the rows by what ``writing.latest`` knows, and ``writing.copy_format`` encodes the new ones;
- write: ``writing.writer`` commits the batch in one transaction: ``writing.facts``, the rest compared by
  ``writing.versions``; ``writing.record_rows``; ``letters.dead_letters``; dirty marks; and offsets by compare-and-set.

Each room has its SQL in ``queries``; ``model`` has the types, ``database`` the connections.
"""

from services.ingest.stream.progress import IngestProgress, LogBounds, TopicLogs, read_logs, read_progress
from services.ingest.stream.transactions import OpenTransaction, read_open_transactions

__all__ = [
    "IngestProgress",
    "LogBounds",
    "OpenTransaction",
    "TopicLogs",
    "read_logs",
    "read_open_transactions",
    "read_progress",
]
