"""What a worker reports while it works: its metrics, and log lines about batches and refusals."""

import logging
import time
from dataclasses import replace

from kafka import KafkaConsumer

from schemas.wire.codes import Reason
from services.core.errors import TransientError
from services.core.logging import fields
from services.ingest.metrics import Cause, IngestMetrics, cause_of
from services.ingest.stream.progress import LogBounds
from services.ingest.writing.batch_counts import FATES, BatchCounts, Refusals

log = logging.getLogger(__name__)

OBSERVE_EVERY_S = 1.0
REFUSALS_EVERY_S = 10.0


class Observer:
    """Sets a worker's metrics and writes its log. For the worker's own thread only."""

    def __init__(self, metrics: IngestMetrics) -> None:
        self._metrics = metrics
        self._refusals = RefusalLog()
        self._ends: dict[int, int] = {}
        self._next_s = 0.0

    def positioned(self, bounds: dict[int, LogBounds], stored: dict[int, int]) -> None:
        """The consumer stands at the stored offsets, within these bounds of the logs."""
        self._ends = {partition: log_.end for partition, log_ in bounds.items()}
        log.info("reading on from %s", dict(sorted(stored.items())), extra=fields(partitions=len(stored)))

    def committed(self, counts: BatchCounts, positions: dict[int, int], seconds: float) -> None:
        """A batch was committed, with these next offsets, ``seconds`` after it was handed over."""
        self._metrics.committed(counts, seconds)
        self._refusals.add(counts, time.monotonic())
        rows = {fate: counts.rows_of(fate) for fate in FATES}
        log.debug("committed", extra=fields(records=counts.records, offsets=positions, **rows))

    def failed(self, error: Exception, offsets: dict[int, int] | None) -> None:
        """Everything in hand was dropped and is read again, from ``offsets`` if they are known."""
        cause = cause_of(error) if isinstance(error, TransientError) else Cause.kafka_away
        self._metrics.failed(cause)
        message = str(error) if isinstance(error, TransientError) else f"Kafka could not be read ({error!r})"
        log.warning("%s", message, extra=fields(cause=cause.value, offsets=offsets or None))

    def observe(self, consumer: KafkaConsumer, stored: dict[int, int] | None, buffered: int) -> None:
        """Once a second: set lag and ``buffered`` bytes, and log the refusals that are due."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + OBSERVE_EVERY_S
        assigned = consumer.assignment()
        self._metrics.buffered(buffered, paused=bool(assigned) and assigned == consumer.paused())
        if stored is not None or not assigned:
            # While the offsets are being loaded, the metrics keep their last values.
            known = stored or {}
            ends = {p.partition: max(consumer.highwater(p) or 0, self._ends.get(p.partition, 0)) for p in assigned}
            self._metrics.lags({p: max(0, end - known[p]) for p, end in ends.items() if p in known})
        self._refusals.log_due(now_s)

    def close(self) -> None:
        """Log the refusals that are pending."""
        self._refusals.log_all()


class RefusalLog:
    """Logs refused records and rows: enough to find them, never so many lines that they fill the disk.

    Every refusal is a dead letter, so a line only has to show that there are some: the first of a reason at once, then
    at most one line per reason in REFUSALS_EVERY_S seconds, with how many there were and where the first of them lies.

    Times are seconds of any clock that never goes back.
    """

    def __init__(self) -> None:
        self._quiet_until_s: dict[Reason, float] = {}
        self._pending: dict[Reason, Refusals] = {}

    def add(self, counts: BatchCounts, now_s: float) -> None:
        """Take in a written batch's refusals, and log what is due."""
        for refusals in counts.refusals:
            known = self._pending.get(refusals.reason)
            merged = refusals if known is None else replace(known, count=known.count + refusals.count)
            self._pending[refusals.reason] = merged
        self.log_due(now_s)

    def log_due(self, now_s: float) -> None:
        """Log the refusals whose reasons have been quiet for long enough."""
        for reason in [r for r in self._pending if self._quiet_until_s.get(r, now_s) <= now_s]:
            self._quiet_until_s[reason] = now_s + REFUSALS_EVERY_S
            log_refusals(self._pending.pop(reason))

    def log_all(self) -> None:
        """Log everything that is pending, before the end."""
        for refusals in self._pending.values():
            log_refusals(refusals)
        self._pending.clear()


def log_refusals(refusals: Refusals) -> None:
    """Log one line for all refusals of a reason."""
    log.warning(
        "refused, the first because: %s",
        refusals.message,
        extra=fields(
            reason=refusals.reason.value,
            count=refusals.count,
            factory=refusals.factory,
            partition=refusals.partition,
            offset=refusals.offset,
        ),
    )
