"""A workload whose outcome is known: records of every kind, in every codec, sent while things are killed."""

import contextlib
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from kafka import KafkaProducer
from kafka.producer.future import FutureRecordMetadata

from tests.faults.messages import ORIGIN_US, SEALED_BEFORE_US, Composer, Gateway, Kind
from tests.faults.reference import ALWAYS, Delivery, Message, Outcome, Registered, outcome_of
from tests.record_batches import produce
from tests.stack import Stack

Codec = Literal["gzip", "snappy", "lz4", "zstd"] | None
CODECS: tuple[Codec, ...] = (None, "gzip", "snappy", "lz4", "zstd")
IN_USE_US = 1_451_574_000_000_000
"""2016-01-01 in Seoul, since when M1 is in use."""
NEW_SINCE_US = ORIGIN_US - 9 * 3_600_000_000
"""2017-03-01 in Seoul, since when NEW is in use."""
SEAL = "UPDATE fact_horizon SET sealed_before = to_timestamp($1::bigint / 1000000)"


@dataclass(slots=True)
class Sent:
    """A message on its way: the topic's number when it was sent, and the producer's promise of its place."""

    message: Message
    topic: int
    promise: FutureRecordMetadata


@dataclass
class Workload:
    """Sends messages to a stack's topic and remembers where they came to be.

    ``topic`` counts the topics that had the name so far; ``lost`` has the places that a log lost before they were read.
    """

    stack: Stack
    gateways: list[Gateway]
    registered: Registered
    composer: Composer
    topic: int = 1
    lost: set[tuple[int, int, int]] = field(default_factory=set)
    producers: dict[Codec, KafkaProducer] = field(default_factory=dict)
    _sent: list[Sent] = field(default_factory=list)
    _delivered: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._turns = itertools.cycle(self.gateways)

    @property
    def sent(self) -> int:
        return len(self._sent) + len(self._delivered)

    def producer(self, codec: Codec) -> KafkaProducer:
        """Return the producer of a codec, which the stack closes."""
        if codec not in self.producers:
            producer = KafkaProducer(
                bootstrap_servers=self.stack.kafka.bootstrap,
                compression_type=codec,
                max_request_size=3_000_000,
                linger_ms=5,
                reconnect_backoff_max_ms=500,
            )
            self.producers[codec] = producer
            self.stack.producers.append(producer)
        return self.producers[codec]

    def send(self, message: Message, codec: Codec = None, partition: int | None = None) -> FutureRecordMetadata:
        """Send a message. Without a partition, Kafka chooses it by the key."""
        promise = self.producer(codec).send(
            self.stack.topic, message.value, message.key, list(message.headers), partition
        )
        self.expect(message, promise)
        return promise

    def send_one(self, kind: Kind | None = None, codec: Codec | Literal["any"] = "any") -> None:
        """Send the next gateway's next record, of any kind and in any codec unless they are given."""
        composer = self.composer
        chosen = composer.random.choice(CODECS) if codec == "any" else codec
        self.send(composer.compose(kind or composer.any_kind(), next(self._turns)), chosen)

    def send_each_kind(self) -> None:
        """Send a record of each kind in each codec; there is one to change before one is changed."""
        for codec in CODECS:
            for kind in Kind:
                self.send_one(kind, codec)

    def send_for(self, seconds: float, per_second: float = 100.0) -> None:
        """Send at a steady pace for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.send_one()
            time.sleep(1 / per_second)

    def flush(self) -> None:
        """Wait until the broker has everything."""
        for producer in self.producers.values():
            producer.flush(timeout=120)

    def deliveries(self) -> list[Delivery]:
        """Return everything sent so far with its place, without what its log has lost."""
        self.flush()
        for sent in self._sent:
            at = sent.promise.get(timeout=120)
            assert at.offset >= 0, at
            self._delivered.append(Delivery(sent.message, (sent.topic, at.partition, at.offset), at.timestamp * 1000))
        self._sent.clear()
        return [delivery for delivery in self._delivered if delivery.place not in self.lost]

    def outcome(self) -> Outcome:
        """Return what must be stored."""
        return outcome_of(self.deliveries(), self.registered)

    def lose(self, topic: int, partition: int, offsets: range) -> int:
        """Note which offsets of a log were lost, and return how many records these were."""
        self.deliveries()
        gone = {
            d.place for d in self._delivered if d.place[:2] == (topic, partition) and d.place[2] in offsets
        } - self.lost
        self.lost |= gone
        return len(gone)

    @contextlib.contextmanager
    def transactional(self, timeout_ms: int) -> Iterator[KafkaProducer]:
        """A producer that uses transactions, of which one at a time can exist."""
        producer = KafkaProducer(
            bootstrap_servers=self.stack.kafka.bootstrap,
            transactional_id=f"{self.stack.topic}-transactions",
            transaction_timeout_ms=timeout_ms,
        )
        try:
            producer.init_transactions()
            yield producer
        finally:
            producer.close(timeout=5)

    def expect(self, message: Message, promise: FutureRecordMetadata) -> None:
        """Note a message that was sent, without its bytes, which the reference does not need."""
        self._sent.append(Sent(replace(message, value=None), self.topic, promise))

    def send_unreadable(self, raw: bytes, partition: int) -> None:
        """Send a batch that must become one letter, at its first offset; the broker must accept it."""
        answer = produce(self.stack.kafka.bootstrap, self.stack.topic, partition, raw)
        assert answer.error == 0, answer
        message = Message(None, None, (), "", refused="unreadable_batch")
        place = (self.topic, partition, answer.first_offset)
        self._delivered.append(Delivery(message, place, answer.appended_ms * 1000))

    def register_gateway(self, factory_id: str, key_id: str = "k1") -> Gateway:
        """Register a factory with its machines and its first key, and return its gateway."""
        sender = self.stack.register_factory(factory_id, "M1", key_id=key_id)
        self.stack.register_machine(factory_id, "NEW", in_use_from="2017-03-01")
        self.registered.machines[factory_id, "M1"] = (IN_USE_US, ALWAYS[1])
        self.registered.machines[factory_id, "NEW"] = (NEW_SINCE_US, ALWAYS[1])
        self.registered.keys[factory_id, key_id] = ALWAYS
        return Gateway(factory_id, key_id, sender.seed)


def start_workload(stack: Stack, seed: int = 1, factories: int = 4) -> Workload:
    """Register factories over the API, seal what is before the horizon, and return the workload."""
    workload = Workload(stack, [], Registered(sealed_before_us=SEALED_BEFORE_US), Composer(seed))
    stack.query(SEAL, SEALED_BEFORE_US)
    workload.gateways += [workload.register_gateway(f"F{n}") for n in range(factories)]
    workload.__post_init__()
    return workload
