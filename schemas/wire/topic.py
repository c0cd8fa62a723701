"""The telemetry topic as Jejo creates it."""

TELEMETRY_TOPIC = "manufacturing.telemetry.v1"
PARTITIONS = 24
CONFIGURATION: dict[str, str] = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(2 * 1024 * 1024),
}
