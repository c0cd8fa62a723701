"""The stages between polling and committing, each in a thread of its own: verify, decode, sort, encode | write.

Batches pass through the stages in the order in which they were submitted. A stage that fails drops its batch and all
later ones of the same course; the caller then loads the stored offsets and begins a new course from there. That is safe
at any moment, because a batch is only committed if the offsets before it are the stored ones.

Verifying leaves the interpreter to the other threads, but it shares a thread with decoding: in one of its own it would
wait for the interpreter after each signature, which costs more than the overlap gains.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from services.core.database import Connection
from services.core.errors import TransientError
from services.core.logging import fields
from services.core.times import DAY_US, HOUR_US, floor_to
from services.ingest.database import DatabaseThread
from services.ingest.judging.authenticate import authenticate
from services.ingest.judging.decode import decode_batch
from services.ingest.judging.introductions import Introductions
from services.ingest.judging.novelty import introduce_new
from services.ingest.judging.plain_rows import Known
from services.ingest.judging.quotas import PartitionHour, Quotas
from services.ingest.judging.quotas import load as load_spent
from services.ingest.judging.registry import Registry, refresh_registry
from services.ingest.letters.dead_letters import expire_dead_letters
from services.ingest.model import BusRecord, Ints
from services.ingest.settings import IngestSettings
from services.ingest.stream.offsets import enter_topic, load_offsets
from services.ingest.stream.progress import LogBounds
from services.ingest.stream.topic import TopicName
from services.ingest.writing.batch_counts import BatchCounts
from services.ingest.writing.writer import Latest, OffsetMove, Plan, Topic, Writer, new_record_ids, no_hints, plan_batch

log = logging.getLogger(__name__)

DEPTH = 3
"""Batches at a time: one in each stage, and one that waits."""
LOOKUP_S = 60.0
WRITE_S = 600.0
"""After so long without an answer the database counts as away."""
ANSWER_S = 2 * LOOKUP_S
"""Longer than any lookup takes, so that not even a thread that has ended leaves another waiting."""


@dataclass(slots=True)
class Course:
    """Batches that follow one another from the stored offsets on, and what is known while they do.

    Hints, sums and introductions count batches that are not committed yet: a new course begins with those stored.
    """

    topic: Topic
    quotas: Quotas
    introductions: Introductions
    latest: Latest = field(default_factory=no_hints)
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """A batch on its way, and the positions after it. ``written`` is None if it was dropped."""

    written: "Future[BatchCounts | None]"
    positions: dict[int, int]
    size: int
    since_s: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Return the seconds since the batch was submitted."""
        return time.monotonic() - self.since_s


class Pipeline:
    """The threads and connections of one worker. Its methods are for the worker's own thread."""

    def __init__(self, settings: IngestSettings, name: TopicName) -> None:
        self._settings = settings
        self._name = name
        self._lookups = DatabaseThread(settings.database_url, "jejo ingest lookups")
        self._writes = DatabaseThread(settings.database_url, "jejo ingest")
        self._judging = ThreadPoolExecutor(1, "judge")
        self._registry = Registry()
        self._course: Course | None = None
        self._under_way: deque[Submitted] = deque()

    @property
    def has_room(self) -> bool:
        """Whether another batch may be submitted."""
        return len(self._under_way) < DEPTH

    @property
    def is_idle(self) -> bool:
        """Whether no batch is under way; only then may offsets be loaded."""
        return not self._under_way

    @property
    def size(self) -> int:
        """Bytes of the records under way."""
        return sum(submitted.size for submitted in self._under_way)

    def load(self, bounds: dict[int, LogBounds]) -> dict[int, int]:
        """Load each partition's next offset, and begin a new course there; see ``load_offsets``.

        Raises:
            TransientError: the database went away, or does not answer.
            ConfigurationError: the operator must decide something; see the message.
        """

        async def work(connection: Connection) -> tuple[dict[int, int], Course]:
            topic = await enter_topic(connection, self._name)
            offsets = await load_offsets(connection, topic, bounds)
            introductions = Introductions(topic.number)
            await introductions.load(connection, offsets)
            return offsets, Course(topic, Quotas(self._settings.factory_limits), introductions)

        offsets, self._course = self._writes.submit(work, LOOKUP_S).result()
        return offsets

    def submit(self, sources: list[BusRecord], moves: list[OffsetMove], size: int) -> None:
        """Have records verified, decoded and committed together with the offsets, after all submitted before."""
        course = self._course
        assert course is not None
        planned = self._judging.submit(self._plan, course, sources)

        async def write(connection: Connection) -> BatchCounts | None:
            try:
                plan = await asyncio.wrap_future(planned)
                if plan is None or course.ended:
                    return None
                writer = Writer(course.topic, self._settings.letter_limits, course.latest)
                return await writer.write(connection, plan, moves)
            except BaseException:
                course.ended = True
                raise

        written = self._writes.submit(write, WRITE_S)
        positions = {move.partition: move.next for move in moves}
        self._under_way.append(Submitted(written, positions, size))

    def expire_dead_letters(self, now_us: int) -> None:
        """Delete dead letters that are too old, between batches. Returns at once; a failure is logged."""
        before_us = now_us - self._settings.dead_letter_days * DAY_US

        async def work(connection: Connection) -> None:
            deleted = await expire_dead_letters(connection, before_us)
            if deleted:
                log.info("deleted %d dead letters of more than %d days", deleted, self._settings.dead_letter_days)

        def report(done: "Future[None]") -> None:
            if not done.cancelled() and isinstance(done.exception(), TransientError):
                log.warning("dead letters could not be deleted: %s", done.exception())

        self._writes.submit(work, WRITE_S).add_done_callback(report)

    def next_finished(self) -> Submitted | None:
        """Return the oldest batch if it is committed or has failed, and forget it."""
        if self._under_way and self._under_way[0].written.done():
            return self._under_way.popleft()
        return None

    def wait(self, seconds: float) -> None:
        """Wait until the oldest batch is committed or has failed, but no longer than this."""
        if self._under_way:
            wait([self._under_way[0].written], timeout=seconds)

    def drop(self) -> None:
        """Drop all batches under way; one that is being written may still be committed."""
        if self._course is not None:
            self._course.ended = True

    def close(self) -> None:
        """Drop everything, close the connections and end the threads; blocks for some seconds."""
        self.drop()
        self._writes.close()
        self._lookups.close()
        self._judging.shutdown(cancel_futures=True)

    def _plan(self, course: Course, sources: list[BusRecord]) -> Plan | None:
        """Verify and decode records, and plan how their rows are written; None if the batch is dropped."""
        if course.ended:
            return None

        async def look_up(connection: Connection) -> tuple[Registry, Ints]:
            registry = await refresh_registry(connection, self._registry)
            return registry, await new_record_ids(connection, len(sources))

        registry, record_ids = self._lookups.submit(look_up, LOOKUP_S).result(ANSWER_S)
        if registry.version != self._registry.version:
            log.info("registry version %d", registry.version, extra=fields(registry_version=registry.version))
        self._registry = registry
        required = self._settings.require_signatures
        senders = [authenticate(source, registry, require_signatures=required) for source in sources]
        firsts, hours = first_offsets(sources)
        if course.quotas.missing(hours):
            self._look_up(lambda connection: load_spent(connection, course.topic.number, course.quotas, hours))
        known = Known(*course.introductions.settled(firsts))
        decoded = decode_batch(sources, senders, registry, known, course.quotas)
        if decoded.findings.records:
            limits = self._settings.factory_limits
            self._look_up(
                lambda connection: introduce_new(connection, course.introductions, decoded.findings, firsts, limits)
            )
        course.quotas.close_batch({source.partition: source.offset + 1 for source in sources})
        batch, positions = decoded.batch(course.introductions.metrics)
        return plan_batch(batch, record_ids[positions], course.latest)

    def _look_up(self, work: Callable[[Connection], Awaitable[None]]) -> None:
        """Run work on the connection for lookups, and wait for it."""
        self._lookups.submit(work, LOOKUP_S).result(ANSWER_S)


def first_offsets(sources: Sequence[BusRecord]) -> tuple[dict[int, int], dict[PartitionHour, int]]:
    """Return the offset of the first record of each partition, and of each partition's hour of receipt."""
    firsts: dict[int, int] = {}
    hours: dict[PartitionHour, int] = {}
    for source in sources:
        firsts.setdefault(source.partition, source.offset)
        hours.setdefault(PartitionHour(source.partition, floor_to(source.received_us, HOUR_US)), source.offset)
    return firsts, hours
