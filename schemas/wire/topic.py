"""The telemetry topic as Jejo creates it."""

from schemas.wire.limits import MAX_PACKED_BYTES

TELEMETRY_TOPIC = "manufacturing.telemetry.v1"
PARTITIONS = 24
CONFIGURATION: dict[str, str] = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(MAX_PACKED_BYTES),
    # Of a single record once unpacked, so no larger than one that was sent unpacked. A batch of many may still be huge.
    "max.decompressed.message.bytes": str(MAX_PACKED_BYTES),
}
OPTIONAL = frozenset(("max.decompressed.message.bytes",))
"""Settings that older brokers do not know, and without which the topic is created there."""
