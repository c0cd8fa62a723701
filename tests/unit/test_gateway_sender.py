"""The sender: the producer's options, and that no record is lost without an error."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, OutOfOrderSequenceNumberError, TopicAuthorizationFailedError
from kafka.future import Future

import services.gateway
from schemas.wire.limits import MAX_VALUE_BYTES
from services.core.errors import ConfigurationError, FatalError, RecordRefused, TransientError
from services.gateway import sender as module
from services.gateway.records import Record
from services.gateway.sender import ATTEMPTS, MAX_IN_FLIGHT, Sender

Outcome = BaseException | str | None
ARRIVES = "arrives"
NEVER = None


class Producer:
    """A stand-in for Kafka's producer; ``outcome_of`` decides at once what happens to a record of a value."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.sent: list[bytes] = []
        self.outcome_of: Callable[[bytes], Outcome] = lambda value: ARRIVES
        self.closed = False
        producers.append(self)

    def send(self, topic: str, *, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> Future:
        self.sent.append(value)
        future, outcome = Future(), self.outcome_of(value)
        if isinstance(outcome, BaseException):
            future.failure(outcome)
        elif outcome is ARRIVES:
            future.success(None)
        return future

    def close(self, timeout: float) -> None:
        self.closed = True


producers: list[Producer] = []


@pytest.fixture
def producer_class(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "KafkaProducer", Producer)
    yield
    producers.clear()


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def sender(producer_class: None, stop: threading.Event) -> Sender:
    return Sender("a:1,b:2", "topic", stop=stop)


@pytest.fixture
def producer(sender: Sender) -> Producer:
    return producers[0]


def record(number: int = 0) -> Record:
    return Record(b"F1", b"%d" % number, (("jejo-key-id", b"k"),), 1)


def fails_first(times: int, error: BaseException) -> Callable[[bytes], Outcome]:
    """Return outcomes by which each value fails ``times`` times, then arrives."""
    seen: dict[bytes, int] = {}

    def outcome_of(value: bytes) -> Outcome:
        seen[value] = seen.get(value, 0) + 1
        return error if seen[value] <= times else ARRIVES

    return outcome_of


def test_the_producer_is_idempotent_and_waits_for_all_replicas(producer: Producer) -> None:
    assert producer.options["bootstrap_servers"] == ["a:1", "b:2"]
    assert producer.options["acks"] == "all"
    assert producer.options["enable_idempotence"] is True
    assert producer.options["allow_auto_create_topics"] is False


def test_records_that_arrive_are_counted(sender: Sender, producer: Producer) -> None:
    with sender:
        for number in range(1000):
            sender.send(record(number))
        sender.flush()
    assert sender.acknowledged == len(producer.sent) == 1000
    assert producer.closed


@pytest.mark.parametrize("error", [KafkaTimeoutError("expired"), OutOfOrderSequenceNumberError()])
def test_a_record_that_fails_for_a_temporary_reason_is_sent_again(
    sender: Sender, producer: Producer, error: Exception
) -> None:
    producer.outcome_of = fails_first(ATTEMPTS - 1, error)
    for number in range(10):
        sender.send(record(number))
    sender.flush()
    assert sender.acknowledged == 10
    assert len(producer.sent) == 10 * ATTEMPTS
    assert len(set(producer.sent)) == 10


def test_a_record_that_fails_in_every_attempt_is_an_error(sender: Sender, producer: Producer) -> None:
    producer.outcome_of = fails_first(ATTEMPTS, KafkaTimeoutError("expired"))
    sender.send(record())
    with pytest.raises(TransientError, match=r"1 records did not reach Kafka .*expired"):
        sender.flush()


@pytest.mark.parametrize("then", [lambda sender: sender.flush(), lambda sender: sender.send(record(1))])
def test_a_refused_record_is_an_error(sender: Sender, producer: Producer, then: Callable[[Sender], None]) -> None:
    producer.outcome_of = lambda value: TopicAuthorizationFailedError()
    sender.send(record())
    with pytest.raises(FatalError, match="Kafka refused a record"):
        then(sender)


def test_a_record_without_an_outcome_is_an_error_soon_after_a_stop(
    sender: Sender, producer: Producer, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_AFTER_STOP_S", 0)
    producer.outcome_of = lambda value: NEVER
    sender.send(record())
    stop.set()
    with pytest.raises(TransientError, match="1 records did not reach Kafka"):
        sender.flush()


def test_a_record_without_an_outcome_is_an_error_in_the_end(
    producer_class: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0)
    sender = Sender("a:1", "topic", patience_s=0)
    producers[0].outcome_of = lambda value: NEVER
    sender.send(record())
    with pytest.raises(TransientError, match="1 records did not reach Kafka"):
        sender.flush()


def test_the_number_of_records_in_flight_is_limited(
    sender: Sender, producer: Producer, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_AFTER_STOP_S", 0)
    producer.outcome_of = lambda value: NEVER
    for number in range(MAX_IN_FLIGHT):
        sender.send(record(number))
    stop.set()
    with pytest.raises(TransientError):
        sender.send(record())
    assert len(producer.sent) == MAX_IN_FLIGHT


def test_a_value_too_large_for_the_platform_is_not_sent(sender: Sender, producer: Producer) -> None:
    sender.send(Record(b"F1", bytes(MAX_VALUE_BYTES), (), 1))
    with pytest.raises(RecordRefused):
        sender.send(Record(b"F1", bytes(MAX_VALUE_BYTES + 1), (), 1))
    assert len(producer.sent) == 1


def test_a_topic_that_does_not_answer_is_an_error(
    sender: Sender, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(*args: Any, **options: Any) -> Future:
        raise KafkaTimeoutError("no metadata")

    monkeypatch.setattr(producer, "send", send)
    with pytest.raises(TransientError, match="topic does not answer"):
        sender.send(record())


def test_invalid_addresses_are_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: Any) -> Producer:
        raise ValueError("invalid literal for int()")

    monkeypatch.setattr(module, "KafkaProducer", refuse)
    with pytest.raises(ConfigurationError, match="HOST:PORT"):
        Sender("here:there", "topic")


def test_absent_brokers_are_a_transient_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: Any) -> Producer:
        raise KafkaTimeoutError("unable to bootstrap")

    monkeypatch.setattr(module, "KafkaProducer", refuse)
    with pytest.raises(TransientError, match="No Kafka broker answers at a:1"):
        Sender("a:1", "topic")


def test_the_facade_exports_the_sender() -> None:
    assert services.gateway.Sender is Sender
    assert not hasattr(services.gateway, "Receiver")
