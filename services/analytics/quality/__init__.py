"""Data quality by factory and day of receipt, from what ingest recorded of each record; see docs/decisions/0028."""
