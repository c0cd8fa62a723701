"""The reference factory gateway: reads a machine's own protocol and sends signed telemetry records to Kafka.

A row's way through it: ``log_files`` reads the lines of a log, ``mtconnect`` finds what they report of the machine, by
the model that ``models`` chooses, ``translate`` makes rows of that, ``records`` batches rows into signed records, with
a key from ``keys``, and ``sender`` sends them. ``replay`` does all of this for a factory's recorded logs.
``record_files`` keeps records in a file, to be sent later. ``cli`` has the commands, ``arguments`` their options,
``report`` what they print.

The names exported here are what other services may use: rows, the records that contain them, and where records go.
"""

from typing import TYPE_CHECKING

from services.gateway.keys import public_key
from services.gateway.record_files import RecordFile
from services.gateway.records import CountRow, ReadingRow, Record, RecordWriter, Row, StateRow, new_boot_id

__all__ = [
    "CountRow",
    "ReadingRow",
    "Record",
    "RecordFile",
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
        """Import ``Sender`` on first use: every command imports this package, and Kafka's client is slow to import."""
        if name != "Sender":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from services.gateway.sender import Sender

        return Sender
