"""What a country sends at a chosen rate, signed and packed in advance, and the sender that keeps to the rate.

Instants are those at which the records are due, so the running hour is what the rows belong to.
"""

import heapq
import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from schemas.wire.codes import Mode, State
from services.core.times import SECOND_US
from services.gateway.records import CountRow, RecordWriter, Row, StateRow
from tests.bench.ingest.batches import Batch, Broker, pack
from tests.bench.ingest.records import KEY_ID, MACHINES, SERIES, Country, Signed

PIECE_S = 0.5
"""How long a sender collects records before it sends them."""
REASSERT_S = 360
"""Each machine reports its state this often, ten times an hour as in the other figures of accounting."""
COUNTING = [machine for machine in range(1, MACHINES + 1) if machine % 4]
COUNTS = 6
"""Counts beside a factory's 20 states, of other machines each time; so each machine counts four times an hour."""
STATE_ROWS = MACHINES + COUNTS
STATES = (State.producing, State.producing, State.idle, State.producing, State.setup, State.delayed, State.faulted)
MODES = (Mode.automatic, Mode.unknown, Mode.manual, Mode.semi_automatic)

Due = tuple[float, Signed]
"""Seconds after the beginning, and the record that is due then."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much is sent: readings, 100 a record, beside the states and counts of all machines."""

    factories: int
    rows_per_s: int
    seconds: float

    @property
    def state_records_per_s(self) -> float:
        """One of each factory every REASSERT_S."""
        return self.factories / REASSERT_S

    @property
    def reading_records_per_s(self) -> float:
        """As many as the other rows leave room for."""
        return (self.rows_per_s - STATE_ROWS * self.state_records_per_s) / SERIES

    @property
    def records_per_s(self) -> float:
        """Of both kinds."""
        return self.state_records_per_s + self.reading_records_per_s


@dataclass(frozen=True, slots=True)
class Packet:
    """Batches that are sent one right after the other, when the last of their records is due."""

    due_s: float
    records: int
    batches: list[Batch]


def packets(country: Country, traffic: Traffic, turn: int) -> list[Packet]:
    """Write and pack all that is sent from ``country.origin_us`` on.

    Args:
        turn: how often this was called before, for numbers of records and for whose turn it is to report.
    """
    due = heapq.merge(readings(country, traffic, turn), states(country, traffic, turn), key=itemgetter(0))
    found = []
    for piece, own in itertools.groupby(due, key=lambda record: math.ceil(record[0] / PIECE_S)):
        load = pack(record for _, record in own)
        found.append(Packet(piece * PIECE_S, load.records, load.batches))
    return found


def readings(country: Country, traffic: Traffic, turn: int) -> Iterator[Due]:
    """Records of readings: those of one factory after the other, evenly spread over time."""
    rate = traffic.reading_records_per_s
    paced = replace(country, step_us=math.ceil(country.factories / rate * SECOND_US))
    steps = itertools.count()
    records = itertools.chain.from_iterable(paced.records(paced.readings(step), 1000 * turn + step) for step in steps)
    for n, record in enumerate(itertools.islice(records, int(traffic.seconds * rate)), start=1):
        yield n / rate, record


def states(country: Country, traffic: Traffic, turn: int) -> Iterator[Due]:
    """Records of what changes accounts, of one factory after the other; it goes on where the turn before ended."""
    rate = traffic.state_records_per_s
    for n in range(int(traffic.seconds * rate)):
        due_s = (n + 1) / rate
        nth = turn * int(traffic.seconds * rate) + n
        factory, time_of_it = nth % country.factories, nth // country.factories
        yield due_s, state_record(country, factory, time_of_it, country.origin_us + int(due_s * SECOND_US))


def state_record(country: Country, factory: int, nth: int, at_us: int) -> Signed:
    """The states of all machines of a factory, and counts of nothing, which cost as much as others.

    Only probes count pieces, so what the nation has made tells which of them are accounted.
    """
    rows: list[Row] = [
        StateRow(f"M{machine:02d}", at_us - machine, STATES[kind % 7], MODES[kind % 4])
        for machine, kind in ((m, factory + m + nth * 3) for m in range(1, MACHINES + 1))
    ]
    rows += [
        CountRow(f"M{COUNTING[(nth * COUNTS + place) % len(COUNTING)]:02d}", at_us - place, 0)
        for place in range(COUNTS)
    ]
    return signed(country, factory, rows, at_us)


def signed(country: Country, factory: int, rows: Sequence[Row], sent_at_us: int) -> Signed:
    """One record of a factory, as the reference gateway writes it."""
    writer = RecordWriter(
        factory_id=f"F{factory + 1:06d}",
        gateway_id="gw-1",
        key_id=KEY_ID,
        seed=country.seed,
        boot_id=f"b{sent_at_us}",
    )
    (record,) = writer.write(rows, sent_at_us)
    return Signed(record.key, record.value, record.headers)


def send_at_rate(broker: Broker, prepared: Sequence[Packet], begins: float) -> float:
    """Send each packet when it is due. Return the seconds by which the last of them had been sent too late.

    Args:
        begins: on the clock of ``time.monotonic``.
    """
    late = 0.0
    for packet in prepared:
        time.sleep(max(0.0, begins + packet.due_s - time.monotonic()))
        broker.send(packet.batches)
        late = time.monotonic() - begins - packet.due_s
    return late
