"""The same stack with no Docker: fetches, starts, watches and stops a real Kafka and a real TimescaleDB.

Only the standard library is used here, so that this package can say what is missing.
"""
