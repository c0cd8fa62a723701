"""Signed records of readings in bulk, and the rows in them as columns.

The text of all rows has the same width, so a block of records is one array of characters in which only the digits
differ: a million rows take about a second, most of it for signatures. The bytes are those that ``encode_record`` writes
for the same rows. Every row has an instant of its own, so that nothing gains from remembering instants.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from nacl.signing import SigningKey

from schemas.wire.instants import format_us
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, sign
from tests.bench.country import ORIGIN_US

Ints = npt.NDArray[np.int64]
Characters = npt.NDArray[np.uint8]

MACHINES = 20
METRICS = ("spindle_load_pct", "spindle_speed_rpm", "feed_mm_per_min", "coolant_c", "power_w")
SERIES = MACHINES * len(METRICS)
"""Series of a factory: each metric of each machine."""
FIRST_SEQUENCE = 10_000_000
"""So that all numbers of records have the same width."""
KEY_ID = "k1"
BLOCK = 500
"""Records written at a time, which bounds the memory."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One Kafka record as a gateway sends it."""

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings as columns of the table ``reading``, with one line per record: arrays of (records, rows a record)."""

    machine: Ints
    metric: Ints
    at_us: Ints
    value: npt.NDArray[np.float64]

    @property
    def count(self) -> int:
        """Rows in all records."""
        return self.machine.size


@dataclass(frozen=True, slots=True)
class Country:
    """Factories F000001.. as ``country.register`` numbers them; all gateways sign with the key of ``seed``."""

    factories: int
    origin_us: int = ORIGIN_US
    step_us: int = 60_000_000
    """Between two readings of a series."""
    seed: bytes = field(default_factory=lambda: os.urandom(32))

    @property
    def public_key(self) -> bytes:
        """The key to register."""
        return bytes(SigningKey(self.seed).verify_key)

    @property
    def rows_a_step(self) -> int:
        """Readings of all series at one instant."""
        return self.factories * SERIES

    def signed(self, factory_id: str, value: bytes) -> Signed:
        """A record with its signature."""
        headers = ((KEY_ID_HEADER, KEY_ID.encode()), (SIGNATURE_HEADER, sign(value, self.seed)))
        return Signed(factory_id.encode(), value, headers)

    def readings(self, instant: int, instants: int = 1) -> Rows:
        """The readings that every factory makes from the given step on, a record of each factory: its series, then
        its series one step later, and so on."""
        shape = (self.factories, instants, MACHINES, len(METRICS))
        factory, step, machine, metric = np.indices(shape, np.int64)
        apart_us = self.step_us // self.rows_a_step - 1
        assert apart_us > 0, "two rows would share an instant"
        place = (factory * MACHINES + machine) * len(METRICS) + metric
        at_us = self.origin_us + (instant + step) * self.step_us + place * apart_us
        varied = place * 7919 + (instant + step) * 104_729
        thousandths = 100_001 + varied % 90_000 * 10 + varied % 9  # none ends in 0, which would not be written
        columns = [
            c.reshape(self.factories, -1) for c in (factory * MACHINES + machine + 1, metric + 1, at_us, thousandths)
        ]
        return Rows(columns[0], columns[1], columns[2], columns[3] / 1000)

    def records(self, rows: Rows, sequence: int) -> Iterator[Signed]:
        """Write what ``readings`` returned as one signed record per factory."""
        sent_at = format_us(int(rows.at_us.max()))
        for start in range(0, len(rows.machine), BLOCK):
            for n, text in enumerate(as_text(rows, slice(start, start + BLOCK)), start=start + 1):
                factory_id = f"F{n:06d}"
                head = (
                    f'{{"factory_id":"{factory_id}","gateway_id":"gw-1","boot_id":"b1",'
                    f'"sequence":{FIRST_SEQUENCE + sequence},"sent_at":"{sent_at}","revision":0,"readings":['
                )
                # The last row's comma is left out.
                yield self.signed(factory_id, b"".join((head.encode(), text.tobytes()[:-1], b"]}")))


def as_text(rows: Rows, block: slice) -> Characters:
    """Return a block of records' rows as the wire has them, a comma after each row.

    Returns:
        characters of (records, rows x width).
    """
    at_us, value = rows.at_us[block], rows.value[block]
    name_width = max(len(name) for name in METRICS)
    lines = [
        f'{{"machine_id":"M{machine:02d}","at":"2026-03-01T00:00:00.000000Z","metric":"{metric}","value":100.001}},'
        for machine in range(1, MACHINES + 1)
        for metric in METRICS
    ]
    padded = [line.ljust(len(lines[0]) + name_width) for line in lines]
    records, width = at_us.shape
    text = np.empty((records, width, len(padded[0])), np.uint8)
    one = np.array([list(line.encode()) for line in padded], np.uint8)
    text[:] = np.tile(one, (width // len(lines), 1))
    at = padded[0].index("2026")
    text[:, :, at : at + 26] = instants(at_us)
    digits = np.rint(value * 1000).astype(np.int64)
    places = [10**n for n in (5, 4, 3)] + [0] + [10**n for n in (2, 1, 0)]
    starts = np.array([line.index("100.001") for line in lines] * (width // len(lines)))
    for offset, place in enumerate(places):
        if place:
            text[:, np.arange(width), starts + offset] = digits // place % 10 + ord("0")
    # Names of metrics have different lengths: drop the padding behind each line.
    kept = np.tile(np.concatenate([np.arange(len(padded[0])) < len(line) for line in lines]), width // len(lines))
    return text.reshape(records, -1)[:, kept]


def instants(at_us: Ints) -> Characters:
    """Return RFC 3339 without the Z, as characters in a last dimension of 26."""
    texts = np.datetime_as_string(at_us.astype("datetime64[us]"), unit="us").astype("S26")
    return texts.view(np.uint8).reshape(*at_us.shape, 26)
