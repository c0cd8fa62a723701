"""Sends records to Kafka, and fails unless every one has arrived.

The producer is idempotent and waits for all replicas; while the brokers are away it keeps trying. A record that fails
for a temporary reason is sent again, a few times: the platform recognises duplicates, so sending too often does no
harm. The number of records in flight is limited, since the producer itself does not limit its memory.
"""

import contextlib
import threading
import time
from collections import deque
from types import TracebackType
from typing import Self

from kafka import KafkaProducer
from kafka.errors import (
    InvalidProducerEpochError,
    InvalidProducerIdMappingError,
    KafkaError,
    OutOfOrderSequenceNumberError,
    RetriableError,
    UnknownProducerIdError,
)

from schemas.wire.limits import MAX_VALUE_BYTES
from services.core.errors import ConfigurationError, FatalError, JejoError, RecordRefused, TransientError
from services.gateway.records import Record

MAX_IN_FLIGHT = 256
ATTEMPTS = 3
PATIENCE_AFTER_STOP_S = 5
CLOSE_TIMEOUT_S = 5
GRACE_S = 30
"""How long after the producer's own delivery timeout it counts as stuck, if nothing has moved."""

TEMPORARY = (
    RetriableError,
    OutOfOrderSequenceNumberError,
    UnknownProducerIdError,
    InvalidProducerEpochError,
    InvalidProducerIdMappingError,
)


class Sender:
    """A connection to one topic. As a context manager it closes without waiting long for records not flushed."""

    def __init__(
        self, bootstrap_servers: str, topic: str, *, patience_s: int = 120, stop: threading.Event | None = None
    ) -> None:
        """Connect.

        Args:
            bootstrap_servers: HOST:PORT, separated by commas.
            topic: an existing topic.
            patience_s: how long one attempt to send a record lasts while the brokers are away.
            stop: once set, absent brokers are waited for no longer than a few seconds.

        Raises:
            ConfigurationError: the addresses are invalid.
            TransientError: no broker answers.
        """
        self.acknowledged = 0
        self._topic = topic
        self._patience_s = patience_s
        self._stop = stop or threading.Event()
        self._change = threading.Condition()
        self._in_flight = 0
        self._to_retry: deque[tuple[Record, int]] = deque()
        self._failure: JejoError | None = None
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap_servers.split(","),
                acks="all",
                enable_idempotence=True,
                compression_type="lz4",
                linger_ms=10,
                batch_size=262_144,
                max_request_size=2 * MAX_VALUE_BYTES,
                allow_auto_create_topics=False,
                delivery_timeout_ms=patience_s * 1000,
                max_block_ms=30_000,
                reconnect_backoff_max_ms=1_000,
            )
        except KafkaError as error:
            raise TransientError(
                f"No Kafka broker answers at {bootstrap_servers} ({error}): start one, "
                "or correct JEJO_KAFKA_BOOTSTRAP_SERVERS."
            ) from error
        except ValueError as error:
            raise ConfigurationError(
                f"{bootstrap_servers!r} is not a list of brokers ({error}): write HOST:PORT, separated by commas."
            ) from error

    def send(self, record: Record) -> None:
        """Queue a record, once there is room for it; it arrives later.

        Raises:
            RecordRefused: the value is larger than the platform takes.
            TransientError: the topic does not answer, or an earlier record did not arrive in any attempt.
            FatalError: the brokers refused an earlier record.
        """
        # Checked here, because after one value that is too large an idempotent producer fails everything that follows.
        if len(record.value) > MAX_VALUE_BYTES:
            raise RecordRefused(
                f"The record has {len(record.value)} bytes, more than {MAX_VALUE_BYTES}: send fewer rows in it."
            )
        self._retry()
        self._submit(record, 1)

    def flush(self) -> None:
        """Wait until every record has arrived.

        Raises:
            TransientError: one did not arrive in any attempt; it is safe to send all again.
            FatalError: the brokers refused one.
        """
        self._wait(0)
        while self._to_retry:
            self._retry()
            self._wait(0)

    def close(self) -> None:
        """Close the connection; records in flight get a few seconds."""
        # An error here is about records that the caller did not flush, or about which it has had an error already.
        with contextlib.suppress(KafkaError):
            self._producer.close(timeout=CLOSE_TIMEOUT_S)

    def _retry(self) -> None:
        for _ in range(len(self._to_retry)):
            self._submit(*self._to_retry.popleft())

    def _submit(self, record: Record, attempt: int) -> None:
        self._wait(MAX_IN_FLIGHT - 1)
        with self._change:
            self._in_flight += 1
        try:
            future = self._producer.send(self._topic, value=record.value, key=record.key, headers=list(record.headers))
        except (KafkaError, ValueError) as error:
            raise TransientError(
                f"The topic {self._topic} does not answer ({error}): check that Kafka runs and the topic exists."
            ) from error
        future.add_callback(self._arrived)
        future.add_errback(self._failed, record, attempt)

    def _wait(self, at_most: int) -> None:
        """Wait until at most ``at_most`` records are in flight.

        Raises:
            TransientError: a record did not arrive in any attempt, or nothing has moved for too long.
            FatalError: the brokers refused a record.
        """
        with self._change:
            seen, since = self._in_flight, time.monotonic()
            while self._failure is None and self._in_flight > at_most:
                self._change.wait(timeout=1)
                patience_s = PATIENCE_AFTER_STOP_S if self._stop.is_set() else self._patience_s + GRACE_S
                if self._in_flight != seen:
                    seen, since = self._in_flight, time.monotonic()
                elif time.monotonic() - since > patience_s:
                    raise not_arrived(seen, "Kafka is away")
            if self._failure is not None:
                raise self._failure

    def _arrived(self, metadata: object) -> None:
        with self._change:
            self.acknowledged += 1
            self._in_flight -= 1
            self._change.notify()

    def _failed(self, record: Record, attempt: int, error: BaseException) -> None:
        with self._change:
            if not isinstance(error, TEMPORARY):
                self._failure = FatalError(
                    f"Kafka refused a record ({error}): correct the cause and send everything again."
                )
            elif attempt == ATTEMPTS:
                self._failure = not_arrived(self._in_flight + len(self._to_retry), str(error))
            else:
                self._to_retry.append((record, attempt + 1))
            self._in_flight -= 1
            self._change.notify()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def not_arrived(records: int, why: str) -> TransientError:
    """Return the error that reports how many records did not arrive."""
    return TransientError(
        f"{records} records did not reach Kafka ({why}): run the same command again; nothing is counted twice."
    )
