"""Patterns and bounds of the wire, shared by the decoder, the JSON Schema and the registry."""

import re

MAX_VALUE_BYTES = 1_048_576
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
