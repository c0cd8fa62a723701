"""Ingest: Kafka to facts and dead letters, exactly once. Other services may use the names below and no others.

A record's way: ``worker`` polls it from ``consumer`` into ``buffer``; ``reread`` drops what was judged before;
``judge`` decides, with ``registry``, which rows are facts; ``writer`` commits the batch in one transaction: ``facts``
(by ``plan``, ``versions`` and ``copy_format``), ``dead_letters``, dirty marks, and offsets by compare-and-set.
``queries`` has the SQL, ``model`` the types.
"""

from services.ingest.progress import IngestProgress, LogBounds, TopicLogs, read_logs, read_progress
from services.ingest.transactions import OpenTransaction, read_open_transactions

__all__ = [
    "IngestProgress",
    "LogBounds",
    "OpenTransaction",
    "TopicLogs",
    "read_logs",
    "read_open_transactions",
    "read_progress",
]
