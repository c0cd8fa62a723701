"""Patterns and bounds of the wire, shared by the decoder, the JSON Schema and the registry."""

import re

MAX_VALUE_BYTES = 1_048_576
MAX_PACKED_BYTES = 2 * 1024 * 1024
"""Of a record batch as sent, packed or not (the topic's ``max.message.bytes``)."""
MAX_BATCH_BYTES = 32 * 1024 * 1024
"""Of a record batch once unpacked: telemetry in JSON packs to about a tenth, so a full batch stays below that."""
MAX_BATCH_RECORDS = MAX_BATCH_BYTES // 256
"""In a record batch: a signed record of a single row takes about 300 bytes, so this stops no full batch of them."""
MAX_HEADERS = 100
"""Of a record: two sign it, and a few more trace it. As objects, empty headers take 30 times their bytes."""
MAX_STRING = 128
MAX_NESTING = 32
MAX_INT32 = 2**31 - 1
MAX_INT64 = 2**63 - 1

FACTORY_ID_PATTERN = "[A-Z0-9][A-Z0-9_-]{0,31}"
LOCAL_ID_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
METRIC_PATTERN = "[a-z][a-z0-9_]{0,62}"

FACTORY_ID = re.compile(FACTORY_ID_PATTERN)
LOCAL_ID = re.compile(LOCAL_ID_PATTERN)
METRIC = re.compile(METRIC_PATTERN)
