"""Ingest: Kafka to facts and dead letters, exactly once. Other services may use the names below and no others."""

from services.ingest.progress import IngestProgress, LogBounds, TopicLogs, read_logs, read_progress

__all__ = ["IngestProgress", "LogBounds", "TopicLogs", "read_logs", "read_progress"]
