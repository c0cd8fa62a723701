"""The reference factory gateway: a machine's own protocol becomes signed telemetry records on Kafka."""
