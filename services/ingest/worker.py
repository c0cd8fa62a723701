"""The loop of one ingest worker: polls Kafka, gathers batches, hands them over, keeps to the database's offsets.

Kafka's own committed offsets are written for lag tools and never read. Whatever goes wrong between a poll and a commit
has one answer: forget everything in hand, load the offsets, and read again from there.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from services.core.errors import ConfigurationError, TransientError
from services.ingest.intake import Intake
from services.ingest.model import BusRecord
from services.ingest.offsets import LogBounds
from services.ingest.settings import IngestSettings
from services.ingest.topic import open_topic
from services.ingest.writer import OffsetMove, Tally

log = logging.getLogger(__name__)

POLL_MS = 50
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
LOG_APPEND_TIME = 1


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes every change of the assignment. Called on the consumer's own thread, so it only counts and pauses.

    A new partition is paused at a placeholder position, so nothing is fetched before its stored offset is known.
    """

    def __init__(self) -> None:
        self.consumer: KafkaConsumer | None = None
        self.generation = 0

    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        self.generation += 1

    def on_partitions_lost(self, lost: list[TopicPartition]) -> None:
        self.generation += 1

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self.generation += 1
        if self.consumer is not None:
            for partition in assigned:
                self.consumer.seek(partition, 0)
                self.consumer.pause(partition)


@dataclass(slots=True)
class Gathered:
    """Records polled and not yet handed over, with the positions after them."""

    records: list[BusRecord] = field(default_factory=list)
    size: int = 0
    next: dict[int, int] = field(default_factory=dict)


class Worker:
    """One consumer of the group and its intake.

    Raises (from ``run``):
        ConfigurationError: the topic breaks the contract, or its log is not the one read so far.
        FatalError: see the message; a restart begins from what was committed.
    """

    def __init__(self, settings: IngestSettings, stopping: Callable[[], bool]) -> None:
        self._settings = settings
        self._stopping = stopping
        name = open_topic(settings.kafka_bootstrap_servers, settings.telemetry_topic)
        self._topic = name.topic
        self._intake = Intake(settings, name)
        self._assignment = Assignment()
        self._consumer = make_consumer(settings)
        self._assignment.consumer = self._consumer
        # A group leader that does not know the topic's partitions yet would assign none of them, and not notice.
        while not self._consumer.partitions_for_topic(name.topic) and not stopping():
            time.sleep(FIRST_PAUSE_S)
        self._consumer.subscribe([name.topic], listener=self._assignment)
        self._generation = -1
        self._stored: dict[int, int] | None = None
        self._gathered = Gathered()
        self._writing: Future[Tally] | None = None
        self._written: dict[int, int] = {}
        self._pause_s = FIRST_PAUSE_S
        self._try_again_at = 0.0

    def run(self) -> None:
        """Work until ``stopping`` says so; then write what is in hand, leave the group and return."""
        log.info("reading %s as group %s", self._topic, self._settings.ingest_group)
        try:
            while not (self._stopping() and self._drained()):
                self._turn()
        finally:
            self._consumer.close(autocommit=False)
            self._intake.close()

    def _turn(self) -> None:
        """One turn: poll, notice a changed assignment, take the result of a write, hand the next batch over."""
        before = self._assignment.generation
        try:
            polled = self._consumer.poll(timeout_ms=POLL_MS)
        except (NoOffsetForPartitionError, OffsetOutOfRangeError):
            polled = {}
            self._forget()
        except KafkaError as error:
            log.warning("Kafka does not answer (%s)", error)
            polled = {}
            time.sleep(FIRST_PAUSE_S)
        if self._writing is not None and self._writing.done():
            self._take_result(self._writing)
        if self._assignment.generation != self._generation:
            self._generation = self._assignment.generation
            self._forget()
        elif before == self._generation and self._stored is not None:
            self._gather(polled)
        if self._writing is None and self._stored is None:
            self._find_positions()
        elif self._writing is None and self._gathered.next:
            self._hand_over()
        self._keep_bounds()

    def _drained(self) -> bool:
        """Whether nothing is left in hand; what cannot be written now is left to the next worker."""
        return self._writing is None and (self._stored is None or not self._gathered.next)

    def _forget(self) -> None:
        """Drop everything in hand; the stored offsets are loaded before anything else is read."""
        self._gathered = Gathered()
        self._stored = None

    def _gather(self, polled: dict[TopicPartition, list[ConsumerRecord]]) -> None:
        """Take polled records in, and the position of every partition, which also moves over control records."""
        assert self._stored is not None
        if self._stopping():
            return
        for partition, records in polled.items():
            for record in records:
                taken = bus_record(record)
                self._gathered.records.append(taken)
                self._gathered.size += len(taken.value or b"")
            self._gathered.next[partition.partition] = self._consumer.position(partition)

    def _hand_over(self) -> None:
        """Give the gathered records to the intake."""
        assert self._stored is not None
        gathered, self._gathered = self._gathered, Gathered()
        moves = [OffsetMove(p, self._stored[p], position) for p, position in sorted(gathered.next.items())]
        self._written = gathered.next
        self._writing = self._intake.write(gathered.records, moves)

    def _take_result(self, writing: "Future[Tally]") -> None:
        """Move on after a commit, or forget everything after a failure."""
        self._writing = None
        try:
            tally = writing.result()
        except TransientError as error:
            log.warning("%s", error)
            self._forget()
            self._back_off()
            return
        self._pause_s = FIRST_PAUSE_S
        log.debug("%s", tally)
        if self._stored is not None and self._generation == self._assignment.generation:
            self._stored.update(self._written)
            self._tell_kafka(self._written)

    def _back_off(self) -> None:
        self._try_again_at = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _tell_kafka(self, offsets: dict[int, int]) -> None:
        """Commit the offsets to Kafka, for lag tools; nothing depends on it."""
        self._consumer.commit_async(
            {TopicPartition(self._topic, p): OffsetAndMetadata(offset, "", -1) for p, offset in offsets.items()}
        )

    def _find_positions(self) -> None:
        """Load the stored offsets of what is assigned, seek there, and read on."""
        partitions = list(self._consumer.assignment())
        if not partitions or time.monotonic() < self._try_again_at:
            return
        generation = self._assignment.generation
        try:
            starts = self._consumer.beginning_offsets(partitions)
            ends = self._consumer.end_offsets(partitions)
            stored = self._intake.load({p.partition: LogBounds(starts[p], ends[p]) for p in partitions}).result()
        except (TransientError, KafkaError) as error:
            log.warning("%s", error)
            self._back_off()
            return
        if generation != self._assignment.generation:
            return
        for partition in partitions:
            self._consumer.seek(partition, stored[partition.partition])
        self._consumer.resume(*partitions)
        self._stored = stored
        self._pause_s = FIRST_PAUSE_S
        log.info("reading on from %s", dict(sorted(stored.items())))

    def _keep_bounds(self) -> None:
        """Pause while as much is in hand as one transaction should hold, or positions are unknown; else read on."""
        full = (
            self._gathered.size >= self._settings.ingest_batch_bytes
            or len(self._gathered.records) >= self._settings.ingest_batch_records
        )
        partitions = self._consumer.assignment()
        if full or self._stored is None or self._stopping():
            self._consumer.pause(*partitions)
        elif self._consumer.paused():
            self._consumer.resume(*partitions)


def make_consumer(settings: IngestSettings) -> KafkaConsumer:
    """The group's consumer: nothing automatic about its offsets, aborted transactions unseen."""
    return KafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers.split(","),
        group_id=settings.ingest_group,
        client_id="jejo-ingest",
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        session_timeout_ms=settings.kafka_session_timeout_ms,
        heartbeat_interval_ms=settings.kafka_heartbeat_ms,
        max_poll_records=1000,
        fetch_max_bytes=settings.ingest_batch_bytes,
        max_partition_fetch_bytes=2 * 1024 * 1024,
        metadata_max_age_ms=30_000,
        fetch_max_wait_ms=100,
    )


def bus_record(record: ConsumerRecord) -> BusRecord:
    """A Kafka record as ingest sees it.

    Raises:
        ConfigurationError: its time stamp is not the broker's.
    """
    if record.timestamp_type != LOG_APPEND_TIME:
        raise ConfigurationError(
            f"Record {record.partition}/{record.offset} was not stamped by the broker: set message.timestamp.type of "
            f"{record.topic} to LogAppendTime, and decide with `jejo offsets move` what becomes of the records before."
        )
    return BusRecord(
        record.partition, record.offset, record.timestamp * 1000, record.key, record.value, tuple(record.headers)
    )
