"""Ingest: Kafka to facts and dead letters, exactly once."""
