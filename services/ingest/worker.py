"""The loop of one ingest worker: polls Kafka, hands batches to the pipeline, follows the stored offsets.

Kafka's own committed offsets are written for lag tools and never read. Whatever fails between a poll and a commit has
one answer: drop everything in hand, load the stored offsets, and continue from there.
"""

import gc
import logging
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import CorruptRecordError, KafkaError

from services.core.clock import system_clock
from services.core.errors import ConfigurationError, TransientError
from services.core.kafka_compatibility import latest_topic_id, resume_join
from services.core.logging import fields
from services.core.monitoring import Readiness, serve_monitoring
from services.ingest.metrics import IngestMetrics
from services.ingest.observer import Observer
from services.ingest.pipeline import Pipeline, Submitted
from services.ingest.settings import IngestSettings
from services.ingest.stream.buffer import RecordBuffer
from services.ingest.stream.consumer import Assignment, bus_record, make_consumer
from services.ingest.stream.offsets import BeyondLog, topic_recreated
from services.ingest.stream.progress import log_bounds
from services.ingest.stream.topic import TopicName, open_topic
from services.ingest.writing.writer import OffsetMove

T = TypeVar("T")
log = logging.getLogger(__name__)

POLL_MS = 50
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
DRAIN_S = 20.0
IDLE_SWEEP_S = 1.0
EXPIRE_EVERY_S = 3600.0
YOUNG_OBJECTS = 50_000
"""After how many the collector looks for cycles; a batch has some ten thousand."""
SWITCH_S = 0.0001
"""How long a thread may keep the interpreter from others: verifying wants it back after each signature."""


def run_worker(settings: IngestSettings, stopping: Callable[[], bool]) -> None:
    """Wait for Kafka, then work until ``stopping`` returns True.

    Raises:
        ConfigurationError: the topic breaks the contract, its log is not the one read so far, or the metrics' port is
            taken.
    """
    sys.setswitchinterval(SWITCH_S)
    # What is loaded by now stays, so the collector need not look at it again; records have no cycles.
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    metrics, readiness = IngestMetrics(), Readiness("Kafka")
    port, setting = settings.ingest_metrics_port, "JEJO_INGEST_METRICS_PORT"
    with serve_monitoring(metrics.registry, readiness, settings.metrics_host, port, setting):
        name = retry(lambda: open_topic(settings.kafka_bootstrap_servers, settings.telemetry_topic), stopping)
        consumer = retry(lambda: make_consumer(settings), stopping)
        if name is not None and consumer is not None:
            Worker(settings, name, consumer, Observer(metrics), readiness, stopping).run()


def retry(work: Callable[[], T], stopping: Callable[[], bool]) -> T | None:
    """Retry until the work succeeds; returns None if ``stopping`` returns True first."""
    pause_s = FIRST_PAUSE_S
    while not stopping():
        try:
            return work()
        except TransientError as error:
            log.warning("%s", error)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    return None


class Worker:
    """One consumer of the group and its pipeline into the database.

    ``_stored`` are the offsets in the database, None while they are not known. ``_handed`` are those after everything
    that was handed to the pipeline.
    """

    def __init__(
        self,
        settings: IngestSettings,
        name: TopicName,
        consumer: KafkaConsumer,
        observer: Observer,
        readiness: Readiness,
        stopping: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._stopping = stopping
        self._name = name
        self._topic = name.topic
        self._consumer = consumer
        self._assignment = Assignment(consumer)
        self._pipeline = Pipeline(settings, name)
        self._observer = observer
        self._readiness = readiness
        self._generation = -1
        self._stored: dict[int, int] | None = None
        self._handed: dict[int, int] = {}
        self._buffer = self._empty_buffer()
        self._pause_s = FIRST_PAUSE_S
        self._retry_at = 0.0
        self._sweep_at = 0.0
        self._expire_at = 0.0

    def run(self) -> None:
        """Work until ``stopping`` returns True; then write what is in hand, and leave the group.

        Raises:
            ConfigurationError: the operator must decide something; see the message.
        """
        group = self._settings.ingest_group
        log.info("reading %s as group %s", self._topic, group, extra=fields(topic=self._topic, group=group))
        try:
            self._subscribe()
            give_up_at = float("inf")
            while not (self._stopping() and self._drained()) and time.monotonic() < give_up_at:
                self._cycle()
                if self._stopping() and give_up_at == float("inf"):
                    give_up_at = time.monotonic() + DRAIN_S
        finally:
            self._consumer.close(autocommit=False)
            self._pipeline.close()
            self._observer.close()

    def _subscribe(self) -> None:
        """Join the group once the topic's partitions are known, since a leader that knows none would assign none."""
        while not self._stopping():
            try:
                if self._consumer.partitions_for_topic(self._topic):
                    break
            except KafkaError as error:
                log.warning("Kafka does not answer (%s)", error)
            time.sleep(FIRST_PAUSE_S)
        self._consumer.subscribe([self._topic], listener=self._assignment)

    def _cycle(self) -> None:
        """Poll, collect the results of writes, handle a changed assignment, and hand the next batch over."""
        before = self._assignment.generation
        timeout_ms = POLL_MS
        if self._buffer.is_full and not self._pipeline.has_room:
            # Nothing is fetched now, and a poll would return at once, again and again.
            self._pipeline.wait(POLL_MS / 1000)
            timeout_ms = 0
        polled = self._poll(timeout_ms)
        while (finished := self._pipeline.next_finished()) is not None:
            self._collect_result(finished)
        if self._assignment.generation != self._generation:
            self._generation = self._assignment.generation
            self._drop_all()
        elif before == self._generation and self._stored is not None:
            try:
                self._gather(polled)
            except KafkaError as error:
                self._reset_positions(error)
        if self._stored is None and self._pipeline.is_idle:
            self._seek_to_stored_offsets()
        elif self._stored is not None and self._pipeline.has_room and self._buffer.next:
            self._hand_over()
        self._pause_or_resume()
        self._expire_dead_letters()
        self._set_readiness()
        self._observer.observe(self._consumer, self._stored, self._buffer.size + self._pipeline.size)

    def _poll(self, timeout_ms: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return the records that Kafka has for this worker.

        Raises:
            ConfigurationError: the log cannot be read, or the topic was recreated meanwhile.
        """
        polled: dict[TopicPartition, list[ConsumerRecord]] = {}
        try:
            polled = self._consumer.poll(timeout_ms=timeout_ms)
        except CorruptRecordError as error:
            raise ConfigurationError(
                f"Kafka's log of {self._topic} is damaged ({error}): restore it, or continue after the damage with "
                "`jejo offsets move`."
            ) from error
        except KafkaError as error:
            self._reset_positions(error)
        resume_join(self._consumer)
        topic_id = latest_topic_id(self._consumer, self._topic)
        if topic_id is not None and topic_id != self._name.topic_id:
            raise topic_recreated(TopicName(self._topic, self._name.cluster_id, topic_id))
        return polled

    def _reset_positions(self, error: KafkaError) -> None:
        """Go back to the stored offsets, since the client may have skipped records that it did not return."""
        self._observer.failed(error, self._stored)
        self._drop_all()
        self._back_off()
        time.sleep(FIRST_PAUSE_S)

    def _drained(self) -> bool:
        """Return whether nothing is left to write; what cannot be written now is left to the next worker."""
        return self._pipeline.is_idle and (self._stored is None or not self._buffer.next)

    def _empty_buffer(self) -> RecordBuffer:
        return RecordBuffer(self._settings.ingest_batch_bytes, self._settings.ingest_batch_records)

    def _drop_all(self) -> None:
        """Drop everything in hand; the stored offsets are loaded before anything more is read."""
        self._buffer = self._empty_buffer()
        self._pipeline.drop()
        self._stored = None

    def _gather(self, polled: dict[TopicPartition, list[ConsumerRecord]]) -> None:
        """Add polled records and the consumer's position after them, which may be past control records."""
        if self._stopping():
            return
        for partition, records in polled.items():
            for record in records:
                self._buffer.add(bus_record(record))
            position = self._consumer.position(partition)
            if position is not None:
                self._buffer.next[partition.partition] = position
        if not polled and self._pipeline.is_idle and time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + IDLE_SWEEP_S
            self._skip_control_records()

    def _skip_control_records(self) -> None:
        """Move past aborted and control records at the end of a log; otherwise their expiry would look like a loss."""
        for partition in self._consumer.assignment():
            known = self._buffer.next.get(partition.partition, self._handed[partition.partition])
            position = self._consumer.position(partition)
            if position is not None and position > known:
                self._buffer.next[partition.partition] = position

    def _hand_over(self) -> None:
        """Start on as many of the buffered records as one transaction takes."""
        records, positions, size = self._buffer.take()
        moves = [OffsetMove(p, self._handed[p], position) for p, position in sorted(positions.items())]
        self._pipeline.submit(records, moves, size)
        self._handed.update(positions)

    def _collect_result(self, finished: Submitted) -> None:
        """Advance after a commit, or drop everything after a failure."""
        try:
            counts = finished.written.result()
        except TransientError as error:
            if self._stored is not None:
                # Those behind it fail for the same reason, and are dropped already.
                self._observer.failed(error, self._stored)
                self._drop_all()
                self._back_off()
            return
        if counts is None:
            return
        self._pause_s = FIRST_PAUSE_S
        self._observer.committed(counts, finished.positions, finished.seconds)
        if self._stored is not None and self._generation == self._assignment.generation:
            self._stored.update(finished.positions)
            self._commit_to_kafka(finished.positions)

    def _expire_dead_letters(self) -> None:
        """Have dead letters deleted that are too old, once the offsets are known and then every hour."""
        if self._stored is not None and time.monotonic() >= self._expire_at:
            self._expire_at = time.monotonic() + EXPIRE_EVERY_S
            self._pipeline.expire_dead_letters(system_clock())

    def _back_off(self) -> None:
        self._retry_at = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _commit_to_kafka(self, offsets: dict[int, int]) -> None:
        """Commit offsets to Kafka for lag tools; nothing else depends on it."""
        self._consumer.commit_async(
            {TopicPartition(self._topic, p): OffsetAndMetadata(offset, "", -1) for p, offset in offsets.items()}
        )

    def _seek_to_stored_offsets(self) -> None:
        """Load the stored offsets of the assigned partitions, seek to them, and resume fetching."""
        partitions = list(self._consumer.assignment())
        if not partitions or time.monotonic() < self._retry_at:
            return
        generation = self._assignment.generation
        try:
            bounds = log_bounds(self._consumer, partitions)
            try:
                stored = self._pipeline.load(bounds)
            except BeyondLog as error:
                if error.is_confirmed_by(log_bounds(self._consumer, partitions)):
                    raise
                return
        except TransientError as error:
            self._observer.failed(error, None)
            self._back_off()
            return
        if generation != self._assignment.generation:
            return
        for partition in partitions:
            self._consumer.seek(partition, stored[partition.partition])
        self._consumer.resume(*partitions)
        self._stored = stored
        self._handed = dict(stored)
        self._pause_s = FIRST_PAUSE_S
        self._observer.positioned(bounds, stored)

    def _set_readiness(self) -> None:
        """Be ready while at least one partition is assigned and all are positioned at their stored offsets."""
        if self._stored is not None:
            self._readiness.set_ready()
        elif self._consumer.assignment():
            self._readiness.set_waiting("the stored offsets of its partitions")
        else:
            self._readiness.set_waiting("partitions of the topic, of which none is assigned to this worker")

    def _pause_or_resume(self) -> None:
        """Pause fetching while the buffer is full or positions are unknown; otherwise resume."""
        partitions = self._consumer.assignment()
        if self._buffer.is_full or self._stored is None or self._stopping():
            self._consumer.pause(*partitions)
        elif self._consumer.paused():
            self._consumer.resume(*partitions)
