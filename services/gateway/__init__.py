"""The reference factory gateway: a machine's own protocol becomes signed telemetry records on Kafka.

The names below are what other services may use: rows, the records that hold them, and the sender of records.
"""

from typing import TYPE_CHECKING

from services.gateway.keys import public_key
from services.gateway.records import CountRow, ReadingRow, Record, RecordWriter, Row, StateRow, new_boot_id

__all__ = [
    "CountRow",
    "ReadingRow",
    "Record",
    "RecordWriter",
    "Row",
    "Sender",
    "StateRow",
    "new_boot_id",
    "public_key",
]

if TYPE_CHECKING:
    from services.gateway.sender import Sender
else:

    def __getattr__(name):
        """Load ``Sender`` when it is asked for: Kafka's client takes longer to import than most commands run."""
        if name != "Sender":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from services.gateway.sender import Sender

        return Sender
