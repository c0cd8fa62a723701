"""Sends records to Kafka and knows of each whether it arrived.

The producer is idempotent and waits for all replicas; while the brokers are away it keeps trying. What it gives back
for a passing reason is sent again, a few times: the platform recognises rows that it has, so once more does no harm and
once too few would. So many records are under way at most, since this producer bounds no memory by itself.
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

UNDER_WAY = 256
ATTEMPTS = 3
AFTER_STOP_S = 5
CLOSING_S = 5
GRACE_S = 30
"""How much longer than the producer's own patience it may be silent before it is taken to be stuck."""

PASSING = (
    RetriableError,
    OutOfOrderSequenceNumberError,
    UnknownProducerIdError,
    InvalidProducerEpochError,
    InvalidProducerIdMappingError,
)


class Sender:
    """A connection to one topic. As a context manager it closes without waiting long for what was not flushed."""

    def __init__(
        self, bootstrap_servers: str, topic: str, *, patience_s: int = 120, stop: threading.Event | None = None
    ) -> None:
        """Connect.

        Args:
            bootstrap_servers: host:port, by comma.
            topic: must exist.
            patience_s: how long one attempt to send a record is kept up while the brokers are away.
            stop: once set, nothing waits for absent brokers any more.

        Raises:
            ConfigurationError: the addresses are none.
            TransientError: no broker answers.
        """
        self.acknowledged = 0
        self._topic = topic
        self._patience_s = patience_s
        self._stop = stop or threading.Event()
        self._change = threading.Condition()
        self._under_way = 0
        self._returned: deque[tuple[Record, int]] = deque()
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
                f"{bootstrap_servers!r} are no addresses of Kafka brokers ({error}): write HOST:PORT, by comma."
            ) from error

    def send(self, record: Record) -> None:
        """Hand a record over; returns when there is room for it, not when it has arrived.

        Raises:
            RecordRefused: the value is larger than the platform takes.
            TransientError: the topic does not answer, or an earlier record did not arrive after every attempt.
            FatalError: the brokers refused an earlier record.
        """
        # A value too large must not get further: after one, an idempotent producer fails everything that follows.
        if len(record.value) > MAX_VALUE_BYTES:
            raise RecordRefused(
                f"The record has {len(record.value)} bytes, more than {MAX_VALUE_BYTES}: send fewer rows in it."
            )
        self._send_returned()
        self._submit(record, 1)

    def flush(self) -> None:
        """Wait until every record has arrived.

        Raises:
            TransientError: one has not, after every attempt; sending all again is safe.
            FatalError: the brokers refused one.
        """
        self._wait(0)
        while self._returned:
            self._send_returned()
            self._wait(0)

    def close(self) -> None:
        """Let go of the connection; records still under way get a few seconds."""
        # What is left after that nobody waits for: the caller did not flush, or was told.
        with contextlib.suppress(KafkaError):
            self._producer.close(timeout=CLOSING_S)

    def _send_returned(self) -> None:
        for _ in range(len(self._returned)):
            self._submit(*self._returned.popleft())

    def _submit(self, record: Record, attempt: int) -> None:
        self._wait(UNDER_WAY - 1)
        with self._change:
            self._under_way += 1
        try:
            future = self._producer.send(self._topic, value=record.value, key=record.key, headers=list(record.headers))
        except (KafkaError, ValueError) as error:
            raise TransientError(
                f"The topic {self._topic} does not answer ({error}): see that Kafka runs and the topic exists."
            ) from error
        future.add_callback(self._arrived)
        future.add_errback(self._came_back, record, attempt)

    def _wait(self, at_most: int) -> None:
        """Until no more than so many records are under way.

        Raises:
            TransientError: one did not arrive after every attempt, or nothing has moved for too long.
            FatalError: the brokers refused one.
        """
        with self._change:
            seen, since = self._under_way, time.monotonic()
            while self._failure is None and self._under_way > at_most:
                self._change.wait(timeout=1)
                if self._under_way != seen:
                    seen, since = self._under_way, time.monotonic()
                elif time.monotonic() - since > (AFTER_STOP_S if self._stop.is_set() else self._patience_s + GRACE_S):
                    raise not_arrived(seen, "Kafka is away")
            if self._failure is not None:
                raise self._failure

    def _arrived(self, metadata: object) -> None:
        with self._change:
            self.acknowledged += 1
            self._under_way -= 1
            self._change.notify()

    def _came_back(self, record: Record, attempt: int, error: BaseException) -> None:
        with self._change:
            if not isinstance(error, PASSING):
                self._failure = FatalError(
                    f"Kafka refused a record ({error}): correct the cause and send everything again."
                )
            elif attempt == ATTEMPTS:
                self._failure = not_arrived(self._under_way + len(self._returned), str(error))
            else:
                self._returned.append((record, attempt + 1))
            self._under_way -= 1
            self._change.notify()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def not_arrived(records: int, why: str) -> TransientError:
    """The error that says how many records did not arrive."""
    return TransientError(
        f"{records} records did not reach Kafka ({why}): run the same command again, what arrived is not counted twice."
    )
