"""The local stack, without Docker: downloads, starts, monitors and stops a real Kafka and a real TimescaleDB.

It needs little beyond the standard library, so that it can report whatever else is missing.
"""
