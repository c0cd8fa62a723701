"""The rows that a gateway sends, and the signed records that it sends them in: Kafka's key, value and headers.

Rows are named tuples, as there are millions of them. A retracted row withdraws the fact of its identity; its content is
not sent.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.wire.codes import Mode, State
from schemas.wire.columns import CountRows, ReadingRows, StateRows
from schemas.wire.encode import Instants, encode_record
from schemas.wire.instants import format_us
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, sign
from services.core.times import rfc3339


class StateRow(NamedTuple):
    """A state of a machine from ``at_us`` (microseconds since the epoch) on."""

    machine_id: str
    at_us: int
    state: State
    mode: Mode
    reason: str | None = None
    retracted: bool = False


class CountRow(NamedTuple):
    """The pieces made since the machine's last count; ``at_us`` is when the last of them was completed."""

    machine_id: str
    at_us: int
    good: int
    scrap: int = 0
    rework: int = 0
    product: str = ""
    retracted: bool = False


class ReadingRow(NamedTuple):
    """A number measured at ``at_us``; the metric's name ends in its unit."""

    machine_id: str
    at_us: int
    metric: str
    value: float
    retracted: bool = False


Row = StateRow | CountRow | ReadingRow


MAXIMUM_ROWS = 1000
"""Each record costs ingest the same beside its rows. 1,000 readings fit into ``MAXIMUM_BYTES`` whatever their ids."""
MAXIMUM_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record, and the number of rows in it."""

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    rows: int


def new_boot_id(now_us: int) -> str:
    """Return a name for one run of a gateway: the instant, and a random part."""
    return f"{rfc3339(now_us)}/{secrets.token_hex(2)}"


class RecordWriter:
    """Writes the rows of one factory's gateway into records, numbered from 0 and signed."""

    def __init__(
        self,
        *,
        factory_id: str,
        gateway_id: str,
        key_id: str,
        seed: bytes,
        boot_id: str,
        maximum_rows: int = MAXIMUM_ROWS,
        maximum_bytes: int = MAXIMUM_BYTES,
        instants: Instants = format_us,
    ) -> None:
        """Set what all records have in common.

        Args:
            seed: the signing key's 32 bytes.
            maximum_rows: the most rows in a record.
            maximum_bytes: the longest value of a record of more than one row.
            instants: how instants are written.
        """
        self._instants = instants
        self.maximum_rows = maximum_rows
        self._maximum_bytes = maximum_bytes
        self._factory_id = factory_id
        self._gateway_id = gateway_id
        self._key_id = key_id
        self._seed = seed
        self._boot_id = boot_id
        self._sequence = 0

    def write(self, rows: Sequence[Row], sent_at_us: int, revision: int = 0) -> list[Record]:
        """Return records of the rows, in their order and all of one revision; none if there are no rows."""
        records = []
        for start in range(0, len(rows), self.maximum_rows):
            records += self._write_batch(rows[start : start + self.maximum_rows], sent_at_us, revision)
        return records

    def _write_batch(self, rows: Sequence[Row], sent_at_us: int, revision: int) -> list[Record]:
        states, counts, readings = to_columns(rows)
        value = encode_record(
            factory_id=self._factory_id,
            gateway_id=self._gateway_id,
            sent_at_us=sent_at_us,
            boot_id=self._boot_id,
            sequence=self._sequence,
            revision=revision,
            states=states,
            counts=counts,
            readings=readings,
            instants=self._instants,
        )
        if len(value) > self._maximum_bytes and len(rows) > 1:
            half = len(rows) // 2
            head, tail = rows[:half], rows[half:]
            return self._write_batch(head, sent_at_us, revision) + self._write_batch(tail, sent_at_us, revision)
        self._sequence += 1
        headers = ((KEY_ID_HEADER, self._key_id.encode()), (SIGNATURE_HEADER, sign(value, self._seed)))
        return [Record(self._factory_id.encode(), value, headers, len(rows))]


def to_columns(rows: Sequence[Row]) -> tuple[StateRows, CountRows, ReadingRows]:
    """Return the rows of each kind as columns for ``encode_record``, in their order."""
    states, counts, readings = StateRows(), CountRows(), ReadingRows()
    for row in rows:
        columns: StateRows | CountRows | ReadingRows
        match row:
            case StateRow():
                columns = states
                states.state.append(row.state)
                states.mode.append(row.mode)
                states.reason.append(row.reason)
            case CountRow():
                columns = counts
                counts.product.append(row.product)
                counts.good.append(row.good)
                counts.scrap.append(row.scrap)
                counts.rework.append(row.rework)
            case ReadingRow():
                columns = readings
                readings.metric.append(row.metric)
                readings.value.append(row.value)
        columns.machine_id.append(row.machine_id)
        columns.at_us.append(row.at_us)
        columns.retracted.append(row.retracted)
    return states, counts, readings
